"""Trusted documents: sent by their hash, and in production's shop nothing else."""

from __future__ import annotations

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.graphql.refusals import DocumentNotTrusted
from kameng.graphql.trusted import TrustedDocuments, hash_of
from kameng.graphql.wire import GraphQLRequest
from kameng.ids import new_id
from tests.engine.graphql.conftest import MakeSite, Site
from tests.engine.graphql.sample import SEEN

QUERY = "query Title { __typename }"
KEY = hash_of(QUERY)
STRANGER = "{ engineVersion }"


def persisted(key: object) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": key}}


async def test_a_registered_document_is_sent_by_its_hash(site: Site) -> None:
    assert await TrustedDocuments(site.kernel.db, "shop").register(QUERY, "title.graphql")

    for more in (
        {"documentId": KEY},
        {"documentId": f"sha256:{KEY.upper()}"},
        {"extensions": persisted(KEY)},
    ):
        assert (await site.post(None, **more))["data"] == {"__typename": "Query"}
    got = await site.http.get("/graphql/shop", params={"documentId": KEY}, headers={"kameng-preflight": "1"})
    assert got.json()["data"] == {"__typename": "Query"}


async def test_an_unknown_hash_is_a_typed_error_that_clients_know(site: Site) -> None:
    assert await site.code(None, documentId=KEY) == "PERSISTED_QUERY_NOT_FOUND"
    assert await site.code(None, extensions=persisted(KEY)) == "PERSISTED_QUERY_NOT_FOUND"
    # Where texts are taken as well, the text that came along is answered.
    assert (await site.post(QUERY, extensions=persisted(KEY)))["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("key", ["short", "g" * 64, 7, ["a"]])
async def test_what_is_no_hash_is_refused(site: Site, key: object) -> None:
    assert await site.code(None, extensions=persisted(key)) == "PERSISTED_QUERY_MISMATCH"


async def test_a_hash_beside_another_text_is_refused(site: Site) -> None:
    assert await site.code(STRANGER, documentId=KEY) == "PERSISTED_QUERY_MISMATCH"


async def test_a_document_of_the_shop_is_none_of_the_back_office(site: Site) -> None:
    await TrustedDocuments(site.kernel.db, "shop").register(QUERY, "")

    assert await site.code(None, documentId=KEY, schema="admin") == "PERSISTED_QUERY_NOT_FOUND"


async def test_production_takes_nothing_else_from_storefronts(make_site: MakeSite) -> None:
    site = await make_site(environment="production")
    await TrustedDocuments(site.kernel.db, "shop").register(QUERY, "")

    assert await site.code(STRANGER) == "DOCUMENT_NOT_TRUSTED"
    assert await site.code('mutation { addThing(title: "x") { number } }') == "DOCUMENT_NOT_TRUSTED"
    assert await site.code(STRANGER, extensions=persisted(hash_of(STRANGER))) == "PERSISTED_QUERY_NOT_FOUND"
    assert SEEN.added == 0
    # By its hash, or by exactly its text.
    assert (await site.post(None, documentId=KEY))["data"] == {"__typename": "Query"}
    assert (await site.post(QUERY))["data"] == {"__typename": "Query"}
    assert (await site.post(STRANGER, schema="admin"))["status"] == 200


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (PrincipalKind.VISITOR, False),
        (PrincipalKind.MEMBER, False),
        (PrincipalKind.STAFF, True),
        (PrincipalKind.INTEGRATION, True),
    ],
)
async def test_staff_and_integrations_may_ask_what_they_like(
    make_site: MakeSite, kind: PrincipalKind, taken: bool
) -> None:
    site = await make_site(trusted_documents="require")
    principal = Principal(kind=kind, id=None if kind is PrincipalKind.VISITOR else new_id())
    context = Context(site.kernel, principal=principal)

    admitting = site.kernel.admission["shop"].admit(GraphQLRequest(query=STRANGER), context)
    if taken:
        assert (await admitting).prepared is not None
    else:
        with pytest.raises(DocumentNotTrusted):
            await admitting


async def test_switched_off_there_are_no_ids(make_site: MakeSite) -> None:
    site = await make_site(trusted_documents="off")
    await TrustedDocuments(site.kernel.db, "shop").register(QUERY, "")

    assert await site.code(None, documentId=KEY) == "PERSISTED_QUERY_NOT_FOUND"


async def test_revoked_documents_are_unknown_until_they_are_registered_again(site: Site) -> None:
    documents = TrustedDocuments(site.kernel.db, "shop")
    assert await documents.register(QUERY, "")
    assert not await documents.register(QUERY, "")  # nothing new
    assert await documents.read(KEY) == QUERY

    assert await documents.revoke(KEY)
    assert not await documents.revoke(KEY)
    assert await documents.read(KEY) is None

    assert await documents.register(QUERY, "")
    assert await documents.read(KEY) == QUERY


async def test_a_process_keeps_only_so_many_documents(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kameng.graphql.trusted._MOST_KNOWN", 3)
    documents = TrustedDocuments(site.kernel.db, "shop")

    for number in range(10):
        await documents.read(f"{number:064}")

    assert len(documents._known) == 3
