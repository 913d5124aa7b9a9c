"""Where a member is logged in: the list, and logging out from afar."""

from __future__ import annotations

import pytest

from kameng.auth import VISITOR, PrincipalKind
from kameng.ids import global_id, new_id
from kameng_membership.devices import device_of

from .conftest import Club, codes

SESSIONS = "{ sessions { id device address current } }"
END = "mutation End($id: ID!) { endSession(sessionId: $id) { sessions { current } errors { code path } } }"
END_OTHERS = "mutation { endOtherSessions { ended sessions { current } errors { code } } }"


async def test_each_place_is_listed_and_can_be_logged_out(club: Club) -> None:
    # Given a member who is logged in at two places
    member = await club.member("li@example.com")
    here, there = (
        await club.session(PrincipalKind.MEMBER, member),
        await club.session(PrincipalKind.MEMBER, member),
    )
    listed = (await club.ask("shop", SESSIONS, token=here)).data["sessions"]
    assert [item["current"] for item in listed] == [False, True]
    # When he logs the other one out
    answer = await club.ask("shop", END, {"id": listed[0]["id"]}, token=here)
    # Then it has ended, his own has not, and the log knows
    assert answer.data["endSession"] == {"sessions": [{"current": True}], "errors": []}
    assert await club.viewer(there) is None
    assert await club.viewer(here) == "li@example.com"
    assert await club.audited() == ["membership.end_session"]


async def test_all_others_end_at_once(club: Club) -> None:
    member = await club.member()
    here, *others = [await club.session(PrincipalKind.MEMBER, member) for _ in range(3)]
    answer = await club.ask("shop", END_OTHERS, token=here)
    assert answer.data["endOtherSessions"] == {"ended": 2, "sessions": [{"current": True}], "errors": []}
    assert [await club.viewer(token) for token in others] == [None, None]


async def test_nobody_ends_anothers_session_nor_his_own_by_mistake(club: Club) -> None:
    # Given two members
    token = await club.session(PrincipalKind.MEMBER, await club.member())
    other = await club.session(PrincipalKind.MEMBER, await club.member())
    (mine,), (theirs,) = await ids(club, token), await ids(club, other)
    for target in (mine, theirs, global_id("Session", new_id())):
        answer = await club.ask("shop", END, {"id": target}, token=token)
        assert codes(answer.data["endSession"]) == ["NOT_FOUND"]
    assert await club.viewer(token) is not None
    assert await club.viewer(other) is not None
    # and a visitor has none
    visitor = await club.ask("shop", SESSIONS, principal=VISITOR)
    assert visitor.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"


async def ids(club: Club, token: str) -> list[str]:
    return [item["id"] for item in (await club.ask("shop", SESSIONS, token=token)).data["sessions"]]


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/116 MicroMessenger/8.0.50", "WeChat · Android"),
        ("curl/8.0", ""),
    ],
)
def test_a_device_is_told_in_two_words(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device
