"""The study worker: one warm process of the server that answers studies and pictures.

It reads the newest run once and again whenever a newer state is there. Each question is answered by a fork of
it, which has all of that at hand, has a deadline that no library can outlast, and takes nothing with it when
it dies. One person has half of the forks at most: whoever opens many pages waits for them, and nobody else
does. It listens on a socket that only its own user can open, and ends with the process that started it.
"""

import json
import logging
import os
import signal
import socket
import socketserver
import struct
import time
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import typer
from pydantic import TypeAdapter, ValidationError

from gridlib.apps.screens.answer import answer
from gridlib.apps.study.memory import Memory, read_memory, version_now
from gridlib.apps.study.pictures import draw_picture
from gridlib.apps.study.protocol import (
    ACTING_USER_VARIABLE,
    DEADLINE_S,
    MOST_REQUEST_BYTES,
    Request,
    ScreenQuestion,
    WhatIf,
)
from gridlib.facts.errors import GridlibError, InputError
from gridlib.facts.studies import Study
from gridlib.workbench import Workbench, open_workbench
from gridlib.workflow.studies import study

LOOK_EVERY_S = 2.0
"""How often it looks for a newer state while nobody asks [s]."""

MOST_OF_ONE = 3
"""So many questions of one person are answered at once; further ones wait."""

_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
_STUDY = TypeAdapter(Study)
_LOG = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    since: float
    person: str
    request: socket.socket


class StudyServer(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Listens, keeps the memory up to date, and forks for each question.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    path : Path
        Where to listen; in a folder that only this user can enter.
    parent : int
        Process that started this one.
    """

    max_children = 6
    request_queue_size = 32

    def __init__(self, workbench: Workbench, path: Path, parent: int) -> None:
        self.workbench = workbench
        self.memory: Memory | None = None
        self.fault: GridlibError | None = None
        self.looked_at = 0.0
        self.parent = parent
        self.asked_by: dict[int, str] = {}
        self.waiting: list[_Waiting] = []
        before = os.umask(0o177)
        try:
            super().__init__(str(path), _Answer)
        finally:
            os.umask(before)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver's
        """Answer nobody but the user it runs as, and only from what is newest."""
        _, uid = _peer(request)
        if uid != os.getuid():
            return False
        self.look()
        return True

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's
        """Answer a question in a fork, now or as soon as its person has room."""
        self.waiting.append(_Waiting(time.monotonic(), _person(request), request))
        self._go_on()

    def _go_on(self) -> None:
        """Fork for the questions whose person has room, the oldest first; who asked long ago has given up."""
        for one in list(self.waiting):
            late = time.monotonic() - one.since > DEADLINE_S
            if not late and not self._has_room(one.person):
                continue
            self.waiting.remove(one)
            if late:
                self.shutdown_request(one.request)
                continue
            before = set(self.active_children or ())
            try:
                super().process_request(one.request, "")
            except OSError:  # no fork now
                self.handle_error(one.request, "")
                self.shutdown_request(one.request)
            self.asked_by |= dict.fromkeys(set(self.active_children or ()) - before, one.person)

    def _has_room(self, person: str) -> bool:
        running = self.active_children or set()
        self.asked_by = {pid: asked for pid, asked in self.asked_by.items() if pid in running}
        return len(running) < self.max_children and list(self.asked_by.values()).count(person) < MOST_OF_ONE

    def service_actions(self) -> None:
        """Between questions: let ended forks go, look for a newer state, end with the parent."""
        super().service_actions()
        self._go_on()
        if os.getppid() != self.parent:
            raise SystemExit(0)
        if time.monotonic() - self.looked_at > LOOK_EVERY_S:
            self.look()

    def look(self) -> None:
        """Read the newest state if it is not the one at hand."""
        self.looked_at = time.monotonic()
        try:
            if self.memory is None or version_now(self.workbench) != self.memory.version:
                self.memory = read_memory(self.workbench, self.memory)
            self.fault = None
        except GridlibError as error:
            self.fault = error
        finally:
            # No fork may inherit an open connection to the database.
            self.workbench.store.dispose()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's
        """Log what went wrong; the others are answered all the same."""
        _LOG.exception("a question was not answered")


def _peer(request: socket.socket) -> tuple[int, int]:
    """Tell which process of which user asks."""
    peer = request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", peer)
    return pid, uid


def _person(request: socket.socket) -> str:
    """Tell for whom a process asks, by what the server put into its environment at its start."""
    pid, _ = _peer(request)
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return ""
    start = f"{ACTING_USER_VARIABLE}=".encode()
    return next((e.removeprefix(start).decode() for e in entries if e.startswith(start)), "")


class _Answer(socketserver.StreamRequestHandler):
    """One question and its answer, in a fork of its own."""

    server: StudyServer

    def setup(self) -> None:
        # A worker that takes the place of this one must not find the door still held open here.
        self.server.socket.close()
        for one in self.server.waiting:
            one.request.close()
        # The default action of the signal ends this fork, whatever code it is in.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
        super().setup()

    def handle(self) -> None:
        try:
            answer: dict[str, Any] = {"answer": self._answer(self.rfile.readline(MOST_REQUEST_BYTES + 1))}
        except GridlibError as error:
            fault = {"code": error.code, "message": str(error), "what_to_do": error.what_to_do}
            answer = {"error": fault}
        self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, line: bytes) -> Any:
        if len(line) > MOST_REQUEST_BYTES or not line.endswith(b"\n"):
            raise InputError(f"a question has at most {MOST_REQUEST_BYTES} bytes and ends with its line")
        try:
            asked = _REQUEST.validate_json(line)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise InputError(f"that cannot be asked: {faults}") from error
        memory = self.server.memory
        if isinstance(asked, ScreenQuestion):
            return answer(self.server.workbench, memory, asked)
        if memory is None or self.server.fault is not None:
            raise self.server.fault or InputError("nothing was read yet", what_to_do="Ask again.")
        workbench = self.server.workbench
        if isinstance(asked, WhatIf):
            found = study(workbench, **asked.model_dump(exclude={"ask"}), base=memory.base)
            return _STUDY.dump_python(found, mode="json")
        return draw_picture(workbench, memory, asked.ask, **asked.model_dump(exclude={"ask"}))


def serve_studies(home: Path, path: Path, parent: int) -> None:
    """Answer studies of a workspace on a socket until the parent process ends."""
    mpl.use("agg")
    path.unlink(missing_ok=True)
    with StudyServer(open_workbench(home), path, parent) as server:
        try:
            server.look()
            server.serve_forever(poll_interval=0.2)
        finally:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    typer.run(serve_studies)
