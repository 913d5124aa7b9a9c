"""Schemathesis asks whatever the schemas allow, as a visitor, a member and an administrator, and finds no fault of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from kameng.auth import PrincipalKind
from kameng.graphql.refusals import masked
from kameng.ids import parse_global_id
from tests.fulfilment.conftest import Shop

from .administrator import Administrator
from .node import HERE, run
from .server import Server

SCHEMAS = Path(__file__).parents[2] / "docs/schema"

EVERYTHING = """
{
  products(first: 1) { nodes { id slug title } pageInfo { endCursor } }
  variants(first: 1) { nodes { id sku } }
  categories { id path }
  stockBatches(first: 1) { nodes { id cards(first: 1) { nodes { id } } } }
  members(first: 1) { nodes { id email wallet { statement(first: 1) { nodes { id } pageInfo { endCursor } } } } }
  levels { code }
  roles { id name }
  ledgerTransactions(first: 1) { nodes { id } pageInfo { endCursor } }
  orders(first: 1) { nodes { id number } pageInfo { endCursor } }
}
"""


ARGUMENTS = {"endCursor": ("after", "before"), "title": ("search",), "code": ("levelCode", "tier", "level")}
"""Which arguments take a field's text, where it is not the one of the same name."""


@dataclass(frozen=True)
class Site:
    """A shop that has sold something.

    Attributes:
        tools: the folder with the command of schemathesis.
        url: where it answers.
        member, administrator: tokens of sessions.
        known: JSON of the ids and texts that exist there; see `fuzzing`.
    """

    tools: Path
    url: str
    member: str
    administrator: str
    known: str

    def fuzz(self, folder: Path, schema: str, *arguments: str, token: str = "", examples: int) -> str:
        """Let schemathesis ask a schema, with so many documents for each root field; it must be content."""
        return run(
            self.tools / "schemathesis", "run", SCHEMAS / f"{schema}.graphql", "--url", f"{self.url}/graphql/{schema}",
            "--checks", "not_a_server_error,response_schema_conformance",
            "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", "1",
            "--generation-deterministic", "--no-shrink", "--no-color",
            *(["--header", f"Authorization: Bearer {token}"] if token else []),
            *arguments,
            folder=folder, PYTHONPATH=str(HERE), SCHEMATHESIS_HOOKS="fuzzing", FUZZ_KNOWN=self.known,
        )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(server: Server, administrator: Administrator, tools: Path) -> Site:
    shop, sku = Shop(server.kernel), f"FUZZ-{uuid4().hex[:8].upper()}"
    with server.kernel.db.in_use():
        variant = await shop.stock(sku, "1.00", [f"{sku}-{number}" for number in range(200)])
        member = await shop.member("500")
        await shop.buy(member, (variant, 2))
        assert member.id is not None
        session = await server.kernel.auth.sessions.open(PrincipalKind.MEMBER, member.id)
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{server.url}/graphql/admin",
            json={"query": EVERYTHING},
            headers={"authorization": f"Bearer {administrator.token}"},
        )
    return Site(
        tools, server.url, session.token, administrator.token, json.dumps(known(answer.json()["data"]))
    )


def known(data: Any) -> dict[str, dict[str, list[str]]]:
    """The ids in an answer by type, and its texts by the name of the argument that takes them."""
    ids: dict[str, list[str]] = {}
    texts: dict[str, list[str]] = {"currency": ["CNY", "JPY"], "reason": ["a gift"]}

    def collect(value: Any) -> None:
        pairs = value.items() if isinstance(value, dict) else [("", item) for item in value]
        for key, item in pairs:
            if key == "id":
                ids.setdefault(parse_global_id(item)[0], []).append(item)
            elif isinstance(item, str):
                for name in ARGUMENTS.get(key, (key,)):
                    texts.setdefault(name, []).append(item)
            elif item is not None:
                collect(item)

    collect(data)
    return {"ids": ids, "texts": texts}


def test_no_fault_as_a_visitor(site: Site, tmp_path: Path) -> None:
    assert "passed" in site.fuzz(tmp_path, "shop", examples=4)


def test_no_fault_as_a_member(site: Site, tmp_path: Path) -> None:
    # Without the way out, after which he would be a visitor
    out = ("--exclude-name", "Mutation.logOut")
    assert "passed" in site.fuzz(tmp_path, "shop", *out, token=site.member, examples=12)


def test_no_fault_as_an_administrator(site: Site, tmp_path: Path) -> None:
    out = ("--exclude-name", "Mutation.logOut")
    assert "passed" in site.fuzz(tmp_path, "admin", *out, token=site.administrator, examples=3)


def test_a_fault_would_be_found(tools: Path, tmp_path: Path) -> None:
    # Given something that answers each request as we answer where a resolver fails
    class Failing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fault = {
                "message": "Something went wrong.",
                "path": ["engineVersion"],
                "extensions": masked("c0ffee"),
            }
            answer = json.dumps({"data": None, "errors": [fault]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as failing:
        Thread(target=failing.serve_forever, daemon=True).start()
        site = Site(
            tools, f"http://127.0.0.1:{failing.server_port}", "", "", json.dumps({"ids": {}, "texts": {}})
        )

        # When it is asked, then schemathesis is not content
        with pytest.raises(AssertionError, match="GraphQL server error"):
            site.fuzz(tmp_path, "shop", "--include-name", "Query.engineVersion", examples=1)
        failing.shutdown()
