"""What staff does to members: finding them, levels, blocking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng_catalog.contract import PriceTiers
from kameng_membership.contract import Members
from kameng_membership.levels import seed_levels

from .conftest import PASSWORD, Club, MakeClub, clerk, codes

SET_LEVEL = """
mutation Set($input: SetMemberLevelInput!) {
  setMemberLevel(input: $input) { member { level { code title } } errors { code path } }
}
"""
BLOCK = """
mutation Block($input: BlockMemberInput!) { blockMember(input: $input) { member { state } errors { code path } } }
"""
UNBLOCK = """
mutation Unblock($input: UnblockMemberInput!) { unblockMember(input: $input) { member { state } errors { code } } }
"""
MEMBERS = """
query Members($search: String, $first: Int, $after: String, $last: Int, $before: String) {
  members(search: $search, first: $first, after: $after, last: $last, before: $before) {
    nodes { email } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
MANAGER = clerk("membership.read_members", "membership.manage_members")


def buyer(key: Any) -> Principal:
    return Principal(kind=PrincipalKind.MEMBER, id=key)


async def test_a_level_is_the_price_tier_at_once(club: Club) -> None:
    # Given a member who has looked at prices
    assert await seed_levels(club.kernel, Path()) == "membership: 2 levels (silver, gold)"
    member, tiers = await club.member(), club.kernel.services.get(PriceTiers)
    assert await tiers.tier_of(buyer(member)) == "retail"
    # When staff puts it on another level
    values = {"memberId": global_id("Member", member), "level": "gold"}
    answer = await club.ask("admin", SET_LEVEL, {"input": values}, principal=MANAGER, locale="zh-CN")
    assert answer.data["setMemberLevel"] == {
        "member": {"level": {"code": "gold", "title": "金牌代理"}},
        "errors": [],
    }
    # Then it sees and pays the prices of that level
    assert await tiers.tier_of(buyer(member)) == "gold"
    [snapshot] = await club.kernel.services.get(Members).snapshots([member])
    assert snapshot is not None
    assert snapshot.tier == "gold"
    page = await club.kernel.audit.page(subject=f"member:{member}")
    assert [(entry.action, entry.details) for entry in page.entries] == [
        ("membership.set_member_level", {"before": "retail", "level": "gold"})
    ]


async def test_seeding_twice_adds_nothing(club: Club) -> None:
    await seed_levels(club.kernel, Path())
    assert await seed_levels(club.kernel, Path()) == ""
    rows = await club.kernel.db.fetch("select code from membership_level order by position")
    assert [row["code"] for row in rows] == ["retail", "silver", "gold"]
    assert await club.kernel.db.fetchval("select count(*) from membership_member") == 0
    assert await club.kernel.db.fetchval("select count(*) from membership_staff") == 0


async def test_the_tier_of_a_member_is_remembered_for_a_while_and_others_are_retail(club: Club) -> None:
    member, tiers = await club.member(), club.kernel.services.get(PriceTiers)
    with counted_statements() as statements:
        for _ in range(3):
            assert await tiers.tier_of(buyer(member)) == "retail"
    assert len(statements) == 1
    with counted_statements() as statements:
        assert await tiers.tier_of(VISITOR) == "retail"
        assert await tiers.tier_of(clerk("*")) == "retail"
    assert statements == []
    assert await tiers.tier_of(buyer(new_id())) == "retail"


async def test_remembering_tiers_can_be_switched_off(make_club: MakeClub) -> None:
    club = await make_club(membership={"tier_cache_seconds": 0})
    member, tiers = await club.member(), club.kernel.services.get(PriceTiers)
    with counted_statements() as statements:
        for _ in range(2):
            await tiers.tier_of(buyer(member))
    assert len(statements) == 2


@pytest.mark.parametrize(
    ("member", "level", "path"),
    [("known", "platinum", ["input", "level"]), ("unknown", "retail", ["input", "memberId"])],
)
async def test_there_is_no_such_member_or_level(club: Club, member: str, level: str, path: list[str]) -> None:
    key = await club.member() if member == "known" else new_id()
    values = {"memberId": global_id("Member", key), "level": level}
    answer = await club.ask("admin", SET_LEVEL, {"input": values}, principal=MANAGER)
    assert answer.data["setMemberLevel"]["errors"] == [{"code": "NOT_FOUND", "path": path}]


async def test_a_blocked_member_is_out_at_once_and_stays_out(club: Club) -> None:
    # Given a member with a session
    token = (await club.register("a@example.com")).data["register"]["token"]
    member = await club.kernel.db.fetchval("select id from membership_member")
    # When staff blocks it
    values = {"memberId": global_id("Member", member), "reason": "Chargebacks"}
    answer = await club.ask("admin", BLOCK, {"input": values}, principal=MANAGER)
    assert answer.data["blockMember"] == {"member": {"state": "BLOCKED"}, "errors": []}
    # Then its session is over, it cannot log in, and no other module sells to it
    assert await club.viewer(token) is None
    assert codes(await club.log_in("a@example.com")) == ["ACCOUNT_BLOCKED"]
    assert codes(await club.log_in("a@example.com", "wrong password")) == ["WRONG_CREDENTIALS"]
    [snapshot] = await club.kernel.services.get(Members).snapshots([member])
    assert snapshot is not None
    assert not snapshot.active
    # When it is let in again, then it logs in anew
    answer = await club.ask("admin", UNBLOCK, {"input": {"memberId": values["memberId"]}}, principal=MANAGER)
    assert answer.data["unblockMember"] == {"member": {"state": "ACTIVE"}, "errors": []}
    assert await club.viewer(token) is None
    assert codes(await club.log_in("a@example.com", PASSWORD)) == []
    assert await club.audited() == ["membership.block_member", "membership.unblock_member"]


async def test_even_a_session_opened_after_the_block_is_worth_nothing(club: Club) -> None:
    # Given a log-in that was proved before the block and opens its session after it
    member = await club.member()
    values = {"memberId": global_id("Member", member), "reason": "Chargebacks"}
    await club.ask("admin", BLOCK, {"input": values}, principal=MANAGER)
    token = await club.session(PrincipalKind.MEMBER, member)
    assert await club.viewer(token) is None


async def test_blocking_twice_is_recorded_and_told_once(club: Club) -> None:
    member = await club.member()
    values = {"memberId": global_id("Member", member), "reason": "Chargebacks"}
    for _ in range(2):
        answer = await club.ask("admin", BLOCK, {"input": values}, principal=MANAGER)
        assert codes(answer.data["blockMember"]) == []
    assert await club.audited() == ["membership.block_member"]
    topics = await club.kernel.db.fetch("select topic from kernel_outbox")
    assert [row["topic"] for row in topics] == ["membership.member_blocked"]


async def test_blocking_needs_a_reason(club: Club) -> None:
    values = {"memberId": global_id("Member", await club.member()), "reason": " "}
    answer = await club.ask("admin", BLOCK, {"input": values}, principal=MANAGER)
    assert answer.data["blockMember"]["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "reason"]}]


async def test_only_who_may_changes_members(club: Club) -> None:
    member = global_id("Member", await club.member())
    reader = clerk("membership.read_members")
    for document, values in (
        (SET_LEVEL, {"memberId": member, "level": "retail"}),
        (BLOCK, {"memberId": member, "reason": "x"}),
        (UNBLOCK, {"memberId": member}),
    ):
        data = (await club.ask("admin", document, {"input": values}, principal=reader)).data
        [payload] = data.values()
        assert codes(payload) == ["FORBIDDEN"]
    answer = await club.ask("admin", MEMBERS, principal=clerk())
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_members_are_listed_the_newest_first_and_found_by_the_beginning_of_their_address(
    club: Club,
) -> None:
    for email in (
        "bo@example.com",
        "anna@example.com",
        "an_na@example.com",
        "andy@example.com",
        "zoe@example.com",
    ):
        await club.member(email)

    async def page(**variables: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await club.ask("admin", MEMBERS, variables, principal=MANAGER)).data["members"]
        return [node["email"].partition("@")[0] for node in found["nodes"]], found["pageInfo"]

    names, info = await page(first=3)
    assert (names, info["hasNextPage"]) == (["zoe", "andy", "an_na"], True)
    assert (await page(first=3, after=info["endCursor"]))[0] == ["anna", "bo"]
    names, info = await page(search=" AN", first=2)
    assert (names, info["hasNextPage"]) == (["an_na", "andy"], True)
    names, info = await page(search="an", first=2, after=info["endCursor"])
    assert (names, info["hasNextPage"]) == (["anna"], False)
    assert (await page(search="an", last=1, before=info["startCursor"]))[0] == ["andy"]
    # What has a meaning to LIKE is taken as it is
    assert (await page(search="an_"))[0] == ["an_na"]
    assert (await page(search="%"))[0] == []
    assert (await page(search="\\"))[0] == []
    # A cursor of one order is none of the other
    wrong = await club.ask(
        "admin", MEMBERS, {"search": "an", "after": info["startCursor"], "first": 1}, principal=MANAGER
    )
    assert wrong.errors is None
    newest = (await page(first=1))[1]["endCursor"]
    wrong = await club.ask("admin", MEMBERS, {"search": "an", "after": newest}, principal=MANAGER)
    assert wrong.errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_a_page_of_members_costs_the_same_number_of_statements_whatever_its_size(club: Club) -> None:
    for _ in range(6):
        await club.member()
    counts = []
    for first in (1, 6):
        with counted_statements() as statements:
            document = f"{{ members(first: {first}) {{ nodes {{ email level {{ code }} }} }} }}"
            answer = await club.ask("admin", document, principal=MANAGER)
        assert len(answer.data["members"]["nodes"]) == first
        counts.append(len(statements))
    assert counts == [2, 2]


async def test_the_search_by_address_uses_an_index(club: Club) -> None:
    plan = await club.kernel.db.fetch(
        "explain select m.* from membership_member m where m.email like 'an%' order by m.email limit 3"
    )
    assert any("Index" in row[0] for row in plan)


async def test_a_member_is_read_by_id_by_who_may(club: Club) -> None:
    member = await club.member("a@example.com")
    document = "query ($id: ID!) { member(id: $id) { email state } node(id: $id) { id } }"
    values = {"id": global_id("Member", member)}
    data = (await club.ask("admin", document, values, principal=MANAGER)).data
    assert data["member"] == {"email": "a@example.com", "state": "ACTIVE"}
    unknown = await club.ask("admin", document, {"id": global_id("Member", new_id())}, principal=MANAGER)
    assert unknown.data == {"member": None, "node": None}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await club.ask("admin", node, values, principal=clerk())).data == {"node": None}
    assert (await club.ask("shop", node, values)).data == {"node": None}
    assert (await club.ask("shop", node, values, principal=buyer(member))).data == {"node": values}
