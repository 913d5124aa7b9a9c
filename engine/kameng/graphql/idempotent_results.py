"""Mutations that are carried out once for each key, whatever becomes of the connection, the client or the process.

The key is claimed by a row in the transaction that also holds the mutation's effects and, once the answer is complete, its
result. So there is never a claim without effects or effects without a result: a crash leaves neither. Who comes at the same
time waits at the unique constraint, then reads what the first one wrote, or goes first if that one rolled back.

What is kept is the completed part of the answer, as JSON. It stands for exactly what was asked for: the same arguments and the
same selection, variables included. The same key with anything else is a conflict, told as data. The answer of a mutation is
completed inside its transaction; where a part of it fails, or the mutation is refused, nothing is changed and nothing kept, and
the same key can be tried again. A result belongs to the principal who got it, and to the address of a visitor.

A replay tells what was answered then, even where a permission was taken away in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
import orjson
from graphql import (
    FragmentSpreadNode,
    GraphQLError,
    Node,
    StringValueNode,
    VariableNode,
    get_argument_values,
    located_error,
    print_ast,
)
from graphql.language import Visitor, visit

from kameng.errors import Conflict, InvalidInput, Refusal
from kameng.graphql import statements
from kameng.graphql.compiled.result import encode
from kameng.graphql.idempotency import IDEMPOTENT
from kameng.graphql.payload import POLICY
from kameng.ids import new_id
from kameng.settings import GraphQLSettings

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.graphql.compiled.plan import FieldPlan
    from kameng.graphql.compiled.request import Request
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

LONGEST_KEY = 200
"""Characters of an idempotency key."""

Part = dict[str, Any]
"""A root field's part of the answer: its response key and value."""

_Claim = tuple[str, str, str]
"""Principal, key and mutation field."""

_ATTEMPTS = 3


class _NotKept(Exception):
    """Rolls back the claim and whatever else was written, and carries the answer out."""

    def __init__(self, part: Part) -> None:
        self.part = part


class IdempotentResults:
    """Stands around the mutations of one schema.

    Args:
        db: where the results are kept.
        schema: ``shop`` or ``admin``.
    """

    def __init__(self, db: Database, schema: str) -> None:
        self._db = db
        self._schema = schema
        self._turns: WeakValueDictionary[_Claim, asyncio.Lock] = WeakValueDictionary()

    async def around(
        self,
        header: str | None,
        field: FieldPlan,
        request: Request,
        build: Callable[[], Awaitable[Part]],
        count: int,
    ) -> Part:
        """Carry out a mutation, or answer with what it answered before.

        Args:
            header: the key of the request as a whole.
            field: the mutation.
            request: its request.
            build: carries it out and completes its part of the answer.
            count: how many mutations the request holds.

        Raises:
            GraphQLError: a part of the answer failed that cannot be null, or the database did.
        """
        context: Context = request.context
        key = _directive_key(field, request)
        if key is None and header is not None:
            # One key for several mutations names each of them by its place in the answer as well.
            key = header if count == 1 else f"{header}/{field.key}"
        context.idempotency_key = key
        policy = _policy(field)
        if key is None or policy in ("own", "none"):
            return await build()
        if not 1 <= len(key) <= LONGEST_KEY or "\0" in key:
            refusal = InvalidInput(
                f"An idempotency key has 1 to {LONGEST_KEY} characters.",
                cure="Send a UUID, say.",
                path=("idempotencyKey",),
            )
            return await _refused(refusal, field, context, build, policy)
        try:
            arguments = get_argument_values(field.definition, field.nodes[0], request.values())
        except GraphQLError:
            return await build()  # which tells it
        asked = (_hash(arguments), _selection(field, request))
        claim = (_principal(context), key, f"{self._schema}.{field.name}")
        try:
            outcome = await self._once(claim, asked, field, request, build)
        except GraphQLError:
            raise
        except Exception as error:
            raise located_error(error, field.nodes, [field.key]) from error
        if isinstance(outcome, Refusal):
            return await _refused(outcome, field, context, build, policy)
        return outcome

    async def _once(
        self,
        claim: _Claim,
        asked: tuple[str, str],
        field: FieldPlan,
        request: Request,
        build: Callable[[], Awaitable[Part]],
    ) -> Part | Refusal:
        # Here only one at a time waits for another process, with a connection that others could use.
        turn = self._turns.setdefault(claim, asyncio.Lock())
        async with turn:
            for _ in range(_ATTEMPTS):
                try:
                    async with self._db.transaction():
                        number = await self._db.fetchval(statements.CLAIM, new_id(), *claim, *asked)
                        if number is not None:
                            return await self._carry_out(number, field, request, build)
                        known = await self._db.fetchrow(statements.CLAIMED, *claim)
                except _NotKept as outcome:
                    return outcome.part
                if known is not None:
                    break  # else it was pruned in between
            else:
                return Conflict("The key is about to be forgotten.", cure="Try again.")
        if known["input"] != asked[0]:
            return Conflict(
                "This idempotency key was used for something else.",
                cure="Use a key of its own for each intention.",
            )
        if known["selection"] != asked[1]:
            return Conflict(
                "With this idempotency key another part of the answer was asked for.",
                cure="Send the same document again, or ask for the rest by a query.",
            )
        return {field.key: orjson.loads(known["result"])}

    async def _carry_out(
        self, number: UUID, field: FieldPlan, request: Request, build: Callable[[], Awaitable[Part]]
    ) -> Part:
        context: Context = request.context
        context.refused = False
        errors = len(request.errors)
        part = await build()
        if context.refused or len(request.errors) > errors:
            raise _NotKept(part)
        await self._db.execute(statements.KEEP_RESULT, number, encode(part[field.key]).decode())
        return part


async def _refused(
    refusal: Refusal,
    field: FieldPlan,
    context: Context,
    build: Callable[[], Awaitable[Part]],
    policy: str | None,
) -> Part:
    if policy is None:  # no mutation of ours, which could tell it as data
        raise located_error(refusal, field.nodes, [field.key])
    context.refusal = refusal
    try:
        return await build()
    finally:
        context.refusal = None


def _policy(field: FieldPlan) -> str | None:
    strawberry = field.definition.extensions.get("strawberry-definition")
    policy: str | None = getattr(strawberry, "metadata", {}).get(POLICY)
    return policy


def _principal(context: Context) -> str:
    principal = context.principal
    return principal.key if principal.id is not None else f"{principal.key}:{context.address}"


def _directive_key(field: FieldPlan, request: Request) -> str | None:
    for node in field.nodes:
        for directive in node.directives or ():
            if directive.name.value == IDEMPOTENT.name:
                value = next(iter(directive.arguments or ())).value
                if isinstance(value, StringValueNode):
                    return value.value
                if isinstance(value, VariableNode):
                    found: str | None = request.variables.get(value.name.value)
                    return found
    return None


def _hash(value: Any) -> str:
    encoded = msgspec.json.encode(value, enc_hook=repr, order="deterministic")
    return sha256(encoded).hexdigest()


def _selection(field: FieldPlan, request: Request) -> str:
    """What is asked of the payload: selections, the fragments that they reach, and the variables in them."""
    found = _Found()
    texts: list[str] = []
    todo: list[Node] = [node.selection_set for node in field.nodes if node.selection_set is not None]
    fragments = request.operation.fragments
    done: set[str] = set()
    while todo:
        node = todo.pop()
        texts.append(print_ast(node))
        visit(node, found)
        for name in sorted(found.fragments - done):
            done.add(name)
            todo.append(fragments[name])
    variables = {name: request.variables[name] for name in found.variables if name in request.variables}
    return _hash([texts, variables])


class _Found(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.fragments: set[str] = set()
        self.variables: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.fragments.add(node.name.value)

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)


async def prune_results(kernel: Kernel) -> None:
    """Forget results older than ``[graphql] idempotency_keep_days``, in small transactions."""
    keep = timedelta(days=kernel.settings.section("graphql", GraphQLSettings).idempotency_keep_days)
    while await kernel.db.execute(statements.PRUNE_RESULTS, keep) != "DELETE 0":
        pass
