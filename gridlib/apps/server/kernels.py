"""Kernels with owners: each acts for the session that opened it, is reached from there, and ends with it."""

from collections.abc import Mapping
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.call_context import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from gridlib.apps.server.identity import Accounts, Person, person_of
from gridlib.workflow import sessions

ACTING_USER_VARIABLE = "GRIDLIB_ACTING_USER"
"""Environment variable that tells a kernel who acts; see `gridlib.adapters.kernels` for ``GRIDLIB_HOME``."""

PER_SESSION = 12
"""Kernels that one session may have open; some 90 MB each."""

SWEEP_S = 3.0
"""How often the server looks whether the sessions behind its kernels have ended [s]."""


class Kernels(AsyncMappingKernelManager):
    """Starts kernels in the workspace with who acts in their environment, and nothing else of the request.

    The application that it belongs to has ``kernel_environment`` and ``identity_provider``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._owners: dict[str, str] = {}
        """Hash of the session key by kernel."""

    @property
    def application(self) -> Any:
        """The application that the kernels belong to."""
        return self.parent

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel that acts for the person of the present request."""
        person = person_of(CallContext.get(CallContext.JUPYTER_HANDLER))
        kwargs["env"] = self.environment(person, kwargs.get("env") or {})
        kernel_id = str(await super().start_kernel(**kwargs))
        self._owners[kernel_id] = _session_of(person)
        return kernel_id

    def environment(self, person: Person, asked: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG002
        """Make the environment of a kernel; what the request asks for does not count."""
        return {**self.application.kernel_environment, ACTING_USER_VARIABLE: person.username}

    def cwd_for_path(self, path: str, **kwargs: Any) -> str:  # noqa: ARG002 - always the workspace
        """Run every kernel in the workspace."""
        return str(self.application.kernel_environment["GRIDLIB_HOME"])

    def is_own(self, kernel_id: str, person: Person) -> bool:
        """Tell whether a running kernel was started in this very session."""
        return kernel_id in self and self._owners.get(kernel_id) == _session_of(person)

    async def make_room(self, person: Person) -> bool:
        """End the longest idle kernel without a page if a session has as many as it may; false: none."""
        own = self._owned_by({_session_of(person)})
        if len(own) < PER_SESSION:
            return True
        models: list[dict[str, Any]] = [self.kernel_model(kernel_id) for kernel_id in own]  # type: ignore[no-untyped-call]
        left = sorted((m for m in models if not m["connections"]), key=lambda m: str(m["last_activity"]))
        await self._end([m["id"] for m in left[:1]])
        return bool(left)

    async def end_of_session(self, key_sha256: str) -> None:
        """End all kernels of a session."""
        await self._end(self._owned_by({key_sha256}))

    async def sweep(self) -> None:
        """End the kernels of every session that has ended: signed out elsewhere, expired, disabled."""
        self._owners = {kernel_id: owner for kernel_id, owner in self._owners.items() if kernel_id in self}
        owners = set(self._owners.values())
        if owners:
            accounts: Accounts = self.application.identity_provider
            good = await accounts.run(sessions.list_sessions, owners)
            await self._end(self._owned_by(owners - {session.key_sha256 for session in good}))

    def _owned_by(self, owners: set[str]) -> list[str]:
        return [
            kernel_id for kernel_id, owner in self._owners.items() if owner in owners and kernel_id in self
        ]

    async def _end(self, kernel_ids: list[str]) -> None:
        for kernel_id in kernel_ids:
            if kernel_id in self:  # it may have ended while another was ending
                await ensure_async(self.shutdown_kernel(kernel_id, now=True))  # type: ignore[no-untyped-call]


def _session_of(person: Person) -> str:
    """Name the session of a person; a program has none, and therefore no kernels."""
    return person.session.key_sha256 if person.session else ""
