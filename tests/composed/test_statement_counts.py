"""A document takes as many SQL statements for twenty rows as for one, and no more than are written down here.

The numbers stand in ``statement_counts.json``; ``KAMENG_WRITE_COUNTS=1`` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from kameng.db import counted_statements
from kameng.graphql import Context
from kameng.testing.kernels import Kernels, unique
from kameng_catalog.known_lists import Kept, Known, KnownLists
from kameng_catalog.listing_tables import EVERYTHING
from tests.composed.asked import LISTS, OF_THEMES, SEVERAL_LISTS, Asked, of_themes, theme_documents
from tests.composed.filling import Filling
from tests.composed.twice import standing_still

FILE = Path(__file__).with_suffix("").with_name("statement_counts.json")
ROWS = (1, 3, 20)


async def statements_of(filling: Filling, asked: Asked, rows: int) -> list[str]:
    """The statements of a document, once what a process remembers is remembered."""
    await _ask(filling, asked, rows)
    async with filling.kernel.db.transaction():
        with counted_statements() as statements:
            await _ask(filling, asked, rows)
    return statements


async def _ask(filling: Filling, asked: Asked, rows: int) -> None:
    context = Context(
        filling.kernel,
        principal=asked.principal(filling),
        schema=asked.schema,
        locale="en",
        idempotency_key=unique("key"),
    )
    executor = filling.kernel.graphql[asked.schema]
    answer = await executor.execute(asked.source, asked.variables(filling, rows), context)
    assert answer.errors is None, answer.errors
    assert isinstance(answer.data, dict)
    for payload in answer.data.values():
        if isinstance(payload, dict):
            assert not payload.get("errors"), payload


async def nothing_known() -> Known:
    """What a process knows of the lists in a new shop, but for those that every shop keeps."""
    return Known(kept={EVERYTHING: Kept(1, 0)})


async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    make_kernel: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads(FILE.read_text("utf-8"))
    # given shops with one, three and twenty of everything
    counts: dict[int, dict[str, int]] = {}
    texts: dict[str, dict[int, list[str]]] = {}
    for rows in ROWS:
        filling = Filling(await make_kernel())
        await filling.fill(rows)
        # How a filtered list is read depends on what ANALYZE knows, which may come at any moment.
        monkeypatch.setattr(filling.kernel.services.get(KnownLists), "read", nothing_known)
        counts[rows] = {}
        # Those that change something come last.
        documents = {**LISTS, **of_themes(filling)}
        for name in sorted(documents, key=lambda name: documents[name].source.startswith("mutation")):
            asked = documents[name]
            # What is loaded together must not depend on which statement happens to be answered first.
            with standing_still(monkeypatch, ids=False):
                statements = await statements_of(filling, asked, rows)
                if len(statements) != written.get(name):
                    # On a busy machine something that a process remembers for seconds may have had to be read again.
                    statements = min(statements, await statements_of(filling, asked, rows), key=len)
            counts[rows][name] = len(statements)
            texts.setdefault(name, {})[rows] = statements

    # then each document takes the same number of statements in all of them
    growing = {
        name: {rows: counts[rows][name] for rows in ROWS}
        for name in counts[1]
        if len({counts[rows][name] for rows in ROWS}) > 1
        and max(Counter(texts[name][20]).values()) > SEVERAL_LISTS.get(name, 0)
    }
    assert growing == {}, "\n".join(
        f"{name}:\n" + "\n".join(sorted(set(texts[name][20]), key=texts[name][20].count)[-2:])
        for name in growing
    )
    # and the number that was written down
    if os.environ.get("KAMENG_WRITE_COUNTS"):
        written = counts[1]
        FILE.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n", "utf-8")
    assert counts[1] == written, "If this is meant: KAMENG_WRITE_COUNTS=1"


async def test_every_document_of_the_themes_is_counted(make_kernel: Kernels) -> None:
    documents = theme_documents(Filling(await make_kernel(migrated=False)))
    assert set(documents) == set(OF_THEMES)


@pytest.mark.parametrize("schema", ["shop", "admin"])
def test_every_list_of_a_schema_is_among_the_lists(schema: str) -> None:
    asked = " ".join(item.source for item in LISTS.values() if item.schema == schema)
    sdl = (Path(__file__).parents[2] / "docs" / "schema" / f"{schema}.graphql").read_text("utf-8")
    lists = [
        line.strip().partition("(")[0]
        for line in sdl.splitlines()
        if line.endswith("Connection!") and "first: Int" in line
    ]
    assert lists
    assert [name for name in lists if f"{name}(" not in asked] == []
