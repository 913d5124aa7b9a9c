"""A world whose every value follows from a seed, trouble included.

Two executions of one document in worlds with the same seed meet the same values, the same errors and the same
waiting times, in whatever order they ask.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any
from zlib import crc32

from graphql import GraphQLError


class Later:
    """An awaitable that is ready after some turns of the event loop, and can be awaited again."""

    def __init__(self, value: Any, turns: int) -> None:
        self.value = value
        self.turns = turns

    def __repr__(self) -> str:
        return f"<Later {self.value!r}>"

    def __await__(self) -> Generator[Any, None, Any]:
        for _ in range(self.turns):
            yield
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Oddity:
    """A value that no type expects."""

    def __repr__(self) -> str:
        return "<Oddity>"


class World:
    """What one execution runs in.

    Args:
        seed: decides everything.
        trouble: how many of a thousand values are not what the schema promises.
    """

    def __init__(self, seed: int, trouble: int) -> None:
        self.seed = seed
        self.trouble = trouble
        self.log: list[Any] = []
        self.loader: Any = None

    def roll(self, sides: int, *parts: Any) -> int:
        return crc32("|".join(map(str, (self.seed, *parts))).encode()) % sides

    def error(self, *parts: Any) -> Exception:
        kind = self.roll(4, "error", *parts)
        text = f"trouble at {'.'.join(map(str, parts))}"
        if kind == 0:
            return GraphQLError(text, extensions={"code": "TROUBLE", "at": [*map(str, parts)]})
        if kind == 1:
            return KeyError(text)
        return ValueError(text)

    def troubled(self, *parts: Any) -> bool:
        return self.roll(1000, "troubled", *parts) < self.trouble

    def value(self, good: Any, *parts: Any) -> Any:
        """A good value, or trouble in its place."""
        if not self.troubled(*parts):
            return good
        kind = self.roll(9, "kind", *parts)
        turns = self.roll(4, "turns", *parts)
        return (
            None,
            None,
            self.error(*parts),
            Oddity(),
            Later(good, turns),
            Later(self.error(*parts), turns),
            Later(None, turns),
            Later(Oddity(), turns),
            [Oddity()],
        )[kind]

    def values(self, make: Callable[[str], Any], *parts: Any) -> Any:
        """A list of values, in one of the forms that a list may have."""
        count = self.roll(4, "count", *parts)
        items = [self.value(make(f"{parts[0]}.{parts[1]}{i}"), *parts, i) for i in range(count)]
        kind = self.roll(12, "list", *parts)
        if kind == 0:
            return tuple(items)
        if kind == 1:
            return iter(items)
        if kind == 2 and self.trouble:
            return self._breaking(items, *parts)
        if kind == 3:
            return self._async_items(items, *parts)
        if kind == 4 and self.trouble:
            return "no list"
        return items

    def _breaking(self, items: list[Any], *parts: Any) -> Iterator[Any]:
        yield from items
        if self.troubled("breaking", *parts):
            raise self.error("breaking", *parts)
        self.log.append(("drained", *parts))

    async def _async_items(self, items: list[Any], *parts: Any) -> AsyncIterator[Any]:
        for number, item in enumerate(items):
            await self.wait("async items", *parts, number)
            yield item
        if self.troubled("breaking", *parts):
            raise self.error("breaking", *parts)

    async def wait(self, *parts: Any) -> None:
        for _ in range(self.roll(3, "wait", *parts)):
            await asyncio.sleep(0)
