"""Documents: found, joined with fragments and validated, with every fault at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import OperationType

from kameng.themes import Installed, ThemeFaulty, load_themes
from kameng.themes.documents import DocumentLibrary
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme

SCHEMA = shop.kernel().schemas["shop"]._schema
ASKED_BY = ("t/theme.json", 7)


def library(tmp_path: Path, files: dict[str, str], parent: dict[str, str] | None = None) -> DocumentLibrary:
    """The documents of a theme with a parent."""
    write_theme(tmp_path, "p", {}, parent or {})
    write_theme(tmp_path, "t", {"parent": "p"}, files)
    return DocumentLibrary(Installed([tmp_path], points=[]).chain("t"), SCHEMA, (), ("product.after",))


def faults(tmp_path: Path, source: str, **more: str) -> list[str]:
    """What is found about one document."""
    read = library(tmp_path, {"queries/a.graphql": source, **more})
    assert read.compile("queries/a.graphql", ASKED_BY, OperationType.QUERY) is None
    return [f"{item.file}:{item.line}: {item.message}" for item in read.findings]


def test_shared_fragments_are_found_by_name_through_each_other(tmp_path: Path) -> None:
    read = library(
        tmp_path,
        {
            "queries/a.graphql": "query A { products { ...Card } }",
            "queries/fragments/card.graphql": "fragment Card on Product { name ...Price }",
            "queries/fragments/deep/price.graphql": "fragment Price on Product { price { amount } }",
            "queries/fragments/unused.graphql": "fragment Unused on Order { number }",
        },
    )

    document = read.compile("queries/a.graphql", ASKED_BY, OperationType.QUERY)

    assert read.findings == []
    assert document is not None
    assert document.source.count("fragment") == 2
    assert read.used_fragments == {"Card", "Price"}
    assert document.payloads == ("products",)


def test_a_childs_fragment_stands_in_for_the_parents(tmp_path: Path) -> None:
    read = library(
        tmp_path,
        {"queries/fragments/mine.graphql": "fragment Card on Product { name slug }"},
        {
            "queries/a.graphql": "query A { products { ...Card } }",
            "queries/fragments/card.graphql": "fragment Card on Product { name }",
        },
    )

    document = read.compile("queries/a.graphql", ASKED_BY, OperationType.QUERY)

    assert document is not None
    assert "slug" in document.source
    assert document.file == "p/queries/a.graphql"


def test_a_slot_that_nobody_fills_vanishes_and_leaves_a_valid_document(tmp_path: Path) -> None:
    read = library(tmp_path, {"queries/a.graphql": "query A { products { ...slot_product_after } }"})

    document = read.compile("queries/a.graphql", ASKED_BY, OperationType.QUERY)

    assert document is not None
    assert document.source == document.bare == "query A {\n  products {\n    __typename\n  }\n}"
    assert read.used_slots == {"product.after"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "query A {\n  products {\n    nme\n  }\n}",
            "t/queries/a.graphql:3: Cannot query field 'nme' on type 'Product'.",
        ),
        ("query A($x: Nope) {\n  engineVersion }", "t/queries/a.graphql:1: Unknown type 'Nope'."),
        ("query A { products { ...Card } }", "t/queries/a.graphql:1: There is no fragment Card."),
        (
            "query A { products { name\n ...slot_other } }",
            "t/queries/a.graphql:2: ...slot_other is no slot of the theme.",
        ),
        ("{ engineVersion }", "t/queries/a.graphql:1: It must hold one operation, with a name."),
        (
            "query A { a: engineVersion } query B { engineVersion }",
            "t/queries/a.graphql:1: It must hold one operation, with a name.",
        ),
        (
            "fragment F on Query { engineVersion }",
            "t/queries/a.graphql:0: It must hold one operation, with a name.",
        ),
        ("query A {\n\n  products(", "t/queries/a.graphql:3: Syntax Error: Expected Name, found <EOF>."),
        (
            'mutation A { logIn(input: {name: "a", password: "b"}) { name } }',
            "t/theme.json:7: t/queries/a.graphql holds a mutation.",
        ),
    ],
)
def test_a_fault_stands_at_its_file_and_line(tmp_path: Path, source: str, expected: str) -> None:
    assert any(found.startswith(expected) for found in faults(tmp_path, source))


def test_a_fault_in_a_shared_fragment_stands_in_its_own_file(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        "query A { products { ...Card } }",
        **{"queries/fragments/card.graphql": "\nfragment Card on Product { nme }"},
    )

    assert found[0].startswith("t/queries/fragments/card.graphql:2: Cannot query field 'nme'")


def test_a_missing_file_is_told_where_it_is_named(tmp_path: Path) -> None:
    read = library(tmp_path, {})

    assert read.compile("queries/none.graphql", ASKED_BY, OperationType.QUERY) is None
    assert read.compile("../../etc/passwd", ASKED_BY, OperationType.QUERY) is None
    assert {f"{item.file}:{item.line}" for item in read.findings} == {"t/theme.json:7"}


def test_fragments_twice_in_one_theme_and_operations_among_them_are_errors(tmp_path: Path) -> None:
    read = library(
        tmp_path,
        {
            "queries/fragments/a.graphql": "fragment F on Product { name }",
            "queries/fragments/b.graphql": "fragment F on Product { slug }\nquery Q { engineVersion }",
        },
    )

    assert [f"{item.file}:{item.line}: {item.message}" for item in read.findings] == [
        "t/queries/fragments/b.graphql:1: t/queries/fragments/a.graphql has a fragment F too.",
        "t/queries/fragments/b.graphql:2: Only fragments belong here.",
    ]


def test_a_theme_with_faults_in_several_documents_tells_all_of_them(tmp_path: Path) -> None:
    pages = {
        name: {"path": f"/{name}", "template": "templates/a.html", "document": f"queries/{name}.graphql"}
        for name in "ab"
    }
    files = {f"queries/{name}.graphql": f"query Q {{ {name} }}" for name in "ab"}
    write_theme(tmp_path, "bad", {"pages": pages}, {**files, "templates/a.html": "x"})

    with pytest.raises(ThemeFaulty) as caught:
        load_themes(shop.kernel(config=shop.settings(tmp_path, storefront="bad")))

    assert [item.file for item in caught.value.findings] == ["bad/queries/a.graphql", "bad/queries/b.graphql"]


def test_everything_that_a_theme_runs_can_be_listed() -> None:
    theme = load_themes(shop.kernel()).active("storefront")

    names = sorted(document.name for document in theme.all_documents())
    assert names == ["Engine", "Home", "LayoutOnly", "LogIn", "Order", "PlaceOrder", "Product"]
