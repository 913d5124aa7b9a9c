"""A value that does not show itself."""

from __future__ import annotations

import hmac
from typing import NoReturn

_MASK = "Secret(***)"


class Secret:
    """Bytes that appear in no log, no traceback line, no JSON and no pickle.

    ``repr``, ``str`` and format strings give a mask; orjson, msgspec and pickle refuse it. Only `reveal` and
    `text` give the value, so a search for these two names finds every place that does.

    >>> f"{Secret('hunter2')}"
    'Secret(***)'
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        self._value = value.encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """The bytes."""
        return self._value

    def text(self) -> str:
        """The bytes as UTF-8 text."""
        return self._value.decode()

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self._value, other._value) if isinstance(other, Secret) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # how Python says that a type is unhashable

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is not written down; pass on what it is needed for instead.")
