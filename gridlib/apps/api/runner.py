"""The process that does requested runs: started where runs wait and nobody works, never waited for."""

import os
import subprocess
import sys
import threading

from gridlib.workbench import Workbench
from gridlib.workflow import requests

_WORK_OFF = "from gridlib.apps.cli import main; main()"


class Runner:
    """Starts ``gridlib run --requested`` in a process group of its own, which outlives this server.

    Parameters
    ----------
    workbench : Workbench
        The workspace; what the process says goes to ``requested_runs.log`` in its data folder.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._children: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a process, unless one works: that one finds a new request when it has done the others."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
            if requests.needs_worker(self._workbench):
                self._children.append(self._spawn())

    def resume(self) -> None:
        """Take up what a killed process left waiting; does nothing while a process of ours is alive."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
            if not self._children and requests.needs_worker(self._workbench):
                self._children.append(self._spawn())

    def _spawn(self) -> "subprocess.Popen[bytes]":
        settings = self._workbench.settings
        with (settings.data_dir / "requested_runs.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-c", _WORK_OFF, "run", "--requested", "--home", str(settings.home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=settings.home,
                env={**os.environ, "GRIDLIB_HOME": str(settings.home)},
                start_new_session=True,
            )
