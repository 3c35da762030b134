"""The screens: Voila as an application of gridlib, for everybody who has an account.

A process of its own. Who acts is known from the session or the token and reaches the kernels by their
environment; no header, query or form can say otherwise. Pages only talk to widgets: requests to execute or
debug code are refused by the server. Every address that is answered is in `Screens.init_handlers`.
"""

import errno
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_core.utils import run_sync
from nbformat.sign import NotebookNotary
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.netutil import bind_sockets
from traitlets import Any as AnyTrait
from traitlets import Dict, List
from traitlets.config import Config
from voila.app import Voila

from gridlib.adapters.kernels import ThisInterpreter, apply_environment, kernel_environment
from gridlib.adapters.notebooks import share_dir
from gridlib.apps import api
from gridlib.apps.server import kernel_handlers, pages
from gridlib.apps.server.identity import Accounts, OwnKernels
from gridlib.apps.server.kernels import Kernels
from gridlib.apps.study.process import StudyProcess
from gridlib.facts.errors import InputError
from gridlib.facts.settings import Server
from gridlib.workbench import open_workbench

IDLE_S = 120
"""A kernel whose page is closed or out of reach ends after this time [s]; what was typed is kept."""

LOOK_S = 1.0
"""How often the server looks whether the process that draws the screens runs [s]."""

MOST_BYTES = 1_048_576
"""Largest body of a request and message of a page."""

_KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


def serve(home: Path, *, port: int = 8866, screens: Path | None = None) -> None:
    """Serve the screens until the process is told to stop; prints the address to open.

    Parameters
    ----------
    home : Path
        The workspace.
    port : int
        Port to listen on; 0 takes any free one.
    screens : Path, optional
        Folder of the screens; default is the packaged ``notebooks/apps``.

    Raises
    ------
    InputError
        The port is in use or not permitted.
    """
    workbench = open_workbench(home)
    sockets = bound_sockets(port, workbench.settings.server.address)
    with tempfile.TemporaryDirectory(prefix="gridlib-") as scratch:
        environment = kernel_environment(home.absolute(), Path(scratch), os.environ)
        apply_environment(environment)
        study = StudyProcess(home.absolute(), environment)
        app = Screens.instance(
            config=_configuration(),
            workbench=workbench,
            kernel_environment={**environment, **study.for_kernels},
            study=study,
            root_dir=str((screens or share_dir() / "notebooks" / "apps").resolve()),
            connection_dir_root=scratch,
            sockets=sockets,
        )
        app.initialize([])
        app.start()


def bound_sockets(port: int, address: str) -> list[Any]:
    """Take a port before anything is started.

    Raises
    ------
    InputError
        The port is in use or not permitted, or the address is not this machine's.
    """
    try:
        return bind_sockets(port, address)
    except OSError as error:
        said = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise InputError(
            f"port {port} {said}", what_to_do="Stop the other server, or choose another port with --port."
        ) from error


def headers(server: Server) -> dict[str, str]:
    """Headers of every answer: no foreign frames, no foreign content, no guessing of types, no copy kept."""
    sockets = f"wss://{server.public_host}:*" if server.public_host else "ws://127.0.0.1:* ws://localhost:*"
    always = {
        "Server": "gridlib",
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # The widgets' front end writes inline styles and scripts and compiles schemas; all come from here.
        "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        f"connect-src 'self' {sockets}; "
        "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'",
    }
    return always | ({"Strict-Transport-Security": "max-age=31536000"} if server.public_url else {})


def _configuration() -> Config:
    return Config(
        {
            "Voila": {
                "open_browser": False,
                "log_level": logging.WARNING,
                "identity_provider_class": Accounts,
                "authorizer_class": OwnKernels,
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
                    "anywidget",
                ],
                "multi_kernel_manager_class": Kernels,
                "kernel_spec_manager_class": ThisInterpreter,
            },
            "VoilaExecutor": {
                "cell_error_instruction": "This screen could not be shown. "
                "Reload the page; if that does not help, call support: the server's log says why."
            },
            "MappingKernelManager": {
                "cull_idle_timeout": IDLE_S,
                "cull_interval": 20,
                "cull_connected": False,
            },
            # No silent restart: a page must not seem alive on a kernel that has forgotten what it showed.
            "KernelManager": {"autorestart": False, "transport": "ipc"},
        }
    )


class Shipped(NotebookNotary):
    """Screens come with the package: there is no signature to look for, and none to miss in the log."""

    def check_signature(self, nb: Any) -> bool:  # noqa: ARG002
        """Trust them."""
        return True


class Screens(Voila):  # type: ignore[misc]
    """The application: settings, routes, and the loop that serves them."""

    config_file_paths: tuple[str, ...] = ()
    workbench: Any = AnyTrait()
    kernel_environment: Any = Dict()
    study: Any = AnyTrait()
    sockets: Any = List()
    template_paths: Any

    def setup_template_dirs(self) -> None:
        """Put our page before Voila's."""
        super().setup_template_dirs()
        self.template_paths = [str(Path(__file__).parents[1] / "voila_template"), *self.template_paths]

    def init_settings(self) -> dict[str, Any]:
        """Collect the settings of all handlers."""
        found = super().init_settings()
        found["contents_manager"].notary = Shipped(db_file=":memory:")  # type: ignore[no-untyped-call]
        server = self.workbench.settings.server
        return {
            **found,
            # Only names of this server are answered: a foreign name that is made to point here is refused.
            "allow_remote_access": False,
            "local_hostnames": ["localhost", *filter(None, [server.public_host])],
            "compress_response": True,
            "websocket_compression_options": {},
            "websocket_max_message_size": MOST_BYTES,
            "xsrf_cookies": True,
            "xsrf_cookie_kwargs": {"samesite": "Strict", "secure": bool(server.public_url)},
            "headers": headers(server),
            "default_handler_class": pages.NotFoundPage,
        }

    def init_handlers(self) -> list[Any]:
        """Every address that is answered; sign-in alone answers strangers."""
        screens = {"screens": Path(self.root_dir)}
        render = {
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }
        themes = {
            "themes_url": "/voila/api/themes",
            "path": self.themes_dir,
            "labextensions_path": self.labextensions_path,
            "no_cache_paths": ["/"],
        }
        extensions = {"path": self.labextensions_path, "no_cache_paths": ["/"]}
        return [
            (r"/", pages.LandingPage, screens),
            (r"/login", pages.SignInPage),
            (r"/logout", pages.SignOutPage),
            (r"/language", pages.LanguageSwitch),
            (r"/password", pages.PasswordPage),
            (r"/voila/render/(\w+)\.ipynb", kernel_handlers.ScreenPage, render),
            (rf"/gridlib/alive/{_KERNEL}", kernel_handlers.Alive),
            (rf"/api/kernels/{_KERNEL}", kernel_handlers.Kernel),
            (rf"/api/kernels/{_KERNEL}/channels", kernel_handlers.Channels),
            (rf"/voila/api/shutdown/{_KERNEL}", kernel_handlers.Shutdown),
            (r"/voila/templates/(.*)", kernel_handlers.TemplateFiles),
            (r"/voila/static/(.*)", kernel_handlers.StaticFiles, {"paths": self.static_paths}),
            (r"/voila/api/themes/(.*)", kernel_handlers.ThemeFiles, themes),
            (r"/voila/labextensions/(.*)", kernel_handlers.ExtensionFiles, extensions),
            *api.handlers(self.workbench, Path(self.root_dir)),
        ]

    def listen(self) -> None:
        """Serve until told to stop."""
        server = HTTPServer(self.app, max_body_size=MOST_BYTES, body_timeout=30, idle_connection_timeout=300)
        server.add_sockets(self.sockets)
        self.port = self.sockets[0].getsockname()[1]
        settings = self.workbench.settings.server
        print(f"Screens: {settings.public_url or f'http://{settings.address}:{self.port}'}/", flush=True)
        self.ioloop = IOLoop.current()
        self.study.start()
        looking = PeriodicCallback(self.study.keep_running, LOOK_S * 1000)
        looking.start()
        self.kernel_manager.sweeping.start()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            looking.stop()
            self.kernel_manager.sweeping.stop()
            self.stop()

    def stop(self) -> None:
        """End all kernels, and the process that draws the screens."""
        run_sync(self.kernel_manager.shutdown_all)(now=True)
        self.study.stop()
        shutil.rmtree(self.connection_dir, ignore_errors=True)
