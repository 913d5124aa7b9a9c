"""Clients that generators make from the committed schemas are typed, and trade with the running shop."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fulfilment.conftest import Shop

from .administrator import Administrator
from .node import HERE, MODULES, run
from .server import Server

SCHEMAS = Path(__file__).parents[2] / "docs/schema"
CLIENTS = HERE / "clients"


async def stocked(server: Server) -> str:
    """The SKU of something that has four cards and costs seven."""
    sku = f"TYPED-{uuid4().hex[:8].upper()}"
    with server.kernel.db.in_use():
        await Shop(server.kernel).stock(sku, "7.00", [f"{sku}-{number}" for number in range(4)])
    return sku


def check(story: dict[str, Any], sku: str) -> None:
    """Compare what a client saw with what happened."""
    [line] = story["order"].pop("lines")
    cards = line.pop("cards")
    assert line == {"sku": sku, "quantity": 2, "deliveryState": "DELIVERED"}
    assert {card["secret"] for card in cards} <= {f"{sku}-{number}" for number in range(4)}
    assert [(len(cards), card["number"], card["expiresOn"]) for card in cards] == [(2, None, None)] * 2
    assert story == {
        "sameMember": True,
        "price": {"amount": "7.00", "currency": "CNY"},
        "wrongPassword": ["WRONG_CREDENTIALS"],
        "withoutMoney": ["INSUFFICIENT_FUNDS"],
        "credited": {"amount": "20.00", "currency": "CNY"},
        "repeated": True,
        "order": {
            "number": True,
            "state": "COMPLETED",
            "paidAt": True,
            "total": {"amount": "14.00", "currency": "CNY"},
        },
        "node": True,
        "balance": "6.00",
        "statement": [["charge", "-14.00"], ["manual_credit", "20.00"]],
        "asVisitor": ["NOT_FOUND"],
    }


@pytest.mark.usefixtures("node")
async def test_typescript_client(server: Server, administrator: Administrator, tmp_path: Path) -> None:
    # Given typed documents of both schemas, and a program that uses them
    source = CLIENTS / "typescript"
    for name in ("client.ts", "tsconfig.json"):
        shutil.copy(source / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(MODULES)
    commands = MODULES / ".bin"
    run(
        commands / "graphql-codegen", "--silent", "--config", source / "codegen.mjs",
        folder=tmp_path, DOCS=str(SCHEMAS),
    )  # fmt: skip

    # When all of it is compiled in the strictest way, then nothing is wrong
    assert run(commands / "tsc", "--project", tmp_path, folder=tmp_path) == ""

    # When the program runs, then it sees what happened
    sku = await stocked(server)
    story = run(
        "node", "client.js", server.url, administrator.email, administrator.password, sku, folder=tmp_path
    )
    check(json.loads(story), sku)


async def test_python_client(
    server: Server, administrator: Administrator, tools: Path, tmp_path: Path
) -> None:
    # Given a client of each schema, and a program that uses them
    source = CLIENTS / "python"
    shutil.copy(source / "story.py", tmp_path)
    (tmp_path / "schema").symlink_to(SCHEMAS)
    (tmp_path / "documents").symlink_to(CLIENTS / "documents")
    for schema in ("shop", "admin"):
        run(tools / "ariadne-codegen", "--config", source / f"{schema}.toml", folder=tmp_path)

    # When the program is checked in the strictest way, then nothing is wrong
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\npython_executable = {tools / 'python'}\n")
    run(sys.executable, "-m", "mypy", "--follow-imports", "silent", "story.py", folder=tmp_path)

    # When it runs, then it sees what happened
    sku = await stocked(server)
    story = run(
        tools / "python", "story.py", server.url, administrator.email, administrator.password, sku,
        folder=tmp_path,
    )  # fmt: skip
    check(json.loads(story), sku)
