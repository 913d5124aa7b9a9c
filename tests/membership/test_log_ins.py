"""Log-ins of the staff, logging people out, notes about members, and proving once more who one is."""

from __future__ import annotations

from typing import Any

from kameng.auth import Principal, PrincipalKind, hash_password
from kameng.ids import global_id

from .conftest import PASSWORD, Club, clerk, codes

LOG_INS = """
query LogIns($staffId: ID, $open: Boolean) {
  staffLogIns(staffId: $staffId, open: $open) { nodes { id device address open staffMember { email } } }
}
"""
END_STAFF = """
mutation End($input: EndStaffSessionsInput!) {
  endStaffSessions(input: $input) { ended staffMember { email } errors { code message } }
}
"""
END_MEMBER = """
mutation End($input: EndMemberSessionsInput!) { endMemberSessions(input: $input) { ended errors { code path } } }
"""
NOTE = """
mutation Note($input: AddMemberNoteInput!) { addMemberNote(input: $input) { note { id text author } errors { code path } } }
"""
NOTES = "query Notes($id: ID!) { member(id: $id) { openSessions notes(first: 5) { nodes { text author } } } }"
CONFIRM = """
mutation Confirm($input: ConfirmPasswordInput!) {
  confirmPassword(input: $input) { confirmed token errors { code } }
}
"""


async def as_staff(club: Club, token: str) -> Principal:
    """Who holds a token."""
    found = await club.kernel.auth.sessions.find(token)
    assert found is not None
    return found


async def log_ins(club: Club, who: Principal, **asked: Any) -> list[dict[str, Any]]:
    """What the log shows."""
    answer = await club.ask("admin", LOG_INS, asked, principal=who)
    assert answer.errors is None, answer.errors
    found: list[dict[str, Any]] = answer.data["staffLogIns"]["nodes"]
    return found


async def test_each_log_in_of_the_staff_is_listed_and_can_be_ended_alone(club: Club) -> None:
    owner = await club.founded()
    first, second = [await club.session(PrincipalKind.STAFF, owner.id) for _ in range(2)]
    listed = await log_ins(club, await as_staff(club, first), open=True)
    newest = listed[0]

    values = {"staffId": global_id("StaffMember", owner.id), "logInId": newest["id"]}
    ended = await club.ask("admin", END_STAFF, {"input": values}, principal=owner)

    assert [row["staffMember"]["email"] for row in listed] == ["founder@example.com"] * 2
    assert ended.data["endStaffSessions"]["ended"] == 1
    assert await club.kernel.auth.sessions.find(second) is None
    assert await club.kernel.auth.sessions.find(first) is not None
    assert [row["id"] for row in await log_ins(club, owner, open=True)] == [listed[1]["id"]]
    assert [row["id"] for row in await log_ins(club, owner, open=False)] == [newest["id"]]
    assert await club.audited() == ["membership.end_staff_sessions"]


async def test_logging_oneself_out_everywhere_keeps_the_session_that_asks(club: Club) -> None:
    owner = await club.founded()
    first, second = [await club.session(PrincipalKind.STAFF, owner.id) for _ in range(2)]

    ended = await club.ask(
        "admin",
        END_STAFF,
        {"input": {"staffId": global_id("StaffMember", owner.id)}},
        principal=await as_staff(club, second),
    )

    assert ended.data["endStaffSessions"]["ended"] == 1
    assert await club.kernel.auth.sessions.find(first) is None
    assert await club.kernel.auth.sessions.find(second) is not None


async def test_who_holds_less_cannot_log_an_owner_out(club: Club) -> None:
    owner = await club.founded()
    values = {"staffId": global_id("StaffMember", owner.id)}

    answer = await club.ask("admin", END_STAFF, {"input": values}, principal=clerk("membership.manage_staff"))

    assert codes(answer.data["endStaffSessions"]) == ["FORBIDDEN"]


async def test_the_log_is_for_who_manages_staff(club: Club) -> None:
    answer = await club.ask("admin", LOG_INS, {}, principal=clerk("membership.read_members"))

    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_member_is_logged_out_everywhere_with_a_reason(club: Club) -> None:
    key = await club.member()
    member, token = global_id("Member", key), await club.session(PrincipalKind.MEMBER, key)
    manager = clerk("membership.manage_members", "membership.read_members")
    before = await club.ask("admin", NOTES, {"id": member}, principal=manager)

    silent, ended = [
        await club.ask("admin", END_MEMBER, {"input": {"memberId": member, "reason": why}}, principal=manager)
        for why in (" ", "the phone was lost")
    ]

    assert before.data["member"]["openSessions"] == 1
    assert silent.data["endMemberSessions"]["errors"] == [
        {"code": "INVALID_INPUT", "path": ["input", "reason"]}
    ]
    assert ended.data["endMemberSessions"] == {"ended": 1, "errors": []}
    assert await club.kernel.auth.sessions.find(token) is None


async def test_notes_about_a_member_are_kept_with_their_author(club: Club) -> None:
    owner, member = await club.founded(), global_id("Member", await club.member())
    for text in (" Calls in the morning. ", "Wants invoices."):
        made = await club.ask("admin", NOTE, {"input": {"memberId": member, "text": text}}, principal=owner)
        assert codes(made.data["addMemberNote"]) == []
    empty = await club.ask("admin", NOTE, {"input": {"memberId": member, "text": ""}}, principal=owner)

    shown = await club.ask("admin", NOTES, {"id": member}, principal=clerk("membership.read_members"))

    assert shown.data["member"]["notes"]["nodes"] == [
        {"text": "Wants invoices.", "author": "Founder"},
        {"text": "Calls in the morning.", "author": "Founder"},
    ]
    assert empty.data["addMemberNote"]["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "text"]}]


async def test_a_note_needs_the_permission_to_manage_members(club: Club) -> None:
    values = {"memberId": global_id("Member", await club.member()), "text": "x"}

    answer = await club.ask("admin", NOTE, {"input": values}, principal=clerk("membership.read_members"))

    assert codes(answer.data["addMemberNote"]) == ["FORBIDDEN"]


async def test_ones_own_password_once_more_is_a_fresh_proof(club: Club) -> None:
    owner = await club.founded()
    await club.kernel.db.execute(
        "update membership_staff set password_hash = $1", await hash_password(PASSWORD)
    )
    token = await club.session(PrincipalKind.STAFF, owner.id)
    who = await as_staff(club, token)

    wrong = await club.ask("admin", CONFIRM, {"input": {"password": "not it at all"}}, principal=who)
    right = await club.ask(
        "admin", CONFIRM, {"input": {"password": PASSWORD, "transport": "TOKEN"}}, principal=who
    )

    assert (who.step_up_at, codes(wrong.data["confirmPassword"])) == (None, ["WRONG_CREDENTIALS"])
    assert right.data["confirmPassword"]["confirmed"] is True
    (await as_staff(club, right.data["confirmPassword"]["token"])).require_step_up()
    assert await club.kernel.auth.sessions.find(token) is None
