"""Hiding reviews."""

from __future__ import annotations

from kameng.testing.clients import Client, a_clerk

from .conftest import RATING, Shop

HIDE = """
mutation Hide($input: HideReviewInput!) { hideReview(input: $input) { review { hidden } errors { code } } }
"""


async def test_a_hidden_review_counts_no_more_and_comes_back(shop: Shop) -> None:
    # Given two reviews
    product = await shop.stock("CARD", 2)
    rude = await shop.review(await shop.buyer("CARD"), product, 1, "Rude")
    await shop.review(await shop.buyer("CARD"), product, 5, "Good")
    value = {"id": rude["review"]["id"], "reason": "insult"}
    # When one is hidden, twice
    for _ in range(2):
        answer = (await shop.admin(HIDE, {"input": value}))["hideReview"]
        assert answer == {"review": {"hidden": True}, "errors": []}
    # Then the shop shows the other alone, and the audit log tells of it once
    shown = (await shop.client()(RATING, {"slug": "card"}))["product"]
    assert shown == {
        "averageStars": 5.0,
        "reviewCount": 1,
        "reviews": {"nodes": [{"stars": 5, "text": "Good"}]},
    }
    node = await shop.client()("query N($id: ID!) { node(id: $id) { id } }", {"id": value["id"]})
    assert node == {"node": None}
    page = await shop.kernel.audit.page(action="reviews.hide_review")
    assert [entry.details for entry in page.entries] == [{"reason": "insult"}]
    # When it is shown again, then it counts again
    await shop.admin(HIDE, {"input": {**value, "hidden": False}})
    assert (await shop.client()(RATING, {"slug": "card"}))["product"]["averageStars"] == 3.0


async def test_hiding_needs_the_permission(shop: Shop) -> None:
    product = await shop.stock("CARD", 1)
    review = (await shop.review(await shop.buyer("CARD"), product, 5))["review"]
    clerk = Client(shop.kernel, "admin", a_clerk("catalog.manage_products"))
    answer = await clerk(HIDE, {"input": {"id": review["id"]}})
    assert answer["hideReview"] == {"review": None, "errors": [{"code": "FORBIDDEN"}]}
    assert await clerk.codes("{ reviews { nodes { id } } }") == ["FORBIDDEN"]


async def test_the_staff_reads_all_reviews(shop: Shop) -> None:
    product = await shop.stock("CARD", 1)
    review = (await shop.review(await shop.buyer("CARD"), product, 5))["review"]
    await shop.admin(HIDE, {"input": {"id": review["id"]}})
    nodes = (await shop.admin("{ reviews { nodes { stars hidden } } }"))["reviews"]["nodes"]
    assert nodes == [{"stars": 5, "hidden": True}]
