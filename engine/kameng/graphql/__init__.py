"""GraphQL: two schemas composed from the modules' parts, errors as data, Relay pages, and the endpoint that serves them."""

from kameng.graphql import declaring as declaring  # first of all, since the modules below declare types

# isort: split
from kameng.graphql.composition import ComposedSchema, compose_schema
from kameng.graphql.context import LOCALES, Context, Info
from kameng.graphql.foreign import foreign
from kameng.graphql.node import Node
from kameng.graphql.pages import Connection, Edge, PageInfo
from kameng.graphql.payload import mutation, payload
from kameng.graphql.rows import object_of
from kameng.graphql.scalars import Money
from kameng.graphql.selection import Selection, selection_of

__all__ = [
    "LOCALES",
    "ComposedSchema",
    "Connection",
    "Context",
    "Edge",
    "Info",
    "Money",
    "Node",
    "PageInfo",
    "Selection",
    "compose_schema",
    "foreign",
    "mutation",
    "object_of",
    "payload",
    "selection_of",
]
