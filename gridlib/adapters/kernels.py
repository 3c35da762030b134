"""How a kernel is started: this interpreter, nothing of the user's Jupyter or IPython set-up.

A kernel specification or start-up script in somebody's home folder can otherwise run another Python, or
other code, under gridlib's name.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager

KERNEL_NAME = NATIVE_KERNEL_NAME


class ThisInterpreter(KernelSpecManager):
    """Knows one kernel: IPython in the interpreter that runs gridlib, installed or not.

    No history is kept: two runs at once would share one file.
    """

    def find_kernel_specs(self) -> dict[str, str]:
        """Name the one kernel there is."""
        return {KERNEL_NAME: ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002 - there is only one
        """Describe the kernel, whatever name a notebook asks for."""
        return KernelSpec(
            argv=[
                sys.executable,
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
                "--HistoryManager.enabled=False",
            ],
            display_name="Python 3",
            language="python",
        )


def kernel_environment(home: Path, scratch: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Environment for kernels and the processes that start them.

    Parameters
    ----------
    home : Path
        The workspace; handed on as ``GRIDLIB_HOME``.
    scratch : Path
        Empty private folder that stands in for the user's Jupyter and IPython folders.
    inherited : mapping of str to str
        Environment to start from.

    Returns
    -------
    dict of str to str
        Without any ``JUPYTER_`` setting and without an acting user: who acts is said by the caller. The
        working folder stays off the import path, so that no file in a workspace stands in for a package.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("JUPYTER_", "JPY_", "IPYTHON")) and name != "GRIDLIB_ACTING_USER"
    }
    return {
        **kept,
        "GRIDLIB_HOME": str(home),
        "IPYTHONDIR": str(scratch),
        "JUPYTER_CONFIG_DIR": str(scratch),
        "JUPYTER_DATA_DIR": str(scratch),
        "JUPYTER_RUNTIME_DIR": str(scratch),
        "PYTHONSAFEPATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def apply_environment(environment: Mapping[str, str]) -> None:
    """Make ``environment`` the environment of this process."""
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
