"""Texts that cannot be kept: PostgreSQL's ``text`` has no U+0000, so none gets as far as a resolver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, GraphQLError, StringValueNode, Visitor, visit

from kameng.errors import InvalidInput
from kameng.graphql.refusals import extensions_of

_NUL = "\0"


def unkeepable(variables: Mapping[str, Any]) -> InvalidInput | None:
    """Why a request's variables are refused, if one of their texts cannot be kept."""
    todo: list[Any] = [*variables.values()]
    while todo:
        value = todo.pop()
        kind = type(value)
        if kind is str:
            if _NUL in value:
                return _refusal()
        elif kind is dict:
            todo += value.values()
        elif kind is list:
            todo += value
    return None


def screened(document: DocumentNode) -> GraphQLError | None:
    """Why a document is refused, if one of the texts in it cannot be kept."""
    # A string gets its U+0000 by an escape alone: written out it is no GraphQL.
    if document.loc is None or "\\u" not in document.loc.source.body:
        return None
    search = _Search()
    visit(document, search)
    if search.found is None:
        return None
    refusal = _refusal()
    return GraphQLError(refusal.message, search.found, extensions=extensions_of(refusal))


class _Search(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: StringValueNode | None = None

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if _NUL in node.value:
            self.found = node


def _refusal() -> InvalidInput:
    return InvalidInput("A text holds the character U+0000.", cure="Leave it out: it cannot be kept.")
