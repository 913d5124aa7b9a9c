"""Who is subscribed to what, as the composed modules declare it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from kameng.events.event import Event
    from kameng.module import Handler, Module

SINGLE_CHUNK = 16
"""Events in one message to a handler that takes them one by one: enough to make the message cheap, few
enough that several workers share a burst."""

BATCH_CHUNK = 500
"""Events in one message to a handler that takes them together."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler of one module.

    Attributes:
        key: ``module.handler``, under which deliveries are kept.
        topic: what it is subscribed to.
        handler: the module's declaration.
        decoder: reads its events; fields that it does not know are passed over.
    """

    key: str
    topic: str
    handler: Handler
    decoder: msgspec.json.Decoder[Any]

    def read(self, payload: str) -> Event:
        """The event behind an outbox row's payload.

        Raises:
            msgspec.ValidationError: the payload lacks a field that has no default, or holds a wrong type.
        """
        event: Event = self.decoder.decode(payload)
        return event

    @property
    def chunk(self) -> int:
        """How many events one message carries at most."""
        return BATCH_CHUNK if self.handler.batch else SINGLE_CHUNK


class Subscriptions:
    """All subscriptions of a deployment.

    Args:
        modules: the composed modules.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.by_key: dict[str, Subscription] = {}
        self.by_topic: dict[str, list[Subscription]] = {}
        for module in modules:
            for handler in module.handlers:
                one = Subscription(
                    key=f"{module.name}.{handler.name}",
                    topic=handler.event.topic(),
                    handler=handler,
                    decoder=msgspec.json.Decoder(handler.event),
                )
                self.by_key[one.key] = one
                self.by_topic.setdefault(one.topic, []).append(one)

    def pairs(self) -> tuple[list[str], list[str]]:
        """Topics and handlers' keys, side by side, as `RELAY` takes them."""
        every = list(self.by_key.values())
        return [one.topic for one in every], [one.key for one in every]
