"""What an operation costs, found out before it runs.

An object costs 1 and a leaf nothing; a mutation costs 10. What a list contains counts as often as the list is long: by
``first`` or ``last`` where the field takes them (20 where they are left out), by the number of ``ids`` where it takes these,
else by a usual length of 10. A field says otherwise by its metadata:

    @strawberry.field(metadata=cost(5, size=50))
    async def sales_by_day(self, info: Info) -> list[Day]: ...

The cost is worked out once for an operation. What depends on variables remains as a short list of sums and products, in
which each place of the document stands once; without such variables the cost is a number. A field that ``@skip`` or
``@include`` may leave out by a variable counts as if it were there.

An answer tells what was requested and not what the data came to in the end. To count a page of twenty objects in its answer
takes more than 10 µs, five times as long as admitting it, or an addition for every object in the code that is compiled; and
nothing would be paid back, since a bucket that refunds after the fact admits more at a time than it can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLField,
    IntValueNode,
    ListValueNode,
    OperationType,
    SelectionNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from kameng.graphql.compiled.limits import CompileLimits, NotCompilable
from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.plan import FieldPlan, ObjectPlan, Planner
from kameng.graphql.limits import INTROSPECTION
from kameng.graphql.pages import DEFAULT_PAGE, MAX_PAGE
from kameng.graphql.refusals import TooComplex

USUAL_LENGTH = 10
"""How long a list is taken to be that says nothing of its length."""

OBJECT_COST = 1
MUTATION_COST = 10
INTROSPECTION_COST = 100

MOST = 10**9
"""Costs are not counted beyond this."""

_METADATA = "kameng.cost"
_STEP_BYTES, _TERM_BYTES = 150, 150
_SIZES = ("first", "last")
# Wrappers of a page: they come with it.
_FREE_SUFFIXES = ("Edge", "PageInfo")


def cost(base: int = OBJECT_COST, *, size: int | None = None) -> dict[str, Any]:
    """Metadata of a Strawberry field that costs more or less than usual.

    Args:
        base: the cost of the field itself, once for each object that it is asked of.
        size: how long its list usually is.
    """
    return {_METADATA: _Stated(base, size)}


@dataclass(frozen=True, slots=True)
class _Stated:
    base: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """A length that a variable tells.

    Attributes:
        variable: its name.
        default: the length where the variable is left out or null.
        counted: whether the variable is a list whose length counts, rather than a number.
    """

    variable: str
    default: int
    counted: bool = False

    def of(self, variables: Mapping[str, Any]) -> int:
        """The length in one request; the longest page where the variable is none that could pass."""
        value = variables.get(self.variable)
        if value is None:
            return self.default
        if self.counted:
            return len(value) if isinstance(value, list) else 1
        return max(0, int(value)) if isinstance(value, int | float) and abs(value) < MOST else MAX_PAGE


_Amount = int | Size
_Term = tuple[_Amount, int]
"""How often, and the number of the step whose value it multiplies."""


class OperationCost:
    """The cost of one operation.

    Args:
        operation: the operation.

    Raises:
        TooComplex: it is too large to be planned, or a page in it is.
    """

    __slots__ = ("_sizes", "_steps", "constant")

    def __init__(self, operation: Operation) -> None:
        counting = _Counting(operation)
        value = counting.run()
        self._steps = counting.steps
        self._sizes: tuple[Size, ...] = tuple(counting.pages)
        self.constant: int | None = max(1, value) if type(value) is int else None

    @property
    def size(self) -> int:
        """The memory that it takes, in bytes, estimated."""
        terms = sum(len(terms) for _, terms in self._steps)
        return _STEP_BYTES * len(self._steps) + _TERM_BYTES * (terms + len(self._sizes))

    def of(self, variables: Mapping[str, Any]) -> int:
        """The cost with these variables, as they came.

        Raises:
            TooComplex: a variable asks for too large a page.
        """
        for size in self._sizes:
            _check_page(size.of(variables))
        if self.constant is not None:
            return self.constant
        values: list[int] = []
        for fixed, terms in self._steps:
            total = fixed
            for times, index in terms:
                total += (times if type(times) is int else times.of(variables)) * values[index]  # type: ignore[union-attr]  # a Size
            values.append(min(total, MOST))
        return max(1, values[-1])


class _Stands(Planner):
    """Plans with every field that some request could ask for."""

    def _included(self, selection: SelectionNode) -> bool:
        # Conditions in variables count as met; literal ones are known.
        return all(self._met(directive) for directive in selection.directives or ())

    def _met(self, directive: DirectiveNode) -> bool:
        name = directive.name.value
        if name not in ("skip", "include"):
            return True
        value = next(argument.value for argument in directive.arguments or () if argument.name.value == "if")
        return isinstance(value, VariableNode) or self._condition(directive) == (name == "include")


class _Step:
    """A sum under way: a number, and terms that depend on variables."""

    __slots__ = ("fixed", "terms")

    def __init__(self) -> None:
        self.fixed = 0
        self.terms: list[_Term] = []


_Value = int | tuple[int]
"""A cost: a number, or the number of the step that works it out."""


class _Counting:
    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._mutation = operation.node.operation is OperationType.MUTATION
        self._defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.node.variable_definitions or ()
        }
        self._known: dict[tuple[int, _Amount | None], _Value] = {}
        self.steps: list[tuple[int, tuple[_Term, ...]]] = []
        self.pages: dict[Size, None] = {}

    def run(self) -> _Value:
        try:
            plan = _Stands(
                self._operation.schema, self._operation.fragments, {}, CompileLimits(depth=10**6)
            ).root(self._operation.node)
        except NotCompilable as error:
            limit = CompileLimits().fields
            raise TooComplex("too many fields in its fragments", "fields", limit) from error
        # Steps are appended when what they consist of is known, so that the root's is the last.
        return self._object(plan, None, root=True)

    def _object(self, plan: ObjectPlan, page: _Amount | None, *, root: bool = False) -> _Value:
        """What the fields of one object cost; ``page`` is the length of the lists of a connection."""
        key = (id(plan), page)
        known = self._known.get(key)
        if known is None:
            step = _Step()
            for field in plan.fields:
                self._field(step, field, page, root=root)
            known = self._known[key] = self._finish(step)
        return known

    def _field(self, step: _Step, field: FieldPlan, page: _Amount | None, *, root: bool) -> None:
        if field.name in INTROSPECTION:
            step.fixed += INTROSPECTION_COST
            return
        stated = _stated(field.definition)
        page_of_field = self._page(field)
        each = _object_cost(field)
        times: _Amount
        if is_list_type(get_nullable_type(field.definition.type)):
            times = self._length(field, stated)
            for amount in (page, page_of_field):
                times = times if amount is None else amount
            page_of_field = None
            once = 0
        else:
            times, once, each = 1, each, 0
        if stated is not None:
            once = stated.base
        elif root and self._mutation:
            once = MUTATION_COST
        step.fixed += once
        inner = [self._object(plan, page_of_field) for plan in field.objects.values()]
        # An object is of one type: the dearest counts, as far as that is known beforehand.
        each += max((value for value in inner if type(value) is int), default=0)
        self._multiply(step, times, each)
        for value in inner:
            if isinstance(value, tuple):
                step.terms.append((times, value[0]))

    def _multiply(self, step: _Step, times: _Amount, each: int) -> None:
        if isinstance(times, int):
            step.fixed = min(MOST, step.fixed + times * each)
        elif each:
            self.steps.append((each, ()))
            step.terms.append((times, len(self.steps) - 1))

    def _finish(self, step: _Step) -> _Value:
        if not step.terms:
            return step.fixed
        self.steps.append((step.fixed, tuple(step.terms)))
        return (len(self.steps) - 1,)

    def _page(self, field: FieldPlan) -> _Amount | None:
        """The length that a field's page arguments give to its lists; None where it takes none."""
        arguments = field.definition.args
        if not any(name in arguments for name in _SIZES):
            return None
        given = _given(field.nodes[0])
        amounts = [
            self._number(given[name], _default(field.definition, name)) for name in _SIZES if name in given
        ]
        amounts = amounts or [_default(field.definition, "first")]
        for amount in amounts:
            if isinstance(amount, Size):
                self.pages[amount] = None
            else:
                _check_page(amount)
        sizes = [amount for amount in amounts if isinstance(amount, Size)]
        # Both at once is refused by the list itself.
        return sizes[0] if sizes else max(amount for amount in amounts if isinstance(amount, int))

    def _number(self, value: ValueNode, default: int) -> _Amount:
        if isinstance(value, IntValueNode):
            return max(0, min(MOST, int(value.value)))
        if isinstance(value, VariableNode):
            name = value.name.value
            own = self._defaults.get(name)
            return Size(name, int(own.value) if isinstance(own, IntValueNode) else default)
        return default

    def _length(self, field: FieldPlan, stated: _Stated | None) -> _Amount:
        ids = _given(field.nodes[0]).get("ids")
        if isinstance(ids, ListValueNode):
            return len(ids.values)
        if isinstance(ids, VariableNode):
            return Size(ids.name.value, USUAL_LENGTH, counted=True)
        return USUAL_LENGTH if stated is None or stated.size is None else stated.size


def _object_cost(field: FieldPlan) -> int:
    named = get_named_type(field.definition.type)
    return 0 if is_leaf_type(named) or named.name.endswith(_FREE_SUFFIXES) else OBJECT_COST


def _stated(definition: GraphQLField) -> _Stated | None:
    strawberry = definition.extensions.get("strawberry-definition")
    stated = getattr(strawberry, "metadata", {}).get(_METADATA)
    return stated if isinstance(stated, _Stated) else None


def _given(node: FieldNode) -> dict[str, ValueNode]:
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _default(definition: GraphQLField, name: str) -> int:
    argument = definition.args.get(name)
    value = getattr(argument, "default_value", None)
    default = getattr(argument, "default", None)
    for candidate in (value, getattr(default, "value", default)):
        if type(candidate) is int:
            return candidate
    return DEFAULT_PAGE


def _check_page(size: int) -> None:
    if size > MAX_PAGE:
        raise TooComplex(f"a page of {size:,} rows", "page_size", MAX_PAGE, size)
