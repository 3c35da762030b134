"""The REST API: the same workflow functions as the shell and the screens, for other systems.

It lives inside the server of the screens and knows who asks by the same sign-in, or by a personal token.
Every address is one `Operation`; routes and ``/api/openapi.json`` are made of them.
How to use it: docs/api.md.

::

    operation   what can be asked, as records       fields, pages   values, models, lists by pages
    handler     checks, does, answers               problems        errors as RFC 9457 problem details
    openapi     the description                     runner          the process that does requested runs
    forecasting risk planning workorders network runs trail         the operations
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import RootModel

from gridlib.apps.api import forecasting, network, planning, risk, runs, status, trail, workorders
from gridlib.apps.api.handler import Nothing, Resource
from gridlib.apps.api.openapi import BRACES, describe
from gridlib.apps.api.operation import Answer, Call, Operation
from gridlib.apps.api.runner import Runner
from gridlib.workbench import Workbench

_AT_ONCE = 8
"""So many requests are worked on at once; others wait."""


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


@cache
def _document() -> Document:
    return Document(describe(OPERATIONS))


def get_description(_call: Call[Any, None]) -> Answer:
    """Get this description of the API."""
    return Answer(_document())


OPERATIONS: tuple[Operation, ...] = (
    *forecasting.OPERATIONS,
    *risk.OPERATIONS,
    *planning.OPERATIONS,
    *workorders.OPERATIONS,
    *network.OPERATIONS,
    *runs.OPERATIONS,
    *trail.OPERATIONS,
    *status.OPERATIONS,
    Operation("GET", "/api/openapi.json", get_description, Document),
)


def handlers(workbench: Workbench, screens: Path) -> list[tuple[Any, ...]]:
    """Make the routes of the API, for the application of the server; requested runs that wait are taken up.

    Parameters
    ----------
    workbench : Workbench
        The workspace.
    screens : Path
        Folder of the screens, whose roles count here, too.

    Returns
    -------
    list of tuple
        Pattern, handler and its arguments, as tornado takes them.
    """
    runner = Runner(workbench)
    runner.resume()
    shared = {
        "workbench": workbench,
        "runner": runner,
        "screens": screens,
        "workers": ThreadPoolExecutor(_AT_ONCE, "gridlib-api"),
    }
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes: list[tuple[Any, ...]] = [
        (_pattern(path), Resource, {**shared, "operations": operations})
        for path, operations in by_path.items()
    ]
    return [*routes, (r"/api/(?!kernels).*", Nothing)]


def _pattern(path: str) -> str:
    return BRACES.sub(r"(?P<\1>[^/]+)", path.replace(".", r"\."))
