"""From a row to an object of a schema's type, without its constructor: a page makes many of them."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def object_of(class_: type[T], attributes: dict[str, Any]) -> T:
    """An object with these attributes, which the dict becomes part of.

    An attribute that is missing has its class's default; without one, whoever looks at it fails. So a statement may read
    just the columns that a document asks for, named as the attributes.

    Args:
        class_: a Strawberry type, or another class that keeps its attributes in ``__dict__``.
        attributes: the attributes; it is not to be used any more.
    """
    made = object.__new__(class_)
    made.__dict__ = attributes
    return made
