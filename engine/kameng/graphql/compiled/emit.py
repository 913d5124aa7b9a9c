"""From the plan of an operation to Python.

One function for each object plan: it reads or resolves the fields one after the other, inside of one ``try`` that
costs nothing until a field fails (see `reading` for what happens then), and returns the dict, or a coroutine if a
field is pending. Usual values are decided in place; others go to the field's completer.

In the source ``o`` is the object, ``R`` the request, ``p`` the object's place, ``w`` what is pending of it, and ``f7``
the position of a field.

What the source may hold: fixed text, numbers of our own, ``repr()`` of GraphQL names (which the parser restricts to
``[_A-Za-z][_0-9A-Za-z]*``) and identifiers that the schema's authors wrote. Everything else, and every value of the
document, is an object bound in the function's globals.
"""

from collections.abc import Callable
from types import CoroutineType
from typing import Any

from graphql import (
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry import Info, Schema

from kameng.graphql.compiled.access import Attribute, Call, access_to
from kameng.graphql.compiled.arguments import arguments_of
from kameng.graphql.compiled.completers import Completers
from kameng.graphql.compiled.facts import CAST, LeafFacts, SchemaFacts
from kameng.graphql.compiled.info import ResolveInfo
from kameng.graphql.compiled.lists import Build
from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.plan import FieldPlan, ObjectPlan, type_name_field
from kameng.graphql.compiled.reading import (
    FieldRun,
    Read,
    attribute_reader,
    call_reader,
    resolver_reader,
    resume,
)
from kameng.graphql.compiled.request import Place, Request, is_awaitable
from kameng.graphql.compiled.runtime import FieldPosition, Pending, finish_object, hold, step


def _write(
    coerced: Any,
    value: Any,
    facts: LeafFacts,
    field: FieldPosition,
    request: Request,
    parent: Place | None,
    pending: Pending | None,
) -> tuple[Any, Pending | None]:
    """A coerced leaf of an unusual class: refused, awaited or taken as it is."""
    written = facts.checked(coerced, value)
    return hold(written, field, request, parent, pending) if is_awaitable(written) else (written, pending)


_first_field_line = 5
"""The line of a generated function at which its first field begins; that of ``def`` is 1."""

_builtins: dict[str, Any] = {"Exception": Exception, "type": type, "getattr": getattr, "list": list}
_builtins |= {"str": str, "int": int, "float": float, "bool": bool, "dict": dict}

_runtime: dict[str, Any] = {
    "__builtins__": _builtins,
    "CAST": CAST,
    "CO": CoroutineType,
    "OUT": frozenset({str, int, float, bool, list, dict}),
    "INFO": ResolveInfo,
    "step": step,
    "hold": hold,
    "write": _write,
    "resume": resume,
    "finish": finish_object,
}


class Emitter:
    """Compiles the object plans of one operation and one combination of its conditions.

    Args:
        operation: the operation.
        facts: facts about the schema's types.
        schema: the Strawberry schema, if there is one.
        on_code: told the length of each piece of source that was compiled.
    """

    def __init__(
        self, operation: Operation, facts: SchemaFacts, schema: Schema | None, on_code: Callable[[int], None]
    ) -> None:
        self._operation = operation
        self._facts = facts
        self._schema = schema
        self._on_code = on_code
        self._globals: dict[str, Any] = dict(_runtime)
        self._names: dict[int, str] = {}
        self._plans: list[ObjectPlan] = []  # keeps the plans whose ids are names above
        self._source: list[str] = []
        self._fields: list[tuple[FieldPosition, FieldPlan]] = []
        self._count = 0

    def build(self, plan: ObjectPlan) -> Build:
        """What executes the fields of an object of this plan."""
        name = self._object(plan)
        if self._source:
            self._compile()
        built: Build = self._globals[name]
        return built

    def _compile(self) -> None:
        source = "\n".join(self._source)
        fields, self._fields, self._source = self._fields, [], []
        exec(compile(source, "<compiled GraphQL>", "exec"), self._globals)  # noqa: S102 - see the module's text
        self._on_code(len(source))
        for position, plan in fields:
            self._complete(position, plan)

    def _complete(self, position: FieldPosition, plan: FieldPlan) -> None:
        def compile_object(name: str) -> Build:
            return self.build(plan.objects[name])

        completer = Completers(position, self._facts, compile_object).make(plan.definition.type)
        position.complete = completer.complete
        if completer.loop is not None:
            self._globals[f"loop{position.number}"] = completer.loop

    def _bind(self, prefix: str, value: Any) -> str:
        self._count += 1
        name = f"{prefix}{self._count}"
        self._globals[name] = value
        return name

    def _object(self, plan: ObjectPlan) -> str:
        name = self._names.get(id(plan))
        if name is not None:
            return name
        self._count += 1
        name = self._names[id(plan)] = f"object{self._count}"
        self._plans.append(plan)
        lines = [f"def {name}(o, R, p):", " w = None"]
        entries: list[str] = []
        values: list[str] = []
        run = FieldRun()
        body: list[str] = []
        for number, field in enumerate(plan.fields):
            if field.name == type_name_field:
                entries.append(f"{field.key!r}: {field.parent.name!r}")
                continue
            v = f"v{number}"
            entries.append(f"{field.key!r}: {v}")
            values.append(v)
            f, place = self._position(field)
            value, read = self._value(field, f, place)
            run.add(self._globals[f], read, _first_field_line + len(body))
            body.append(f"  {v} = {value}")
            body += [f"  {line}" for line in self._completion(v, f, place, field)]
        if values:
            run_name, all_values = self._bind("run", run), ", ".join(values)
            lines += [f" {' = '.join(values)} = None", " try:", *body, " except Exception as e:"]
            lines.append(f"  {all_values}, w = resume(e, {run_name}, o, R, p, w, ({all_values},))")
        display = "{" + ", ".join(entries) + "}"
        lines += [" if w is not None:", f"  return finish({display}, w)", f" return {display}"]
        self._source += lines
        return name

    def _position(self, plan: FieldPlan) -> tuple[str, str]:
        """The names of a field's position, and the expression of its place."""
        self._count += 1
        position = FieldPosition(
            self._count, plan.nodes, plan.key, plan.name, plan.parent, plan.definition.type
        )
        self._globals[f"f{position.number}"] = position
        self._fields.append((position, plan))
        return f"f{position.number}", f"(p, {plan.key!r}, {plan.parent.name!r})"

    def _value(self, plan: FieldPlan, f: str, place: str) -> tuple[str, Read]:
        """The expression of a field's value, and a function that does the same."""
        access = access_to(plan.definition, self._schema)
        if isinstance(access, Attribute):
            return f"o.{access.name}", attribute_reader(access.name)
        position: FieldPosition = self._globals[f]
        convert = access.convert if isinstance(access, Call) else None
        arguments = arguments_of(plan.definition, plan.nodes[0], self._operation, position.number, convert)
        if callable(arguments):
            passed = [f"**{self._bind('make', arguments)}(R)"]
        else:
            passed = [f"**{self._bind('args', arguments)}"] if arguments else []
        function = self._bind("call", access.function)
        info = f"INFO({f}, R, {place})"
        if not isinstance(access, Call):
            value = f"{function}({', '.join(['o', info, *passed])})"
            return value, resolver_reader(access.function, position, arguments)
        info_class = self._schema.config.info_class if self._schema is not None else Info
        given = ["o"] if access.takes_self else []
        given += [f"{name}=o" for name in access.source_names]
        if access.info_name is not None:
            class_, field = self._bind("Info", info_class), self._bind("field", access.field)
            given.append(f"{access.info_name}={class_}(_raw_info={info}, _field={field})")
        return f"{function}({', '.join([*given, *passed])})", call_reader(
            access, position, arguments, info_class
        )

    def _completion(self, v: str, f: str, place: str, plan: FieldPlan) -> list[str]:
        type_: Any = plan.definition.type
        nullable = type_.of_type if is_non_null_type(type_) else type_
        unless_null = f"{v} is not None" if nullable is type_ else ""
        otherwise = f"elif {unless_null}" if unless_null else "else"
        careful = f"{v}, w = step({v}, {f}, R, p, w)"
        hold = f" if type({v}) is CO: {v}, w = hold({v}, {f}, R, p, w)"
        named = get_named_type(type_)
        if is_object_type(named):
            build = self._object(plan.objects[named.name])
        if is_leaf_type(nullable):
            return self._leaf(v, f, nullable, unless_null, careful)
        if is_list_type(nullable):
            usual = f"type({v}) is list"
            quick = f" {v} = loop{f[1:]}({v}, R, {place})"
        elif is_object_type(nullable):
            facts = self._facts.object(nullable)
            usual = f"type({v}) in {self._bind('known', facts.known)}"
            if facts.guarded:
                usual += f" and getattr({v}, CAST, None) is None"
            quick = f" {v} = {build}({v}, R, {place})"
        else:
            return [f"if {unless_null}: {careful}" if unless_null else careful]
        return [f"if {usual}:", quick, hold, f"{otherwise}: {careful}"]

    def _leaf(self, v: str, f: str, type_: Any, unless_null: str, careful: str) -> list[str]:
        facts = self._facts.leaf(type_)
        if facts.exact is not None:
            unusual = f"not ({facts.exact.format(v=v)})"
            return [f"if {unusual}{' and ' + unless_null if unless_null else ''}: {careful}"]
        otherwise = f"elif {unless_null}: {careful}" if unless_null else f"else: {careful}"
        if facts.enum is not None:
            class_, members = facts.enum
            names = self._bind("members", members)
            return [f"if type({v}) is {self._bind('Enum', class_)}: {v} = {names}[{v}._name_]", otherwise]
        return [
            f"if type({v}) in {self._bind('known', facts.known)}:",
            f" c = {self._bind('coerce', facts.coerce)}({v})",
            f" if type(c) in OUT: {v} = c",
            f" else: {v}, w = write(c, {v}, {self._bind('leaf', facts)}, {f}, R, p, w)",
            otherwise,
        ]
