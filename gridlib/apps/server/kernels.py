"""Kernels with owners: each acts for who opened it, is reached by nobody else, and ends with its owner."""

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from jupyter_core.utils import ensure_async
from jupyter_server.base.call_context import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError

from gridlib.apps.server.identity import Accounts, Person, SaidError, person_of
from gridlib.apps.study.protocol import ACTING_USER_VARIABLE
from gridlib.workflow import sessions

log = logging.getLogger(__name__)

PER_PERSON = 12
"""Kernels that one person may have open, in all sessions together; some 50 MB each."""

SWEEP_S = 3.0
"""How often the server looks whether owners of kernels are gone [s]."""


class Kernels(AsyncMappingKernelManager):
    """Starts kernels with who acts in their environment, and nothing else of the request.

    The application that it belongs to has ``kernel_environment`` and ``identity_provider``. A kernel belongs
    to the session that opened it and ends with it.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._owners: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._starting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.sweeping = PeriodicCallback(self.sweep, SWEEP_S * 1000)

    @property
    def application(self) -> Any:
        """The application that the kernels belong to."""
        return self.parent

    @property
    def accounts(self) -> Accounts:
        """Who may come in."""
        found: Accounts = self.application.identity_provider
        return found

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel that acts for the person of the present request.

        One after another for each person: a kernel that is only just starting is counted, too.
        """
        person = person_of(CallContext.get(CallContext.JUPYTER_HANDLER))
        kwargs["env"] = self.environment(kwargs.get("env") or {})
        kwargs["env"][ACTING_USER_VARIABLE] = person.username
        async with self._starting.setdefault(person.username, asyncio.Lock()):
            if not await self.make_room(person.username):
                raise SaidError(HTTPStatus.TOO_MANY_REQUESTS, "server.too_many_screens", count=PER_PERSON)
            kernel_id = str(await super().start_kernel(**kwargs))
            self._owners[kernel_id] = self.owner(person)
            self._people[kernel_id] = person.username
        return kernel_id

    def environment(self, asked: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002
        """Make the environment of a kernel; what the request asks for does not count."""
        return dict(self.application.kernel_environment)

    def cwd_for_path(self, path: str, **kwargs: Any) -> str:  # noqa: ARG002 - always the workspace
        """Run every kernel in the workspace."""
        return str(self.application.kernel_environment["GRIDLIB_HOME"])

    def owner(self, person: Person) -> str:
        """Name the owner of what a person opens: the session; a program has none, and thus no kernels."""
        return person.session.key_sha256 if person.session else ""

    async def present(self, owners: set[str]) -> set[str]:
        """Tell which owners are still there."""
        good = await self.accounts.run(sessions.list_sessions, owners)
        return {session.key_sha256 for session in good}

    def is_own(self, kernel_id: str, person: Person) -> bool:
        """Tell whether a running kernel belongs to a person."""
        return kernel_id in self and self._owners.get(kernel_id) == self.owner(person)

    async def make_room(self, username: str) -> bool:
        """End the longest idle kernel without a page if a person has as many as may be; false: none."""
        own = [
            kernel_id for kernel_id, name in self._people.items() if name == username and kernel_id in self
        ]
        if len(own) < PER_PERSON:
            return True
        models: list[dict[str, Any]] = [self.kernel_model(kernel_id) for kernel_id in own]  # type: ignore[no-untyped-call]
        left = sorted((m for m in models if not m["connections"]), key=lambda m: str(m["last_activity"]))
        await self._end([m["id"] for m in left[:1]])
        return bool(left)

    async def end_of(self, person: Person) -> None:
        """End all kernels of a person who signs out."""
        await self._end(self._owned_by({self.owner(person)}))

    async def sweep(self) -> None:
        """End the kernels of every owner who is gone: signed out elsewhere, expired, disabled."""
        self._owners = {kernel_id: owner for kernel_id, owner in self._owners.items() if kernel_id in self}
        self._people = {kernel_id: name for kernel_id, name in self._people.items() if kernel_id in self}
        owners = set(self._owners.values())
        try:
            gone = owners - await self.present(owners) if owners else set()
        except HTTPError:
            log.error("cannot look whose kernels must end: the database does not answer")
        else:
            await self._end(self._owned_by(gone))

    def _owned_by(self, owners: set[str]) -> list[str]:
        return [
            kernel_id for kernel_id, owner in self._owners.items() if owner in owners and kernel_id in self
        ]

    async def _end(self, kernel_ids: list[str]) -> None:
        for kernel_id in kernel_ids:
            if kernel_id in self:  # it may have ended while another was ending
                await ensure_async(self.shutdown_kernel(kernel_id, now=True))  # type: ignore[no-untyped-call]
