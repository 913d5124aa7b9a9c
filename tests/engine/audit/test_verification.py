"""Each manipulation of the log by somebody who can put its triggers to sleep is found, and where."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kameng.audit import Anchor, Kind, verify_command
from kameng.audit.entry import link_hash
from kameng.errors import InvalidInput
from kameng.vault.ring_source import locate


@pytest.fixture
async def ids(kernel, write):
    """Ten chained entries."""
    written = await write(10)
    await kernel.audit.chain()
    assert (await kernel.audit.verify()).intact
    return written


async def found(kernel):
    report = await kernel.audit.verify()
    return {(finding.kind, finding.position) for finding in report.findings}


async def recompute(kernel, intruder, start=1):
    """What somebody who knows the rules does: all hashes anew, from a position on, as they would have been."""
    rows = await kernel.db.fetch(
        "select c.position, c.hash as place_hash, a.* from kernel_audit_chain c join kernel_audit a on a.id = c.audit_id"
        " order by c.position"
    )
    hash_ = bytes(32)
    for row in rows:
        hash_ = link_hash(hash_, row) if row["position"] >= start else row["place_hash"]
        await intruder("update kernel_audit_chain set hash = $1 where position = $2", hash_, row["position"])


@pytest.mark.parametrize(
    "change",
    [
        """details = '{"amount": 9999}'""",
        """details = '{"amount": 4, "more": null}'""",
        "action = 'settlement.other'",
        "subject = 'wallet:5'",
        "at = at + interval '1 microsecond'",
        "principal_id = gen_random_uuid()",
        "principal_id = null",
        "principal_kind = 'member'",
        "address = '203.0.113.9'",
        "correlation_id = 'x'",
    ],
)
async def test_an_altered_entry(kernel, intruder, ids, change):
    await intruder(f"update kernel_audit set {change} where id = $1", ids[3])

    report = await kernel.audit.verify()
    assert [(item.kind, item.position, item.entry) for item in report.findings] == [(Kind.ALTERED, 4, ids[3])]
    assert report.first_broken == 4
    assert not report.intact


async def test_a_number_that_no_entry_of_ours_can_hold(kernel, intruder, ids):
    await intruder(
        f"""update kernel_audit set details = '{{"amount": 1{"0" * 400}}}' where id = $1""", ids[3]
    )

    assert await found(kernel) == {(Kind.ALTERED, 4)}


async def test_several_altered_entries_are_each_one_finding(kernel, intruder, ids):
    await intruder(
        "update kernel_audit set subject = 'x' where id = any($1::uuid[])", [ids[1], ids[2], ids[7]]
    )

    assert await found(kernel) == {(Kind.ALTERED, 2), (Kind.ALTERED, 3), (Kind.ALTERED, 8)}


async def test_a_removed_entry(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = $1", ids[0])

    assert await found(kernel) == {(Kind.ROW_MISSING, 1)}


async def test_an_entry_removed_with_its_place(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = $1", ids[4])
    await intruder("delete from kernel_audit_chain where position = 5")

    assert await found(kernel) == {(Kind.LINK_MISSING, 5)}


async def test_an_entry_removed_and_the_gap_closed(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = $1", ids[4])
    await intruder("delete from kernel_audit_chain where position = 5")
    for position in range(6, 11):
        await intruder(
            "update kernel_audit_chain set position = $1 where position = $2", position - 1, position
        )

    assert await found(kernel) == {(Kind.ALTERED, 5), (Kind.TRUNCATED, 10)}


async def test_an_entry_removed_the_gap_closed_and_all_hashes_recomputed(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = $1", ids[4])
    await intruder("delete from kernel_audit_chain where position = 5")
    for position in range(6, 11):
        await intruder(
            "update kernel_audit_chain set position = $1 where position = $2", position - 1, position
        )
    await recompute(kernel, intruder)

    assert await found(kernel) == {(Kind.TRUNCATED, 10)}


async def test_an_altered_entry_with_all_hashes_recomputed(kernel, intruder, ids):
    await intruder("update kernel_audit set subject = 'x' where id = $1", ids[3])
    await recompute(kernel, intruder, start=4)

    assert await found(kernel) == {(Kind.REWRITTEN, 10)}


async def test_an_altered_entry_with_only_its_own_hash_recomputed(kernel, intruder, ids):
    await intruder("update kernel_audit set subject = 'x' where id = $1", ids[3])
    row = await kernel.db.fetchrow("select * from kernel_audit where id = $1", ids[3])
    before = await kernel.db.fetchval("select hash from kernel_audit_chain where position = 3")
    await intruder("update kernel_audit_chain set hash = $1 where position = 4", link_hash(before, row))

    assert await found(kernel) == {(Kind.ALTERED, 5)}


async def test_an_entry_put_in_past_the_log(kernel, intruder, ids):
    await intruder(
        "insert into kernel_audit select gen_random_uuid(), at, 'forged.action', principal_kind, principal_id, subject,"
        " details, address, correlation_id from kernel_audit where id = $1",
        ids[3],
    )

    report = await kernel.audit.verify()
    assert [(item.kind, item.position) for item in report.findings] == [(Kind.UNCHAINED, None)]
    assert report.first_broken is None
    assert "outside the chain" in str(report)


@pytest.mark.parametrize("correct", [True, False], ids=["correct hash", "made-up hash"])
async def test_an_entry_put_in_with_a_place_at_the_end(kernel, intruder, ids, correct):
    await intruder(
        "insert into kernel_audit select '00000000-0000-7000-8000-000000000001', at, 'forged.action', principal_kind,"
        " principal_id, subject, details, address, correlation_id from kernel_audit where id = $1",
        ids[3],
    )
    forged = await kernel.db.fetchrow("select * from kernel_audit where action = 'forged.action'")
    before = await kernel.db.fetchval("select hash from kernel_audit_chain where position = 10")
    hash_ = link_hash(before, forged) if correct else bytes(32)
    await intruder("insert into kernel_audit_chain values (11, $1, $2)", forged["id"], hash_)

    expected = {(Kind.UNSIGNED, 11)} if correct else {(Kind.UNSIGNED, 11), (Kind.ALTERED, 11)}
    assert await found(kernel) == expected


async def test_an_entry_put_in_the_middle_with_all_hashes_recomputed(kernel, intruder, ids):
    for position in range(10, 5, -1):
        await intruder(
            "update kernel_audit_chain set position = $1 where position = $2", position + 1, position
        )
    await intruder(
        "insert into kernel_audit select '00000000-0000-7000-8000-000000000001', at, 'forged.action', principal_kind,"
        " principal_id, subject, details, address, correlation_id from kernel_audit where id = $1",
        ids[3],
    )
    await intruder(
        "insert into kernel_audit_chain values (6, '00000000-0000-7000-8000-000000000001', $1)", bytes(32)
    )
    await recompute(kernel, intruder, start=6)

    assert await found(kernel) == {(Kind.REWRITTEN, 10), (Kind.UNSIGNED, 11)}


async def swap(intruder, one, other):
    sql = "update kernel_audit_chain set audit_id = $1 where position = $2"
    await intruder("alter table kernel_audit_chain drop constraint kernel_audit_chain_audit_id_key")
    await intruder(sql, other[1], one[0])
    await intruder(sql, one[1], other[0])


async def test_entries_that_changed_places(kernel, intruder, ids):
    await swap(intruder, (4, ids[3]), (7, ids[6]))

    assert await found(kernel) == {(Kind.ALTERED, 4), (Kind.ALTERED, 7)}


async def test_entries_that_changed_places_with_all_hashes_recomputed(kernel, intruder, ids):
    await swap(intruder, (4, ids[3]), (7, ids[6]))
    await recompute(kernel, intruder)

    assert await found(kernel) == {(Kind.REWRITTEN, 10)}


async def test_a_cut_off_end(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = any($1::uuid[])", ids[7:])
    await intruder("delete from kernel_audit_chain where position > 7")

    report = await kernel.audit.verify()
    assert {(item.kind, item.position) for item in report.findings} == {(Kind.TRUNCATED, 8)}
    assert report.first_broken == 8
    assert "cut off after position 7" in str(report)


async def test_a_cut_off_end_with_its_head_removed(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = any($1::uuid[])", ids[7:])
    await intruder("delete from kernel_audit_chain where position > 7")
    await intruder("delete from kernel_audit_head")

    assert await found(kernel) == {(Kind.UNSIGNED, 1)}


async def test_a_cut_off_end_with_its_head_moved_back(kernel, intruder, ids):
    await intruder("delete from kernel_audit where id = any($1::uuid[])", ids[7:])
    await intruder("delete from kernel_audit_chain where position > 7")
    await intruder(
        "update kernel_audit_head set position = 7, hash = (select hash from kernel_audit_chain where position = 7)"
    )

    assert await found(kernel) == {(Kind.HEAD_FORGED, 7)}


async def test_all_places_removed(kernel, intruder, ids):
    await intruder("delete from kernel_audit_chain")

    kinds = [kind for kind, _ in await found(kernel)]
    assert set(kinds) == {Kind.TRUNCATED, Kind.UNCHAINED}


@pytest.mark.parametrize(
    "change",
    [
        "mac = set_byte(mac, 0, get_byte(mac, 0) # 1)",
        "signed_at = signed_at - interval '1 hour'",
        "day = day - 1",
    ],
)
async def test_a_forged_head(kernel, intruder, ids, change):
    await intruder(f"update kernel_audit_head set {change}")

    assert await found(kernel) == {(Kind.HEAD_FORGED, 10)}


async def test_a_head_signed_by_a_key_that_is_not_in_the_ring(kernel, intruder, ids):
    await intruder("update kernel_audit_head set key_version = 99")

    report = await kernel.audit.verify()
    assert [item.kind for item in report.findings] == [Kind.HEAD_FORGED]
    assert "no signing key of version 99" in str(report)


async def test_a_head_of_another_deployment(kernel, intruder, ids, make_kernel, staff):
    stranger = await make_kernel(())
    for number in range(10):
        await stranger.audit.record("a.b", principal=staff, subject=f"x:{number}")
    await stranger.audit.chain()
    head = await stranger.db.fetchrow("select * from kernel_audit_head")
    await intruder(
        "update kernel_audit_head set hash = $1, mac = $2, signed_at = $3",
        head["hash"],
        head["mac"],
        head["signed_at"],
    )

    assert await found(kernel) == {(Kind.HEAD_FORGED, 10), (Kind.REWRITTEN, 10)}


async def test_the_head_of_a_day_removed_from_between(kernel, intruder, write, monkeypatch):
    await _days(kernel, write, monkeypatch, days=3)
    assert (await kernel.audit.verify()).intact
    await intruder("delete from kernel_audit_head where day = '2026-03-02'")

    assert await found(kernel) == {(Kind.HEAD_FORGED, 6)}


async def test_yesterday_rewritten_is_found_at_each_head_since(kernel, intruder, write, monkeypatch):
    ids = await _days(kernel, write, monkeypatch, days=3)
    await intruder("update kernel_audit set subject = 'x' where id = $1", ids[2])
    await recompute(kernel, intruder)

    assert await found(kernel) == {(Kind.REWRITTEN, 4), (Kind.REWRITTEN, 6)}
    assert (await kernel.audit.verify()).first_broken == 4


async def _days(kernel, write, monkeypatch, days):
    class Clock(datetime):
        moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

        @classmethod
        def now(cls, tz=None):
            return cls.moment

    monkeypatch.setattr("kameng.audit.chaining.datetime", Clock)
    ids = []
    for _ in range(days):
        ids += await write(2)
        await kernel.audit.chain()
        Clock.moment += timedelta(days=1)
    return ids


async def test_an_entry_removed_before_it_was_chained(kernel, intruder, ids, write):
    (waiting,) = await write(1)
    await intruder("delete from kernel_audit where id = $1", waiting)

    report = await kernel.audit.verify()
    assert [(item.kind, item.position, item.entry) for item in report.findings] == [
        (Kind.LOST, None, waiting)
    ]


async def test_entries_that_wait_are_no_finding(kernel, ids, write):
    await write(3)

    report = await kernel.audit.verify()
    assert (report.intact, report.entries, report.pending) == (True, 10, 3)


async def test_a_database_put_back_as_a_whole_is_found_by_an_anchor(kernel, intruder, write):
    await write(5)
    await kernel.audit.chain()
    for table in ("kernel_audit", "kernel_audit_chain", "kernel_audit_head"):
        await intruder(f"create table old_{table} as table {table}")
    await write(5)
    await kernel.audit.chain()
    anchor = (await kernel.audit.verify()).head
    assert (anchor.position, (await kernel.audit.verify(anchor)).intact) == (10, True)

    for table in ("kernel_audit", "kernel_audit_chain", "kernel_audit_head"):
        await intruder(f"truncate {table}")
        await intruder(f"insert into {table} table old_{table}")

    assert (await kernel.audit.verify()).intact
    report = await kernel.audit.verify(anchor)
    assert {(item.kind, item.position) for item in report.findings} == {(Kind.TRUNCATED, 6)}

    await write(5)  # grown to the old length again, with other entries
    await kernel.audit.chain()
    report = await kernel.audit.verify(anchor)
    assert {(item.kind, item.position) for item in report.findings} == {(Kind.REWRITTEN, 10)}


async def test_longer_chains_are_read_page_by_page(kernel, intruder, write, monkeypatch):
    monkeypatch.setattr("kameng.audit.verification.PAGE", 7)
    ids = await write(50)
    await kernel.audit.chain()
    assert (await kernel.audit.verify()).entries == 50
    await intruder(
        "update kernel_audit set subject = 'x' where id = any($1::uuid[])", [ids[6], ids[7], ids[49]]
    )

    assert await found(kernel) == {(Kind.ALTERED, 7), (Kind.ALTERED, 8), (Kind.ALTERED, 50)}


async def test_a_report_keeps_a_hundred_findings_and_counts_the_rest(kernel, intruder, write):
    await write(150)
    await kernel.audit.chain()
    await intruder("update kernel_audit set subject = 'x'")

    report = await kernel.audit.verify()
    assert (len(report.findings), report.count, report.first_broken) == (100, 150, 1)
    assert str(report).endswith("… and 50 more")


async def test_verifying_sees_one_moment_while_others_write_and_chain(kernel, write):
    async def chain():
        for _ in range(10):
            await write(20)
            await kernel.audit.chain()

    busy = asyncio.create_task(chain())
    while not busy.done():
        report = await kernel.audit.verify()
        assert report.intact, str(report)
    await busy


async def test_the_command_tells_the_first_broken_position_and_exits_with_1(kernel, intruder, ids):
    lines = []
    assert await verify_command(kernel, lines.append) == 0
    head = (await kernel.audit.verify()).head
    assert lines[0].splitlines() == [
        "The audit log is intact: 10 entries chained.",
        f"Head (keep it elsewhere, as the anchor of the next run): 10:{head.hash.hex()}",
    ]

    await intruder("update kernel_audit set subject = 'x' where id = $1", ids[6])
    await intruder("update kernel_audit set subject = 'x' where id = $1", ids[3])
    lines.clear()
    assert await verify_command(kernel, lines.append) == 1
    assert lines[0].splitlines() == [
        "The audit log is BROKEN at position 4 (2 findings, 10 entries):",
        f"  [altered] Position 4: the entry {ids[3]}, or its place, is not what was chained.",
        f"  [altered] Position 7: the entry {ids[6]}, or its place, is not what was chained.",
    ]


async def test_the_command_takes_an_anchor(kernel, ids):
    head = (await kernel.audit.verify()).head

    assert await verify_command(kernel, str, str(head)) == 0
    assert await verify_command(kernel, str, f"10:{'00' * 32}") == 1
    assert await verify_command(kernel, str, f"11:{'00' * 32}") == 1


@pytest.mark.parametrize("text", ["10", "x:00", f"10:{'0' * 63}", f"-1:{'00' * 32}", "10:00"])
async def test_an_anchor_of_another_form_is_refused(kernel, text):
    with pytest.raises(InvalidInput, match="is no anchor"):
        await verify_command(kernel, str, text)


async def test_the_chain_needs_nothing_of_the_ring_but_its_signing_key(kernel, ids):
    await kernel.vault.rotate_master()

    assert (await kernel.audit.verify(Anchor(0, bytes(32)))).intact
    assert locate(kernel.settings).read().keys[-1].version == 4
