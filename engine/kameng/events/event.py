"""Domain events: facts in the past tense, as msgspec structs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from kameng.errors import BootError


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events.

    A module's event derives from it and names itself; fields are plain JSON values, ids as text, times as
    ISO 8601. New fields get a default, so that events written by an older version can still be read; fields
    that the reading version does not know are passed over.

        class OrderCompleted(Event, frozen=True, kw_only=True):
            name = "fulfilment.order_completed"
            order: str
    """

    name: ClassVar[str] = ""

    pages: ClassVar[bool] = False
    """Whether what pages show to everybody may change by it: all processes hear of it, and render that anew."""

    @classmethod
    def topic(cls) -> str:
        """The event's name: ``module.what_happened``.

        Raises:
            BootError: the class gives none.
        """
        if not cls.name:
            raise BootError(
                f"The event {cls.__qualname__} has no name.",
                cure='Give it one: name = "module.what_happened".',
            )
        return cls.name


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event as an observer hears of it, whatever module published it.

    Attributes:
        number: its number in the outbox.
        topic: its name.
        at: when it was published.
        payload: its fields as JSON.
    """

    number: int
    topic: str
    at: datetime
    payload: str

    def fields(self) -> dict[str, Any]:
        """Its fields by name."""
        read: dict[str, Any] = msgspec.json.decode(self.payload)
        return read
