"""Where people and other systems come in: shell, screens, plots."""
