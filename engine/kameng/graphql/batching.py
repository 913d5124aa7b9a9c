"""Several operations in one body, a JSON list: bounded in number and in cost, carried out one after the other.

A batch must not be a way around the limits of a single operation. Each of its operations is admitted by itself, and together
they may cost what a single one may; the bucket is charged for all of them at once. They run in series, so that mutations keep
their order and a batch takes no more of the server at a time than one operation does.

How many there may be is a setting, and 1, which is the default in production, means none: over HTTP/2 single requests share a
connection just as well, and each has its own status, its own place in the log and its own turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kameng.errors import KamengError, Refusal
from kameng.graphql.admission import Admission, Admitted
from kameng.graphql.compiled import Invalid
from kameng.graphql.context import Context
from kameng.graphql.execution import Answer, Executor
from kameng.graphql.refusals import BatchRefused, DocumentRefused, TooExpensive
from kameng.graphql.telling import told
from kameng.graphql.wire import GraphQLRequest, Unreadable, read_object
from kameng.http.metrics import OPERATIONS

if TYPE_CHECKING:
    from kameng.kernel import Kernel

DEVELOPMENT, PRODUCTION = 5, 1
"""Operations of a batch where the settings say nothing; attackers' tools try ten."""


class Batches:
    """Answers the batches of one schema.

    Args:
        kernel: a running kernel.
        schema: ``shop`` or ``admin``.
        most: operations of a batch; 1: none are served.
    """

    def __init__(self, kernel: Kernel, schema: Literal["shop", "admin"], most: int | None) -> None:
        self._schema = schema
        self._executor: Executor = kernel.graphql[schema]
        self._admission: Admission = kernel.admission[schema]
        self._most = (PRODUCTION if kernel.settings.production else DEVELOPMENT) if most is None else most

    def read(self, body: bytes) -> list[GraphQLRequest]:
        """The requests of a batch.

        Raises:
            BatchRefused: there are more than are served, or none.
            Unreadable: one of them is no request.
        """
        if self._most == 1:
            raise BatchRefused(
                "Several requests in one body are not served.",
                cure="Send each by itself; over HTTP/2 they share a connection.",
            )
        try:
            parts = msgspec.json.decode(body, type=list[dict[str, Any]])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreadable(f"The body is no list of GraphQL requests: {error}.") from error
        if not parts:
            raise BatchRefused("The body holds no request.", cure="Send at least one.")
        if len(parts) > self._most:
            raise BatchRefused(
                f"The body has {len(parts)} requests; at most {self._most} are served together.",
                cure="Send them in several bodies, or each by itself.",
                limit={"name": "batch", "maximum": self._most, "actual": len(parts)},
            )
        return [read_object(part) for part in parts]

    async def answers(
        self, requests: Sequence[GraphQLRequest], context: Context, *, show_cost: bool
    ) -> list[Answer]:
        """The answer to each request, in their order.

        Args:
            requests: as `read` gave them.
            context: who sent them, and how.
            show_cost: whether the client wants to know what each costs.

        Raises:
            TooExpensive: together they cost more than a single operation may.
            BudgetExhausted: the principal has spent what it had.
            BatchRefused: one idempotency key came for several requests.
        """
        if context.idempotency_key is not None and len(requests) > 1:
            raise BatchRefused(
                "The header Idempotency-Key cannot stand for several requests.",
                cure="Use the directive @idempotent(key:) at each mutation.",
            )
        priced = [await self._price(request, context) for request in requests]
        total = sum(each[1] for each in priced if not isinstance(each, Answer))
        if total > self._admission.max_cost:
            raise TooExpensive(
                f"Together these cost {total:,}; a batch may cost {self._admission.max_cost:,}.",
                cure="Send fewer at once.",
                cost={"requested": total, "limit": self._admission.max_cost},
            )
        level = await self._admission.charge(total, context) if total else None
        answers = []
        for request, each in zip(requests, priced, strict=True):
            if isinstance(each, Answer):
                OPERATIONS.labels(self._schema, "invalid", "refused").inc()
                answers.append(each)
                continue
            admitted, cost = each
            answer = await self._run(admitted, request, context)
            if (self._admission.shows_cost or show_cost) and not isinstance(admitted.prepared, Invalid):
                answer.extensions = self._admission.told(cost, level)
            answers.append(answer)
        return answers

    async def _price(self, request: GraphQLRequest, context: Context) -> tuple[Admitted, int] | Answer:
        try:
            prepared = await self._admission.prepare(request, context)
            if isinstance(prepared, Invalid):
                return Admitted(prepared), 0
            cost = self._admission.price(prepared, request.variables, context)
            if prepared.kind == "subscription":
                raise DocumentRefused(
                    "A subscription does not fit into a batch.", cure="Open it by WebSocket or event stream."
                )
        except Refusal as refusal:
            return told(refusal)
        return Admitted(prepared), cost

    async def _run(self, admitted: Admitted, request: GraphQLRequest, context: Context) -> Answer:
        # What was read for the operation before may have been changed by it, and its key is its own.
        context.forget()
        context.idempotency_key, context.refused = None, False
        kind = "invalid" if isinstance(admitted.prepared, Invalid) else admitted.prepared.kind
        try:
            answer = await self._executor.run(admitted.prepared, request.variables, context)
        except KamengError as error:  # the others of the batch have answers of their own
            answer = told(error)
        result = "refused" if not answer.ran else "errors" if answer.errors else "ok"
        OPERATIONS.labels(self._schema, kind, result).inc()
        return answer
