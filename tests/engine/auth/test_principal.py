"""What a principal may do, and what an API token takes away from it."""

from datetime import UTC, datetime, timedelta

import pytest

from kameng.auth import VISITOR, Principal, PrincipalKind, StepUpRequired
from kameng.errors import Forbidden, Unauthenticated
from kameng.ids import new_id

ID = new_id()
MEMBER = Principal(kind=PrincipalKind.MEMBER, id=ID)
STAFF = Principal(kind=PrincipalKind.STAFF, id=ID, permissions=frozenset({"people.read"}))
ADMINISTRATOR = Principal(kind=PrincipalKind.STAFF, id=ID, permissions=frozenset({"*"}))


def test_a_permission_is_held_by_name_or_by_holding_all():
    STAFF.require("people.read")
    ADMINISTRATOR.require("anything.at_all")
    with pytest.raises(Forbidden, match=r"people\.write"):
        STAFF.require("people.write")
    with pytest.raises(Unauthenticated):
        VISITOR.require("people.read")


def test_a_kind_is_insisted_on_and_gives_the_id():
    assert MEMBER.require_kind(PrincipalKind.MEMBER) == ID
    with pytest.raises(Forbidden, match="for a staff; you are logged in as member"):
        MEMBER.require_kind(PrincipalKind.STAFF)
    with pytest.raises(Unauthenticated):
        VISITOR.require_kind(PrincipalKind.MEMBER)


def test_a_limited_token_does_nothing_that_names_no_scope():
    # given a member's token that may read orders
    token = Principal(kind=PrincipalKind.MEMBER, id=ID, scopes=frozenset({"orders.read"}))
    # then it reads them, and neither buys nor does what knows no scope
    assert token.require_kind(PrincipalKind.MEMBER, scope="orders.read") == ID
    with pytest.raises(Forbidden, match="limited to other things"):
        token.require_kind(PrincipalKind.MEMBER, scope="orders.place")
    with pytest.raises(Forbidden, match="limited to other things"):
        token.require_kind(PrincipalKind.MEMBER)


def test_a_step_up_wears_off_and_tokens_have_none():
    now = datetime.now(UTC)
    fresh = Principal(kind=PrincipalKind.STAFF, id=ID, step_up_at=now - timedelta(minutes=9))
    stale = Principal(kind=PrincipalKind.STAFF, id=ID, step_up_at=now - timedelta(minutes=11))
    fresh.require_step_up()
    for principal in (stale, STAFF):
        with pytest.raises(StepUpRequired) as refused:
            principal.require_step_up()
        assert refused.value.code == "STEP_UP_REQUIRED"
    with pytest.raises(Unauthenticated):
        VISITOR.require_step_up()


def test_the_key_names_the_principal():
    assert MEMBER.key == f"member:{ID}"
    assert VISITOR.key == "visitor"
