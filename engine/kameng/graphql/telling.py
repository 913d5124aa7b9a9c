"""How a refusal is told to a client outside of an executed operation."""

from __future__ import annotations

from typing import Any

from kameng.errors import KamengError
from kameng.graphql.execution import Answer
from kameng.graphql.refusals import extensions_of


def told(error: KamengError) -> Answer:
    """The answer to a request that was not executed."""
    return Answer(errors=[{"message": error.message, "extensions": extensions_of(error)}])


def shown(answer: Answer) -> dict[str, Any]:
    """An answer as the JSON object that GraphQL has for it."""
    found: dict[str, Any] = {}
    if answer.errors:
        found["errors"] = answer.errors
    if answer.ran:
        found["data"] = answer.data
    if answer.extensions:
        found["extensions"] = answer.extensions
    return found
