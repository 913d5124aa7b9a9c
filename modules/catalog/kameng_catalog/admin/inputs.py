"""Reading what the staff enters, by the rules that files have too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import LOCALES
from kameng_catalog.importing import cells
from kameng_catalog.importing.faults import CellFault

T = TypeVar("T")


@strawberry.input(description="A text in one language.")
class LocalizedTextInput:
    """A text in one language."""

    locale: str = strawberry.field(description="Such as zh-CN or en.")
    text: str


def checked(name: str, read: Callable[[str], T], text: str) -> T:
    """A value of the input, read like a cell of a file.

    Raises:
        InvalidInput: it is unusable.
    """
    try:
        return read(text.strip())
    except CellFault as fault:
        raise InvalidInput(f"{name}: {fault}.", path=("input", name)) from fault


def checked_texts(name: str, texts: Sequence[LocalizedTextInput], longest: int) -> dict[str, str]:
    """Texts by locale, the empty ones too.

    Raises:
        InvalidInput: a language that the product does not have, or a text that is unusable.
    """
    for item in texts:
        if item.locale not in LOCALES:
            raise InvalidInput(
                f"There is no language {item.locale[:20]!r}.",
                cure=f"Take one of {', '.join(LOCALES)}.",
                path=("input", name),
            )
    return {item.locale: checked(name, lambda text: cells.plain(text, longest), item.text) for item in texts}


def checked_position(position: int) -> int:
    """A place among others; smaller comes first.

    Raises:
        InvalidInput: it is beyond all bounds.
    """
    if not -(2**31) <= position < 2**31:
        raise InvalidInput(f"{position} is no position.", path=("input", "position"))
    return position
