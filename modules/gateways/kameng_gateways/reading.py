"""What gateways send, taken apart: JSON objects and forms. Whatever is unusual is refused rather than interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

MOST_FIELDS: Final = 100
"""Fields of a form."""


class Unreadable(ValueError):
    """The bytes are not what the protocol says; the message tells no value of theirs."""


def read_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Numbers with a fraction stay texts, so that no amount goes through a float.

    Raises:
        Unreadable: it is none.
    """
    try:
        return _OBJECTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable("this is no JSON object") from error


def read_form(raw: bytes) -> dict[str, str]:
    """A form, or a query string, in UTF-8.

    Raises:
        Unreadable: it is none, too large, or names a field twice, so that two readers might see different values.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError as error:
        raise Unreadable("this is no form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Unreadable("a field of the form stands there twice")
    return form


def text(values: Mapping[str, Any], key: str) -> str:
    """A text of an object; empty where there is none, or it is something else."""
    value = values.get(key)
    return value if isinstance(value, str) else ""


def part(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object within an object; empty where there is none."""
    value = values.get(key)
    return value if isinstance(value, dict) else {}


_OBJECTS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)
