"""An API token does no more than its owner, its scopes and its networks allow."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from kameng.auth import VISITOR, Credentials, Principal, PrincipalKind
from kameng.auth.api_tokens import limited
from kameng.auth.networks import holds_from, parse_networks
from kameng.auth.tokens import digest, new_api_token
from kameng.db import counted_statements
from kameng.errors import InvalidInput, Unauthenticated
from tests.engine.auth.eventually import remember
from tests.engine.auth.people import READ, WRITE

STAFF, INTEGRATION = PrincipalKind.STAFF, PrincipalKind.INTEGRATION


async def row_of(kernel, token):
    return await kernel.db.fetchrow("select * from kernel_api_token where id = $1", token)


async def test_a_token_acts_for_its_principal_within_its_scopes(kernel, directory):
    shop = directory.add(INTEGRATION, READ, WRITE)
    issued = await kernel.auth.api_tokens.issue(INTEGRATION, shop, name="Nightly stock", scopes=[READ])
    assert await kernel.auth.api_tokens.find(issued.text, "203.0.113.7") == Principal(
        kind=INTEGRATION, id=shop, permissions=frozenset({READ}), session=issued.id, scopes=frozenset({READ})
    )


@pytest.mark.parametrize(
    ("held", "scopes", "left"),
    [
        ({"a", "b"}, {"b", "c"}, {"b"}),
        ({"a", "b"}, {"*"}, {"a", "b"}),
        ({"*"}, {"b"}, {"b"}),
        ({"*"}, {"*"}, {"*"}),
        (set(), {"a"}, set()),
    ],
)
def test_what_is_left_of_permissions_by_scopes(held, scopes, left):
    assert limited(frozenset(held), scopes) == left


async def test_a_token_for_everything_is_not_limited(kernel, directory):
    ann = directory.add(STAFF, READ, WRITE)
    issued = await kernel.auth.api_tokens.issue(STAFF, ann, name="All", scopes=["*", READ])
    principal = await kernel.auth.api_tokens.find(issued.text, "")
    assert (principal.permissions, principal.scopes) == (frozenset({READ, WRITE}), None)


async def test_a_permission_that_the_owner_loses_is_lost_to_the_token(kernel, directory):
    ann = directory.add(STAFF, READ, WRITE)
    issued = await kernel.auth.api_tokens.issue(STAFF, ann, name="Both", scopes=[READ, WRITE])
    directory.set(STAFF, ann, READ)
    assert (await kernel.auth.api_tokens.find(issued.text, "")).permissions == {READ}
    directory.remove(STAFF, ann)
    assert await kernel.auth.api_tokens.find(issued.text, "") is None


async def test_only_the_hash_and_the_prefix_are_kept(kernel, directory):
    issued = await kernel.auth.api_tokens.issue(STAFF, directory.add(STAFF), name="T" * 200, scopes=["*"])
    row = await row_of(kernel, issued.id)
    assert (row["token_hash"], row["prefix"], row["name"]) == (digest(issued.text), issued.prefix, "T" * 100)
    assert issued.text.startswith(f"kmg_{issued.prefix}_")
    assert issued.text not in repr(issued)


@pytest.mark.parametrize("scopes", [[], ["people.fly"], [READ, "people.fly"]])
async def test_a_scope_that_is_no_permission_is_refused(kernel, directory, scopes):
    with pytest.raises(InvalidInput) as refused:
        await kernel.auth.api_tokens.issue(STAFF, directory.add(STAFF), name="T", scopes=scopes)
    assert refused.value.path == ("scopes",)


class TestEnds:
    async def test_revoked(self, kernel, directory):
        ann, bob = directory.add(STAFF), directory.add(STAFF)
        issued = await kernel.auth.api_tokens.issue(STAFF, ann, name="T", scopes=["*"])
        assert await kernel.auth.api_tokens.revoke(issued.id, owner=Principal(kind=STAFF, id=bob)) is False
        assert await kernel.auth.api_tokens.revoke(issued.id, owner=VISITOR) is False
        assert await kernel.auth.api_tokens.find(issued.text, "") is not None
        assert await kernel.auth.api_tokens.revoke(issued.id, owner=Principal(kind=STAFF, id=ann)) is True
        assert await kernel.auth.api_tokens.find(issued.text, "") is None
        assert await kernel.auth.api_tokens.revoke(issued.id) is False

    async def test_expired(self, kernel, directory):
        ann = directory.add(STAFF)
        over = await kernel.auth.api_tokens.issue(
            STAFF, ann, name="T", scopes=["*"], ttl=timedelta(seconds=-1)
        )
        live = await kernel.auth.api_tokens.issue(STAFF, ann, name="T", scopes=["*"], ttl=timedelta(days=1))
        assert await kernel.auth.api_tokens.find(over.text, "") is None
        assert await kernel.auth.api_tokens.find(live.text, "") is not None

    async def test_everything_of_somebody(self, kernel, directory):
        ann = directory.add(STAFF)
        token = await kernel.auth.api_tokens.issue(STAFF, ann, name="T", scopes=["*"])
        session = await kernel.auth.sessions.open(STAFF, ann)
        await kernel.auth.end_everything(STAFF, ann)
        assert await kernel.auth.api_tokens.find(token.text, "") is None
        assert await kernel.auth.sessions.find(session.token) is None

    async def test_revoked_also_where_it_was_remembered(self, start, directory):
        kernel = await start(session_cache_seconds=300)
        issued = await kernel.auth.api_tokens.issue(STAFF, directory.add(STAFF), name="T", scopes=["*"])
        await remember(lambda text: kernel.auth.api_tokens.find(text, ""), issued.text)
        await kernel.auth.api_tokens.revoke(issued.id)
        assert await kernel.auth.api_tokens.find(issued.text, "") is None


class TestNetworks:
    async def test_a_token_holds_only_from_its_networks(self, kernel, directory):
        issued = await kernel.auth.api_tokens.issue(
            STAFF,
            directory.add(STAFF),
            name="T",
            scopes=["*"],
            allowed_networks=["203.0.113.7/24", "2001:db8::1"],
        )
        assert (await row_of(kernel, issued.id))["allowed_networks"] == ["203.0.113.0/24", "2001:db8::1/128"]
        assert await kernel.auth.api_tokens.find(issued.text, "203.0.113.200") is not None
        assert await kernel.auth.api_tokens.find(issued.text, "2001:db8::1") is not None
        with capture_logs() as logs:
            assert await kernel.auth.api_tokens.find(issued.text, "203.0.114.1") is None
            assert await kernel.auth.api_tokens.find(issued.text, "") is None
        assert [entry["address"] for entry in logs] == ["203.0.114.1", ""]

    async def test_a_network_that_is_none_is_refused(self, kernel, directory):
        with pytest.raises(InvalidInput, match="'localhost' is neither") as refused:
            await kernel.auth.api_tokens.issue(
                STAFF, directory.add(STAFF), name="T", scopes=["*"], allowed_networks=["localhost"]
            )
        assert refused.value.path == ("allowedNetworks",)

    def test_an_ipv4_client_of_an_ipv6_socket_is_an_ipv4_client(self):
        networks = parse_networks(["203.0.113.7"])
        assert holds_from("::ffff:203.0.113.7", networks)
        assert not holds_from("::ffff:203.0.113.8", networks)
        assert not holds_from("unix:", networks)


async def test_a_mistyped_token_costs_no_query(kernel):
    _, text = new_api_token()
    with counted_statements() as statements:
        assert await kernel.auth.api_tokens.find(text[:-1] + ("0" if text[-1] != "0" else "1"), "") is None
    assert statements == []


async def test_last_used_moves_at_most_once_a_minute(kernel, directory):
    issued = await kernel.auth.api_tokens.issue(STAFF, directory.add(STAFF), name="T", scopes=["*"])
    assert (await row_of(kernel, issued.id))["last_used_at"] is None
    await kernel.auth.api_tokens.find(issued.text, "")
    used = (await row_of(kernel, issued.id))["last_used_at"]
    assert used is not None
    await kernel.auth.api_tokens.find(issued.text, "")
    assert (await row_of(kernel, issued.id))["last_used_at"] == used
    await kernel.db.execute(
        "update kernel_api_token set last_used_at = last_used_at - interval '61 s' where id = $1", issued.id
    )
    await kernel.auth.api_tokens.find(issued.text, "")
    assert (await row_of(kernel, issued.id))["last_used_at"] > used


async def test_the_list_names_tokens_by_their_prefix_and_never_their_text(kernel, directory):
    ann = directory.add(STAFF)
    first = await kernel.auth.api_tokens.issue(
        STAFF, ann, name="First", scopes=[READ], allowed_networks=["10.0.0.0/8"]
    )
    second = await kernel.auth.api_tokens.issue(STAFF, ann, name="Second", scopes=["*"])
    await kernel.auth.api_tokens.revoke(first.id)
    listed = await kernel.auth.api_tokens.list(STAFF, ann)
    assert [(info.id, info.prefix, info.name, info.scopes, info.allowed_networks) for info in listed] == [
        (second.id, second.prefix, "Second", ("*",), ()),
        (first.id, first.prefix, "First", (READ,), ("10.0.0.0/8",)),
    ]
    assert listed[1].revoked_at is not None
    assert listed[0].revoked_at is None


async def test_a_bearer_token_of_either_kind_is_taken_and_a_dead_one_is_an_error(kernel, directory):
    ann = directory.add(STAFF, READ)
    session = await kernel.auth.sessions.open(STAFF, ann)
    token = await kernel.auth.api_tokens.issue(STAFF, ann, name="T", scopes=["*"])
    for bearer in (session.token, token.text):
        assert (await kernel.auth.principal(Credentials(bearer=bearer))).id == ann
    await kernel.auth.end_everything(STAFF, ann)
    for bearer in (session.token, token.text, "nonsense"):
        with pytest.raises(Unauthenticated) as refused:
            await kernel.auth.principal(Credentials(bearer=bearer))
        assert bearer not in str(refused.value)
    assert await kernel.auth.principal(Credentials(cookie=session.token)) == VISITOR
    assert await kernel.auth.principal(Credentials()) == VISITOR
