"""Forms made of a struct's fields: how GraphQL tells them, and how texts that were filled in become values.

For settings that live in the database with what they belong to, such as those of an account with a gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import orjson
import strawberry

from kameng.errors import InvalidInput
from kameng.settings.describing import DescribedSetting, SettingKind, describe

SettingKindName = strawberry.enum(
    SettingKind, name="SettingKind", description="What a setting's value is."
)  # named once for both schemas

_WORDS: Final = {"true": True, "false": False}

LONGEST: Final = 20_000
"""Characters of one text."""


@strawberry.type(description="A field of a form that is made of a gateway's or supplier's settings.")
class SettingField:
    """A field of a form."""

    name: str
    kind: SettingKindName  # type: ignore[valid-type]  # an enum that Strawberry named
    about: str = strawberry.field(description="What it is, in English.")
    required: bool
    secret: bool = strawberry.field(description="Whether it is only ever written.")
    choices: list[str]
    default: str = strawberry.field(description="As JSON; empty: none.")

    @classmethod
    def of(cls, known: DescribedSetting) -> SettingField:
        """A described setting as GraphQL shows it."""
        default = "" if known.required else orjson.dumps(msgspec.to_builtins(known.default)).decode()
        return cls(
            name=known.key,
            kind=known.kind,
            about=known.about,
            required=known.required,
            secret=known.secret,
            choices=list(known.choices),
            default=default,
        )


@strawberry.input(description="A setting as somebody filled it in.")
class SettingTextInput:
    """A setting as somebody filled it in."""

    name: str
    value: str | None = strawberry.field(
        default=None,
        description="True or false, a number, a choice, or any text; of a list one line for each. Null: a secret stays what it"
        " is, anything else gets its default.",
    )
    entry: str | None = strawberry.field(
        default=None,
        description="Of a table: which entry this is the value of. The table then holds exactly the entries that have a value.",
    )


def fields_of(shape: type[msgspec.Struct], secrets: Iterable[str]) -> list[SettingField]:
    """The form of a struct."""
    return [SettingField.of(each) for each in describe(shape, frozenset(secrets))]


def values_of(
    shape: type[msgspec.Struct],
    secrets: Iterable[str],
    texts: Sequence[SettingTextInput],
    path: tuple[str, ...],
) -> dict[str, Any]:
    """What texts change, as builtins; the struct's own types and bounds have the last word when it is made of them.

    Args:
        shape: whose settings.
        secrets: names of those that are only ever written.
        texts: as they were filled in.
        path: where they stand in the mutation's variables, for errors.

    Raises:
        InvalidInput: a name that is not there, or a text that is no value of its kind.
    """
    known = {each.key: each for each in describe(shape, frozenset(secrets))}
    changes: dict[str, Any] = {}
    for place, given in enumerate(texts):
        here = (*path, str(place), "value")
        field = known.get(given.name)
        if field is None:
            raise InvalidInput(
                f"There is no setting {given.name[:60]!r}.", cure=f"They are: {', '.join(known)}.", path=here
            )
        if given.value is not None and (len(given.value) > LONGEST or "\0" in given.value):
            raise InvalidInput("This text is too long, or no text.", cure="Shorten it.", path=here)
        if field.kind is SettingKind.TABLE:
            entries = changes.setdefault(field.key, {})
            if given.entry and given.value:
                entries[given.entry.strip()] = given.value.strip()
        elif given.value is not None and given.value.strip():
            changes[field.key] = _value(field, given.value.strip(), here)
        elif field.required and not field.secret:
            raise InvalidInput("This is required.", cure="Fill it in.", path=here)
        elif not field.secret:
            changes[field.key] = msgspec.to_builtins(field.default)
    return changes


def _value(field: DescribedSetting, text: str, path: tuple[str, ...]) -> Any:
    try:
        match field.kind:
            case SettingKind.BOOLEAN:
                return _WORDS[text.lower()]
            case SettingKind.INTEGER:
                return int(text)
            case SettingKind.NUMBER:
                return float(text)
            case SettingKind.LIST:
                return [line.strip() for line in text.splitlines() if line.strip()]
            case _:
                return text
    except (KeyError, ValueError) as error:
        raise InvalidInput(
            f"{text[:40]!r} is no value of {field.key}.",
            cure="Give true or false." if field.kind is SettingKind.BOOLEAN else "Give a number.",
            path=path,
        ) from error
