"""Operators find entries by what they know of them, page by page."""

from datetime import timedelta
from uuid import UUID

import pytest

from kameng.audit.listing import read_page
from kameng.errors import InvalidInput


@pytest.fixture
async def entries(kernel, staff, member):
    """Twelve entries of two principals, three actions and four subjects; the newest first."""
    for number in range(12):
        await kernel.audit.record(
            f"demo.action_{number % 3}",
            principal=staff if number % 2 else member,
            subject=f"order:{number % 4}",
            details={"number": number},
        )
    return (await kernel.audit.page()).entries


def numbers(page):
    return [entry.details["number"] for entry in page.entries]


async def test_the_newest_comes_first(kernel, entries):
    page = await kernel.audit.page()

    assert numbers(page) == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert page.next is None


async def test_filters_narrow_it_down_alone_and_together(kernel, entries):
    staff, member = UUID(int=0xA), UUID(int=0xB)

    assert numbers(await kernel.audit.page(action="demo.action_1")) == [10, 7, 4, 1]
    assert numbers(await kernel.audit.page(principal_id=staff)) == [11, 9, 7, 5, 3, 1]
    assert numbers(await kernel.audit.page(subject="order:2")) == [10, 6, 2]
    assert numbers(
        await kernel.audit.page(action="demo.action_1", principal_id=member, subject="order:2")
    ) == [10]
    assert numbers(await kernel.audit.page(subject="order:9")) == []


async def test_times_bound_it_from_and_before(kernel, entries):
    at = {entry.details["number"]: entry.at for entry in entries}

    assert numbers(await kernel.audit.page(since=at[9])) == [11, 10, 9]
    assert numbers(await kernel.audit.page(until=at[2])) == [1, 0]
    assert numbers(await kernel.audit.page(since=at[3], until=at[6], action="demo.action_0")) == [3]
    assert numbers(await kernel.audit.page(since=at[11] + timedelta(seconds=1))) == []


@pytest.mark.parametrize("limit", [1, 5, 6, 12])
async def test_pages_follow_each_other_without_gap_or_repetition(kernel, entries, limit):
    seen, after, pages = [], None, 0
    while True:
        page = await kernel.audit.page(after=after, limit=limit)
        seen += numbers(page)
        pages += 1
        if page.next is None:
            break
        after = page.next

    assert seen == list(range(11, -1, -1))
    assert pages == -(-12 // limit)


async def test_entries_of_the_same_moment_are_not_lost_between_pages(kernel, intruder, entries):
    await intruder("update kernel_audit set at = '2026-03-01T12:00:00.123456Z'")

    first = await kernel.audit.page(limit=7)
    second = await kernel.audit.page(limit=7, after=first.next)
    assert len({entry.id for entry in first.entries + second.entries}) == 12


async def test_what_is_written_meanwhile_does_not_shift_the_pages(kernel, staff, entries):
    first = await kernel.audit.page(limit=4, subject="order:2")
    page = await kernel.audit.page(limit=2)
    await kernel.audit.record("demo.late", principal=staff, subject="x:1", details={"number": 99})

    assert numbers(await kernel.audit.page(limit=2, after=page.next)) == [9, 8]
    assert first.next is None


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_page_has_its_limits(kernel, limit):
    with pytest.raises(InvalidInput, match="1 to 200"):
        await kernel.audit.page(limit=limit)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "!" * 32, "_" * 32, "é"])
async def test_a_cursor_of_somebody_else_is_refused(kernel, cursor):
    with pytest.raises(InvalidInput, match="no cursor of the audit log"):
        await kernel.audit.page(after=cursor)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "kernel_audit_by_time"),
        ({"action": "demo.action_1"}, "kernel_audit_by_action"),
        ({"principal_id": UUID(int=0xA)}, "kernel_audit_by_principal"),
        ({"subject": "order:2"}, "kernel_audit_by_subject"),
    ],
)
async def test_each_filter_has_an_index_in_order(kernel, intruder, filters, index):
    await intruder(
        "insert into kernel_audit select gen_random_uuid(), now() - n * interval '1 s', 'demo.action_' || n % 50, 'staff',"
        " lpad(to_hex(n % 50), 32, '0')::uuid, 'order:' || n % 50, '{}', '', '' from generate_series(1, 20000) n"
    )
    await intruder("analyze kernel_audit")
    asked = []

    class Listening:
        async def fetch(self, sql, *arguments):
            asked.append((sql, arguments))
            return []

    first = await kernel.audit.page(**filters, limit=5)
    await read_page(Listening(), **filters, after=first.next, limit=5)
    sql, arguments = asked[0]
    plan = "\n".join(row[0] for row in await kernel.db.fetch(f"explain {sql}", *arguments))

    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan
