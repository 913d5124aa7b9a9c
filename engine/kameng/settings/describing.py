"""What a section's shape says of its settings, for whoever shows them: kind, unit, bounds, default and help.

The help is what the shape's docstring says below ``Attributes:``, so there is one text of each setting.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import inspect as shapes

_SECRET: Final = re.compile(r"(^|_)(secret|password|passphrase|token|(private|api|access|v3)_?key)($|_)")
_LOGIN: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_ITEM: Final = re.compile(r"([a-z_0-9, ]+):\s+(.*)")
_UNITS: Final = ("seconds", "minutes", "hours", "days", "bytes", "minor", "ppm", "ms")

READ_SETTINGS: Final = "kameng.read_settings"
"""The permission to see settings. Secrets among them are hidden from everybody."""

HIDDEN: Final = "***"
"""What stands for a secret that is there."""


class SettingKind(StrEnum):
    """What a setting's value is."""

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    CHOICE = "CHOICE"
    LIST = "LIST"
    TABLE = "TABLE"


class DescribedSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a setting without its value.

    Attributes:
        key: its name; those of a section within the section as ``media.folder``.
        kind: what its value is; None is a value besides, where `optional`.
        about: what it does, in English; empty where the shape says nothing.
        unit: of a number: ``seconds``, ``minutes``, ``hours``, ``days``, ``bytes``, ``minor`` (units of money), ``ppm``
            (millionths), ``ms``; else empty.
        choices: of a choice.
        least, most: bounds of a number; None: none.
        default: what it is where nobody sets it.
        required: whether it has no default.
        optional: whether it may be None.
        secret: whether it is never shown.
    """

    key: str
    kind: SettingKind
    about: str
    unit: str
    choices: tuple[str, ...]
    least: float | None
    most: float | None
    default: Any
    required: bool
    optional: bool
    secret: bool


def describe(shape: type[msgspec.Struct], secrets: frozenset[str] | None = None) -> list[DescribedSetting]:
    """The settings of a shape, in its order; those of a struct within it one by one.

    Args:
        shape: a section's, a gateway's or a supplier's struct.
        secrets: names of those that are secret; None: whatever is called a password, a secret, a token or a key.
    """
    return list(_fields(shape, "", secrets))


def shown(value: Any, *, secret: bool = False) -> Any:
    """A value as it may be shown: a secret only as being there, an address without its login."""
    if secret:
        return HIDDEN if value else ""
    return _LOGIN.sub(HIDDEN, value) if isinstance(value, str) else value


def value_at(section: object, key: str) -> Any:
    """The value of a setting in a section that was read."""
    for name in key.split("."):
        section = getattr(section, name)
    return section


def _fields(
    shape: type[msgspec.Struct], prefix: str, secrets: frozenset[str] | None
) -> Iterator[DescribedSetting]:
    known = shapes.type_info(shape)
    assert isinstance(known, shapes.StructType)  # noqa: S101 - of a struct
    help_texts = _help(shape)
    for field in known.fields:
        kind, optional = _without_none(field.type)
        if isinstance(kind, shapes.StructType):
            yield from _fields(kind.cls, f"{prefix}{field.encode_name}.", secrets)
            continue
        named = field.encode_name
        yield DescribedSetting(
            key=f"{prefix}{named}",
            kind=_kind(kind),
            about=help_texts.get(field.name, ""),
            unit=next((unit for unit in _UNITS if named == unit or named.endswith(f"_{unit}")), ""),
            choices=_choices(kind),
            least=_bound(kind, "ge", "gt"),
            most=_bound(kind, "le", "lt"),
            default=_default(field),
            required=field.required,
            optional=optional,
            secret=bool(_SECRET.search(named)) if secrets is None else named in secrets,
        )


def _without_none(kind: shapes.Type) -> tuple[shapes.Type, bool]:
    if isinstance(kind, shapes.UnionType):
        left = [each for each in kind.types if not isinstance(each, shapes.NoneType)]
        return left[0], len(left) < len(kind.types)
    return kind, False


def _kind(kind: shapes.Type) -> SettingKind:
    match kind:
        case shapes.BoolType():
            return SettingKind.BOOLEAN
        case shapes.IntType():
            return SettingKind.INTEGER
        case shapes.FloatType() | shapes.DecimalType():
            return SettingKind.NUMBER
        case shapes.LiteralType() | shapes.EnumType():
            return SettingKind.CHOICE
        case shapes.DictType():
            return SettingKind.TABLE
        case shapes.ListType() | shapes.VarTupleType() | shapes.TupleType() | shapes.SetType():
            return SettingKind.LIST
        case _:
            return SettingKind.TEXT


def _choices(kind: shapes.Type) -> tuple[str, ...]:
    if isinstance(kind, shapes.LiteralType):
        return tuple(str(each) for each in kind.values)
    if isinstance(kind, shapes.EnumType):
        return tuple(str(each.value) for each in kind.cls)
    return ()


def _bound(kind: shapes.Type, *names: str) -> float | None:
    found = [getattr(kind, name, None) for name in names]
    return next((each for each in found if isinstance(each, int | float)), None)


def _default(field: shapes.Field) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _help(shape: type[msgspec.Struct]) -> Mapping[str, str]:
    """Texts by name, from the docstring's ``Attributes:``; one text may be for several names."""
    text = inspect.getdoc(shape) or ""
    _, found, below = text.partition("Attributes:\n")
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in below.splitlines() if found else ():
        item = _ITEM.fullmatch(line.strip()) if line.startswith("    ") and line[4:5] != " " else None
        if item:
            names = [name.strip() for name in item[1].split(",")]
            texts.update(dict.fromkeys(names, item[2]))
        elif line.strip():
            texts.update({name: f"{texts[name]} {line.strip()}" for name in names})
    return {name: each.replace("``", "").replace("`", "") for name, each in texts.items()}
