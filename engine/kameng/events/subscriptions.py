"""Who is subscribed to what, as the composed modules declare it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from kameng.events.event import Happened

if TYPE_CHECKING:
    from kameng.events.event import Event
    from kameng.module import Handler, Module, Observer

SINGLE_CHUNK = 16
"""Events in one message to a handler that takes them one by one: enough to make the message cheap, few
enough that several workers share a burst."""

BATCH_CHUNK = 500
"""Events in one message to a handler that takes them together."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler or observer of one module.

    Attributes:
        key: ``module.handler``, under which deliveries are kept.
        handler: the module's declaration.
        topic: what a handler is subscribed to; empty for an observer, whose topics stand in the database.
        decoder: reads a handler's events; fields that it does not know are passed over.
        batch: whether many events are handed over together.
    """

    key: str
    handler: Handler | Observer
    topic: str = ""
    decoder: msgspec.json.Decoder[Any] | None = None
    batch: bool = True

    def event_of(self, row: Mapping[str, Any]) -> Event | Happened:
        """What to hand over for a row that `statements.TAKE` gave.

        Raises:
            msgspec.ValidationError: the payload lacks a field that has no default, or holds a wrong type.
        """
        if self.decoder is None:
            return Happened(
                number=row["id"], topic=row["topic"], at=row["created_at"], payload=row["payload"]
            )
        event: Event = self.decoder.decode(row["payload"])
        return event

    @property
    def chunk(self) -> int:
        """How many events one message carries at most."""
        return BATCH_CHUNK if self.batch else SINGLE_CHUNK


class Subscriptions:
    """All subscriptions of a deployment.

    Args:
        modules: the composed modules.

    Attributes:
        by_key: every handler and observer.
        by_topic: handlers by what they are subscribed to.
        observers: keys of the observers.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.by_key: dict[str, Subscription] = {}
        self.by_topic: dict[str, list[Subscription]] = {}
        self.observers: list[str] = []
        for module in modules:
            for handler in module.handlers:
                one = Subscription(
                    key=f"{module.name}.{handler.name}",
                    handler=handler,
                    topic=handler.event.topic(),
                    decoder=msgspec.json.Decoder(handler.event),
                    batch=handler.batch,
                )
                self.by_key[one.key] = one
                self.by_topic.setdefault(one.topic, []).append(one)
            for observer in module.observers:
                key = f"{module.name}.{observer.name}"
                self.by_key[key] = Subscription(key=key, handler=observer)
                self.observers.append(key)

    def pairs(self) -> tuple[list[str], list[str]]:
        """Topics and their declared handlers' keys, side by side, as `RELAY` takes them."""
        declared = [one for subscribed in self.by_topic.values() for one in subscribed]
        return [one.topic for one in declared], [one.key for one in declared]
