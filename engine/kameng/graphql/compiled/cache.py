"""A cache bounded by bytes.

Entries seen once stand in a trial segment; those asked for again move to a protected one, which keeps most of the
room. A flood of documents that nobody sends twice so pushes out its own kind and not the documents of the shop.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class _Entry(Generic[V]):
    __slots__ = ("size", "value")

    def __init__(self, value: V, size: int) -> None:
        self.value = value
        self.size = size


class ByteCache(Generic[V]):
    """Values by text, the least recently used given up first.

    Args:
        capacity: the room in bytes, as estimated by whoever puts a value in.
        protected: the share of the room for values that were asked for more than once.
    """

    def __init__(self, capacity: int, protected: float = 0.8) -> None:
        self.capacity = capacity
        self.size = 0
        self._protected_capacity = int(capacity * protected)
        self._protected_size = 0
        self._trial: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._protected: OrderedDict[str, _Entry[V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._trial) + len(self._protected)

    def get(self, key: str) -> V | None:
        """The value, or ``None`` if it is not there."""
        entry = self._protected.get(key)
        if entry is not None:
            self._protected.move_to_end(key)
            return entry.value
        entry = self._trial.pop(key, None)
        if entry is None:
            return None
        self._protected[key] = entry
        self._protected_size += entry.size
        self._shrink()
        return entry.value

    def put(self, key: str, value: V, size: int) -> None:
        """Keep a value. One that would take more than an eighth of the room is not kept."""
        self.remove(key)
        if size > self.capacity // 8:
            return
        self._trial[key] = _Entry(value, size)
        self.size += size
        self._shrink()

    def grow(self, key: str, value: V, size: int) -> None:
        """Note that a value takes ``size`` bytes more than before; a value that is no longer kept is left alone."""
        for segment in (self._protected, self._trial):
            entry = segment.get(key)
            if entry is not None and entry.value is value:
                entry.size += size
                self.size += size
                if segment is self._protected:
                    self._protected_size += size
                if entry.size > self.capacity // 8:
                    self.remove(key)
                self._shrink()
                return

    def remove(self, key: str) -> None:
        """Give up a value."""
        entry = self._trial.pop(key, None)
        if entry is None:
            entry = self._protected.pop(key, None)
            if entry is None:
                return
            self._protected_size -= entry.size
        self.size -= entry.size

    def _shrink(self) -> None:
        while self._protected_size > self._protected_capacity:
            key, entry = self._protected.popitem(last=False)
            self._protected_size -= entry.size
            self._trial[key] = entry
        # What is protected fits by now, so whatever is too much stands in the trial segment.
        while self.size > self.capacity:
            _, entry = self._trial.popitem(last=False)
            self.size -= entry.size
