"""Why an operation is not carried out although it is GraphQL: it is too large, too costly, unknown or not for this client."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from kameng.errors import Forbidden, KamengError, RateLimited, Refusal

BAD_REQUEST = "BAD_REQUEST"
"""The classification of errors that lie with the request: sent again unchanged, it fares no better for long."""

INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
"""The classification of errors that lie with us."""


class DocumentRefused(Refusal):
    """The document is refused as a whole, before any of it runs.

    Attributes:
        details: further entries of the error's ``extensions``.
    """

    code = "GRAPHQL_REFUSED"

    def __init__(self, message: str, *, cure: str = "", **details: Any) -> None:
        super().__init__(message, cure=cure)
        self.details = details

    def as_error(self) -> GraphQLError:
        """The refusal as an error of the document."""
        return GraphQLError(self.message, extensions=extensions_of(self))


class TooComplex(DocumentRefused):
    """The document exceeds a limit of size or form."""

    code = "GRAPHQL_TOO_COMPLEX"

    def __init__(self, what: str, name: str, maximum: int, actual: int | None = None) -> None:
        super().__init__(
            f"The document has {what}; at most {maximum:,} are allowed.",
            cure="Ask for less at once, or in several requests.",
            limit={"name": name, "maximum": maximum, **({} if actual is None else {"actual": actual})},
        )


class TooExpensive(DocumentRefused):
    """The operation costs more than a single one may."""

    code = "GRAPHQL_TOO_EXPENSIVE"


class IntrospectionRefused(Forbidden):
    """Asking the schema about itself needs a permission here."""

    code = "INTROSPECTION_FORBIDDEN"


class BudgetExhausted(RateLimited):
    """The principal has spent its budget for costly operations for now."""

    code = "GRAPHQL_BUDGET_EXHAUSTED"


class DocumentUnknown(DocumentRefused):
    """No trusted document has this id."""

    # The code that clients of persisted queries know.
    code = "PERSISTED_QUERY_NOT_FOUND"


class DocumentMismatch(DocumentRefused):
    """The document's text and its id do not belong together, or the id is none."""

    code = "PERSISTED_QUERY_MISMATCH"


class DocumentNotTrusted(DocumentRefused):
    """Only trusted documents are carried out for this client."""

    code = "DOCUMENT_NOT_TRUSTED"


class BatchRefused(DocumentRefused):
    """Several requests came in one body."""

    code = "BATCH_REFUSED"


def extensions_of(error: KamengError) -> dict[str, Any]:
    """What an error's ``extensions`` say: its code, its cure, and whose fault it is for those who do not know the code."""
    found: dict[str, Any] = {
        "code": error.code,
        "cure": error.cure,
        "classification": BAD_REQUEST if isinstance(error, Refusal) else INTERNAL_SERVER_ERROR,
    }
    if isinstance(error, DocumentRefused):
        found |= error.details
    elif isinstance(error, RateLimited):
        found["retryAfter"] = error.retry_after
    return found


def masked(correlation_id: str) -> dict[str, Any]:
    """What the ``extensions`` of a fault say, of which the client learns nothing but where the log has it."""
    return {"code": "INTERNAL", "correlationId": correlation_id, "classification": INTERNAL_SERVER_ERROR}
