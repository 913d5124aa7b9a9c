"""What the schema says once and for all about its types: how leaves are written and which classes are objects."""

from collections.abc import Callable
from enum import Enum, Flag
from types import WrapperDescriptorType
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import inspect

CAST = "__as_strawberry_type__"
"""The attribute by which ``strawberry.cast`` marks an object as one of another type."""

_converter_module = "strawberry.schema.schema_converter"
_object_test = "GraphQLCoreConverter.from_object.<locals>._get_is_type_of.<locals>.is_type_of"
_interface_test = "GraphQLCoreConverter.from_interface.<locals>._get_resolve_type.<locals>.resolve_type"
_union_test = "StrawberryUnion.get_type_resolver.<locals>._resolve_union_type"
_definition = "__strawberry_definition__"

_extraordinary = ("__await__", "__getattr__", "__class__")
_most_classes = 256

# Tests that tell, in generated code, that a value is already in its response form.
_exact: dict[Any, str] = {
    GraphQLString.coerce_output_value: "type({v}) is str",
    GraphQLID.coerce_output_value: "type({v}) is str",
    GraphQLBoolean.coerce_output_value: "type({v}) is bool",
    GraphQLInt.coerce_output_value: "type({v}) is int and -2147483648 <= {v} <= 2147483647",
    GraphQLFloat.coerce_output_value: "type({v}) is float and {v} - {v} == 0.0",
}


def _is(function: Any, module: str, name: str) -> bool:
    return getattr(function, "__module__", None) == module and getattr(function, "__qualname__", None) == name


def is_ordinary(class_: type) -> bool:
    """Whether instances of a class can only be what their class says: not awaitable, no error, no proxy."""
    if issubclass(class_, BaseException):
        return False
    for base in class_.__mro__[:-1]:
        if any(name in base.__dict__ for name in _extraordinary):
            return False
        # Classes written in C name their attribute access, which is the usual one unless they also name
        # `__class__`, as proxies do.
        if not isinstance(base.__dict__.get("__getattribute__"), WrapperDescriptorType | None):
            return False
    return True


class LeafFacts:
    """How a scalar or an enum is written.

    Attributes:
        exact: a test, with ``{v}`` for the value, that the value is its own response form; or ``None``.
        enum: for an enum whose members are written by name, its class and the written form of each member.
        coerce: graphql-core's coercion, for everything else.
        known: classes of values that were coerced before and need no other test than coercion.
    """

    __slots__ = ("coerce", "enum", "exact", "known", "type")

    def __init__(self, type_: GraphQLLeafType) -> None:
        self.type = type_
        self.coerce: Callable[[Any], Any] = type_.coerce_output_value
        self.exact = _exact.get(type_.coerce_output_value)
        self.known: set[type] = set()
        self.enum = _members(getattr(type_, "wrapped_cls", None), self.coerce)

    def complete(self, value: Any) -> Any:
        """The response form of a value that is neither null nor an error.

        Raises:
            Exception: what the type's own coercion raises.
            TypeError: the coercion gave no value.
        """
        return self.checked(self.coerce(value), value)

    def checked(self, coerced: Any, value: Any) -> Any:
        """A coerced value, if it is one.

        Raises:
            TypeError: it is none.
        """
        if coerced is Undefined or coerced is None:
            raise TypeError(
                f"Expected `{inspect(self.type)}.coerce_output_value({inspect(value)})`"
                f" to return non-nullable value, returned: {inspect(coerced)}"
            )
        class_ = type(value)
        if class_ not in self.known and len(self.known) < _most_classes and is_ordinary(class_):
            self.known.add(class_)
        return coerced


def _members(class_: Any, coerce: Callable[[Any], Any]) -> tuple[type[Enum], dict[str, str]] | None:
    if not isinstance(class_, type) or not issubclass(class_, Enum) or issubclass(class_, Flag):
        return None
    if class_._missing_.__func__ is not Enum._missing_.__func__ or not is_ordinary(class_):  # type: ignore[attr-defined] # a classmethod
        return None
    try:
        return class_, {member.name: coerce(member) for member in class_}
    except Exception:
        return None


class ObjectFacts:
    """Which Python classes stand for an object type.

    Attributes:
        known: classes whose instances need no test to be objects of this type, but for ``cast`` below.
        guarded: whether an instance still may be marked as another type by ``strawberry.cast``.
    """

    __slots__ = ("_settled_by_class", "guarded", "known", "type")

    def __init__(self, type_: GraphQLObjectType) -> None:
        self.type = type_
        self.known: set[type] = set()
        self.guarded = type_.is_type_of is not None
        self._settled_by_class = type_.is_type_of is None or _is(
            type_.is_type_of, _converter_module, _object_test
        )

    def learn(self, value: Any) -> bool:
        """Remember the class of a value that was found to be an object of this type, if that says enough."""
        if len(self.known) >= _most_classes or not self.settles(value):
            return False
        self.known.add(type(value))
        return True

    def settles(self, value: Any) -> bool:
        """Whether all instances of this value's class, unless marked, are objects of this type if this one is."""
        if not self._settled_by_class or not is_ordinary(type(value)):
            return False
        if self.guarded and getattr(value, CAST, None) is not None:
            return False
        # A definition of the instance's own would hide that of its class.
        return bool(getattr(value, _definition, None) is getattr(type(value), _definition, None))


def names_by_class(type_: GraphQLAbstractType) -> bool:
    """Whether Strawberry's own test decides this abstract type, which looks at the class of a value alone."""
    if isinstance(type_, GraphQLInterfaceType):
        return _is(type_.resolve_type, _converter_module, _interface_test)
    return _is(type_.resolve_type, "strawberry.types.union", _union_test)


def named_by_class(type_: GraphQLAbstractType, value: Any) -> bool:
    """Whether all instances of this value's class, unless marked, are of the same type within ``type_``.

    Never so for generic types, since Strawberry looks into their values, and for values that are no Strawberry
    objects, since ``is_type_of`` of the possible types is asked for each of them.
    """
    class_ = type(value)
    definition: Any = getattr(class_, _definition, None)
    if definition is None or getattr(value, CAST, None) is not None or not is_ordinary(class_):
        return False
    hidden = getattr(value, _definition, None) is not definition
    if hidden or definition.is_graphql_generic:
        return False
    if isinstance(type_, GraphQLInterfaceType):
        interface = type_.extensions.get("strawberry-definition")
        return interface is not None and isinstance(value, interface.origin)
    return True


class SchemaFacts:
    """Facts about the types of one schema, gathered as documents ask for them."""

    def __init__(self) -> None:
        self._leaves: dict[str, LeafFacts] = {}
        self._objects: dict[str, ObjectFacts] = {}

    def leaf(self, type_: GraphQLLeafType) -> LeafFacts:
        """Facts about a scalar or an enum."""
        facts = self._leaves.get(type_.name)
        if facts is None:
            facts = self._leaves[type_.name] = LeafFacts(type_)
        return facts

    def object(self, type_: GraphQLObjectType) -> ObjectFacts:
        """Facts about an object type."""
        facts = self._objects.get(type_.name)
        if facts is None:
            facts = self._objects[type_.name] = ObjectFacts(type_)
        return facts
