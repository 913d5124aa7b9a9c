"""Operations whose answers come one by one: what the WebSocket and the event stream have in common."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Literal

import structlog

from kameng.errors import InvalidInput, KamengError, Refusal, Unauthenticated, UnavailableError
from kameng.graphql.compiled import Invalid, Prepared, Result
from kameng.graphql.execution import Answer, formatted
from kameng.graphql.refusals import masked
from kameng.graphql.telling import told
from kameng.graphql.texts import unkeepable
from kameng.http.metrics import OPERATIONS

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.graphql.wire import GraphQLRequest
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

MAX_STREAMS = 5_000
"""WebSockets and event streams that one process keeps open."""


class NotByStream(InvalidInput):
    """A mutation was sent where answers are streamed."""

    code = "MUTATION_BY_STREAM"


class Streams:
    """Counts the open streams of a process."""

    def __init__(self, most: int = MAX_STREAMS) -> None:
        self._most = most
        self.open = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Room for one stream.

        Raises:
            UnavailableError: there is none.
        """
        if self.open >= self._most:
            raise UnavailableError(
                "This process has too many open streams.", cure="Connect again in a moment."
            )
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class Interrupted(Exception):
    """A stream ended before its operation did.

    Attributes:
        answer: the errors to tell.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def check_principal(context: Context, principal: str) -> None:
    """Insist that the client is still who it was: a stream outlives a log-out, a disabled account, a withdrawn token.

    Args:
        context: as the client's credentials make it now.
        principal: the key of the principal that it was.

    Raises:
        Unauthenticated: it is not.
    """
    if context.principal.key != principal:
        raise Unauthenticated("The session has ended.", cure="Log in again and connect once more.")


async def answers(
    kernel: Kernel,
    schema: Literal["shop", "admin"],
    request: GraphQLRequest,
    context: Context,
    still_allowed: Callable[[], Awaitable[None]],
) -> AsyncGenerator[Answer, None]:
    """Run a query or subscription.

    Args:
        kernel: what serves it.
        schema: which of the two it asks.
        request: what was sent.
        context: of this operation alone.
        still_allowed: asked before each further answer; raises where the client may not hear more.

    Yields:
        answers of an executed operation.

    Raises:
        Interrupted: it was not executed, or went no further; with the errors that the client is told.
    """
    kind, result = "invalid", "refused"
    try:
        admitted = await kernel.admission[schema].admit(request, context)
        prepared = admitted.prepared
        if not isinstance(prepared, Invalid):
            kind = prepared.kind
        async with aclosing(_answers(kernel, schema, prepared, request, context)) as stream:
            async for answer in stream:
                if result == "refused":
                    answer.extensions = admitted.extensions
                else:
                    await still_allowed()
                if not answer.ran:
                    raise Interrupted(answer)
                result = "errors" if answer.errors or result == "errors" else "ok"
                yield answer
    except Refusal as refusal:
        raise Interrupted(told(refusal)) from refusal
    except KamengError as error:
        log.error("stream failed", correlation_id=context.correlation_id, error=str(error), exc_info=True)
        raise Interrupted(told(error)) from error
    except (Interrupted, GeneratorExit):
        raise
    except Exception as error:
        raise Interrupted(_masked(error, context)) from error
    finally:
        OPERATIONS.labels(schema, kind, result).inc()


async def _answers(
    kernel: Kernel,
    schema: Literal["shop", "admin"],
    prepared: Prepared | Invalid,
    request: GraphQLRequest,
    context: Context,
) -> AsyncGenerator[Answer, None]:
    if isinstance(prepared, Invalid) or prepared.kind == "query":
        yield await kernel.graphql[schema].run(prepared, request.variables, context)
        return
    if prepared.kind == "mutation":
        raise NotByStream(
            "A mutation is not sent by WebSocket or event stream.",
            cure="POST it and accept application/json.",
        )
    if (refusal := unkeepable(request.variables or {})) is not None:
        raise refusal
    stream = await prepared.subscribe(request.variables, context)
    if isinstance(stream, Result):
        yield _answer_of(stream, context)
        return
    async with aclosing(stream):
        async for result in stream:
            yield _answer_of(result, context)
            # The next event is another moment: nothing that was read for this one may stand for it.
            context.forget()


def _answer_of(result: Result, context: Context) -> Answer:
    errors = [formatted(error, context) for error in result.errors] if result.errors else None
    return Answer(errors=errors, data=result.data) if result.executed else Answer(errors=errors)


def _masked(error: Exception, context: Context) -> Answer:
    log.error("stream failed", correlation_id=context.correlation_id, exc_info=error)
    message = f"Something went wrong on our side. Reference: {context.correlation_id}"
    return Answer(errors=[{"message": message, "extensions": masked(context.correlation_id)}])
