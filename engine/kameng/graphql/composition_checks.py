"""What can be said of schemas before they are built: clashes of fields and types, each with the packages at fault."""

from collections.abc import Iterable, Sequence

from strawberry.types.base import has_object_definition

from kameng.errors import Fault, KamengError
from kameng.graphql.root import ROOTS
from kameng.graphql.walking import definition_of, field_name, foreign_types, types_below
from kameng.module import Module, SchemaPart


def check_schemas(modules: Sequence[tuple[str, Module]]) -> list[Fault]:
    """The faults of both schemas.

    Args:
        modules: pairs of package and module.
    """
    return [fault for schema in ("shop", "admin") for fault in _Check(schema, modules).faults()]


class _Check:
    def __init__(self, schema: str, modules: Sequence[tuple[str, Module]]) -> None:
        self._schema = schema
        self._parts: list[tuple[str, SchemaPart]] = [
            (package, part) for package, module in modules if (part := getattr(module, schema)) is not None
        ]
        self._types: dict[str, list[tuple[str, type]]] = {}
        self._fields: dict[tuple[str, str], str] = {}
        self._foreign: list[tuple[str, str, str]] = []

    def faults(self) -> Iterable[Fault]:
        yield from self._read_types()
        for name, owners in self._types.items():
            if len(owners) > 1:
                packages = " and ".join(dict.fromkeys(package for package, _ in owners))
                yield Fault(
                    "duplicate_type",
                    packages,
                    f"The {self._schema} schema has two types named {name}: "
                    + ", ".join(f"{cls.__module__}.{cls.__qualname__}" for _, cls in owners)
                    + ".",
                    "Rename one; a module's types carry its trade in their names.",
                )
        for package, name, module in self._foreign:
            if name not in self._types:
                yield Fault(
                    "unknown_type",
                    package,
                    f"It uses the type {name}, which is no type of the {self._schema} schema; {module} was expected to bring it.",
                    f"Enable {module} and name it in `requires`, or use the type only in a schema that has it.",
                )
        yield from self._roots()
        yield from self._extensions()

    def _read_types(self) -> Iterable[Fault]:
        for package, part in [("kameng", SchemaPart(**ROOTS)), *self._parts]:  # type: ignore[arg-type]  # its keys are fields
            roots = [
                cls for cls in (part.query, part.mutation, part.subscription, *part.extend.values()) if cls
            ]
            try:
                below = types_below([*roots, *part.types])
            except Exception as error:
                # An annotation that cannot be resolved is the package's fault, told like the others.
                cure = error.cure if isinstance(error, KamengError) else "Mend the annotation it names."
                yield Fault(
                    "broken_type", package, f"Its {self._schema} schema cannot be read: {error}", cure
                )
                continue
            self._foreign += [
                (package, *wanted) for wanted in sorted(foreign_types([*roots, *part.types], below))
            ]
            for name, classes in below.items():
                known = self._types.setdefault(name, [])
                for cls in classes:
                    if not any(_same(cls, other) for _, other in known):
                        known.append((package, cls))

    def _roots(self) -> Iterable[Fault]:
        for kind in ("query", "mutation", "subscription"):
            for package, part in [("kameng", SchemaPart(**ROOTS)), *self._parts]:  # type: ignore[arg-type]  # its keys are fields
                cls = getattr(part, kind)
                if cls is not None:
                    yield from self._add(package, kind.capitalize(), cls)

    def _extensions(self) -> Iterable[Fault]:
        for name, owners in self._types.items():
            for package, cls in owners:
                if has_object_definition(cls):
                    for field in definition_of(cls).fields:
                        self._fields.setdefault((name, field_name(field)), package)
        for package, part in self._parts:
            for name, cls in part.extend.items():
                if name not in self._types:
                    yield Fault(
                        "unknown_type",
                        package,
                        f"It adds fields to {name}, which is no type of the {self._schema} schema.",
                        "Name the module that brings the type in `requires`, or mend the name.",
                    )
                    continue
                yield from self._add(package, name, cls)

    def _add(self, package: str, owner: str, cls: type) -> Iterable[Fault]:
        for field in definition_of(cls).fields:
            key = (owner, field_name(field))
            if key in self._fields:
                yield Fault(
                    "duplicate_field",
                    " and ".join(dict.fromkeys((self._fields[key], package))),
                    f"The {self._schema} schema has two fields {owner}.{key[1]}.",
                    "Rename one, or disable one of the modules.",
                )
            else:
                self._fields[key] = package


def _same(one: type, other: type) -> bool:
    return one is other or (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)
