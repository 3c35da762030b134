"""The screens: Voila as an application of gridlib, for one user at this computer.

A process of its own that listens on loopback only. Who acts is said at start and reaches the kernels by their
environment; no header, query or cookie can say otherwise. Whoever opens a page shows the token of the printed
address once, and a cookie after that. Pages only talk to widgets: requests to execute or debug code are
refused by the server. Every address that is answered is in the list of `_Screens.init_handlers`.
"""

import errno
import hmac
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

from jupyter_core.utils import ensure_async, run_sync
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler, FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import HTTPError, RequestHandler, authenticated
from traitlets import Dict, List, Unicode
from traitlets.config import Config, LoggingConfigurable
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from gridlib.adapters.kernels import ThisInterpreter, apply_environment, kernel_environment
from gridlib.adapters.notebooks import share_dir
from gridlib.apps.html import escape
from gridlib.facts.errors import InputError

ADDRESS = "127.0.0.1"
FIRST_SCREEN = "decision_desk.ipynb"
ACTING_USER_VARIABLE = "GRIDLIB_ACTING_USER"
"""Environment variable that tells a kernel who acts; see `gridlib.adapters.kernels` for ``GRIDLIB_HOME``."""

SHIFT_D = 0.5
"""How long a browser stays signed in [days]."""

IDLE_S = 1800
"""A kernel without an open page ends after this time [s]."""

_KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"
_HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # The widgets' front end writes inline styles and scripts and compiles schemas; none come from elsewhere.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'",
}


def serve(
    home: Path,
    *,
    username: str,
    roles: Sequence[str],
    port: int = 8866,
    screens: Path | None = None,
) -> None:
    """Serve the screens until the process is told to stop; prints the address to open.

    Parameters
    ----------
    home : Path
        The workspace.
    username : str
        Who acts: an existing, active user.
    roles : sequence of str
        The user's roles; a screen whose metadata ``gridlib.roles`` names none of them is refused.
    port : int
        Port on loopback; 0 takes any free one.
    screens : Path, optional
        Folder of the screens; default is the packaged ``notebooks/apps``.

    Raises
    ------
    InputError
        The port is in use or not permitted.
    """
    sockets = _bound(port)
    with tempfile.TemporaryDirectory(prefix="gridlib-") as scratch:
        environment = kernel_environment(home.absolute(), Path(scratch), os.environ)
        apply_environment(environment)
        app = _Screens.instance(
            config=_configuration(roles),
            acting_user=username,
            kernel_environment={**environment, ACTING_USER_VARIABLE: username},
            root_dir=str((screens or share_dir() / "notebooks" / "apps").resolve()),
            connection_dir_root=scratch,
            token=secrets.token_urlsafe(24),
            sockets=sockets,
        )
        app.initialize([])
        app.start()


def _bound(port: int) -> list[Any]:
    try:
        return bind_sockets(port, ADDRESS)
    except OSError as error:
        said = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise InputError(
            f"port {port} {said}", what_to_do="Stop the other server, or choose another port with --port."
        ) from error


def _configuration(roles: Sequence[str]) -> Config:
    return Config(
        {
            "Voila": {
                "open_browser": False,
                "log_level": logging.WARNING,
                "identity_provider_class": _ActingUser,
            },
            "VoilaConfiguration": {
                "template": "lab",
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "file_allowlist": [],
                "http_header_envs": [],
                "extension_allowlist": [
                    "@voila-dashboards/widgets-manager8",
                    "@jupyter-widgets/jupyterlab-manager",
                ],
                "multi_kernel_manager_class": _Kernels,
                "kernel_spec_manager_class": ThisInterpreter,
                "prelaunch_hook": _role_gate(frozenset(roles)),
            },
            "VoilaExecutor": {
                "cell_error_instruction": "This screen could not be shown. "
                "Reload the page; if that does not help, call support: the server's log says why."
            },
            "MappingKernelManager": {
                "cull_idle_timeout": IDLE_S,
                "cull_interval": 60,
                "cull_connected": False,
            },
            # No silent restart: a page must not seem alive on a kernel that has forgotten what it showed.
            "KernelManager": {"autorestart": False, "transport": "ipc"},
        }
    )


def _role_gate(roles: frozenset[str]) -> Callable[..., None]:
    """Refuse a screen before its kernel starts."""

    def gate(handler: RequestHandler, notebook: Any, cwd: str) -> None:  # noqa: ARG001 - Voila's signature
        needed = notebook.metadata.get("gridlib", {}).get("roles", [])
        if needed and not roles & set(needed):
            raise HTTPError(403, f"This screen is for the roles: {', '.join(needed)}.")

    return gate


def _screens(part: LoggingConfigurable) -> "_Screens":
    """Find the application that a part belongs to."""
    return cast(_Screens, part.parent)


class _ActingUser(IdentityProvider):
    """Whoever shows the token is the user named at start."""

    cookie_options = {"expires_days": None, "samesite": "Lax"}  # noqa: RUF012 - a trait
    get_secure_cookie_kwargs = {"max_age_days": SHIFT_D}  # noqa: RUF012 - a trait

    def get_handlers(self) -> list[tuple[str, object]]:
        return [(r"/login", _LockedHandler)]

    async def get_user_token(self, handler: RequestHandler) -> User | None:
        shown = (self.get_token(handler) or "").encode()
        return self._user() if hmac.compare_digest(shown, str(self.token).encode()) else None

    def user_to_cookie(self, user: User) -> str:
        return user.username

    def user_from_cookie(self, cookie_value: str) -> User | None:
        user = self._user()
        return user if cookie_value == user.username else None

    def _user(self) -> User:
        return User(_screens(self).acting_user)


class _Kernels(AsyncMappingKernelManager):
    """Starts kernels in the workspace with the environment set at start, and nothing from the request."""

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        kwargs["env"] = dict(_screens(self).kernel_environment)
        return await super().start_kernel(**kwargs)

    def cwd_for_path(self, path: str, **kwargs: Any) -> str:  # noqa: ARG002 - always the workspace
        return str(_screens(self).kernel_environment["GRIDLIB_HOME"])


class _Page:
    """A plain page instead of the server's own, which reaches for other hosts."""

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        said = error.log_message if isinstance(error, HTTPError) and status_code == 403 else None
        self.plain_page(status_code, said or f"This page cannot be shown ({status_code}).")

    def plain_page(self: Any, status_code: int, text: str) -> None:
        self.set_status(status_code)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>gridlib</title></head>'
            '<body style="font:18px/1.5 system-ui;margin:2rem"><main><h1>gridlib</h1>'
            f'<p role="alert">{escape(text)}</p></main></body></html>'
        )


class _LockedHandler(_Page, JupyterHandler):
    @allow_unauthenticated
    def get(self) -> None:
        self.plain_page(403, "Open the address that 'gridlib serve' printed when it was started.")


class _LandingHandler(_Page, JupyterHandler):
    @authenticated
    def get(self) -> None:
        self.redirect(f"{self.base_url}voila/render/{FIRST_SCREEN}")


class _ScreenHandler(_Page, TornadoVoilaHandler):  # type: ignore[misc]
    async def prepare(self, **kwargs: Any) -> Awaitable[None] | None:
        found: Awaitable[None] | None = await super().prepare(**kwargs)
        self.xsrf_token  # noqa: B018 - reading it sets the cookie that the page's requests need
        return found


class _AliveHandler(APIHandler):
    """Says 410 when the kernel behind an open page is gone."""

    _track_activity = False

    @authenticated
    async def get(self, kernel_id: str) -> None:
        kernels = self.kernel_manager
        if kernel_id not in kernels or not await ensure_async(kernels.get_kernel(kernel_id).is_alive()):
            raise HTTPError(410)
        self.finish("{}")


def _private(handler: type[RequestHandler]) -> type[RequestHandler]:
    """Make a handler of static files ask for host and user as the others do."""
    bases = (handler,) if issubclass(handler, JupyterHandler) else (JupyterHandler, handler)
    return type(
        handler.__name__, bases, {name: authenticated(getattr(handler, name)) for name in ("get", "head")}
    )


class _Screens(Voila):  # type: ignore[misc]
    config_file_paths: tuple[str, ...] = ()
    acting_user = Unicode()
    kernel_environment: Any = Dict()
    sockets: Any = List()
    template_paths: Any

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths = [str(Path(__file__).parent / "voila_template"), *self.template_paths]

    def init_settings(self) -> dict[str, Any]:
        return {
            **super().init_settings(),
            "allow_remote_access": False,  # answer to loopback names only: no rebinding of foreign names
            "compress_response": True,
            "websocket_compression_options": {},
            "xsrf_cookies": True,
            "headers": _HEADERS,
        }

    def init_handlers(self) -> list[Any]:
        themes = {
            "themes_url": "/voila/api/themes",
            "path": self.themes_dir,
            "labextensions_path": self.labextensions_path,
            "no_cache_paths": ["/"],
        }
        render = {
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }
        extensions = {"path": self.labextensions_path, "no_cache_paths": ["/"]}
        return [
            (r"/", _LandingHandler),
            (r"/voila/render/(\w+\.ipynb)", _ScreenHandler, render),
            (rf"/gridlib/alive/{_KERNEL}", _AliveHandler),
            (rf"/api/kernels/{_KERNEL}", KernelHandler),
            (rf"/api/kernels/{_KERNEL}/channels", VoilaKernelWebsocketHandler),
            (r"/voila/api/shutdown/(.*)", VoilaShutdownKernelHandler),
            (r"/voila/templates/(.*)", _private(TemplateStaticFileHandler)),
            (r"/voila/static/(.*)", _private(MultiStaticFileHandler), {"paths": self.static_paths}),
            (r"/voila/api/themes/(.*)", _private(ThemesHandler), themes),
            (r"/voila/labextensions/(.*)", _private(FileFindHandler), extensions),
            *self.identity_provider.get_handlers(),
        ]

    def listen(self) -> None:
        server = HTTPServer(self.app)
        server.add_sockets(self.sockets)
        self.port = self.sockets[0].getsockname()[1]
        address = f"http://{ADDRESS}:{self.port}/?token={self.identity_provider.token}"
        print(f"Screens for {self.acting_user}: {address}", flush=True)
        self.ioloop = IOLoop.current()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def stop(self) -> None:
        run_sync(self.kernel_manager.shutdown_all)(now=True)
        shutil.rmtree(self.connection_dir, ignore_errors=True)
