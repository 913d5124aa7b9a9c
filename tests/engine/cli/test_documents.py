"""``kameng documents``: registering what a front end may ask, listing it, and taking it back."""

from __future__ import annotations

import json
from hashlib import sha256

from kameng.kernel import Kernel
from tests.engine.cli.conftest import Command

GOOD = "query Version { engineVersion }\n"
KEY = sha256(GOOD.encode()).hexdigest()


async def test_documents_are_registered_listed_and_revoked(beside: Command, kernel: Kernel) -> None:
    folder = beside.folder / "queries"
    folder.mkdir()
    (folder / "version.graphql").write_text(GOOD)

    ended = await beside("documents", "register", folder, "--schema", "shop")
    assert ended.status == 0, ended.errors
    assert f"{KEY}  version.graphql\n1 registered, 0 were known." in ended.output
    again = await beside("documents", "register", folder)
    assert "0 registered, 1 were known." in again.output

    assert f"{KEY}      32  version.graphql" in (await beside("documents", "list")).output
    assert (await beside("documents", "revoke", f"sha256:{KEY}")).status == 0
    assert "(revoked)" in (await beside("documents", "list")).output
    assert (await beside("documents", "revoke", KEY)).status == 1


async def test_a_document_that_could_not_run_keeps_all_out(beside: Command, kernel: Kernel) -> None:
    lists = " ".join(f"a{i}: engineVersion" for i in range(11))
    for name, source in (("good", GOOD), ("wrong", "{ nothing }"), ("large", f"{{ {lists} }}")):
        (beside.folder / f"{name}.graphql").write_text(source)

    ended = await beside("documents", "register", beside.folder)

    assert ended.status == 1
    assert "wrong.graphql: Cannot query field 'nothing'" in ended.errors
    assert "large.graphql: The document has 11 fields at its root" in ended.errors
    assert await kernel.db.fetchval("select count(*) from kernel_document") == 0


async def test_a_manifest_is_taken_if_its_hashes_are_right(beside: Command, kernel: Kernel) -> None:
    manifest = beside.folder / "manifest.json"
    manifest.write_text(json.dumps({KEY: GOOD}))
    assert (await beside("documents", "register", manifest)).status == 0
    assert await kernel.db.fetchval("select sha256 from kernel_document") == KEY

    manifest.write_text(json.dumps({"0" * 64: GOOD}))
    ended = await beside("documents", "register", manifest)
    assert ended.status == 1
    assert "is not the SHA-256 of its document" in ended.errors
