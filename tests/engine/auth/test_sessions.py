"""A session from its log-in to each of its ends."""

from datetime import timedelta

import pytest

from kameng.auth import VISITOR, Credentials, Principal, PrincipalKind
from kameng.auth.tokens import digest, new_session_token
from kameng.db import counted_statements
from kameng.errors import Unauthenticated
from kameng.ids import new_id
from tests.engine.auth.eventually import remember
from tests.engine.auth.people import READ, WRITE

MEMBER, STAFF = PrincipalKind.MEMBER, PrincipalKind.STAFF


async def age(kernel, session, **columns):
    """Make a session older than it is: column → minutes."""
    for column, minutes in columns.items():
        await kernel.db.execute(
            f"update kernel_session set {column} = {column} - make_interval(mins => $2) where id = $1",
            session,
            minutes,
        )


async def row_of(kernel, session):
    return await kernel.db.fetchrow("select * from kernel_session where id = $1", session)


async def test_a_session_leads_to_its_principal_with_what_it_may_do(kernel, directory):
    ann = directory.add(STAFF, READ, WRITE)
    opened = await kernel.auth.sessions.open(STAFF, ann, user_agent="Lynx/2.9", address="203.0.113.7")
    assert await kernel.auth.sessions.find(opened.token) == Principal(
        kind=STAFF, id=ann, permissions=frozenset({READ, WRITE}), session=opened.id
    )


async def test_the_database_keeps_the_hash_of_a_token_and_where_it_came_from(kernel, directory):
    ann = directory.add(MEMBER)
    opened = await kernel.auth.sessions.open(MEMBER, ann, user_agent="U" * 500 + "\0", address="A" * 100)
    row = await row_of(kernel, opened.id)
    assert row["token_hash"] == digest(opened.token)
    assert (row["user_agent"], row["address"]) == ("U" * 400, "A" * 64)
    assert row["expires_at"] - row["created_at"] == timedelta(days=90)
    assert opened.expires_at == row["expires_at"]
    assert opened.token not in repr(opened)


async def test_staff_is_logged_in_for_a_shorter_time_than_members(kernel, directory):
    ann, bob = directory.add(STAFF), directory.add(MEMBER)
    staff = await kernel.auth.sessions.open(STAFF, ann)
    member = await kernel.auth.sessions.open(MEMBER, bob)
    row = await row_of(kernel, staff.id)
    assert row["expires_at"] - row["created_at"] == timedelta(hours=12)
    assert kernel.auth.sessions.lifetime_seconds(STAFF) == 12 * 3600

    # when both have not been seen for just more than an hour
    for opened in (staff, member):
        await age(kernel, opened.id, last_seen_at=61)
    assert await kernel.auth.sessions.find(staff.token) is None
    assert (await kernel.auth.sessions.find(member.token)).id == bob

    # and the member for just more than a fortnight
    await age(kernel, member.id, last_seen_at=14 * 24 * 60)
    assert await kernel.auth.sessions.find(member.token) is None


async def test_a_session_ends_at_last_however_busy_it_is(kernel, directory):
    opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await age(kernel, opened.id, expires_at=90 * 24 * 60 + 1)
    assert await kernel.auth.sessions.find(opened.token) is None


async def test_an_unknown_token_leads_to_nobody(kernel):
    assert await kernel.auth.sessions.find(new_session_token()) is None


@pytest.mark.parametrize(
    "token", ["", "x", "kms_short", "kmg_00000000_0", "kms_" + "ä" * 43, "kms_" + "a" * 44]
)
async def test_a_text_that_is_no_token_costs_no_query(kernel, token):
    with counted_statements() as statements:
        assert await kernel.auth.sessions.find(token) is None
    assert statements == []


async def test_someone_disabled_is_logged_out_by_that(kernel, directory):
    ann = directory.add(STAFF, READ)
    opened = await kernel.auth.sessions.open(STAFF, ann)
    directory.remove(STAFF, ann)
    assert await kernel.auth.sessions.find(opened.token) is None


async def test_without_a_directory_there_are_only_visitors(start):
    kernel = await start(people=False)
    opened = await kernel.auth.sessions.open(MEMBER, new_id())
    assert await kernel.auth.principal(Credentials(cookie=opened.token)) == VISITOR
    with pytest.raises(Unauthenticated):
        await kernel.auth.principal(Credentials(bearer=opened.token))


class TestRotation:
    async def test_the_old_token_is_dead_and_the_new_one_holds_no_longer_than_it(self, kernel, directory):
        ann = directory.add(MEMBER, READ)
        old = await kernel.auth.sessions.open(MEMBER, ann, user_agent="Lynx", address="203.0.113.7")
        await age(kernel, old.id, created_at=60, expires_at=60)

        new = await kernel.auth.sessions.rotate(old.id)

        assert await kernel.auth.sessions.find(old.token) is None
        assert await kernel.auth.sessions.find(new.token) == Principal(
            kind=MEMBER, id=ann, permissions=frozenset({READ}), session=new.id
        )
        was, now = await row_of(kernel, old.id), await row_of(kernel, new.id)
        assert (was["rotated_to"], was["revoked_at"] is not None) == (new.id, True)
        assert (now["expires_at"], now["user_agent"], now["address"]) == (
            was["expires_at"],
            "Lynx",
            "203.0.113.7",
        )
        assert new.expires_at == was["expires_at"]

    async def test_the_old_token_is_dead_also_where_it_was_remembered(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        old = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await remember(kernel.auth.sessions.find, old.token)
        await kernel.auth.sessions.rotate(old.id)
        assert await kernel.auth.sessions.find(old.token) is None

    async def test_a_second_factor_is_remembered_by_the_new_session_and_those_after(self, kernel, directory):
        old = await kernel.auth.sessions.open(STAFF, directory.add(STAFF))
        assert (await kernel.auth.sessions.find(old.token)).step_up_at is None

        shown = await kernel.auth.sessions.rotate(old.id, stepped_up=True)
        principal = await kernel.auth.sessions.find(shown.token)
        assert principal.step_up_at == (await row_of(kernel, shown.id))["created_at"]
        kernel.auth.require_step_up(principal)

        later = await kernel.auth.sessions.rotate(shown.id)
        assert (await kernel.auth.sessions.find(later.token)).step_up_at == principal.step_up_at

    async def test_a_session_that_has_ended_cannot_be_rotated(self, kernel, directory):
        old = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await kernel.auth.sessions.rotate(old.id)
        idle = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await age(kernel, idle.id, last_seen_at=14 * 24 * 60 + 1)
        for session in (old.id, idle.id, new_id()):
            with pytest.raises(Unauthenticated, match="has ended"):
                await kernel.auth.sessions.rotate(session)

    async def test_a_log_in_ends_the_session_that_the_browser_had(self, kernel, directory):
        before = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        after = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER), replaces=before.id)
        assert await kernel.auth.sessions.find(before.token) is None
        assert await kernel.auth.sessions.find(after.token) is not None


class TestRevocation:
    async def test_a_revoked_session_is_dead_and_revoked_once(self, kernel, directory):
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        assert await kernel.auth.sessions.revoke(opened.id) is True
        assert await kernel.auth.sessions.find(opened.token) is None
        assert await kernel.auth.sessions.revoke(opened.id) is False

    async def test_nobody_ends_anothers_session(self, kernel, directory):
        ann, bob = directory.add(MEMBER), directory.add(MEMBER)
        opened = await kernel.auth.sessions.open(MEMBER, ann)
        for stranger in (Principal(kind=MEMBER, id=bob), Principal(kind=STAFF, id=ann), VISITOR):
            assert await kernel.auth.sessions.revoke(opened.id, owner=stranger) is False
        assert await kernel.auth.sessions.find(opened.token) is not None
        assert await kernel.auth.sessions.revoke(opened.id, owner=Principal(kind=MEMBER, id=ann)) is True

    async def test_a_forced_logout_ends_all_but_the_one_to_keep(self, kernel, directory):
        ann, bob = directory.add(MEMBER), directory.add(MEMBER)
        mine = [await kernel.auth.sessions.open(MEMBER, ann) for _ in range(3)]
        other = await kernel.auth.sessions.open(MEMBER, bob)

        assert await kernel.auth.sessions.revoke_all(MEMBER, ann, keep=mine[1].id) == 2

        live = [await kernel.auth.sessions.find(opened.token) is not None for opened in (*mine, other)]
        assert live == [False, True, False, True]
        assert await kernel.auth.sessions.revoke_all(MEMBER, ann) == 1

    async def test_what_is_rolled_back_ends_nothing(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await remember(kernel.auth.sessions.find, opened.token)
        with pytest.raises(ZeroDivisionError):
            async with kernel.db.transaction():
                await kernel.auth.sessions.revoke(opened.id)
                raise ZeroDivisionError
        assert await kernel.auth.sessions.find(opened.token) is not None

    async def test_a_revocation_in_a_transaction_takes_effect_with_its_commit(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await remember(kernel.auth.sessions.find, opened.token)
        async with kernel.db.transaction(), kernel.db.transaction():
            await kernel.auth.sessions.revoke(opened.id)
        assert await kernel.auth.sessions.find(opened.token) is None


class TestList:
    async def test_the_live_sessions_of_one_principal_the_newest_first(self, kernel, directory):
        ann, bob = directory.add(MEMBER), directory.add(MEMBER)
        first = await kernel.auth.sessions.open(MEMBER, ann, user_agent="Lynx", address="203.0.113.7")
        second = await kernel.auth.sessions.open(MEMBER, ann)
        revoked = await kernel.auth.sessions.open(MEMBER, ann)
        idle = await kernel.auth.sessions.open(MEMBER, ann)
        await kernel.auth.sessions.open(MEMBER, bob)
        await kernel.auth.sessions.revoke(revoked.id)
        await age(kernel, idle.id, last_seen_at=14 * 24 * 60 + 1)

        listed = await kernel.auth.sessions.list(MEMBER, ann)

        assert [info.id for info in listed] == [second.id, first.id]
        assert (listed[1].user_agent, listed[1].address, listed[1].expires_at) == (
            "Lynx",
            "203.0.113.7",
            first.expires_at,
        )


class TestLastSeen:
    async def test_it_moves_at_most_once_a_minute(self, kernel, directory):
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        at_first = (await row_of(kernel, opened.id))["last_seen_at"]
        with counted_statements() as statements:
            await kernel.auth.sessions.find(opened.token)
        assert len(statements) == 1
        assert (await row_of(kernel, opened.id))["last_seen_at"] == at_first

        await age(kernel, opened.id, last_seen_at=2)
        with counted_statements() as statements:
            await kernel.auth.sessions.find(opened.token)
            await kernel.auth.sessions.find(opened.token)
        assert len(statements) == 3
        assert (await row_of(kernel, opened.id))["last_seen_at"] > at_first

    async def test_a_busy_session_does_not_become_idle(self, kernel, directory):
        opened = await kernel.auth.sessions.open(STAFF, directory.add(STAFF))
        for _ in range(3):
            await age(kernel, opened.id, last_seen_at=59)
            assert await kernel.auth.sessions.find(opened.token) is not None


class TestRemembering:
    async def test_a_session_that_was_just_looked_up_costs_nothing(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        principal = await remember(kernel.auth.sessions.find, opened.token)
        asked = directory.asked
        with counted_statements() as statements:
            assert await kernel.auth.sessions.find(opened.token) == principal
        assert statements == []
        assert directory.asked == asked

    async def test_it_is_not_remembered_beyond_its_end(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
        await kernel.db.execute(
            "update kernel_session set expires_at = now() + interval '1 s' where id = $1", opened.id
        )
        await remember(kernel.auth.sessions.find, opened.token)
        await kernel.db.fetchval("select pg_sleep(1.1)")
        assert await kernel.auth.sessions.find(opened.token) is None

    async def test_changed_permissions_are_seen_when_they_are_told(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        ann = directory.add(STAFF, READ)
        opened = await kernel.auth.sessions.open(STAFF, ann)
        assert (await remember(kernel.auth.sessions.find, opened.token)).permissions == {READ}
        directory.set(STAFF, ann, READ, WRITE)
        await kernel.auth.principal_changed(STAFF, ann)
        assert (await kernel.auth.sessions.find(opened.token)).permissions == {READ, WRITE}


class TestPurge:
    async def test_what_has_been_over_for_a_while_is_deleted_and_nothing_else(self, kernel, directory):
        ann = directory.add(MEMBER)
        live, over, long_over = [await kernel.auth.sessions.open(MEMBER, ann) for _ in range(3)]
        await age(kernel, over.id, expires_at=(90 + 29) * 24 * 60)
        await age(kernel, long_over.id, expires_at=(90 + 31) * 24 * 60)
        await kernel.auth.one_time.issue("purged", timedelta(days=-31), {"who": str(ann)})

        assert await kernel.auth.purge() == 2

        left = await kernel.db.fetch("select id from kernel_session where principal_id = $1 order by id", ann)
        assert [row["id"] for row in left] == sorted([live.id, over.id])
        assert (
            await kernel.db.fetchval("select count(*) from kernel_one_time_token where purpose = 'purged'")
            == 0
        )
        assert await kernel.auth.purge() == 0
