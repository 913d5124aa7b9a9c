"""Values of attributes: checked by their definitions, and stored as texts, which are what people and filters compare.

A product has ``{"code": ["value", …]}``: a number in its shortest form, ``true`` or ``false``, the values of choices in the
order of their definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from kameng.errors import InvalidInput
from kameng_catalog.attributes.definitions import Definition

LONGEST_TEXT = 500
"""Characters of a text."""

LONGEST_TERM = 64
"""Characters of a value that products are found by."""

_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)

Values = dict[str, list[str]]
"""Values by code."""


def checked_values(definitions: Sequence[Definition], given: Mapping[str, Sequence[str]]) -> Values:
    """What a product states, as it is stored.

    Args:
        definitions: those of its category.
        given: values by code; none of a code leaves it out.

    Raises:
        InvalidInput: an attribute that the category does not have, a value that its kind does not have, or none of one that
            is required.
    """
    known = {definition.code: definition for definition in definitions}
    for code in given:
        if code not in known:
            raise InvalidInput(
                f"The category has no attribute {code[:40]!r}.",
                cure=f"Take one of {', '.join(known) or 'none'}, or define it.",
                path=("input", "attributes", code[:40]),
            )
    values: Values = {}
    for definition in definitions:
        stated = [text.strip() for text in given.get(definition.code, ())]
        if not stated:
            if definition.required:
                raise _wrong(definition, "is required", "State it.")
            continue
        values[definition.code] = _checked(definition, stated)
    return values


def _checked(definition: Definition, given: list[str]) -> list[str]:
    if definition.kind == "choices":
        chosen = [choice.value for choice in definition.choices if choice.value in given]
        if len(chosen) < len(set(given)):
            raise _wrong(definition, "has no such choice", f"Take some of {_listed(definition)}.")
        return chosen
    if len(given) > 1:
        raise _wrong(definition, "takes one value", "State one.")
    (text,) = given
    if definition.kind == "choice" and text not in {choice.value for choice in definition.choices}:
        raise _wrong(definition, f"has no choice {text[:40]!r}", f"Take one of {_listed(definition)}.")
    if definition.kind == "boolean" and text not in ("true", "false"):
        raise _wrong(definition, f"is yes or no, not {text[:40]!r}", "Write true or false.")
    if definition.kind == "number":
        if not _NUMBER.fullmatch(text):
            raise _wrong(
                definition, f"is a number, not {text[:40]!r}", "Write one with at most six decimals."
            )
        return [number_text(text)]
    if definition.kind == "text" and not (1 <= len(text) <= LONGEST_TEXT and text.isprintable()):
        raise _wrong(definition, "is no plain text", f"Write 1 to {LONGEST_TEXT} characters on one line.")
    return [text]


def number_text(text: str) -> str:
    """A number in the form in which equal ones are the same text."""
    value = Decimal(text)
    return f"{value.normalize():f}" if value else "0"


def _listed(definition: Definition) -> str:
    return ", ".join(choice.value for choice in definition.choices)


def _wrong(definition: Definition, what: str, cure: str) -> InvalidInput:
    return InvalidInput(
        f"The attribute {definition.code} {what}.", cure=cure, path=("input", "attributes", definition.code)
    )


def attribute_term(code: str, value: str) -> str:
    """The search term of a value."""
    return f"={code}={value.casefold()}"


def attribute_terms(values: Mapping[str, Iterable[str]]) -> list[str]:
    """The search terms of a product's values, but for long texts."""
    return [
        attribute_term(code, value)
        for code, listed in values.items()
        for value in listed
        if len(value) <= LONGEST_TERM
    ]
