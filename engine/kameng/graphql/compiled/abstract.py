"""Interfaces and unions: which object type a value is, and what executes it.

The type of a value is asked of the schema (Strawberry's ``resolve_type`` or graphql-core's default) in the same
way as graphql-core does. Where Strawberry decides by the value's class alone, the answer is remembered by class.
What executes the fields of a type is compiled when the first value of that type turns up: a document on ``Node``
does not pay for types that it never meets.
"""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from graphql import GraphQLAbstractType, GraphQLObjectType, default_type_resolver, is_object_type
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import invalid_return_type_error

from kameng.graphql.compiled.facts import CAST, ObjectFacts, SchemaFacts, named_by_class, names_by_class
from kameng.graphql.compiled.info import ResolveInfo
from kameng.graphql.compiled.lists import Build
from kameng.graphql.compiled.request import Place, Request, is_awaitable
from kameng.graphql.compiled.runtime import FieldPosition

CompleteValue = Callable[[Any, Request, Place], Any]


def details(field: FieldPosition) -> list[FieldDetails]:
    """The field's nodes as graphql-core's own error functions take them."""
    return [FieldDetails(node, None) for node in field.nodes]


def object_completer(
    field: FieldPosition, facts: ObjectFacts, build: Build, builds: dict[type, Build] | None
) -> CompleteValue:
    """Completion of a value as one object type.

    Args:
        field: the field that the value belongs to.
        facts: facts about the object type.
        build: executes the object's fields.
        builds: where a class is remembered whose instances need no test; ``None`` to remember nothing.
    """
    type_ = facts.type
    learned, guarded = facts.known, facts.guarded

    def complete(value: Any, request: Request, place: Place) -> Any:
        if type(value) in learned and not (guarded and getattr(value, CAST, None) is not None):
            return build(value, request, place)
        if type_.is_type_of is not None:
            fits = type_.is_type_of(value, cast("Any", ResolveInfo(field, request, place)))
            if is_awaitable(fits):
                return build_if(cast("Awaitable[bool]", fits), value, request, place)
            if not fits:
                raise invalid_return_type_error(type_, value, details(field))
        if builds is not None and facts.learn(value):
            builds[type(value)] = build
        return build(value, request, place)

    async def build_if(fits: Awaitable[bool], value: Any, request: Request, place: Place) -> Any:
        if not await fits:
            raise invalid_return_type_error(type_, value, details(field))
        built = build(value, request, place)
        return await built if is_awaitable(built) else built

    return complete


def abstract_completer(
    field: FieldPosition,
    type_: GraphQLAbstractType,
    facts: SchemaFacts,
    compile_object: Callable[[str], Build],
    builds: dict[type, Build],
) -> CompleteValue:
    """Completion of a value of an interface or union.

    Args:
        field: the field that the value belongs to.
        type_: the interface or union.
        facts: facts about the schema's types.
        compile_object: gives what executes a possible type at this place, by the type's name.
        builds: what executes an object, by class; filled while values are completed.
    """
    resolve_type = type_.resolve_type or default_type_resolver
    by_class = names_by_class(type_)
    completers: dict[str, tuple[CompleteValue, ObjectFacts, Build]] = {}

    def complete(value: Any, request: Request, place: Place) -> Any:
        info: Any = ResolveInfo(field, request, place)
        name = resolve_type(value, info, type_)
        if is_awaitable(name):
            return complete_later(cast("Awaitable[str | None]", name), value, request, place)
        return complete_as(name, value, request, place)

    async def complete_later(name: Awaitable[str | None], value: Any, request: Request, place: Place) -> Any:
        completed = complete_as(await name, value, request, place)
        return await completed if is_awaitable(completed) else completed

    def complete_as(name: Any, value: Any, request: Request, place: Place) -> Any:
        known = completers.get(name) if isinstance(name, str) else None
        if known is None:
            known = compile_type(name, value, request)
        complete_object, object_facts, build = known
        completed = complete_object(value, request, place)
        # Only now is it known that the value passes the type's own test as well.
        if (
            by_class
            and type(value) not in builds
            and named_by_class(type_, value)
            and object_facts.settles(value)
        ):
            builds[type(value)] = build
        return completed

    def compile_type(name: Any, value: Any, request: Request) -> tuple[CompleteValue, ObjectFacts, Build]:
        schema = request.operation.schema
        possible = _possible_type(name, type_, schema, field, value)
        build = compile_object(possible.name)
        object_facts = facts.object(possible)
        known = (object_completer(field, object_facts, build, None), object_facts, build)
        completers[possible.name] = known
        return known

    return complete


def _possible_type(
    name: Any, type_: GraphQLAbstractType, schema: Any, field: FieldPosition, value: Any
) -> GraphQLObjectType:
    if isinstance(name, str):
        possible = schema.get_type(name)
        if is_object_type(possible) and schema.is_sub_type(type_, possible):
            return possible
    # Not a possible type: graphql-core's own check says why, in its own words.
    executor: Any = SimpleNamespace(schema=schema)
    info: Any = SimpleNamespace(parent_type=field.parent, field_name=field.name)
    return Executor.ensure_valid_runtime_type(executor, name, type_, details(field), info, value)
