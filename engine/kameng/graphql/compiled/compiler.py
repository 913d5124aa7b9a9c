"""One operation, compiled for one combination of its conditions."""

from asyncio import CancelledError, current_task
from collections.abc import Callable, Mapping
from functools import partial
from types import CoroutineType
from typing import Any

from graphql import GraphQLError, OperationType
from strawberry import Schema

from kameng.graphql.compiled.emit import Emitter
from kameng.graphql.compiled.facts import SchemaFacts
from kameng.graphql.compiled.limits import ROOT_FIELD, CompileLimits, NotCompilable
from kameng.graphql.compiled.lists import Build
from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.plan import FieldPlan, ObjectPlan, Planner
from kameng.graphql.compiled.request import Request


class CompiledOperation:
    """Executes one operation whose conditions have certain values.

    Args:
        operation: the operation.
        conditions: the values of the variables in ``@skip`` and ``@include``.
        facts: facts about the schema's types.
        schema: the Strawberry schema, if there is one.
        limits: the bounds.
        on_code: told the length of each piece of source that is compiled, now or later.

    Raises:
        NotCompilable: the operation is left to graphql-core.
    """

    def __init__(
        self,
        operation: Operation,
        conditions: Mapping[str, bool],
        facts: SchemaFacts,
        schema: Schema | None,
        limits: CompileLimits,
        on_code: Callable[[int], None],
    ) -> None:
        planner = Planner(operation.schema, operation.fragments, conditions, limits)
        plan = planner.root(operation.node)
        emitter = Emitter(operation, facts, schema, on_code)
        self.plan = plan
        self._serial: list[tuple[FieldPlan, Build]] | None = None
        if operation.node.operation is OperationType.MUTATION:
            self._serial = [(field, emitter.build(ObjectPlan(plan.type, [field]))) for field in plan.fields]
        else:
            if operation.node.operation is OperationType.SUBSCRIPTION and not plan.fields:
                raise NotCompilable(ROOT_FIELD)
            self._build = emitter.build(plan)

    async def run(self, request: Request) -> dict[str, Any] | None:
        """The data of one execution; errors are noted in the request."""
        try:
            if self._serial is not None:
                return await _in_series(self._serial, request)
            data = self._build(request.root, request, None)
            if type(data) is CoroutineType:
                data = await data
        except GraphQLError as error:
            request.add_error(error, None)
            return None
        except CancelledError as cancellation:
            # Two fields may await one future, a cached load of a DataLoader for instance: when an error cancels
            # the one, the future is cancelled for the other as well. graphql-core then raises, as if the request
            # had been cancelled; nobody did, so it gets an answer here.
            task = current_task()
            if task is None or task.cancelling():
                raise
            fault = RuntimeError("A resolver was cancelled by something other than its request.")
            fault.__cause__ = cancellation
            request.add_error(GraphQLError(str(fault), original_error=fault), None)
            return None
        return data  # type: ignore[no-any-return] # generated code is untyped


async def _in_series(builds: list[tuple[FieldPlan, Build]], request: Request) -> dict[str, Any]:
    result: dict[str, Any] = {}
    around = request.around
    for field, build in builds:
        if around is not None:
            result.update(await around(field, request, partial(_one, build, request), len(builds)))
            continue
        result.update(await _one(build, request))
    return result


async def _one(build: Build, request: Request) -> dict[str, Any]:
    part = build(request.root, request, None)
    if type(part) is CoroutineType:
        part = await part
    return part  # type: ignore[no-any-return] # generated code is untyped
