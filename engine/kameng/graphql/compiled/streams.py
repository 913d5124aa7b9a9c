"""Subscriptions: the stream of events, and the compiled answer to each."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import suppress
from typing import Any

from graphql import GraphQLError, default_field_resolver, get_argument_values, located_error
from graphql.pyutils import inspect

from kameng.graphql.compiled.compiler import CompiledOperation
from kameng.graphql.compiled.info import ResolveInfo
from kameng.graphql.compiled.plan import FieldPlan
from kameng.graphql.compiled.request import Request, is_awaitable, keys_of
from kameng.graphql.compiled.result import Result
from kameng.graphql.compiled.runtime import FieldPosition


async def source_stream(plan: FieldPlan, request: Request) -> AsyncIterable[Any]:
    """The events of a subscription (the specification's CreateSourceEventStream).

    Raises:
        GraphQLError: the resolver failed, or gave something that is no stream.
    """
    field = FieldPosition(0, plan.nodes, plan.key, plan.name, plan.parent, plan.definition.type)
    place = (None, plan.key, plan.parent.name)
    info: Any = ResolveInfo(field, request, place)
    resolve = plan.definition.subscribe or default_field_resolver
    try:
        arguments = get_argument_values(
            plan.definition,
            plan.nodes[0],
            request.values(),
            hide_suggestions=request.operation.hide_suggestions,
        )
        stream: Any = resolve(request.root, info, **arguments)
        if is_awaitable(stream):
            stream = await stream
        if isinstance(stream, Exception):
            raise stream
        if not hasattr(stream, "__aiter__"):
            raise GraphQLError(f"Subscription field must return AsyncIterable. Received: {inspect(stream)}.")
    except Exception as error:
        raise located_error(error, field.nodes, keys_of(place)) from error
    return stream  # type: ignore[no-any-return] # tested for above


async def response_stream(
    source: AsyncIterable[Any], compiled: CompiledOperation, request: Request
) -> AsyncGenerator[Result, None]:
    """One result for each event; closes the source when it is closed itself."""
    events = aiter(source)
    try:
        async for event in events:
            each = Request(
                request.operation,
                request.variables,
                request.inputs,
                request.context,
                event,
                request.extensions,
            )
            data = await compiled.run(each)
            yield Result(data, each.errors)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            with suppress(Exception):
                await close()
