"""Executing documents against a composed schema: compiled once, answered many times, faults masked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError
from graphql.validation import MaxIntrospectionDepthRule

from kameng.errors import Refusal
from kameng.graphql.compiled import CompiledSchema, Invalid, Prepared, Result
from kameng.graphql.composition import ComposedSchema
from kameng.graphql.idempotency import IDEMPOTENT
from kameng.graphql.limits import Limits, Screen
from kameng.graphql.refusals import BAD_REQUEST, TooComplex, extensions_of, masked
from kameng.graphql.texts import screened, unkeepable

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.graphql.idempotent_results import IdempotentResults

log = structlog.get_logger(__name__)

CACHE_BYTES = 32 * 2**20
"""Room for compiled documents, for each schema of a process."""

MAX_TOKENS = 5_000
"""Tokens that a document may hold; a longer one is refused before it is parsed to its end."""

_CUT_OFF = ("Document contains more than", "Document is nested too deeply")
# What graphql-core says where it gives up on a document for its size; it has no class of its own for that.


class Answer(msgspec.Struct, omit_defaults=True):
    """The answer to an operation, as GraphQL's JSON has it.

    Attributes:
        errors: what went wrong, if anything.
        data: the result; ``msgspec.UNSET`` where the request was refused before it ran.
        extensions: additional facts, such as the cost.
    """

    errors: list[dict[str, Any]] | None = None
    data: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    extensions: dict[str, Any] | None = None

    @property
    def ran(self) -> bool:
        """Whether the operation was executed at all."""
        return self.data is not msgspec.UNSET


class Executor:
    """Runs documents of one schema.

    Args:
        schema: what to run them against.
        on_fallback: told the reason whenever graphql-core executes a document that was not compiled.
        hide_suggestions: whether messages about mistakes keep names of the schema to themselves.
        limits: how large the documents from the network may be; all others are screened by wider ones.
        max_tokens: tokens of any document.
        results: keeps the results of mutations with an idempotency key; without it keys are only passed on.
    """

    def __init__(
        self,
        schema: ComposedSchema,
        *,
        on_fallback: Callable[[str], None] = lambda _reason: None,
        hide_suggestions: bool = False,
        limits: Limits | None = None,
        max_tokens: int = MAX_TOKENS,
        results: IdempotentResults | None = None,
    ) -> None:
        self.schema = schema
        self._results = results
        self._compiled = CompiledSchema(
            schema,
            cache_bytes=CACHE_BYTES,
            on_fallback=on_fallback,
            inert_directives=[IDEMPOTENT.name],
            rules=[MaxIntrospectionDepthRule],
            max_tokens=max_tokens,
            hide_suggestions=hide_suggestions,
            screen=_screen(Screen((limits or Limits()).widened())),
        )

    def prepare(self, source: str, operation_name: str | None = None) -> Prepared | Invalid:
        """Parse, validate and compile a document, or find it in the cache; or what is wrong with it."""
        return self._compiled.prepare(source, operation_name)

    async def execute(
        self,
        source: str,
        variables: Mapping[str, Any] | None,
        context: Context,
        operation_name: str | None = None,
    ) -> Answer:
        """Run a query or mutation."""
        return await self.run(self.prepare(source, operation_name), variables, context)

    async def run(
        self, prepared: Prepared | Invalid, variables: Mapping[str, Any] | None, context: Context
    ) -> Answer:
        """Run a query or mutation that was prepared."""
        if isinstance(prepared, Invalid):
            return _answer(prepared.result(), context)
        if variables and (refusal := unkeepable(variables)) is not None:
            return Answer(errors=[{"message": refusal.message, "extensions": extensions_of(refusal)}])
        if self._results is not None and prepared.kind == "mutation":
            header = context.idempotency_key
            if header is not None or IDEMPOTENT.name in prepared.usage.directives:
                around = partial(self._results.around, header)
                return _answer(await prepared.execute(variables, context, around=around), context)
        return _answer(await prepared.execute(variables, context), context)

    async def subscribe(
        self,
        source: str,
        variables: Mapping[str, Any] | None,
        context: Context,
        operation_name: str | None = None,
    ) -> Answer | AsyncIterator[Answer]:
        """Run a subscription: an answer where it was refused, else the stream of its answers."""
        prepared = self.prepare(source, operation_name)
        if isinstance(prepared, Invalid):
            return _answer(prepared.result(), context)
        if variables and (refusal := unkeepable(variables)) is not None:
            return Answer(errors=[{"message": refusal.message, "extensions": extensions_of(refusal)}])
        stream = await prepared.subscribe(variables, context)
        if isinstance(stream, Result):
            return _answer(stream, context)
        return _answers(stream, context)


def _screen(size: Screen) -> Callable[[DocumentNode], GraphQLError | None]:
    return lambda document: size(document) or screened(document)


async def _answers(stream: AsyncIterator[Result], context: Context) -> AsyncIterator[Answer]:
    try:
        async for result in stream:
            yield _answer(result, context)
    finally:
        closing = getattr(stream, "aclose", None)
        if closing is not None:
            await closing()


def _answer(result: Result, context: Context) -> Answer:
    errors = [formatted(error, context) for error in result.errors] if result.errors else None
    if not result.executed:
        return Answer(errors=errors)
    return Answer(errors=errors, data=result.data, extensions=result.extensions)


def formatted(error: GraphQLError, context: Context) -> dict[str, Any]:
    """An error as the client sees it: refusals with their code, mistakes of the document as they are, faults masked."""
    shown: dict[str, Any] = {**error.formatted}
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error:
        original = original.original_error
    if isinstance(original, Refusal):
        shown["message"] = original.message
        shown["extensions"] = extensions_of(original)
    elif original is None or isinstance(original, GraphQLError):
        cut_off = isinstance(error, GraphQLSyntaxError) and error.description.startswith(_CUT_OFF)
        code = TooComplex.code if cut_off else "GRAPHQL_INVALID"
        shown.setdefault("extensions", {"code": code, "classification": BAD_REQUEST})
    else:
        log.error(
            "resolver failed",
            correlation_id=context.correlation_id,
            path=error.path,
            exc_info=(type(original), original, original.__traceback__),
        )
        shown["message"] = (
            f"Something went wrong on our side; nothing more is known here. Reference: {context.correlation_id}"
        )
        shown["extensions"] = masked(context.correlation_id)
    return shown
