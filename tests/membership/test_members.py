"""Becoming a member, coming in, going out."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg
import pytest

from kameng.auth import PrincipalKind, verify_password
from kameng.ids import new_id
from kameng_membership import credentials
from kameng_membership.contract import Members

from .conftest import LOG_IN, OTHER_PASSWORD, PASSWORD, REGISTER, Club, MakeClub, clerk, codes

CHANGE = """
mutation Change($input: ChangePasswordInput!) {
  changePassword(input: $input) { member { email } errors { code path } }
}
"""


async def test_a_visitor_becomes_a_member_and_is_logged_in(club: Club) -> None:
    # When somebody registers, with an address typed as people do
    answer = await club.register(" Li.Wei@Example.COM ", displayName=" 李  伟 ")
    payload = answer.data["register"]
    # Then there is a member at the level retail,
    assert payload["errors"] == []
    assert payload["member"]["email"] == "li.wei@example.com"
    assert payload["member"]["displayName"] == "李 伟"
    assert payload["member"]["level"] == {"code": "retail", "title": "Retail"}
    # whose token is a session,
    assert await club.viewer(payload["token"]) == "li.wei@example.com"
    # whose password is kept as a hash,
    row = await club.kernel.db.fetchrow("select * from membership_member")
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$")
    assert await verify_password(row["password_hash"], PASSWORD)
    # and the fact is published.
    topics = await club.kernel.db.fetch("select topic from kernel_outbox")
    assert [topic["topic"] for topic in topics] == ["membership.member_registered"]


async def test_a_browser_gets_a_cookie_and_no_token(club: Club) -> None:
    answer = await club.register("a@example.com", transport="COOKIE")
    assert answer.data["register"]["token"] is None
    [cookie] = answer.cookies
    value = cookie.partition(";")[0].removeprefix("__Host-kameng=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
    assert await club.viewer(value) == "a@example.com"


async def test_an_address_is_taken_once_in_whatever_form(club: Club) -> None:
    await club.register("a@example.com")
    for email in ("a@example.com", "A@EXAMPLE.com", " a@example.com", "ａ@example.com"):
        answer = await club.register(email, OTHER_PASSWORD)
        assert codes(answer.data["register"]) == ["EMAIL_TAKEN"]
    assert await club.kernel.db.fetchval("select count(*) from membership_member") == 1


async def test_of_many_who_register_one_address_at_once_one_gets_it(club: Club) -> None:
    answers = await asyncio.gather(*(club.register("a@example.com") for _ in range(5)))
    outcomes = Counter(tuple(codes(answer.data["register"])) for answer in answers)
    assert outcomes == {(): 1, ("EMAIL_TAKEN",): 4}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "short"}, "WEAK_PASSWORD"),
        ({"password": "password123"}, "WEAK_PASSWORD"),
        ({"password": "li.wei@example.com"}, "WEAK_PASSWORD"),
        ({"email": "nobody"}, "INVALID_INPUT"),
        ({"email": "a@localhost"}, "INVALID_INPUT"),
        ({"email": "a b@example.com"}, "INVALID_INPUT"),
        ({"email": "a@exa mple.com"}, "INVALID_INPUT"),
        ({"email": "é@example.com"}, "INVALID_INPUT"),
        ({"email": "a@" + "b" * 250 + ".com"}, "INVALID_INPUT"),
        ({"displayName": "x" * 101}, "INVALID_INPUT"),
    ],
)
async def test_what_cannot_be_kept_is_refused(club: Club, change: dict[str, str], code: str) -> None:
    values = {"email": "li.wei@example.com", "password": PASSWORD, **change}
    answer = await club.ask("shop", REGISTER, {"input": values})
    assert codes(answer.data["register"]) == [code]
    assert answer.cookies == []
    assert await club.kernel.db.fetchval("select count(*) from membership_member") == 0


@pytest.mark.parametrize("change", [{"email": "a\0@example.com"}, {"displayName": "a\0b"}])
async def test_what_is_no_text_is_refused_with_its_request(club: Club, change: dict[str, str]) -> None:
    values = {"email": "li.wei@example.com", "password": PASSWORD, **change}
    answer = await club.ask("shop", REGISTER, {"input": values})
    assert await club.kernel.db.fetchval("select count(*) from membership_member") == 0
    assert answer.errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_a_shop_can_close_its_doors(make_club: MakeClub) -> None:
    club = await make_club(membership={"registration": False})
    answer = await club.register("a@example.com")
    assert codes(answer.data["register"]) == ["FORBIDDEN"]


async def test_registrations_from_one_place_are_limited(make_club: MakeClub) -> None:
    club = await make_club(membership={"registrations_per_address": "2/hour"})
    answers = []
    for number in range(3):
        values = {"email": f"{number}@example.com", "password": PASSWORD}
        answers.append(await club.ask("shop", REGISTER, {"input": values}, address="203.0.113.9"))
    assert [codes(answer.data["register"]) for answer in answers] == [[], [], ["RATE_LIMITED"]]


async def test_a_member_logs_in_and_out(club: Club) -> None:
    await club.register("a@example.com")
    # When a member logs in
    token = (await club.log_in("A@example.com "))["token"]
    assert await club.viewer(token) == "a@example.com"
    # and out again
    answer = await club.ask("shop", "mutation { logOut { loggedOut } }", token=token)
    # Then the token is worth nothing, and the browser forgets its cookie
    assert answer.data["logOut"] == {"loggedOut": True}
    assert answer.cookies == [
        "__Host-kameng=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
    ]
    assert await club.viewer(token) is None
    assert (await club.ask("shop", "mutation { logOut { loggedOut } }")).data["logOut"] == {
        "loggedOut": False
    }


async def test_the_session_changes_with_each_log_in(club: Club) -> None:
    # Given a session that somebody may have planted
    first = (await club.register("a@example.com")).data["register"]["token"]
    # When its holder logs in
    second = (await club.log_in("a@example.com", token=first))["token"]
    # Then the old one is over
    assert second != first
    assert await club.viewer(first) is None
    assert await club.viewer(second) == "a@example.com"


async def test_the_rest_of_a_document_runs_as_whoever_logged_in(club: Club) -> None:
    await club.register("a@example.com")
    values = {"email": "a@example.com", "password": PASSWORD}
    answer = await club.ask("shop", LOG_IN, {"input": values})
    assert answer.principal.kind is PrincipalKind.MEMBER
    assert answer.principal.session is not None


async def test_a_failed_log_in_does_not_tell_who_is_a_member(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a member, and an eye on the work that a log-in costs
    await club.register("a@example.com")
    work: list[str] = []
    for name in ("verify_password", "verify_nobody"):
        monkeypatch.setattr(credentials, name, _watched(getattr(credentials, name), name, work))
    # When a wrong password, an unknown address and no address are tried
    answers = [
        await club.log_in("a@example.com", "wrong password"),
        await club.log_in("b@example.com", "wrong password"),
        await club.log_in("no address", "wrong password"),
    ]
    # Then all are answered alike, after one hash each
    assert answers[0]["token"] is None
    assert codes(answers[0]) == ["WRONG_CREDENTIALS"]
    assert answers[0] == answers[1] == answers[2]
    assert work == ["verify_password", "verify_nobody", "verify_nobody"]


def _watched(call: object, name: str, work: list[str]) -> object:
    async def watched(*arguments: str) -> bool:
        work.append(name)
        return bool(await call(*arguments))  # type: ignore[operator]  # a coroutine function

    return watched


async def test_guessing_at_an_account_is_limited_from_wherever(make_club: MakeClub) -> None:
    club = await make_club(membership={"logins_per_account": "3/hour"})
    await club.register("a@example.com")
    # Given three wrong tries from different places
    for number in range(3):
        tried = await club.log_in("a@example.com", "wrong password", address=f"203.0.113.{number}")
        assert codes(tried) == ["WRONG_CREDENTIALS"]
    # When the fourth comes, then even the right password is not looked at
    assert codes(await club.log_in("a@example.com", address="203.0.113.9")) == ["RATE_LIMITED"]
    # and an address that is nobody's is limited alike
    for _ in range(3):
        await club.log_in("b@example.com", "wrong password")
    assert codes(await club.log_in("b@example.com", "wrong password")) == ["RATE_LIMITED"]


async def test_log_ins_that_succeed_do_not_count(make_club: MakeClub) -> None:
    club = await make_club(membership={"logins_per_account": "2/hour"})
    await club.register("a@example.com")
    for _ in range(4):
        assert codes(await club.log_in("a@example.com")) == []


async def test_a_new_password_ends_all_other_sessions(club: Club) -> None:
    # Given two sessions
    here = (await club.register("a@example.com")).data["register"]["token"]
    there = (await club.log_in("a@example.com"))["token"]
    # When the password is changed in one of them
    values = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
    answer = await club.ask("shop", CHANGE, {"input": values}, token=here)
    # Then that one stays, the other ends, and the old password is wrong
    assert answer.data["changePassword"] == {"member": {"email": "a@example.com"}, "errors": []}
    assert await club.viewer(here) == "a@example.com"
    assert await club.viewer(there) is None
    assert codes(await club.log_in("a@example.com")) == ["WRONG_CREDENTIALS"]
    assert codes(await club.log_in("a@example.com", OTHER_PASSWORD)) == []


async def test_a_password_is_not_changed_without_the_current_one(club: Club) -> None:
    token = (await club.register("a@example.com")).data["register"]["token"]
    for values, code in (
        ({"currentPassword": "wrong password", "newPassword": OTHER_PASSWORD}, "WRONG_CREDENTIALS"),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "WEAK_PASSWORD"),
    ):
        answer = await club.ask("shop", CHANGE, {"input": values}, token=token)
        assert codes(answer.data["changePassword"]) == [code]
    values = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
    assert codes((await club.ask("shop", CHANGE, {"input": values})).data["changePassword"]) == [
        "UNAUTHENTICATED"
    ]
    assert codes(
        (await club.ask("shop", CHANGE, {"input": values}, principal=clerk("*"))).data["changePassword"]
    ) == ["FORBIDDEN"]
    assert codes(await club.log_in("a@example.com")) == []


async def test_members_are_found_for_other_modules(club: Club) -> None:
    member = await club.member("a@example.com")
    members = club.kernel.services.get(Members)
    found = await members.find(" A@Example.com ")
    assert found is not None
    assert (found.id, found.tier, found.active) == (member, "retail", True)
    assert await members.find("b@example.com") is None
    assert await members.find("no address") is None
    snapshots = await members.snapshots([new_id(), member, member])
    assert [snapshot and snapshot.id for snapshot in snapshots] == [None, member, member]


async def test_the_database_keeps_only_normal_addresses(club: Club) -> None:
    for email in ("A@example.com", "a@@example.com", "a b@example.com", "a@EXAMPLE.com", "é@example.com"):
        with pytest.raises(asyncpg.CheckViolationError, match="membership_member_email_plain"):
            await club.member(email)
