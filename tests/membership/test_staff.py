"""The staff: inviting, roles, disabling; nobody gives away more than he holds."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, new_id

from .conftest import OTHER_PASSWORD, PASSWORD, Club, clerk, codes, staff_key, token_in

INVITE = """
mutation Invite($input: CreateStaffInput!) {
  createStaff(input: $input) { staffMember { id email state roles { name } } invitationLink errors { code path } }
}
"""
ACCEPT = """
mutation Accept($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) { staffMember { email state permissions } token errors { code } }
}
"""
SET_ROLES = """
mutation Set($input: SetStaffRolesInput!) {
  setStaffRoles(input: $input) { staffMember { roles { name } permissions } errors { code message } }
}
"""
SET_ENABLED = """
mutation Set($input: SetStaffEnabledInput!) {
  setStaffEnabled(input: $input) { staffMember { state permissions } errors { code message } }
}
"""
SAVE_ROLE = """
mutation Save($input: SaveRoleInput!) {
  saveRole(input: $input) { role { id name title permissions } errors { code path message } }
}
"""
OWNER = global_id("Role", UUID("01890000-0000-7000-8000-00000000b001"))


async def role(club: Club, name: str, *permissions: str, principal: Principal | None = None) -> str:
    """A role that exists; its id."""
    values = {"name": name, "titleZh": name, "titleEn": name.title(), "permissions": permissions}
    answer = await club.ask("admin", SAVE_ROLE, {"input": values}, principal=principal or clerk("*"))
    assert codes(answer.data["saveRole"]) == []
    return str(answer.data["saveRole"]["role"]["id"])


async def invited(club: Club, principal: Principal, *roles: str, email: str = "clerk@example.com") -> Any:
    """The payload of an invitation."""
    values = {"email": email, "name": "Clerk", "roleIds": roles}
    return (await club.ask("admin", INVITE, {"input": values}, principal=principal)).data["createStaff"]


async def joined(
    club: Club, principal: Principal, *roles: str, email: str = "clerk@example.com"
) -> tuple[UUID, str]:
    """Somebody who was invited and has accepted, without the cost of a password: the key and a session's token."""
    key = staff_key((await invited(club, principal, *roles, email=email))["staffMember"])
    await club.kernel.db.execute(
        "update membership_staff set state = 'active', password_hash = 'none' where id = $1", key
    )
    return key, await club.session(PrincipalKind.STAFF, key)


async def test_invited_staff_sets_a_password_and_is_in(club: Club) -> None:
    # Given an invitation to a role
    founder = await club.founded()
    editor = await role(club, "editor", "catalog.edit")
    payload = await invited(club, founder, editor)
    assert payload["errors"] == []
    assert payload["staffMember"]["state"] == "INVITED"
    assert payload["staffMember"]["roles"] == [{"name": "editor"}]
    assert payload["invitationLink"].startswith("http://localhost:8000/admin/invitation?token=")
    # who cannot log in before
    assert codes(await club.log_in("clerk@example.com", PASSWORD, "admin")) == ["WRONG_CREDENTIALS"]
    # When it is accepted
    values = {"token": token_in(payload["invitationLink"]), "password": PASSWORD, "transport": "TOKEN"}
    answer = (await club.ask("admin", ACCEPT, {"input": values})).data["acceptInvitation"]
    # Then the person is in, with what the role allows,
    assert answer["staffMember"] == {
        "email": "clerk@example.com",
        "state": "ACTIVE",
        "permissions": ["catalog.edit"],
    }
    assert await club.viewer(answer["token"], "admin") == "clerk@example.com"
    assert codes(await club.log_in("clerk@example.com", PASSWORD, "admin")) == []
    # and the link is used up.
    again = {"token": values["token"], "password": OTHER_PASSWORD}
    assert codes((await club.ask("admin", ACCEPT, {"input": again})).data["acceptInvitation"]) == [
        "ONE_TIME_TOKEN_INVALID"
    ]
    assert await club.audited() == [
        "membership.save_role",
        "membership.create_staff",
        "membership.accept_invitation",
    ]


async def test_who_was_invited_can_be_invited_anew_and_who_has_joined_cannot(club: Club) -> None:
    founder = await club.founded()
    first = await invited(club, founder)
    second = await invited(club, founder)
    assert second["staffMember"]["id"] == first["staffMember"]["id"]
    values = {"token": token_in(first["invitationLink"]), "password": PASSWORD}
    assert codes((await club.ask("admin", ACCEPT, {"input": values})).data["acceptInvitation"]) == [
        "ONE_TIME_TOKEN_INVALID"
    ]
    await joined(club, founder, email="clerk@example.com")
    assert codes(await invited(club, founder)) == ["EMAIL_TAKEN"]


async def test_a_session_of_the_shop_opens_nothing_in_the_back_office(club: Club) -> None:
    member = await club.member("a@example.com")
    token = await club.session(PrincipalKind.MEMBER, member)
    assert await club.viewer(token) == "a@example.com"
    assert await club.viewer(token, "admin") is None
    answer = await club.ask("admin", "{ staff { nodes { email } } }", token=token)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    _, staff_token = await joined(club, await club.founded(), OWNER)
    assert await club.viewer(staff_token) is None


async def test_roles_take_effect_with_the_next_request(club: Club) -> None:
    # Given somebody with a session and no role
    founder = await club.founded()
    editor = await role(club, "editor", "membership.read_members")
    key, token = await joined(club, founder)
    document = "{ members { nodes { email } } }"
    answer = await club.ask("admin", document, token=token)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    # When a role is given, then the same session may
    values = {"staffId": global_id("StaffMember", key), "roleIds": [editor]}
    given = await club.ask("admin", SET_ROLES, {"input": values}, principal=founder)
    assert given.data["setStaffRoles"]["staffMember"] == {
        "roles": [{"name": "editor"}],
        "permissions": ["membership.read_members"],
    }
    assert (await club.ask("admin", document, token=token)).errors is None
    # and when the role is changed, it may not any more
    await role(club, "editor", "catalog.edit")
    answer = await club.ask("admin", document, token=token)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_who_is_disabled_is_out_at_once(club: Club) -> None:
    founder = await club.founded()
    key, token = await joined(club, founder, OWNER)
    values = {"staffId": global_id("StaffMember", key), "enabled": False}
    answer = await club.ask("admin", SET_ENABLED, {"input": values}, principal=founder)
    assert answer.data["setStaffEnabled"] == {
        "staffMember": {"state": "DISABLED", "permissions": []},
        "errors": [],
    }
    assert await club.viewer(token, "admin") is None
    # Let in again, a new log-in is needed
    answer = await club.ask("admin", SET_ENABLED, {"input": {**values, "enabled": True}}, principal=founder)
    assert answer.data["setStaffEnabled"]["staffMember"] == {"state": "ACTIVE", "permissions": ["*"]}
    assert await club.viewer(token, "admin") is None


async def test_a_withdrawn_invitation_opens_nothing(club: Club) -> None:
    founder = await club.founded()
    payload = await invited(club, founder)
    values = {"staffId": payload["staffMember"]["id"], "enabled": False}
    await club.ask("admin", SET_ENABLED, {"input": values}, principal=founder)
    accept = {"token": token_in(payload["invitationLink"]), "password": PASSWORD}
    assert codes((await club.ask("admin", ACCEPT, {"input": accept})).data["acceptInvitation"]) == [
        "ONE_TIME_TOKEN_INVALID"
    ]


async def test_nobody_gives_away_more_than_he_holds(club: Club) -> None:
    # Given somebody who may manage staff, and no more
    founder = await club.founded()
    manager = clerk("membership.manage_staff", "catalog.edit")
    key, _ = await joined(club, founder)
    # When he gives the owner's role, to others or by an invitation, or makes such a role, then it is refused
    values = {"staffId": global_id("StaffMember", key), "roleIds": [OWNER]}
    answer = await club.ask("admin", SET_ROLES, {"input": values}, principal=manager)
    assert codes(answer.data["setStaffRoles"]) == ["FORBIDDEN"]
    assert codes(await invited(club, manager, OWNER, email="friend@example.com")) == ["FORBIDDEN"]
    for permissions in (["*"], ["catalog.edit", "membership.read_members"]):
        role_values = {"name": "friend", "titleZh": "友", "titleEn": "Friend", "permissions": permissions}
        answer = await club.ask("admin", SAVE_ROLE, {"input": role_values}, principal=manager)
        assert codes(answer.data["saveRole"]) == ["FORBIDDEN"]
    # nor does he take from who holds more
    owner = {"staffId": global_id("StaffMember", founder.id or new_id()), "roleIds": []}
    answer = await club.ask("admin", SET_ROLES, {"input": owner}, principal=manager)
    assert codes(answer.data["setStaffRoles"]) == ["FORBIDDEN"]
    disable = {"staffId": owner["staffId"], "enabled": False}
    answer = await club.ask("admin", SET_ENABLED, {"input": disable}, principal=manager)
    assert codes(answer.data["setStaffEnabled"]) == ["FORBIDDEN"]
    narrowed = {"name": "owner", "titleZh": "店主", "titleEn": "Owner", "permissions": ["catalog.edit"]}
    answer = await club.ask("admin", SAVE_ROLE, {"input": narrowed}, principal=manager)
    assert codes(answer.data["saveRole"]) == ["FORBIDDEN"]
    # What he holds he can give
    friend = await role(club, "friend", "catalog.edit", principal=manager)
    values = {"staffId": global_id("StaffMember", key), "roleIds": [friend]}
    answer = await club.ask("admin", SET_ROLES, {"input": values}, principal=manager)
    assert codes(answer.data["setStaffRoles"]) == []
    assert (
        await club.kernel.db.fetchval(
            "select count(*) from membership_staff where email = 'friend@example.com'"
        )
        == 0
    )


async def test_somebody_always_holds_everything(club: Club) -> None:
    # Given one owner
    founder = await club.founded()
    itself = global_id("StaffMember", founder.id or new_id())
    # When that one would go, by whatever way, then it is refused
    roles = await club.ask(
        "admin", SET_ROLES, {"input": {"staffId": itself, "roleIds": []}}, principal=founder
    )
    assert codes(roles.data["setStaffRoles"]) == ["LAST_ADMINISTRATOR"]
    enabled = await club.ask(
        "admin", SET_ENABLED, {"input": {"staffId": itself, "enabled": False}}, principal=founder
    )
    assert codes(enabled.data["setStaffEnabled"]) == ["LAST_ADMINISTRATOR"]
    narrowed = {"name": "owner", "titleZh": "店主", "titleEn": "Owner", "permissions": ["catalog.edit"]}
    saved = await club.ask("admin", SAVE_ROLE, {"input": narrowed}, principal=founder)
    assert codes(saved.data["saveRole"]) == ["LAST_ADMINISTRATOR"]
    permissions = await club.ask("admin", "{ viewer { permissions } }", principal=founder)
    assert permissions.data["viewer"]["permissions"] == ["*"]


async def test_two_owners_who_dismiss_each_other_at_once_leave_one(club: Club) -> None:
    founder = await club.founded()
    key, _ = await joined(club, founder, OWNER)
    other = Principal(kind=PrincipalKind.STAFF, id=key, permissions=frozenset({"*"}))

    async def dismiss(who: UUID | None, by: Principal) -> list[str]:
        values = {"staffId": global_id("StaffMember", who or new_id()), "roleIds": []}
        return codes(
            (await club.ask("admin", SET_ROLES, {"input": values}, principal=by)).data["setStaffRoles"]
        )

    answers = await asyncio.gather(dismiss(key, founder), dismiss(founder.id, other))
    assert sorted(answers) == [[], ["LAST_ADMINISTRATOR"]]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"permissions": ["catalog.fly"]}, ["input", "permissions"]),
        ({"name": "No Name"}, ["input", "name"]),
        ({"name": ""}, ["input", "name"]),
        ({"name": "1st"}, ["input", "name"]),
        ({"titleEn": " "}, ["input", "titleEn"]),
    ],
)
async def test_an_unusable_role_is_refused(club: Club, change: dict[str, Any], path: list[str]) -> None:
    values = {
        "name": "editor",
        "titleZh": "编辑",
        "titleEn": "Editor",
        "permissions": ["catalog.edit"],
        **change,
    }
    payload = (await club.ask("admin", SAVE_ROLE, {"input": values}, principal=clerk("*"))).data["saveRole"]
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID_INPUT", path)]


async def test_roles_and_permissions_are_listed_with_their_titles(club: Club) -> None:
    await club.founded()
    await role(club, "editor", "catalog.edit")
    document = "{ roles { name title permissions } permissions { name title } }"
    data = (
        await club.ask("admin", document, principal=clerk("membership.manage_staff"), locale="zh-CN")
    ).data
    assert data["roles"] == [
        {"name": "editor", "title": "editor", "permissions": ["catalog.edit"]},
        {"name": "owner", "title": "店主", "permissions": ["*"]},
    ]
    # The kernel brings permissions of its own beside those of the modules
    of_modules = [
        item for item in data["permissions"] if item["name"].startswith(("catalog.", "membership."))
    ]
    assert of_modules == [
        {"name": "catalog.edit", "title": "编辑商品"},
        {"name": "membership.erase_members", "title": "处理会员数据删除申请"},
        {"name": "membership.manage_articles", "title": "编写公告和帮助页面"},
        {"name": "membership.manage_members", "title": "调整会员等级、封禁会员"},
        {"name": "membership.manage_staff", "title": "管理员工和角色"},
        {"name": "membership.read_members", "title": "查看会员"},
    ]


async def test_the_staff_is_listed_page_by_page(club: Club) -> None:
    founder = await club.founded()
    for number in range(3):
        await invited(club, founder, email=f"{number}@example.com")
    document = """
    query ($after: String) {
      staff(first: 3, after: $after) { nodes { email roles { name } } pageInfo { endCursor } }
    }
    """
    data = (await club.ask("admin", document, principal=founder)).data["staff"]
    assert [node["email"] for node in data["nodes"]] == ["2@example.com", "1@example.com", "0@example.com"]
    rest = await club.ask("admin", document, {"after": data["pageInfo"]["endCursor"]}, principal=founder)
    assert rest.data["staff"]["nodes"] == [{"email": "founder@example.com", "roles": [{"name": "owner"}]}]


async def test_a_page_of_the_staff_costs_the_same_number_of_statements_whatever_its_size(club: Club) -> None:
    founder = await club.founded()
    for number in range(5):
        await joined(club, founder, OWNER, email=f"{number}@example.com")
    counts = []
    for first in (1, 6):
        document = f"{{ staff(first: {first}) {{ nodes {{ roles {{ name }} permissions }} }} }}"
        with counted_statements() as statements:
            answer = await club.ask("admin", document, principal=founder)
        assert answer.data["staff"]["nodes"] == [{"roles": [{"name": "owner"}], "permissions": ["*"]}] * first
        counts.append(len(statements))
    assert counts == [2, 2]


async def test_staff_is_closed_to_who_may_not_manage_it(club: Club) -> None:
    founder = await club.founded()
    nobody = clerk("membership.manage_members")
    assert codes(await invited(club, nobody)) == ["FORBIDDEN"]
    for document in ("{ staff { nodes { email } } }", "{ roles { name } }", "{ permissions { name } }"):
        answer = await club.ask("admin", document, principal=nobody)
        assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [global_id("StaffMember", founder.id or new_id()), OWNER]
    assert (await club.ask("admin", document, {"ids": ids}, principal=nobody)).data == {"nodes": [None, None]}
    seen = (await club.ask("admin", document, {"ids": ids}, principal=founder)).data["nodes"]
    assert [node["id"] for node in seen] == ids
