"""A forgotten password: a mailed link that works once, and nothing to learn for whoever asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from kameng.notify import module as notify
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from tests.engine.notify.conftest import MailServer, settings, start_mail

from .conftest import CATALOG, OTHER_PASSWORD, PASSWORD, Club, codes, token_in

__all__ = ["start_mail"]  # a fixture

REQUEST = """mutation($email: String!) { requestPasswordReset(input: { email: $email }) { requested errors { code } } }"""
RESET = """
mutation($token: String!, $password: String!) {
  resetPassword(input: { token: $token, newPassword: $password }) { reset errors { code } }
}
"""


async def mailing(make_kernel: Kernels, mail: MailServer, **more: Any) -> Club:
    """A shop that sends mail."""
    kernel = await make_kernel(
        [CATALOG, notify, membership],
        auth={"session_cache_seconds": 0},
        notify=settings(mail),
        kameng={"public_url": "https://shop.example"},
        membership=more,
    )
    return Club(kernel)


async def request(club: Club, email: str, **more: Any) -> dict[str, Any]:
    """Ask for a link; the payload."""
    answer = await club.ask("shop", REQUEST, {"email": email}, **more)
    assert answer.errors is None, answer.errors
    payload: dict[str, Any] = answer.data["requestPasswordReset"]
    return payload


async def reset(club: Club, token: str, password: str = OTHER_PASSWORD, **more: Any) -> dict[str, Any]:
    """Use a link; the payload."""
    answer = await club.ask("shop", RESET, {"token": token, "password": password}, **more)
    assert answer.errors is None, answer.errors
    payload: dict[str, Any] = answer.data["resetPassword"]
    return payload


def links(mail: MailServer) -> list[str]:
    """The links that were mailed, in order."""
    return [re.findall(r"https://\S+", read.get_content())[0] for read in mail.mails()]


async def test_a_forgotten_password_is_replaced(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # given a member with a session
    mail = start_mail()
    club = await mailing(make_kernel, mail)
    session = (await club.register("ann@example.com")).data["register"]["token"]
    # when she asks for a link
    assert await request(club, " Ann@Example.com ") == {"requested": True, "errors": []}
    await drain(club.kernel)
    [link] = links(mail)
    assert link.startswith("https://shop.example/reset-password?token=")
    # then the old password holds until it is used
    assert (await club.log_in("ann@example.com"))["errors"] == []
    # a password that would be guessed does not use it up
    assert codes(await reset(club, token_in(link), "password123")) == ["WEAK_PASSWORD"]
    assert await reset(club, token_in(link)) == {"reset": True, "errors": []}
    # and then the new one does, and all sessions have ended
    assert codes(await club.log_in("ann@example.com")) == ["WRONG_CREDENTIALS"]
    assert (await club.log_in("ann@example.com", OTHER_PASSWORD))["errors"] == []
    assert await club.viewer(session) is None
    assert await club.audited() == ["membership.reset_password"]
    # and the link works once
    assert codes(await reset(club, token_in(link), PASSWORD)) == ["ONE_TIME_TOKEN_INVALID"]


async def test_the_newest_link_is_the_one_that_works(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    mail = start_mail()
    club = await mailing(make_kernel, mail)
    await club.member("ann@example.com")
    for _ in range(2):
        await request(club, "ann@example.com")
        await drain(club.kernel)
    first, second = links(mail)
    assert codes(await reset(club, token_in(first))) == ["ONE_TIME_TOKEN_INVALID"]
    # a task that runs again neither mails again nor replaces the link that is on its way
    await club.kernel.db.execute(
        "update kernel_task set state = 'queued', next_at = now() where name = 'membership.mail_password_reset'"
    )
    await drain(club.kernel)
    assert len(mail.took()) == 2
    # and one that is too old does not
    await club.kernel.db.execute("update kernel_one_time_token set expires_at = now()")
    assert codes(await reset(club, token_in(second))) == ["ONE_TIME_TOKEN_INVALID"]


async def test_whoever_asks_learns_nothing(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    # given a member, one who is blocked, and nobody
    mail = start_mail()
    club = await mailing(make_kernel, mail)
    await club.member("ann@example.com")
    await club.member("bob@example.com")
    await club.kernel.db.execute("update membership_member set state = 'blocked' where email like 'bob%'")
    # then each request is answered alike, and limited alike
    answers = {
        who: [codes(await request(club, f"{who}@example.com")) for _ in range(4)]
        for who in ("ann", "bob", "nobody")
    }
    assert answers["ann"] == answers["bob"] == answers["nobody"] == [[], [], [], ["RATE_LIMITED"]]
    # and writes as much, but no address in the clear
    rows = await club.kernel.db.fetch("select arguments::text from kernel_task where name like 'membership%'")
    assert len(rows) == 9
    assert not any("example.com" in row["arguments"] for row in rows)
    # but only the member has mail
    await drain(club.kernel)
    assert {read["To"] for read in mail.mails()} == {"ann@example.com"}


async def test_tries_are_limited_by_network_address(
    make_kernel: Kernels, start_mail: Callable[..., MailServer]
) -> None:
    club = await mailing(
        make_kernel, start_mail(), resets_per_address="2/hour", resets_tried_per_address="3/hour"
    )
    for number in range(2):
        assert codes(await request(club, f"a{number}@example.com", address="192.0.2.1")) == []
    assert codes(await request(club, "a3@example.com", address="192.0.2.1")) == ["RATE_LIMITED"]
    assert codes(await request(club, "a3@example.com", address="192.0.2.2")) == []
    for _ in range(3):
        assert codes(await reset(club, "x", address="192.0.2.9")) == ["ONE_TIME_TOKEN_INVALID"]
    assert codes(await reset(club, "x", address="192.0.2.9")) == ["RATE_LIMITED"]


async def test_without_mail_there_is_no_link(make_kernel: Kernels, club: Club) -> None:
    # given shops without notifications, and without a mail server
    assert codes(await request(club, "ann@example.com")) == ["MAIL_NOT_SET_UP"]
    bare = Club(await make_kernel([CATALOG, notify, membership]))
    assert codes(await request(bare, "ann@example.com")) == ["MAIL_NOT_SET_UP"]


@pytest.mark.parametrize("address", ["", "ann", "a@b"])
async def test_what_is_no_address_is_refused(
    make_kernel: Kernels, start_mail: Callable[..., MailServer], address: str
) -> None:
    club = await mailing(make_kernel, start_mail())
    assert codes(await request(club, address)) == ["INVALID_INPUT"]
