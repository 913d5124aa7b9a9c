"""GraphQL over HTTP, the parts that know no schema: reading a request, choosing a media type, choosing a status.

Source: the GraphQL-over-HTTP draft of the GraphQL foundation, as its audits test it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kameng.errors import InvalidInput

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

MAX_BODY = 1_000_000
"""Bytes that a request without uploads may have."""


class GraphQLRequest(msgspec.Struct, frozen=True):
    """A request's parameters.

    Attributes:
        query: the document's text; empty where only an id of a trusted document is sent.
        variables: values by name.
        operation_name: which operation of the document to run.
        extensions: whatever the client adds.
        document_id: the hash of a trusted document, in place of its text.
    """

    query: str = ""
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(default=None, name="operationName")
    extensions: dict[str, Any] | None = None
    document_id: str | None = msgspec.field(default=None, name="documentId")


_decoder = msgspec.json.Decoder(GraphQLRequest)


class Unreadable(InvalidInput):
    """The body is no GraphQL request."""

    code = "REQUEST_UNREADABLE"


class Batched(Exception):
    """The body is a list: perhaps of several requests.

    Attributes:
        body: the body.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body


def read_json(body: bytes) -> GraphQLRequest:
    """A request from a JSON body.

    Raises:
        Unreadable: it is no JSON object of the right shape, or holds no query.
        Batched: it is a list.
    """
    if body.lstrip(b" \t\r\n")[:1] == b"[":
        raise Batched(body)
    try:
        request = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(
            f"The body is no GraphQL request: {error}.",
            cure='Send a JSON object such as {"query": "{ engineVersion }", "variables": {}}.',
        ) from error
    return _complete(request)


def read_object(value: Any) -> GraphQLRequest:
    """A request from what its JSON holds.

    Raises:
        Unreadable: it is no object of the right shape, or holds no query.
    """
    try:
        return _complete(msgspec.convert(value, GraphQLRequest))
    except msgspec.ValidationError as error:
        raise Unreadable(
            f"This is no GraphQL request: {error}.", cure="Send an object with query and variables."
        ) from error


def read_query_string(values: dict[str, str]) -> GraphQLRequest:
    """A request from the parameters of a GET.

    Raises:
        Unreadable: variables or extensions are no JSON objects, or there is no query.
    """
    try:
        parsed = {
            key: msgspec.json.decode(values[key], type=dict[str, Any] | None)
            for key in ("variables", "extensions")
            if values.get(key)
        }
    except msgspec.DecodeError as error:
        raise Unreadable(
            f"variables and extensions are JSON objects: {error}.", cure="Encode them as JSON."
        ) from error
    return _complete(
        GraphQLRequest(
            query=values.get("query", ""),
            variables=parsed.get("variables"),
            operation_name=values.get("operationName") or None,
            extensions=parsed.get("extensions"),
            document_id=values.get("documentId") or None,
        )
    )


def _complete(request: GraphQLRequest) -> GraphQLRequest:
    if not request.query and request.document_id is None and not _persisted(request):
        raise Unreadable("The request holds no query.", cure="Send the document's text as `query`.")
    return request


def _persisted(request: GraphQLRequest) -> bool:
    return bool(request.extensions and "persistedQuery" in request.extensions)


def choose_media_type(accept: str) -> str | None:
    """The media type of the answer; None where the client accepts neither of ours."""
    if not accept:
        return JSON
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if kind in (JSON, "application/*", "*/*"):
            offer = JSON
        elif kind == GRAPHQL_JSON:
            offer = GRAPHQL_JSON
        else:
            continue
        if weight > 0 and (best is None or weight > best[0]):
            best = (weight, offer)
    return best[1] if best else None


def status_of(*, ran: bool, media_type: str) -> int:
    """The HTTP status of a readable request's answer: older clients get 200 whatever happened."""
    return 200 if ran or media_type == JSON else 400
