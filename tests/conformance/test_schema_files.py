"""The schemas are committed as SDL, current, and break no client that the changelog does not warn."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

import pytest

from kameng.graphql import compose_schema
from kameng.loader import load_modules
from kameng.settings import Settings
from tools.schema_changes import breaking_changes, coordinate_of, main, unnamed

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["shop", "admin"])
def test_committed_schema_is_current(name: Literal["shop", "admin"], tmp_path: Path) -> None:
    # Given the schema that the first-party modules compose
    enabled = [
        "audit",
        "notify",
        "sites",
        "webhooks",
        "catalog",
        "membership",
        "settlement",
        "fulfilment",
        "analytics",
    ]
    modules = load_modules(Settings({"modules": {"enabled": enabled}}, root=tmp_path))
    sdl = compose_schema(name, modules).as_str() + "\n"

    # Then the committed file says the same
    committed = (ROOT / f"docs/schema/{name}.graphql").read_text("utf-8")
    assert committed == sdl, "Run `make schema` and commit docs/schema."


def test_repository_names_its_breaking_changes(capsys: pytest.CaptureFixture[str]) -> None:
    # Given this repository as it stands
    code = main([])

    # Then nothing breaks a client unannounced
    assert code == 0, capsys.readouterr().out


OLD = """
type Query { order(number: String!): Order find(text: String): Item }
type Order { total: Int! note: String }
type Card { id: ID! }
type Item { id: ID! }
enum State { OPEN CLOSED }
union Thing = Card | Item
input Wish { name: String }
"""


@pytest.mark.parametrize(
    ("before", "after", "coordinate"),
    [
        ("note: String", "", "Order.note"),
        ("total: Int!", "total: Int", "Order.total"),
        ("OPEN CLOSED", "OPEN", "State.CLOSED"),
        ("Card | Item", "Item", "Thing"),
        ("name: String", "name: String age: Int!", "Wish.age"),
        ("find(text: String)", "find(text: String!)", "Query.find(text:)"),
        ("number: String!", "number: String! year: Int!", "Query.order(year:)"),
    ],
)
def test_breaking_change_is_found_by_its_coordinate(before: str, after: str, coordinate: str) -> None:
    # When a schema changes so that a client may break
    [change] = breaking_changes("shop", OLD, OLD.replace(before, after))

    # Then the change is told by its coordinate, and only the section of unreleased changes can name it
    assert change.coordinate == coordinate
    assert unnamed([change], f"## Unreleased\n\n- `{coordinate}` is gone.\n\n## 0.1\n") == []
    assert unnamed([change], f"## Unreleased\n\nNothing.\n\n## 0.1\n\n- `{coordinate}`\n") == [change]
    assert unnamed([change], f"## Unreleased\n\n- {coordinate} without backticks\n") == [change]


def test_harmless_change_needs_no_name() -> None:
    assert breaking_changes("shop", OLD, OLD.replace("note: String", "note: String memo: String")) == []


@pytest.mark.parametrize(
    ("description", "coordinate"),
    [
        ("Order was removed.", "Order"),
        ("Standard scalar Int was removed because it is not referenced anymore.", "Int"),
        ("Argument @idempotent(key:) was removed.", "@idempotent(key:)"),
        ("Order no longer implements interface Node.", "Order"),
    ],
)
def test_coordinates_of_types_and_directives(description: str, coordinate: str) -> None:
    assert coordinate_of(description) == coordinate


def test_tool_compares_with_the_last_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Given a repository with a release, after which a field was removed in a commit of its own
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    file = tmp_path / "docs/schema/shop.graphql"
    file.parent.mkdir(parents=True)
    file.write_text(OLD, "utf-8")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\nNothing.\n", "utf-8")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "Release")
    git("tag", "v1")
    file.write_text(OLD.replace("note: String", ""), "utf-8")
    git("commit", "--quiet", "--all", "--message", "Remove the note")

    # When nobody wrote it down, then the tool fails and says what to write
    assert main([], tmp_path) == 1
    assert "- shop: `Order.note`: Field Order.note was removed." in capsys.readouterr().out

    # When it stands in the changelog, then the tool is content
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased\n\n- `Order.note` is gone.\n", "utf-8")
    assert main([], tmp_path) == 0
    assert capsys.readouterr().out == "Schemas against v1: 1 breaking changes, 0 not in CHANGELOG.md.\n"


def test_locked_tools_name_no_download_addresses() -> None:
    locked = (ROOT / "tests/conformance/package-lock.json").read_text("utf-8")
    assert '"resolved"' not in locked
    assert '"integrity"' in locked
    pinned = (ROOT / "tests/conformance/requirements.lock").read_text("utf-8")
    assert "//" not in pinned
    assert "--hash=sha256:" in pinned
