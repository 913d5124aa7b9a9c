"""What is sent: the event itself, or the answer to a query that the endpoint brings.

An endpoint's document is kept with it and was checked when it was saved, so it needs no registration, as the documents of
themes need none. It runs as an integration with the permissions that the endpoint was given, and with no others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

import msgspec
import orjson

from kameng.auth.principal import Principal, PrincipalKind
from kameng.errors import Refusal
from kameng.graphql.context import Context
from kameng.ids import global_id
from kameng.webhooks.errors import EndpointRefused, PayloadFailed

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.webhooks.endpoints import StoredEndpoint

LONGEST_DOCUMENT = 20_000
"""Characters of an endpoint's document."""

LARGEST_BODY = 1_000_000
"""Bytes of what is sent."""

EXECUTION_SECONDS = 30.0
"""How long a document may take."""


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """What a variable of an endpoint's document is taken from.

    Attributes:
        name: the variable's, without the dollar sign.
        field: the event's field.
        node_type: the GraphQL type whose global id to make of the field, which is a key then; empty: as it is.
    """

    name: str
    field: str
    node_type: str = ""


def check_document(kernel: Kernel, source: str, schema: str, variables: Sequence[Variable]) -> None:
    """Insist on a document that could run: one query, valid, within the limits that hold for documents from outside.

    Raises:
        EndpointRefused: it could not.
    """
    # Here, since all of it is loaded where documents are executed, and modules are declared earlier than that.
    from kameng.graphql.admission import limits_of, profile_of
    from kameng.graphql.compiled import Invalid
    from kameng.settings import GraphQLSettings

    if len(source) > LONGEST_DOCUMENT:
        raise _refused(f"A document has at most {LONGEST_DOCUMENT:,} characters.", "Ask for less.")
    if schema not in kernel.graphql:
        raise _refused("There is no such schema.", "Take shop or admin.")
    prepared = kernel.graphql[schema].prepare(source)
    if isinstance(prepared, Invalid):
        reasons = "; ".join(error.message for error in prepared.errors[:3])
        raise _refused(f"The document does not fit the schema: {reasons}", "Mend it and try again.")
    if prepared.kind != "query":
        raise _refused("The document is no query.", "Ask for what to send by one query.")
    refusal = profile_of(prepared, limits_of(kernel.settings.section("graphql", GraphQLSettings))).refusal
    if refusal is not None:
        raise _refused(refusal.message, refusal.cure)
    declared = {item.variable.name.value for item in prepared.node.variable_definitions or ()}
    given = [variable.name for variable in variables]
    if len(set(given)) < len(given) or not set(given) <= declared:
        raise EndpointRefused(
            "Each variable is named once, and is one of the document.",
            cure=f"The document has: {', '.join(sorted(declared)) or 'none'}.",
            path=("input", "variables"),
        )


def plain_body(topic: str, at: datetime, data: str) -> bytes:
    """The body that tells an event as it is.

    Args:
        topic: its name.
        at: when it happened.
        data: its fields as JSON.
    """
    head = orjson.dumps({"type": topic, "timestamp": _moment(at)})
    return head[:-1] + b',"data":' + data.encode() + b"}"


async def asked_body(kernel: Kernel, endpoint: StoredEndpoint, topic: str, at: datetime, data: str) -> bytes:
    """The body that an endpoint's document makes of an event.

    Raises:
        PayloadFailed: the document was refused, took too long, or its answer is too large.
    """
    source = endpoint.document or ""
    context = Context(
        kernel,
        principal=Principal(kind=PrincipalKind.INTEGRATION, id=endpoint.id, permissions=endpoint.permissions),
        locale=endpoint.locale,
        schema=endpoint.document_schema,
        correlation_id=f"webhook:{endpoint.id}",
    )
    schema = cast("Literal['shop', 'admin']", endpoint.document_schema)
    try:
        async with asyncio.timeout(EXECUTION_SECONDS):
            values = _values(endpoint.variables, msgspec.json.decode(data))
            answer = await kernel.graphql[schema].execute(source, values, context)
    except TimeoutError as error:
        raise PayloadFailed("The document took too long.", cure="Ask for less.") from error
    except Refusal as error:
        raise PayloadFailed(f"The document was refused: {error.code}.", cure=error.cure) from error
    if answer.errors:
        codes = sorted({str(error.get("extensions", {}).get("code", "UNKNOWN")) for error in answer.errors})
        raise PayloadFailed(
            f"The document was answered with {', '.join(codes)}.",
            cure="Try it by hand, with the endpoint's permissions and the event's fields.",
        )
    body = orjson.dumps({"type": topic, "timestamp": _moment(at), "data": answer.data}, default=str)
    if len(body) > LARGEST_BODY:
        raise PayloadFailed(f"The answer has {len(body):,} bytes.", cure="Ask for less.")
    return body


def _values(variables: Sequence[Variable], fields: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable in variables:
        if variable.field not in fields:
            continue  # GraphQL says what is missing, or the variable has a default
        value = fields[variable.field]
        if variable.node_type and value is not None:
            try:
                value = global_id(variable.node_type, UUID(str(value)))
            except ValueError as error:
                raise PayloadFailed(
                    f"The event's field {variable.field} is no key.", cure="Take it without a node type."
                ) from error
        values[variable.name] = value
    return values


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refused(message: str, cure: str) -> EndpointRefused:
    return EndpointRefused(message, cure=cure, path=("input", "document"))
