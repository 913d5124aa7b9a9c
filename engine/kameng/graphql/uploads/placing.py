"""Where the files of a request belong: the ``map`` held against the operation's variables and their declared types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    VariableDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.utilities import type_from_ast

from kameng.graphql.uploads.refusals import UploadMalformed, UploadTooMany

LONGEST_PATH = 200
"""Characters of a path in the map."""

Place = tuple[str | int, ...]
"""Names and indices that lead from the variables to a file."""


def read_places(parts: Any, variables: Mapping[str, Any], most: int) -> dict[str, list[Place]]:
    """The places of each file by its key.

    Args:
        parts: the ``map`` as it came.
        variables: of the operation, with null wherever a file belongs.
        most: how many files, and how many places, there may be.

    Raises:
        UploadMalformed: the map is none, or leads somewhere where no file can be.
        UploadTooMany: it names more than are taken.
    """
    if not isinstance(parts, dict) or not all(
        isinstance(paths, list) and paths and all(isinstance(path, str) for path in paths)
        for paths in parts.values()
    ):
        raise _wrong("`map` is no object of lists of paths.")
    paths = [path for listed in parts.values() for path in listed]
    if len(paths) > most:
        raise UploadTooMany(
            f"{len(paths)} files are more than the {most} that are taken at once.",
            cure="Send them in several requests.",
        )
    if len(set(paths)) < len(paths):
        raise _wrong("Two files of `map` have the same place.")
    return {key: [_place(path, variables) for path in listed] for key, listed in parts.items()}


def _place(path: str, variables: Mapping[str, Any]) -> Place:
    root, *steps = path.split(".")
    if len(path) > LONGEST_PATH or root != "variables" or not steps:
        raise _wrong(f"{path[:80]!r} in `map` is no path such as variables.input.file.")
    place: list[str | int] = []
    value: Any = variables
    for step in steps:
        if isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
            place.append(int(step))
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            place.append(step)
            value = value[step]
        else:
            raise _wrong(f"{path[:80]!r} in `map` leads nowhere.")
    if value is not None:
        raise _wrong(f"There is a value at {path[:80]!r} already.")
    return tuple(place)


IMPORTED: Mapping[str, Any] = MappingProxyType({"kameng.upload": "import"})
"""Metadata of an input field whose file is read by a job, line by line, and may be much larger than others."""


def check_types(
    places: Mapping[str, list[Place]],
    definitions: Mapping[str, VariableDefinitionNode],
    schema: GraphQLSchema,
) -> frozenset[str]:
    """See that each place is declared to take a file, before any file is read; gives the keys of files of imports.

    Args:
        places: as `read_places` gave them.
        definitions: the operation's variables by name.
        schema: what the operation is for.

    Raises:
        UploadMalformed: one is not.
    """
    imports: set[str] = set()
    for key, listed in places.items():
        for place in listed:
            named, metadata = _type_at(place, definitions, schema)
            if named != "Upload":
                shown = ".".join(map(str, place))
                raise _wrong(f"The operation takes no file at {shown[:80]!r}.")
            # Whoever takes it in another place, too, takes no more than others do.
            if metadata.get("kameng.upload") == "import" and len(listed) == 1:
                imports.add(key)
    return frozenset(imports)


def _type_at(
    place: Place, definitions: Mapping[str, VariableDefinitionNode], schema: GraphQLSchema
) -> tuple[str | None, Mapping[str, Any]]:
    """The name of the type of a place, and the metadata of the input field that it is."""
    definition = definitions.get(str(place[0]))
    metadata: Mapping[str, Any] = {}
    declared: Any = None if definition is None else type_from_ast(schema, definition.type)
    for step in place[1:]:
        declared = get_nullable_type(declared) if declared is not None else None
        if isinstance(step, int):
            declared = declared.of_type if is_list_type(declared) else None
        elif isinstance(declared, GraphQLInputObjectType) and step in declared.fields:
            field = declared.fields[step]
            declared = field.type
            metadata = getattr(field.extensions.get("strawberry-definition"), "metadata", {})
        else:
            declared = None
    if declared is None or is_list_type(get_nullable_type(declared)):
        return None, metadata
    named: str = get_named_type(declared).name
    return named, metadata


def put(variables: dict[str, Any], place: Place, file: object) -> None:
    """Put a file in its place."""
    value: Any = variables
    for step in place[:-1]:
        value = value[step]
    value[place[-1]] = file


def _wrong(message: str) -> UploadMalformed:
    return UploadMalformed(
        message, cure='Follow the multipart request specification: map = {"0": ["variables.file"]}.'
    )
