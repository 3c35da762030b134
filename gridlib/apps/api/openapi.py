"""The description of the API, made of the operations and their models.

References
----------
OpenAPI Specification 3.1.1, 2024; its schemas are JSON Schema 2020-12.
"""

import inspect
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

import gridlib
from gridlib.apps.api import problems
from gridlib.apps.api.fields import Name, Query
from gridlib.apps.api.operation import Operation
from gridlib.apps.api.problems import Problem

VERSION = "3.1.0"
_REF = "#/components/schemas/{model}"
BRACES = re.compile(r"{(\w+)}")


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Describe operations as an OpenAPI document.

    Parameters
    ----------
    operations : sequence of Operation
        All of them.

    Returns
    -------
    dict
        The document.
    """
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": VERSION,
        "info": {
            "title": "gridlib",
            "version": gridlib.__version__,
            "description": "Forecasts, risk, load-transfer plans, work orders and the audit trail of a site. "
            "Decision support only: nothing here operates a device. Times are UTC; units are in the names.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(operation) for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal token: 'gridlib user token add USER NAME'.",
                },
            },
        },
    }


class _Schemas:
    """The schema of every model that is asked for or answered, each named once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        adapters: dict[Any, TypeAdapter[Any]] = {Problem: TypeAdapter(Problem)}
        modes: dict[Any, str] = {Problem: "serialization"}
        for operation in operations:
            for model, mode in ((operation.answer, "serialization"), (operation.body, "validation")):
                if model is not None:
                    adapters[model], modes[model] = TypeAdapter(model), mode
        inputs = [(model, mode, adapters[model]) for model, mode in modes.items()]
        found, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REF)  # type: ignore[arg-type]
        self._found = {key: schema for (key, _), schema in found.items()}
        self.definitions = definitions.get("$defs", {})

    def of(self, model: Any) -> dict[str, Any]:
        """Refer to the schema of a model."""
        return dict(self._found[model])


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    said = inspect.getdoc(operation.do) or ""
    summary, _, more = said.partition("\n")
    role = "Open to everybody who is signed in."
    if operation.role:
        role = f"Asks for the role {operation.role}."
    elif operation.screen:
        role = f"Open to whoever may open the screen {operation.screen}."
    described: dict[str, Any] = {
        "operationId": operation.do.__name__,
        "tags": [_tag(operation)],
        "summary": summary.rstrip("."),
        "description": "\n\n".join(part for part in (more.strip(), role) if part),
        "parameters": [
            *(_path_parameter(name) for name in BRACES.findall(operation.path)),
            *_query_parameters(operation.query),
            *([_IF_MATCH] if operation.versioned else []),
        ],
        "responses": _responses(operation, schemas),
    }
    if operation.role:
        described["x-role"] = str(operation.role)
    if operation.body is not None:
        described["requestBody"] = {
            "required": not _may_be_empty(operation.body),
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    return described


_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what was shown: refused with 412 where it has changed since.",
    "schema": {"type": "string"},
}


def _tag(operation: Operation) -> str:
    return operation.path.split("/")[2].removesuffix(".json")


def _path_parameter(name: str) -> dict[str, Any]:
    schema = TypeAdapter(Name).json_schema()
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[Query]) -> list[dict[str, Any]]:
    schemas = model.model_json_schema(ref_template=_REF)
    inner = schemas.get("$defs", {})
    return [
        _query_parameter(name, field, _resolved(schemas["properties"][name], inner))
        for name, field in model.model_fields.items()
    ]


def _query_parameter(name: str, field: FieldInfo, schema: dict[str, Any]) -> dict[str, Any]:
    described = {"name": name, "in": "query", "required": field.is_required()}
    if text := schema.pop("description", ""):
        described["description"] = text
    schema.pop("title", None)
    return {**described, "schema": schema}


def _resolved(schema: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """Put small schemas where they are used; a parameter is never null, it is left out."""
    if "$ref" in schema:
        found = dict(inner[schema["$ref"].rsplit("/", 1)[1]])
        return {name: value for name, value in found.items() if name not in ("title", "description")}
    choices = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    if schema.get("default") is not None:
        rest["default"] = schema["default"]
    if len(choices) == 1:
        rest = {**_resolved(choices[0], inner), **rest}
    if "items" in rest:
        rest["items"] = _resolved(rest["items"], inner)
    return rest


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    content = (
        {kind: {"schema": {"type": "string"}} for kind in operation.media_types}
        if operation.answer is None
        else {"application/json": {"schema": schemas.of(operation.answer)}}
    )
    done: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase, "content": content}
    headers: dict[str, Any] = {}
    if operation.versioned or "{" in operation.path:
        headers["ETag"] = {"description": "Version of the object.", "schema": {"type": "string"}}
    if operation.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        headers["Location"] = {"description": "Address of what was made.", "schema": {"type": "string"}}
    if headers:
        done["headers"] = headers
    statuses = [400, 401, 403, 404, 500, 503]
    if operation.body is not None:
        statuses += [409, 413, 415, 422]
    elif operation.method != "GET":
        statuses += [409, 413, 422]
    if operation.versioned:
        statuses += [412]
    problem = {"content": {problems.MEDIA_TYPE: {"schema": schemas.of(Problem)}}}
    refusals = {
        str(status): {"description": HTTPStatus(status).phrase, **problem} for status in sorted(statuses)
    }
    return {str(operation.status): done, **refusals}


def _may_be_empty(body: Any) -> bool:
    fields = getattr(body, "model_fields", None)
    return fields is not None and not any(field.is_required() for field in fields.values())
