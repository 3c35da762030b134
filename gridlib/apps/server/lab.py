"""JupyterLab for analysts, with the accounts of the screens, in a process of its own.

Who has a kernel here can run any code with the rights of this process: roles and ownership keep honest people
apart and give kernels a name; they do not stop an analyst who means harm.
"""

import importlib.util
import logging
import os
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from jupyter_server.auth.identity import User
from jupyter_server.base.call_context import CallContext
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.sessions.sessionmanager import SessionManager
from tornado.httpserver import HTTPServer
from tornado.web import HTTPError, RequestHandler, StaticFileHandler
from traitlets import Any as AnyTrait
from traitlets import Dict, List
from traitlets.config import Config

from gridlib.adapters.kernels import ThisInterpreter, apply_environment, kernel_environment
from gridlib.apps.server import pages
from gridlib.apps.server.app import MOST_BYTES, bound_sockets, headers
from gridlib.apps.server.identity import Accounts, OwnKernels, Person, account_of, person_of
from gridlib.apps.server.kernels import Kernels
from gridlib.facts.errors import InputError
from gridlib.facts.types import Role
from gridlib.workbench import open_workbench
from gridlib.workflow import accounts
from gridlib.workflow.setup import provide_notebooks

_FIRST_NOTEBOOK = "00_start_here.ipynb"
_NOT_FOR_USERS = ("server", "terminals")
"""Stopping the server is for who started it; a shell has no name in the records."""

_OPEN_IN_JUPYTER = (APIHandler, StaticFileHandler)
"""What Jupyter Server answers in part, such as its version and its scripts, to everybody."""


def lab(home: Path, *, port: int = 8888) -> None:
    """Serve JupyterLab until the process is told to stop; prints the address to open.

    Parameters
    ----------
    home : Path
        The workspace; its ``notebooks`` are opened, and made where there are none.
    port : int
        Port to listen on; 0 takes any free one.

    Raises
    ------
    InputError
        JupyterLab is not installed, or the port is in use or not permitted.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed", what_to_do="Run: pip install 'gridlib[lab]'.")
    workbench = open_workbench(home)
    settings = workbench.settings
    sockets = bound_sockets(port, settings.server.address)
    notebooks = provide_notebooks(workbench)
    with tempfile.TemporaryDirectory(prefix="gridlib-") as scratch:
        environment = kernel_environment(home.absolute(), Path(scratch), os.environ)
        apply_environment(environment)
        if settings.database.lab_url:
            environment["GRIDLIB_DATABASE_URL"] = settings.database.lab_url
        app = LabServer.instance(
            config=_configuration(notebooks, settings.data_dir / "lab"),
            workbench=workbench,
            kernel_environment=environment,
            sockets=sockets,
            jpserver_extensions={"jupyterlab": True},
        )
        app.initialize([], find_extensions=False)
        cast(Kernels, app.kernel_manager).sweeping.start()
        print(f"JupyterLab: http://{settings.server.address}:{app.port}/", flush=True)
        app.start()


def _configuration(notebooks: Path, kept: Path) -> Config:
    return Config(
        {
            "ServerApp": {
                "root_dir": str(notebooks),
                "default_url": f"/lab/tree/{_FIRST_NOTEBOOK}",
                "open_browser": False,
                "answer_yes": True,
                "allow_root": True,  # as every other command of gridlib does
                "log_level": logging.WARNING,
                "identity_provider_class": Analysts,
                "authorizer_class": OwnLabKernels,
                "kernel_manager_class": LabKernels,
                "kernel_spec_manager_class": ThisInterpreter,
                "session_manager_class": LabSessions,
                "allow_unauthenticated_access": False,
                "allow_remote_access": False,
                "terminals_enabled": False,
                "quit_button": False,
            },
            "LabApp": {
                "log_level": logging.WARNING,
                "user_settings_dir": str(kept / "settings"),
                "workspaces_dir": str(kept / "workspaces"),
                "extension_manager": "readonly",
                "news_url": None,
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            },
        }
    )


class LabServer(ServerApp):
    """The application: Jupyter Server with our sign-in."""

    workbench: Any = AnyTrait()
    kernel_environment: Any = Dict()
    sockets: Any = List()

    def init_webapp(self) -> None:
        """Answer only under names of this server, and in no foreign frame."""
        server = self.workbench.settings.server
        self.local_hostnames = ["localhost", *filter(None, [server.public_host])]
        policy = {
            "Content-Security-Policy": "frame-ancestors 'self'; base-uri 'self'; form-action 'self'",
            "X-Frame-Options": "SAMEORIGIN",
        }
        self.tornado_settings = {
            "headers": headers(server) | policy,
            "xsrf_cookies": True,
            "xsrf_cookie_kwargs": {"samesite": "Strict", "secure": bool(server.public_url)},
        }
        super().init_webapp()

    def init_httpserver(self) -> None:
        """Serve on the sockets that were taken before anything was started."""
        self._http_server = HTTPServer(self.web_app, max_body_size=64 * MOST_BYTES)
        self.port = self.sockets[0].getsockname()[1]
        self.io_loop.add_callback(self._http_server.add_sockets, self.sockets)


class Analysts(Accounts):
    """Lets in who has the role analyst, with the sign-in page of the screens."""

    def get_handlers(self) -> list[tuple[str, object]]:
        """Name the pages that the server writes itself."""
        return [
            (r"/login", pages.SignInPage),
            (r"/logout", pages.SignOutPage),
            (r"/password", pages.PasswordPage),
            (r"/language", pages.LanguageSwitch),
        ]

    async def get_user(self, handler: RequestHandler) -> Person | None:
        """Read who asks; a stranger may sign in, anybody but an analyst may sign out, and no more."""
        person = await super().get_user(handler)
        if person is None and isinstance(handler, _OPEN_IN_JUPYTER):
            handler.current_user = handler._jupyter_current_user = None  # type: ignore[union-attr]
            raise HTTPError(HTTPStatus.UNAUTHORIZED)
        if person is not None and not isinstance(handler, pages.Page):
            handler.current_user = person
            if Role.ANALYST not in account_of(handler).roles:
                await self.record_refusal(person, "lab.open", handler.request.path, code="wrong_role")
                handler.current_user = handler._jupyter_current_user = None  # type: ignore[attr-defined]
                raise HTTPError(HTTPStatus.FORBIDDEN, "JupyterLab is for analysts; the attempt was recorded.")
        return person


class LabKernels(Kernels):
    """Kernels of notebooks: they belong to the person, outlast a sign-out, and run where the notebook is."""

    def owner(self, person: Person) -> str:
        """Name the owner of what a person opens: the person."""
        return person.username

    async def make_room(self, username: str) -> bool:  # noqa: ARG002 - nobody's notebook is ended for another
        """Let analysts have as many kernels as they open notebooks."""
        return True

    async def present(self, owners: set[str]) -> set[str]:
        """Tell which owners still are analysts."""
        users = await self.accounts.run(accounts.list_users)
        return {user.username for user in users if user.active and Role.ANALYST in user.roles} & owners

    def cwd_for_path(self, path: str, **kwargs: Any) -> str:
        """Run a kernel in the folder of its notebook."""
        return str(super(Kernels, self).cwd_for_path(path, **kwargs))  # type: ignore[no-untyped-call]

    async def end_of(self, person: Person) -> None:
        """Let the kernels of a person who signs out run on."""


class LabSessions(SessionManager):
    """Which notebook runs on which kernel: everybody sees their own, so two may open the same notebook."""

    async def list_sessions(self) -> list[dict[str, Any]]:
        """List the sessions of the person who asks."""
        person = person_of(CallContext.get(CallContext.JUPYTER_HANDLER))
        kernels = cast(Kernels, self.kernel_manager)
        found = await super().list_sessions()  # type: ignore[no-untyped-call]
        return [one for one in found if kernels.is_own(one["kernel"]["id"], person)]

    async def session_exists(self, path: str) -> bool:
        """Tell whether the person who asks has a notebook open."""
        return any(one["path"] == path for one in await self.list_sessions())

    async def get_session(self, **kwargs: Any) -> dict[str, Any]:
        """Read a session; by path, that of the person who asks."""
        if kwargs.keys() == {"path"}:
            return next(one for one in await self.list_sessions() if one["path"] == kwargs["path"])
        model: dict[str, Any] = await super().get_session(**kwargs)  # type: ignore[no-untyped-call]
        return model


class OwnLabKernels(OwnKernels):
    """Lets analysts at files and their own kernels, whatever the address by which these are reached."""

    async def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """Tell whether somebody may do something."""
        if resource in _NOT_FOR_USERS:
            return False
        named = handler.path_kwargs or {}
        if resource == "sessions":
            used = [((handler.get_json_body() or {}).get("kernel") or {}).get("id")]
            if "session_id" in named:
                session = await handler.session_manager.get_session(session_id=str(named["session_id"]))
                used.append(session["kernel"]["id"])
            return all(handler.kernel_manager.is_own(str(kernel), user) for kernel in used if kernel)
        if resource == "kernels" and "kernel_id" in named:
            return await super().is_authorized(handler, user, action, resource)
        return True
