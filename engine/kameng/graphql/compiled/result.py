"""The answer to one request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError


@dataclass(slots=True)
class Result:
    """What a document answered.

    Attributes:
        data: the tree of values in the order of the document; ``None`` when there is none.
        errors: in the order in which graphql-core reports them; empty when there are none.
        extensions: the response's own extensions, such as the cost of the document.
        executed: ``False`` for what the specification calls a request error (syntax, validation, variables, a
            subscription that could not start): its response carries no ``data`` entry at all.
    """

    data: dict[str, Any] | None
    errors: Sequence[GraphQLError] = ()
    extensions: dict[str, Any] | None = None
    executed: bool = True

    def formatted(self) -> dict[str, Any]:
        """The response map of the GraphQL specification, section "Response Format"."""
        response: dict[str, Any] = {}
        if self.errors:
            response["errors"] = [error.formatted for error in self.errors]
        if self.executed:
            response["data"] = self.data
        if self.extensions:
            response["extensions"] = self.extensions
        return response

    def to_json(self) -> bytes:
        """The response as JSON in UTF-8.

        Values that orjson refuses (integers beyond 64 bits, lone surrogates, keys that are no strings) go
        through the standard library, so that a custom scalar may answer whatever JSON can hold.
        """
        return encode(self.formatted())


def encode(value: Any) -> bytes:
    """One JSON value as UTF-8 bytes.

    Raises:
        TypeError: the value holds something that JSON has no form for.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
