"""The committed schemas keep Relay's rules, as the linter of the GraphQL Guild reads them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from .node import HERE, MODULES, PATIENCE

SCHEMAS = Path(__file__).parents[2] / "docs/schema"

WRONG = """
type Query { cards(first: Int): CardConnection! }
type CardConnection { edges: CardEdge! pageInfo: PageInfo! }
type CardEdge { cursor: String! node: Card! }
type Card { id: ID! }
type PageInfo { hasNextPage: Boolean hasPreviousPage: Boolean! startCursor: String endCursor: String }
"""


def faults(schema: Path) -> dict[str, list[str]]:
    """What the linter says against a schema, by rule; it must have read it."""
    done = subprocess.run(
        [MODULES / ".bin/eslint", "--config", HERE / "eslint.config.mjs", "--format", "json", schema.name],
        cwd=schema.parent,
        env={**os.environ, "SCHEMA": str(schema)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode in (0, 1), done.stderr
    [report] = json.loads(done.stdout)
    assert report["filePath"] == str(schema)
    found: dict[str, list[str]] = {}
    for message in report["messages"]:
        found.setdefault(str(message["ruleId"]), []).append(f"line {message['line']}: {message['message']}")
    return found


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("name", ["shop", "admin"])
def test_relay_rules_pass(name: str) -> None:
    assert faults(SCHEMAS / f"{name}.graphql") == {}


@pytest.mark.usefixtures("node")
def test_each_rule_is_on(tmp_path: Path) -> None:
    # Given a schema that breaks each of the rules
    schema = tmp_path / "wrong.graphql"
    schema.write_text(WRONG, "utf-8")

    # Then each of them says so
    assert {rule.removeprefix("@graphql-eslint/") for rule in faults(schema)} == {
        "relay-arguments",
        "relay-connection-types",
        "relay-edge-types",
        "relay-page-info",
    }
