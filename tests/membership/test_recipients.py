"""Saved recipients: a member's own, sealed, forgotten on request."""

from __future__ import annotations

from typing import Any

import pytest

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng_membership.recipients.keeping import (
    MOST,
    Particulars,
    save_recipient,
    saved_recipients,
    shred_recipients,
)

from .conftest import Club, codes

SAVE = """
mutation Save($input: SaveRecipientInput!) {
  saveRecipient(input: $input) { recipient { id kind name phone account region server } errors { code path } }
}
"""
REMOVE = (
    "mutation Remove($id: ID!) { removeRecipient(recipientId: $id) { recipients { name } errors { code } } }"
)
LIST = "{ recipients { name phone account server } }"


def member(key: Any) -> Principal:
    return Principal(kind=PrincipalKind.MEMBER, id=key)


async def test_a_recipient_is_kept_sealed_and_changed_and_forgotten(club: Club) -> None:
    # Given a phone, typed as people do
    me = member(await club.member())
    values = {"kind": "PHONE", "name": " Mum ", "phone": "138 0013-8000"}
    saved = (await club.ask("shop", SAVE, {"input": values}, principal=me)).data["saveRecipient"]
    assert saved["errors"] == []
    kept = saved["recipient"]
    assert (kept["name"], kept["phone"], kept["account"]) == ("Mum", "13800138000", "")
    # then nothing of it stands in the table,
    row = await club.kernel.db.fetchrow("select * from membership_recipient")
    assert row is not None
    assert b"13800138000" not in row["sealed"]
    assert b"Mum" not in row["sealed"]
    # sending it twice keeps it once,
    await club.ask("shop", SAVE, {"input": values}, principal=me)
    assert await club.kernel.db.fetchval("select count(*) from membership_recipient") == 1
    # it can become something else
    values = {
        "id": kept["id"], "kind": "GAME_ACCOUNT", "name": "Main", "account": "100200300", "server": "天空岛",
        "phone": "13800138000",
    }  # fmt: skip
    changed = (await club.ask("shop", SAVE, {"input": values}, principal=me)).data["saveRecipient"][
        "recipient"
    ]
    assert (changed["phone"], changed["account"], changed["server"]) == ("", "100200300", "天空岛")
    # and be forgotten.
    left = await club.ask("shop", REMOVE, {"id": kept["id"]}, principal=me)
    assert left.data["removeRecipient"] == {"recipients": [], "errors": []}


async def test_nobody_sees_or_touches_anothers(club: Club) -> None:
    mine, other = await club.member(), await club.member()
    values = {"kind": "PHONE", "name": "Mum", "phone": "13800138000"}
    saved = (await club.ask("shop", SAVE, {"input": values}, principal=member(mine))).data["saveRecipient"]
    key = saved["recipient"]["id"]
    assert (await club.ask("shop", LIST, principal=member(other))).data == {"recipients": []}
    assert (await club.ask("shop", LIST, principal=VISITOR)).data == {"recipients": []}
    changed = await club.ask("shop", SAVE, {"input": {"id": key, **values}}, principal=member(other))
    assert codes(changed.data["saveRecipient"]) == ["NOT_FOUND"]
    removed = await club.ask("shop", REMOVE, {"id": key}, principal=member(other))
    assert codes(removed.data["removeRecipient"]) == ["NOT_FOUND"]
    assert [item.particulars.name for item in await saved_recipients(club.kernel, mine)] == ["Mum"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "PHONE", "name": "", "phone": "13800138000"}, "name"),
        ({"kind": "PHONE", "name": "x" * 41, "phone": "13800138000"}, "name"),
        ({"kind": "PHONE", "name": "Mum", "phone": "12ab"}, "phone"),
        ({"kind": "GAME_ACCOUNT", "name": "Main", "phone": "13800138000"}, "account"),
        ({"kind": "GAME_ACCOUNT", "name": "Main", "account": "1", "server": "x" * 101}, "server"),
    ],
)
async def test_what_cannot_be_kept_is_told_at_its_field(
    club: Club, values: dict[str, str], field: str
) -> None:
    answer = await club.ask("shop", SAVE, {"input": values}, principal=member(await club.member()))
    assert answer.data["saveRecipient"] == {
        "recipient": None,
        "errors": [{"code": "INVALID_INPUT", "path": ["input", field]}],
    }


async def test_there_is_room_for_fifty(club: Club) -> None:
    key = await club.member()
    for index in range(MOST):
        await save_recipient(club.kernel, key, "PHONE", Particulars(name=f"n{index}", phone="13800138000"))
    values = {"kind": "PHONE", "name": "one more", "phone": "13800138000"}
    answer = await club.ask("shop", SAVE, {"input": values}, principal=member(key))
    assert codes(answer.data["saveRecipient"]) == ["TOO_MANY_RECIPIENTS"]


async def test_shredding_destroys_one_members_key_and_no_others(club: Club) -> None:
    first, second = await club.member(), await club.member()
    for key in (first, second):
        await save_recipient(club.kernel, key, "PHONE", Particulars(name="Mum", phone="13800138000"))
    async with club.kernel.db.transaction():
        await shred_recipients(club.kernel, first)
    assert await saved_recipients(club.kernel, first) == []
    assert len(await saved_recipients(club.kernel, second)) == 1
    scopes = await club.kernel.db.fetch("select scope from kernel_data_key")
    assert [row["scope"] for row in scopes if row["scope"].startswith("membership.recipients")] == [
        f"membership.recipients:{second}"
    ]
