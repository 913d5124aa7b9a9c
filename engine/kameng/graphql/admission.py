"""Admitting operations from the network: may this client run this document, and can it pay for it?

What can be known of an operation is found out once and kept with it; what is left for a request is a few comparisons, and a
round trip to Valkey for a costly operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kameng.auth.principal import PrincipalKind
from kameng.graphql.bucket import CostBucket, Level
from kameng.graphql.compiled import Invalid, Prepared
from kameng.graphql.cost import OperationCost
from kameng.graphql.limits import Limits, check, check_text
from kameng.graphql.refusals import DocumentRefused, IntrospectionRefused, TooExpensive
from kameng.graphql.trusted import Mode, TrustedDocuments
from kameng.settings.sections import GraphQLSettings

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.graphql.execution import Executor
    from kameng.graphql.wire import GraphQLRequest
    from kameng.kernel import Kernel

INTROSPECT = "graphql.introspect"
"""The permission to ask a schema about itself in production."""

_PROFILE_BYTES = 500

_BUCKET = {True: (20_000, 1_000), False: (1_000_000, 100_000)}
_INSIDERS = frozenset({PrincipalKind.STAFF, PrincipalKind.INTEGRATION})


def limits_of(settings: GraphQLSettings) -> Limits:
    """The limits that the settings ask for."""
    return Limits(
        depth=settings.max_depth,
        fields=settings.max_fields,
        aliases=settings.max_aliases,
        directives=settings.max_directives,
        root_fields=settings.max_root_fields,
        mutations=settings.max_mutations,
    )


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of an operation whatever its variables are.

    Attributes:
        refusal: why it is never admitted, if it is not.
        cost: what it costs.
        introspection: whether it asks the schema about itself.
    """

    refusal: DocumentRefused | None
    cost: OperationCost | None
    introspection: bool

    @property
    def size(self) -> int:
        """The memory that it takes, in bytes, estimated."""
        return _PROFILE_BYTES + (0 if self.cost is None else self.cost.size)


def profile_of(prepared: Prepared, limits: Limits) -> Profile:
    """Look through an operation."""
    fragments = prepared.operation.fragments
    try:
        check_text(prepared.operation.document, limits)
        check(prepared.node, fragments, limits)
        return Profile(None, OperationCost(prepared.operation), prepared.introspection)
    except DocumentRefused as refusal:
        # Without its traceback, which would keep all of this in memory.
        return Profile(refusal.with_traceback(None), None, prepared.introspection)


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may run.

    Attributes:
        prepared: the operation, or what is wrong with the document.
        extensions: what the answer's ``extensions`` tell of the cost; None where nothing is told.
    """

    prepared: Prepared | Invalid
    extensions: dict[str, Any] | None = None


class Admission:
    """Admits the operations of one schema.

    Args:
        kernel: what serves them; it need not run yet.
        schema: ``shop`` or ``admin``.
        executor: prepares documents of the schema.

    Attributes:
        max_cost: what a single operation may cost.
        shows_cost: whether every answer tells its cost.
    """

    def __init__(self, kernel: Kernel, schema: Literal["shop", "admin"], executor: Executor) -> None:
        settings = kernel.settings.section("graphql", GraphQLSettings)
        production = kernel.settings.production
        capacity, refill = _BUCKET[production]
        if settings.bucket_capacity is not None:
            capacity = settings.bucket_capacity
        self._executor = executor
        self._limits = limits_of(settings)
        self.max_cost = settings.max_cost
        self.shows_cost = not production if settings.show_cost is None else settings.show_cost
        self._introspection = not production if settings.introspection is None else settings.introspection
        self._mode = _mode(settings, schema, production=production)
        self._documents = TrustedDocuments(kernel.db, schema)
        self._bucket = (
            CostBucket(
                kernel.valkey,
                capacity=capacity,
                refill=settings.bucket_refill or refill,
                name=schema,
                patience=kernel.settings.engine.valkey_seconds,
            )
            if capacity
            else None
        )

    async def admit(self, request: GraphQLRequest, context: Context, *, show_cost: bool = False) -> Admitted:
        """Admit a request, or say why not.

        Args:
            request: what was sent.
            context: who sent it, and how.
            show_cost: whether the client wants to know the cost, even if not everybody is told.

        Raises:
            DocumentRefused: it is too large, too costly, unknown or not trusted.
            IntrospectionRefused: it asks the schema about itself, which is not for everybody here.
            BudgetExhausted: the principal has spent what it had.
        """
        prepared = await self.prepare(request, context)
        if isinstance(prepared, Invalid):
            return Admitted(prepared)
        cost = self.price(prepared, request.variables, context)
        level = await self.charge(cost, context)
        return Admitted(prepared, self.told(cost, level) if show_cost or self.shows_cost else None)

    async def prepare(self, request: GraphQLRequest, context: Context) -> Prepared | Invalid:
        """The operation of a request, or what is wrong with its document.

        Raises:
            DocumentRefused: it is unknown or not trusted.
        """
        source = request.query
        if request.document_id is not None or request.extensions or self._mode == "require":
            mode = self._mode
            if mode == "require" and context.principal.kind in _INSIDERS:
                mode = "allow"
            source = await self._documents.source_of(request, mode)
        return self._executor.prepare(source, request.operation_name)

    def price(self, prepared: Prepared, variables: Mapping[str, Any] | None, context: Context) -> int:
        """What an operation costs, if it may run at all.

        Raises:
            DocumentRefused: it is too large or too costly.
            IntrospectionRefused: it asks the schema about itself, which is not for everybody here.
        """
        profile: Profile | None = prepared.profile
        if profile is None:
            profile = profile_of(prepared, self._limits)
            prepared.keep_profile(profile, profile.size)
        if profile.refusal is not None:
            raise profile.refusal
        if profile.introspection and not self._introspection and not context.principal.may(INTROSPECT):
            raise IntrospectionRefused(
                "The schema does not tell about itself here.",
                cure=f"Take it from `kameng schema`, or ask for the permission {INTROSPECT}.",
            )
        return self._cost(profile, variables or {})

    def _cost(self, profile: Profile, variables: Mapping[str, Any]) -> int:
        if profile.cost is None:
            return 1
        cost = profile.cost.of(variables)
        if cost > self.max_cost:
            raise TooExpensive(
                f"This costs {cost:,}; a single operation may cost {self.max_cost:,}.",
                cure="Ask for smaller pages or fewer fields, or in several requests.",
                cost={"requested": cost, "limit": self.max_cost},
            )
        return cost

    async def charge(self, cost: int, context: Context) -> Level | None:
        """Take a cost from the principal's bucket; returns what is left, or None where there is no bucket.

        Raises:
            BudgetExhausted: the principal has spent what it had.
        """
        if self._bucket is None:
            return None
        principal = context.principal
        key = principal.key if principal.id is not None else f"address:{context.address}"
        return await self._bucket.charge(key, cost)

    def told(self, cost: int, level: Level | None) -> dict[str, Any]:
        """What ``extensions`` tell of a cost."""
        told: dict[str, Any] = {"requested": cost, "limit": self.max_cost}
        if level is not None:
            told["bucket"] = level.shown()
        return {"cost": told}


def _mode(settings: GraphQLSettings, schema: str, *, production: bool) -> Mode:
    mode = settings.trusted_documents
    if schema == "admin":
        return "off" if mode == "off" else "allow"
    return mode or ("require" if production else "allow")
