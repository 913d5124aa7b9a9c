"""What a member may ask about his data: a copy of it, and its erasure."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kameng.auth import Principal, PrincipalKind, hash_password
from kameng.errors import NotFound
from kameng.kernel import Kernel
from kameng.module import Module
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_membership.contract import PersonalData
from kameng_membership.privacy.exporting import end_exports, exports_of, fetch_export
from kameng_membership.recipients.keeping import Particulars, save_recipient, saved_recipients

from .conftest import CATALOG, PASSWORD, Club, clerk, codes

EXPORT = "mutation { requestDataExport { dataExport { state path } errors { code } } }"
REQUEST = """
mutation Request($password: String!) {
  requestErasure(password: $password) { erasureRequest { state } errors { code } }
}
"""
WITHDRAW = "mutation { withdrawErasure { erasureRequest { state } errors { code } } }"
OPEN = "{ erasureRequests { nodes { id member { email } } } }"
ERASE = "mutation Erase($id: ID!) { eraseMember(requestId: $id) { erasureRequest { state } errors { code message } } }"
REFUSE = """
mutation Refuse($input: RefuseErasureInput!) {
  refuseErasure(input: $input) { erasureRequest { state answer } errors { code path } }
}
"""
OFFICER = clerk("membership.erase_members", "membership.read_members")


class Notes:
    """A module that keeps a note of each member, and may be owed something."""

    def __init__(self) -> None:
        self.notes: dict[UUID, str] = {}
        self.owed = ""

    async def collect(self, _kernel: Kernel, member: UUID) -> list[dict[str, Any]]:
        return [{"note": self.notes[member]}] if member in self.notes else []

    async def erase(self, _kernel: Kernel, member: UUID) -> None:
        self.notes.pop(member, None)

    async def unsettled(self, _kernel: Kernel, _member: UUID) -> str | None:
        return self.owed or None


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def club(make_kernel: Kernels, notes: Notes) -> Club:
    part = PersonalData(name="notes", collect=notes.collect, erase=notes.erase, unsettled=notes.unsettled)
    module = Module(name="notes", version="0.1.0", contributes={PersonalData: (part,)})
    return Club(await make_kernel([CATALOG, membership, module], auth={"session_cache_seconds": 0}))


async def somebody(club: Club, notes: Notes) -> tuple[Principal, str]:
    key = await club.member("li@example.com", await hash_password(PASSWORD))
    notes.notes[key] = "likes plums"
    await save_recipient(club.kernel, key, "PHONE", Particulars(name="Mum", phone="13800138000"))
    return Principal(kind=PrincipalKind.MEMBER, id=key), await club.session(PrincipalKind.MEMBER, key)


async def test_a_copy_holds_what_every_module_keeps_and_is_gone_after_its_time(
    club: Club, notes: Notes
) -> None:
    # Given a member with something in each room, when he asks for a copy,
    me, _ = await somebody(club, notes)
    assert me.id
    asked = (await club.ask("shop", EXPORT, principal=me)).data["requestDataExport"]
    assert asked == {"dataExport": {"state": "WAITING", "path": None}, "errors": []}
    again = (await club.ask("shop", EXPORT, principal=me)).data["requestDataExport"]
    assert codes(again) == ["CONFLICT"]
    await drain(club.kernel)
    # then it is ready, and kept sealed,
    (listed,) = (await club.ask("shop", "{ dataExports { state path size } }", principal=me)).data[
        "dataExports"
    ]
    (export,) = await exports_of(club.kernel, me.id)
    assert listed == {"state": "READY", "path": f"/data-exports/{export.id}", "size": export.size}
    sealed = await club.kernel.db.fetchval("select sealed from membership_data_export")
    assert not sealed.startswith(b"PK")
    # and holds all of it,
    with zipfile.ZipFile(io.BytesIO(await fetch_export(club.kernel, me.id, export.id))) as archive:
        found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert sorted(found) == ["notes.json", "profile.json", "recipients.json", "sessions.json"]
    assert found["profile.json"][0]["email"] == "li@example.com"
    assert found["recipients.json"][0]["phone"] == "13800138000"
    assert found["notes.json"] == [{"note": "likes plums"}]
    assert "password" not in json.dumps(found)
    # for nobody else,
    with pytest.raises(NotFound):
        await fetch_export(club.kernel, await club.member(), export.id)
    # and for a week.
    await club.kernel.db.execute(
        "update membership_data_export set expires_at = now() - $1::interval", timedelta(seconds=1)
    )
    with pytest.raises(NotFound):
        await fetch_export(club.kernel, me.id, export.id)
    await end_exports(club.kernel)
    row = await club.kernel.db.fetchrow("select state, sealed from membership_data_export")
    assert row is not None
    assert (row["state"], row["sealed"]) == ("OVER", None)
    assert not await club.kernel.db.fetchval(
        "select count(*) from kernel_data_key where scope like 'membership.data_export%'"
    )


async def test_erasure_is_asked_for_by_password_and_can_be_taken_back(club: Club, notes: Notes) -> None:
    me, _ = await somebody(club, notes)
    wrong = (await club.ask("shop", REQUEST, {"password": "nonsense here"}, principal=me)).data[
        "requestErasure"
    ]
    assert codes(wrong) == ["WRONG_CREDENTIALS"]
    for _ in range(2):
        asked = (await club.ask("shop", REQUEST, {"password": PASSWORD}, principal=me)).data["requestErasure"]
        assert asked == {"erasureRequest": {"state": "OPEN"}, "errors": []}
    assert await club.kernel.db.fetchval("select count(*) from membership_erasure_request") == 1
    back = (await club.ask("shop", WITHDRAW, principal=me)).data["withdrawErasure"]
    assert back == {"erasureRequest": {"state": "WITHDRAWN"}, "errors": []}
    assert codes((await club.ask("shop", WITHDRAW, principal=me)).data["withdrawErasure"]) == ["NOT_FOUND"]
    assert (await club.ask("admin", OPEN, principal=OFFICER)).data["erasureRequests"]["nodes"] == []


async def test_erasing_leaves_nothing_that_tells_who_it_was(club: Club, notes: Notes) -> None:
    # Given a member with an open request, who is still owed something
    me, token = await somebody(club, notes)
    assert me.id
    await club.ask("shop", EXPORT, principal=me)
    await drain(club.kernel)
    await club.ask("shop", REQUEST, {"password": PASSWORD}, principal=me)
    (request,) = (await club.ask("admin", OPEN, principal=OFFICER)).data["erasureRequests"]["nodes"]
    assert request["member"] == {"email": "li@example.com"}
    notes.owed = "The wallet holds 9.50 CNY."
    held = (await club.ask("admin", ERASE, {"id": request["id"]}, principal=OFFICER)).data["eraseMember"]
    assert held["errors"] == [{"code": "MEMBER_NOT_SETTLED", "message": "The wallet holds 9.50 CNY."}]
    assert await club.viewer(token) == "li@example.com"
    # When that is settled and it is done
    notes.owed = ""
    done = (await club.ask("admin", ERASE, {"id": request["id"]}, principal=OFFICER)).data["eraseMember"]
    assert done == {"erasureRequest": {"state": "DONE"}, "errors": []}
    # Then the row is there and says nothing, the sessions have ended, and what was sealed has no key
    row = await club.kernel.db.fetchrow("select * from membership_member where id = $1", me.id)
    assert row is not None
    assert (row["email"], row["display_name"], row["state"]) == (
        f"erased-{me.id}@erased.invalid",
        "",
        "erased",
    )
    assert await club.viewer(token) is None
    assert notes.notes == {}
    assert await saved_recipients(club.kernel, me.id) == []
    keys = await club.kernel.db.fetchval(
        "select count(*) from kernel_data_key where scope like 'membership.%'"
    )
    assert keys == 0
    assert (await club.log_in("li@example.com"))["errors"][0]["code"] == "WRONG_CREDENTIALS"
    # it is done once, and nobody lets the account in again
    again = (await club.ask("admin", ERASE, {"id": request["id"]}, principal=OFFICER)).data["eraseMember"]
    assert codes(again) == ["ERASURE_DECIDED"]
    assert "membership.erase_member" in await club.audited()


async def test_a_refusal_tells_the_member_why(club: Club, notes: Notes) -> None:
    me, _ = await somebody(club, notes)
    await club.ask("shop", REQUEST, {"password": PASSWORD}, principal=me)
    (request,) = (await club.ask("admin", OPEN, principal=OFFICER)).data["erasureRequests"]["nodes"]
    empty = {"requestId": request["id"], "answer": "  "}
    refused = (await club.ask("admin", REFUSE, {"input": empty}, principal=OFFICER)).data["refuseErasure"]
    assert refused["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "answer"]}]
    values = {**empty, "answer": "A dispute is open."}
    forbidden = (await club.ask("admin", REFUSE, {"input": values}, principal=clerk("catalog.edit"))).data
    assert codes(forbidden["refuseErasure"]) == ["FORBIDDEN"]
    await club.ask("admin", REFUSE, {"input": values}, principal=OFFICER)
    seen = (await club.ask("shop", "{ erasureRequest { state answer } }", principal=me)).data
    assert seen == {"erasureRequest": {"state": "REFUSED", "answer": "A dispute is open."}}
