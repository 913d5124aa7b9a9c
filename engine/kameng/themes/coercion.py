"""From texts of a form or an address to the variables of an operation, by their declared types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
)
from graphql.utilities.validate_input_value import validate_input_value

from kameng.themes.documents import Variable
from kameng.themes.fields import FieldTree, Path, write_name

ABSENT: Final = object()
"""Nothing was given, which is not the same as null."""

REQUIRED = "This is required."
UNKNOWN_FIELD = "The form sent something that is not asked for."
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{1,18})?|\.[0-9]{1,18})")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
_TRUE = frozenset(("true", "on", "1", "yes"))
_FALSE = frozenset(("false", "off", "0", "no"))
_ADVICE = {
    "Int": "Give a whole number.",
    "Long": "Give a whole number.",
    "Float": "Give a number.",
    "Decimal": "Give a number, such as 98.50.",
    "Boolean": "Choose yes or no.",
    "Date": "Give a date, such as 2026-01-31.",
    "DateTime": "Give a date and time, such as 2026-01-31T18:00.",
    "UUID": "This is no valid identifier.",
}
INVALID = "This value is not valid."
CHOICE = "Choose one of the options."


@dataclass(slots=True)
class Filled:
    """Variables as the executor takes them, and what is wrong with the fields they came from.

    Attributes:
        values: by variable.
        errors: message ids by field name in its usual form; under ``""`` those of no field.
    """

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    _moved: dict[Path, Path] = field(default_factory=dict)

    def field_name(self, path: Sequence[str | int]) -> str:
        """The name of the field that a value came from.

        Args:
            path: where the value stands in the variables; numbers may be texts, as in a payload's errors.
        """
        steps: Path = tuple(int(step) if isinstance(step, str) and step.isdigit() else step for step in path)
        for end in range(len(steps), 0, -1):
            if steps[:end] in self._moved:
                return write_name((*self._moved[steps[:end]], *steps[end:]))
        return write_name(steps)


def fill_variables(
    variables: Sequence[Variable],
    given: FieldTree,
    parameters: Mapping[str, str] | None = None,
    *,
    nulls: bool,
    forced: bool = False,
    zone: tzinfo = UTC,
) -> Filled:
    """Fill an operation's variables.

    Args:
        variables: what the operation declares.
        given: fields of the form, or of the query.
        parameters: of the path; each is a variable's value where no field gives one.
        nulls: whether an empty field means null, as in a form that clears a value; else it means that nothing was given.
        forced: whether the path's parameters go before fields.
        zone: where a time stands that names no offset, as ``datetime-local`` fields send it.
    """
    return _Filling(nulls, zone).run(variables, given, parameters or {}, forced)


class _Filling:
    def __init__(self, nulls: bool, zone: tzinfo) -> None:
        self._nulls = nulls
        self._zone = zone
        self._filled = Filled()

    def run(
        self, variables: Sequence[Variable], given: FieldTree, parameters: Mapping[str, str], forced: bool
    ) -> Filled:
        for variable in variables:
            node = given.child(variable.name)
            if variable.name in parameters and (forced or not node.present):
                node = FieldTree([parameters[variable.name]])
            value = self._value(node, variable.type, (variable.name,), variable.has_default)
            if value is ABSENT:
                continue
            if not self._filled.errors:
                self._check(value, variable)
            self._filled.values[variable.name] = value
        return self._filled

    def _fault(self, path: Path, message: str) -> Any:
        known = self._filled.errors.setdefault(write_name(path), [])
        if message not in known:
            known.append(message)
        return ABSENT

    def _check(self, value: Any, variable: Variable) -> None:
        """Let the schema have the last word: ranges, custom scalars, `oneOf`."""

        def told(error: GraphQLError, path: Sequence[str | int]) -> None:
            full = (variable.name, *path)
            message = (
                UNKNOWN_FIELD if "unknown field" in error.message else _advice(_type_at(variable.type, path))
            )
            self._filled.errors.setdefault(self._filled.field_name(full), []).append(message)

        validate_input_value(value, variable.type, told, hide_suggestions=True)

    def _value(self, node: FieldTree, kind: GraphQLInputType, path: Path, has_default: bool) -> Any:
        if isinstance(kind, GraphQLNonNull):
            inner = kind.of_type
            if isinstance(inner, GraphQLInputObjectType):
                value = self._object(node, inner, path)
            else:
                value = self._value(node, inner, path, True)
            if value is ABSENT or value is None:
                if getattr(inner, "name", "") == "Boolean" and not has_default:
                    return False  # an unticked box sends nothing
                if has_default or self._faulty_below(path):
                    return ABSENT
                if isinstance(inner, GraphQLInputObjectType):
                    return {}  # nothing in it is required
                return self._fault(path, REQUIRED)
            return value
        if isinstance(kind, GraphQLList):
            return self._list(node, kind.of_type, path)
        if isinstance(kind, GraphQLInputObjectType):
            # An optional part of a form that was left empty is not there, whatever it would require.
            begun = node.present and not (_empty(node) and _requires(kind))
            return self._object(node, kind, path) if begun else ABSENT
        raw = node.last
        if raw is None:
            return ABSENT
        if isinstance(raw, str) and not raw.strip():
            return None if self._nulls and not has_default else ABSENT
        return self._leaf(raw, kind, path)

    def _faulty_below(self, path: Path) -> bool:
        start = write_name(path)
        return any(name.startswith(start) for name in self._filled.errors)

    def _leaf(self, raw: Any, kind: GraphQLInputType, path: Path) -> Any:
        if not isinstance(raw, str):
            return raw if getattr(kind, "name", "") == "Upload" else self._fault(path, INVALID)
        if isinstance(kind, GraphQLEnumType):
            return raw if raw in kind.values else self._fault(path, CHOICE)
        name = kind.name if isinstance(kind, GraphQLScalarType) else ""
        if name == "DateTime" and _LOCAL.fullmatch(raw.strip()):
            return self._local(raw.strip(), path)
        read = _READ.get(name)
        if read is None:
            return raw if name in ("String", "ID") else raw.strip()
        value = read(raw.strip())
        return self._fault(path, _ADVICE[name]) if value is None else value

    def _local(self, text: str, path: Path) -> Any:
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._zone).isoformat()
        except ValueError:
            return self._fault(path, _ADVICE["DateTime"])

    def _list(self, node: FieldTree, kind: GraphQLInputType, path: Path) -> Any:
        if not node.present:
            return ABSENT
        items = [self._leaf_item(raw, kind, path) for raw in node.values]
        items = [item for item in items if item is not ABSENT and item is not None]
        for index in sorted(key for key in node.children if isinstance(key, int)):
            # Rows that were left empty don't count, so later ones move up; errors must still find their fields.
            self._filled._moved[(*path, len(items))] = (*path, index)
            below = node.children[index]
            if _empty(below):
                continue
            value = self._value(below, kind, (*path, index), False)
            if value is not ABSENT:
                items.append(value)
        return items

    def _leaf_item(self, raw: Any, kind: GraphQLInputType, path: Path) -> Any:
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        return self._value(FieldTree([raw]), inner, path, True)

    def _object(self, node: FieldTree, kind: GraphQLInputObjectType, path: Path) -> Any:
        made: dict[str, Any] = {}
        started = len(self._filled.errors)
        for name, item in kind.fields.items():
            has_default = item.default_value is not Undefined or getattr(item, "default", None) is not None
            value = self._value(node.child(name), item.type, (*path, name), has_default)
            if value is not ABSENT:
                made[name] = value
        if any(name not in kind.fields for name in node.children):
            self._fault((), UNKNOWN_FIELD)
        if len(self._filled.errors) > started:
            return ABSENT
        return made if made or (node.present and self._nulls) else ABSENT


def _empty(node: FieldTree) -> bool:
    return all(isinstance(value, str) and not value.strip() for value in node.values) and all(
        _empty(item) for item in node.children.values()
    )


def _requires(kind: GraphQLInputObjectType) -> bool:
    return any(isinstance(item.type, GraphQLNonNull) for item in kind.fields.values())


def _boolean(text: str) -> bool | None:
    lowered = text.lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else None


_READ: dict[str, Callable[[str], Any]] = {
    "Int": lambda text: int(text) if _INTEGER.fullmatch(text) else None,
    "Long": lambda text: int(text) if _INTEGER.fullmatch(text) else None,
    "Float": lambda text: float(text) if _FLOAT.fullmatch(text) else None,
    "Boolean": _boolean,
}


def _type_at(kind: Any, path: Sequence[str | int]) -> str:
    for step in path:
        while isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(step, int) and isinstance(kind, GraphQLList):
            kind = kind.of_type
        elif isinstance(kind, GraphQLInputObjectType) and step in kind.fields:
            kind = kind.fields[str(step)].type
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    return str(getattr(kind, "name", ""))


def _advice(kind: str) -> str:
    return _ADVICE.get(kind, INVALID)


MESSAGES = (REQUIRED, UNKNOWN_FIELD, INVALID, CHOICE, *_ADVICE.values())
"""All message ids that coercion uses, for the catalogue of the base layer."""
