"""The served screens: sign-in, choice of screens, kernels with owners, and JupyterLab for analysts."""
