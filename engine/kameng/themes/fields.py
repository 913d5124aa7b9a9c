"""Names of form fields as paths: ``input.lines[0].quantity`` and its bracket form ``input[lines][0][quantity]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]

MAX_FIELDS = 2_000
"""More fields than any form of ours has; the rest is not looked at."""

_MAX_DEPTH = 10
_MAX_INDEX = 10_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REST = re.compile(
    r"\.(?P<dotted>[A-Za-z_][A-Za-z0-9_]*|[0-9]{1,5})|\[(?P<bracketed>[A-Za-z_][A-Za-z0-9_]*|[0-9]{0,5})\]"
)


def read_name(name: str) -> Path | None:
    """The path that a field's name means; None for a name that means none.

    A trailing ``[]`` says that the field may be there several times, as may any field of a list.
    """
    head = _NAME.match(name)
    if head is None or len(name) > 200:
        return None
    path: list[str | int] = [head[0]]
    position = head.end()
    while position < len(name):
        step = _REST.match(name, position)
        if step is None or len(path) >= _MAX_DEPTH:
            return None
        position = step.end()
        text = step["dotted"] or step["bracketed"]
        if not text:
            return tuple(path) if position == len(name) else None
        path.append(int(text) if text.isdigit() else text)
        if isinstance(path[-1], int) and path[-1] > _MAX_INDEX:
            return None
    return tuple(path)


def write_name(path: Sequence[str | int]) -> str:
    """A path in its one usual form: dots before names, brackets around numbers."""
    text = ""
    for step in path:
        if isinstance(step, int) or step.isdigit():
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def usual_name(name: str) -> str:
    """A field's name in its usual form; a name that means no path stays as it is."""
    path = read_name(name)
    return write_name(path) if path else name


@dataclass(slots=True)
class FieldTree:
    """What a request gave, by path.

    Attributes:
        values: those given right here, in order: texts or uploaded files.
        children: what lies below, by name or index.
    """

    values: list[Any] = field(default_factory=list)
    children: dict[str | int, FieldTree] = field(default_factory=dict)

    def child(self, step: str | int) -> FieldTree:
        """What lies below; empty where there is nothing."""
        return self.children.get(step) or FieldTree()

    @property
    def last(self) -> Any:
        """The value that counts where only one can."""
        return self.values[-1] if self.values else None

    @property
    def present(self) -> bool:
        """Whether anything was given here or below, be it empty."""
        return bool(self.values or self.children)


def grow(pairs: Iterable[tuple[str, Any]]) -> FieldTree:
    """The tree of a request's fields; names that begin with an underscore are the engine's own and left out."""
    root = FieldTree()
    for number, (name, value) in enumerate(pairs):
        if number >= MAX_FIELDS:
            break
        path = None if name.startswith("_") else read_name(name)
        if path is None:
            continue
        node = root
        for step in path:
            node = node.children.setdefault(step, FieldTree())
        node.values.append(value)
    return root
