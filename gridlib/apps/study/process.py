"""Start the study worker and keep it running, from the server."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gridlib.apps.study.protocol import SOCKET_VARIABLE

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A fork of a process with threads of a numeric library would hang in them."""

GIVES_BACK = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
}
"""What reading a run needs for a moment goes back to the system: a fleet takes a third less."""

STOP_S = 5.0
"""How long it may take to end when asked to [s]."""


class StudyProcess:
    """The worker of one server: `start` it, call `keep_running` now and then, `stop` it.

    Parameters
    ----------
    home : Path
        The workspace.
    environment : mapping of str to str
        Of the worker, beside what it needs itself.
    """

    def __init__(self, home: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.home = home
        self.environment = dict(environment)
        # A folder made by tempfile can be entered by this user alone; the path of a socket must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="gridlib-study-")
        self.path = Path(self._folder.name) / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def for_kernels(self) -> dict[str, str]:
        """What a kernel's environment needs to ask the worker."""
        return {SOCKET_VARIABLE: str(self.path)}

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the worker; it needs some seconds before it answers, and what asks then waits or is told."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gridlib.apps.study.worker"),
                *(str(self.home), str(self.path), str(os.getpid())),
            ],
            env={**self.environment, **ONE_THREAD, **GIVES_BACK},
            stdin=subprocess.DEVNULL,
        )

    def keep_running(self) -> bool:
        """Start it again if it has died; True where that was needed."""
        if self.pid is not None:
            return False
        self.start()
        return True

    def stop(self) -> None:
        """End the worker and forget its socket."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()
