"""Types that are declared the lean way are what Strawberry makes of them, in all that can be seen of them."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Annotated, Any, Optional

import pytest
import strawberry
from strawberry.annotation import StrawberryAnnotation

from kameng.graphql import declaring
from kameng.kernel import Kernel
from kameng.settings import Settings

_STRAWBERRYS_OWN = declaring._evaluate


@strawberry.interface
class Thing:
    name: str = "nobody"


@strawberry.type
class Measured(Thing):
    size: int
    tags: list[str] = strawberry.field(default_factory=list)
    secret: strawberry.Private[int] = 7
    noted: list[str] = dataclasses.field(default_factory=list)

    @strawberry.field
    def double(self) -> int:
        return 2 * self.size

    def __post_init__(self) -> None:
        self.noted.append(self.name)


@dataclasses.dataclass(kw_only=True)
class Reference:
    """What `dataclasses` itself makes of the same fields."""

    name: str = "nobody"
    size: int
    tags: list[str] = dataclasses.field(default_factory=list)
    secret: int = 7
    noted: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.noted.append(self.name)


@pytest.mark.parametrize(
    "values",
    [{"size": 3}, {"size": 3, "name": "x", "tags": ["a"], "secret": 1}, {"size": None, "noted": ["before"]}],
)
def test_an_object_is_what_a_dataclass_would_be(values: dict[str, Any]) -> None:
    made, reference = Measured(**values), Reference(**values)

    assert vars(made) == vars(reference)
    assert repr(made) == repr(reference).replace("Reference", "Measured")
    assert made == Measured(**{**values, "noted": list(values.get("noted", []))[:-1]})


def test_what_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(TypeError, match="'size'"):
        Measured(name="x")  # type: ignore[call-arg]  # that is the fault
    with pytest.raises(TypeError, match="'weight'"):
        Measured(size=1, weight=2)  # type: ignore[call-arg]  # that is the fault
    with pytest.raises(TypeError, match="positional"):
        Measured(1)  # type: ignore[misc]  # that is the fault


def test_defaults_of_two_objects_are_not_shared() -> None:
    first, second = Measured(size=1), Measured(size=1)
    first.tags.append("only here")
    assert second.tags == []


def test_objects_compare_by_value_and_cannot_be_hashed() -> None:
    assert Measured(size=1) == Measured(size=1)
    assert Measured(size=1) != Measured(size=2)
    assert Measured(size=1) != Reference(size=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Measured(size=1))


def test_a_constructor_is_compiled_at_its_first_call() -> None:
    @strawberry.type
    class Fresh:
        size: int

    # Given a type that was declared and not constructed; when Strawberry compiles constructors itself, this fails
    assert inspect.getfile(Fresh.__init__) == declaring.__file__

    # When it is constructed, also by a class below it, then the compiled constructor stands in its place
    class Below(Fresh):
        def __init__(self) -> None:
            super().__init__(size=4)

    assert Below().size == 4
    assert "size" in inspect.signature(Fresh.__init__).parameters
    assert Fresh(size=5).size == 5


def test_a_hash_of_the_class_itself_stays() -> None:
    @strawberry.type
    class Hashed:
        size: int

        def __hash__(self) -> int:
            return 7

    assert hash(Hashed(size=1)) == 7
    assert Hashed(size=1) == Hashed(size=1)


def test_methods_of_the_class_itself_stay() -> None:
    @strawberry.type
    class Own:
        size: int

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

    assert (repr(Own(size=1)), Own(size=1) == 7, hash(Own(size=1))) == ("mine", True, 5)


@strawberry.type
class Later:
    size: int


Alias = Annotated["Later", strawberry.lazy("tests.engine.graphql.test_declaring")]


@pytest.mark.parametrize(
    "text",
    [
        "None",
        "int",
        "Later",
        "'Later'",
        "int | None",
        "Later | None",
        "list['Later']",
        "list[Later | None] | None",
        "Optional['Later']",
        "Alias",
        "Annotated[int, 'note']",
        'Annotated["Later", strawberry.lazy("tests.engine.graphql.test_declaring")]',
        "dict[str, list[int]]",
    ],
)
def test_an_annotation_means_what_it_means_to_strawberry(text: str) -> None:
    assert Optional
    for _ in range(2):  # the second time from the compiled text
        ours = StrawberryAnnotation(text, namespace=dict(globals())).evaluate()
        assert ours == _STRAWBERRYS_OWN(StrawberryAnnotation(text, namespace=dict(globals())))


def test_an_unknown_name_is_one_until_it_is_there() -> None:
    namespace: dict[str, Any] = {}
    annotation = StrawberryAnnotation("Nowhere", namespace={"other": 1})
    with pytest.raises(NameError, match="Nowhere"):
        annotation.evaluate()

    namespace = {"Nowhere": Later}
    assert StrawberryAnnotation("Nowhere", namespace=namespace).evaluate() is Later


def test_every_annotation_of_all_modules_means_what_it_means_to_strawberry(tmp_path: Path) -> None:
    kernel = Kernel(Settings({}, root=tmp_path))
    seen = 0
    for schema in kernel.schemas.values():
        for concrete in schema.schema_converter.type_map.values():
            for field in getattr(concrete.definition, "fields", ()):
                annotation = field.type_annotation
                if annotation is None or not isinstance(annotation.raw_annotation, str):
                    continue
                again = StrawberryAnnotation(annotation.raw_annotation, namespace=annotation.namespace)
                assert again.evaluate() == _STRAWBERRYS_OWN(again), f"{concrete.definition}.{field.name}"
                seen += 1
    assert seen > 500


def test_every_field_of_all_modules_has_the_type_that_it_has_to_strawberry(tmp_path: Path) -> None:
    kernel = Kernel(Settings({}, root=tmp_path))
    seen = 0
    for schema in kernel.schemas.values():
        for concrete in schema.schema_converter.type_map.values():
            for field in getattr(concrete.definition, "fields", ()):
                for asking in (None, concrete.definition):
                    ours = field.resolve_type(type_definition=asking)
                    theirs = declaring._resolve(field, type_definition=asking)
                    assert repr(ours) == repr(theirs), f"{concrete.definition}.{field.name}"
                    assert ours == theirs or not isinstance(ours, type), f"{concrete.definition}.{field.name}"
                    seen += 1
    assert seen > 1_000


def test_a_field_whose_annotation_is_replaced_has_the_new_type() -> None:
    @strawberry.type
    class Thing:
        size: int

    (field,) = Thing.__strawberry_definition__.fields  # type: ignore[attr-defined]  # set by Strawberry
    assert field.resolve_type() is int
    field.type = str
    assert field.resolve_type() is str


Titled = Annotated[str, strawberry.field(description="What it is called.")]


def test_a_field_that_is_declared_within_its_annotation_is_found() -> None:
    @strawberry.type
    class Book:
        title: Titled
        pages: Annotated[int, strawberry.field(description="How many.")]
        price: int = 3

    fields = {
        field.name: field.description
        for field in Book.__strawberry_definition__.fields  # type: ignore[attr-defined]  # set by Strawberry
    }
    assert fields == {"title": "What it is called.", "pages": "How many.", "price": None}
