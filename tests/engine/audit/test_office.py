"""The log in the back office: found by what is known of it, checked, and written to a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from kameng.audit.office import module
from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.jobs.running import run_job
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

READER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"audit.read"}))
OTHER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"catalog.read_products"}))

LIST = """
query Entries($filter: AuditFilter, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    nodes { action actor subject details position }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
async def office(make_kernel: Kernels) -> Kernel:
    """A shop in which four things were done by two people."""
    kernel = await make_kernel((module,))
    for number, action in enumerate(
        ("shop.opened", "settlement.credit", "settlement.reverse", "shop.closed")
    ):
        async with kernel.db.transaction():
            await kernel.audit.record(
                action,
                principal=READER if number % 2 else OTHER,
                subject=f"thing:{number // 2}",
                details={"number": number},
            )
    return kernel


async def ask(kernel: Kernel, source: str, principal: Principal = READER, **variables: Any) -> Any:
    context = Context(kernel, principal=principal, schema="admin", locale="en")
    return await kernel.graphql["admin"].execute(source, variables, context)


async def actions(kernel: Kernel, **filter: str) -> list[str]:  # noqa: A002 - GraphQL's name
    answer = await ask(kernel, LIST, filter=filter)
    assert answer.errors is None, answer.errors
    return [node["action"] for node in answer.data["auditEntries"]["nodes"]]


async def test_entries_are_found_by_who_did_what_to_what(office: Kernel) -> None:
    assert await actions(office) == ["shop.closed", "settlement.reverse", "settlement.credit", "shop.opened"]
    assert await actions(office, action="settlement.credit") == ["settlement.credit"]
    assert await actions(office, action="settlement.") == ["settlement.reverse", "settlement.credit"]
    assert await actions(office, actor=f"staff:{READER.id}") == ["shop.closed", "settlement.credit"]
    assert await actions(office, actor=str(OTHER.id), subject="thing:0") == ["shop.opened"]
    assert await actions(office, since="2999-01-01T00:00:00Z") == []
    assert await actions(office, until="2001-01-01T00:00:00Z") == []


async def test_pages_follow_each_other(office: Kernel) -> None:
    first = (await ask(office, LIST, first=3)).data["auditEntries"]
    second = (await ask(office, LIST, first=3, after=first["pageInfo"]["endCursor"])).data["auditEntries"]

    assert [node["action"] for node in first["nodes"]] == [
        "shop.closed",
        "settlement.reverse",
        "settlement.credit",
    ]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [(node["action"], node["subject"], node["details"]) for node in second["nodes"]] == [
        ("shop.opened", "thing:0", '{"number": 0}')
    ]


async def test_what_is_nobodys_key_finds_nothing(office: Kernel) -> None:
    assert await actions(office, actor="Ada") == []


@pytest.mark.parametrize(
    "source",
    [
        "{ auditEntries { nodes { id } } }",
        "{ auditChain { position } }",
        "mutation { startAuditExport { job { id } errors { code } } }",
        "mutation { startAuditVerification { job { id } errors { code } } }",
    ],
)
async def test_nobody_else_reads_it(office: Kernel, source: str) -> None:
    answer = await ask(office, source, OTHER)

    refused = [error["extensions"]["code"] for error in answer.errors or []]
    refused += [error["code"] for payload in (answer.data or {}).values() for error in payload["errors"]]
    assert refused == ["FORBIDDEN"]
    assert await office.db.fetchval("select count(*) from kernel_job") == 0


async def test_the_chain_tells_how_far_it_is_and_was_checked(office: Kernel) -> None:
    chain = "{ auditChain { position pending hash verifiedAt verifiedPosition findings } }"
    before = (await ask(office, chain)).data["auditChain"]
    assert (before["position"], before["pending"], before["verifiedAt"]) == (0, 4, None)

    # Given that the entries have their places, and somebody has the chain checked
    await office.audit.chain()
    started = await ask(office, "mutation { startAuditVerification { job { id } errors { code } } }")
    assert started.errors is None, started.errors
    key = await office.db.fetchval("select id from kernel_job where kind = 'audit.verify'")
    await run_job(office, str(key))

    after = (await ask(office, chain)).data["auditChain"]
    assert (after["position"], after["verifiedPosition"], after["findings"]) == (4, 4, 0)
    assert after["verifiedAt"]
    entries = (await ask(office, LIST, filter={"action": "shop.opened"})).data["auditEntries"]["nodes"]
    assert [entry["position"] for entry in entries] == [1]


async def test_entries_are_written_to_a_file_which_is_an_entry_too(office: Kernel) -> None:
    source = (
        "mutation($filter: AuditFilter) { startAuditExport(filter: $filter) { job { id } errors { code } } }"
    )
    started = await ask(office, source, filter={"action": "settlement."})
    assert started.errors is None, started.errors
    key = await office.db.fetchval("select id from kernel_job where kind = 'audit.export'")
    await run_job(office, str(key))

    file = await office.jobs.files.of_role(key, "output")
    assert file is not None
    with await office.jobs.files.open(file) as content:
        rows = list(csv.reader(io.StringIO(content.read().decode("utf-8-sig"))))
    assert [row[1] for row in rows] == ["action", "settlement.credit", "settlement.reverse"]
    assert (await actions(office))[0] == "audit.exported"
