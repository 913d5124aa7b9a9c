"""None of our own documents is left to graphql-core: each one compiles, whatever its conditions are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from graphql import GraphQLError, OperationDefinitionNode, parse, validate

from kameng.graphql.compiled import Invalid
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.themes.themes import load_themes

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```graphql[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMAS: tuple[Literal["shop", "admin"], ...] = ("shop", "admin")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    """All modules, composed and not running."""
    return Kernel(Settings({}, root=tmp_path_factory.mktemp("kernel")))


def compiles(kernel: Kernel, schema: Literal["shop", "admin"], source: str) -> None:
    """See that each operation of a document compiles for each combination of its conditions."""
    for definition in parse(source).definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        name = definition.name.value if definition.name else None
        prepared = kernel.graphql[schema].prepare(source, name)
        assert not isinstance(prepared, Invalid), prepared.errors
        conditions = prepared.usage.conditions
        for values in product((True, False), repeat=len(conditions)):
            compiled = prepared.compile(dict(zip(conditions, values, strict=True)))
            assert compiled, f"{prepared.fallback_reason}:\n{source}"


def written_down(kernel: Kernel, sources: Iterator[str]) -> list[tuple[Literal["shop", "admin"], str]]:
    """Those texts that are documents of a schema, with it."""
    found = []
    for source in sources:
        try:
            document = parse(source)
        except GraphQLError:
            continue
        found += [
            (schema, source) for schema in SCHEMAS if not validate(kernel.schemas[schema]._schema, document)
        ]
    return found


def in_code(*folders: str) -> Iterator[str]:
    """Constant texts of Python files that might be documents."""
    for folder in folders:
        for file in sorted((ROOT / folder).glob("**/*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" in node.value:
                    yield node.value


def in_pages() -> Iterator[str]:
    """Documents of the docs and the examples' pages."""
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")):
        yield from FENCE.findall(page.read_text("utf-8"))


def test_the_documents_of_the_themes_compile(kernel: Kernel) -> None:
    themes = load_themes(kernel)
    names = set()
    for kind in ("storefront", "admin"):
        theme = themes.active(kind)
        for document in theme.all_documents():
            for source in (document.source, document.bare):
                compiles(kernel, theme.merged.schema, source)
            names.add((kind, document.file))
    assert len(names) >= 35


def test_the_documents_of_the_docs_compile(kernel: Kernel) -> None:
    found = written_down(kernel, in_pages())
    assert len(found) >= 7
    for schema, source in found:
        compiles(kernel, schema, source)


def test_the_documents_of_benchmarks_and_tests_compile(kernel: Kernel) -> None:
    found = written_down(
        kernel, in_code("benchmarks", "examples", "tests/conformance", "tests/fulfilment", "tests/catalog")
    )
    assert len(found) >= 30
    for schema, source in found:
        compiles(kernel, schema, source)
