"""Handlers of Voila and Jupyter with our rules in front: who is signed in, whose kernel, which role."""

import posixpath
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler, FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.web import HTTPError, authenticated
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from gridlib.apps.server.identity import SaidError, account_of, person_of
from gridlib.apps.server.kernels import Kernels
from gridlib.apps.server.pages import Page, Private
from gridlib.apps.server.screens import read_screen
from gridlib.facts.types import Role


class ScreenPage(Page, TornadoVoilaHandler):  # type: ignore[misc]
    """Opens a screen for whom it is meant, in a kernel of the person's own."""

    @authenticated
    async def get(self, name: str) -> None:
        """Show the screen; a role that it is not for is refused before a kernel starts."""
        path = Path(self.settings["voila"].root_dir) / f"{name}.ipynb"
        if not path.is_file():
            raise HTTPError(HTTPStatus.NOT_FOUND)
        screen, person = read_screen(path), person_of(self)
        if not screen.is_for(account_of(self).roles):
            await self.accounts.record_refusal(person, "screen.open", name, code="wrong_role")
            roles = ", ".join(self.say(f"role.{role}") for role in Role if role in screen.roles) or "-"
            raise SaidError(HTTPStatus.FORBIDDEN, "server.for_roles", roles=roles)
        self.xsrf_token  # noqa: B018 - reading it sets the cookie that the page's requests need
        await super().get(path.name)  # type: ignore[misc]


class Alive(Private, APIHandler):
    """Says 410 when the kernel behind an open page is gone or another's, 401 when nobody is signed in.

    A page that asks with ``acts=1`` says that its person did something since it asked before: looking at a
    screen keeps nobody signed in.
    """

    _track_activity = False

    @property
    def acts(self) -> bool:
        """Whether the person did something."""
        return self.get_query_argument("acts", "") == "1"

    @authenticated
    async def get(self, kernel_id: str) -> None:
        """Answer with nothing while all is well."""
        kernels = cast(Kernels, self.kernel_manager)
        own = kernels.is_own(kernel_id, person_of(self))
        if not own or not await ensure_async(kernels.get_kernel(kernel_id).is_alive()):
            raise HTTPError(HTTPStatus.GONE)
        self.finish("{}")


class Kernel(Private, KernelHandler):
    """A person's own kernel."""


class Channels(Private, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """Messages between a page and its own kernel."""


class Shutdown(Private, VoilaShutdownKernelHandler):  # type: ignore[misc]
    """Ends the kernel of a page that is left."""

    auth_resource = "kernels"

    @authenticated
    async def post(self, kernel_id: str) -> None:
        """End the person's own kernel."""
        if not await self.authorizer.is_authorized(self, person_of(self), "write", "kernels"):
            raise HTTPError(HTTPStatus.FORBIDDEN)
        await super().post(kernel_id)


class _Files(Private):
    """Files that only signed-in people get; the browser keeps them and asks whether they are the same."""

    def set_default_headers(self: Any) -> None:
        """Let the browser keep what says nothing of the grid."""
        super().set_default_headers()  # type: ignore[misc]
        self.set_header("Cache-Control", "private, no-cache")

    @authenticated
    async def get(self: Any, *arguments: Any, **options: Any) -> None:
        """Send a file."""
        await ensure_async(super().get(*arguments, **options))  # type: ignore[misc]

    @authenticated
    async def head(self: Any, *arguments: Any, **options: Any) -> None:
        """Describe a file."""
        await ensure_async(super().head(*arguments, **options))  # type: ignore[misc]


class TemplateFiles(_Files, JupyterHandler, TemplateStaticFileHandler):  # type: ignore[misc]
    """Files of the page template."""

    def parse_url_path(self, url_path: str) -> str:
        """Turn away what Voila only asserts."""
        if not re.match(r"\w+/static/", posixpath.normpath(url_path)):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return str(super().parse_url_path(url_path))


class StaticFiles(_Files, JupyterHandler, MultiStaticFileHandler):  # type: ignore[misc]
    """Files of Voila."""


class ThemeFiles(_Files, ThemesHandler):  # type: ignore[misc]
    """Style sheets of the theme."""


class ExtensionFiles(_Files, FileFindHandler):  # type: ignore[misc]
    """Scripts of the widgets."""
