"""Who may review what, and what becomes of it."""

from __future__ import annotations

from kameng.db import counted_statements
from kameng.tasks import drain

from .conftest import RATING, Shop


async def test_a_buyer_reviews_and_the_product_shows_it(shop: Shop) -> None:
    # Given a product that two members bought
    product = await shop.stock("CARD", 5)
    ann, bob = await shop.buyer("CARD"), await shop.buyer("CARD")
    assert (await shop.client()(RATING, {"slug": "card"}))["product"] == {
        "averageStars": None,
        "reviewCount": 0,
        "reviews": {"nodes": []},
    }
    # When both review it
    payload = await shop.review(ann, product, 5, "  Delivered at once.  ")
    assert payload["errors"] == []
    assert payload["review"]["text"] == "Delivered at once."
    await shop.review(bob, product, 4, "Works")
    # Then the product shows both, the newest first, and their average
    assert (await shop.client()(RATING, {"slug": "card"}))["product"] == {
        "averageStars": 4.5,
        "reviewCount": 2,
        "reviews": {"nodes": [{"stars": 4, "text": "Works"}, {"stars": 5, "text": "Delivered at once."}]},
    }


async def test_only_buyers_review(shop: Shop) -> None:
    # Given somebody who bought another product
    product = await shop.stock("CARD", 1)
    await shop.stock("OTHER", 1)
    member = await shop.buyer("OTHER")
    # When he reviews, then he is refused and nothing is written
    payload = await shop.review(member, product, 1)
    assert [error["code"] for error in payload["errors"]] == ["NOT_BOUGHT"]
    assert payload["review"] is None
    assert await shop.kernel.db.fetchval("select count(*) from reviews_review") == 0


async def test_a_visitor_is_asked_to_log_in(shop: Shop) -> None:
    product = await shop.stock("CARD", 1)
    value = {"productId": product, "stars": 5, "text": "Good"}
    source = "mutation($input: ReviewProductInput!) { reviewProduct(input: $input) { errors { code } } }"
    answer = await shop.client()(source, {"input": value})
    assert answer["reviewProduct"]["errors"] == [{"code": "UNAUTHENTICATED"}]


async def test_a_product_is_reviewed_once_and_a_repeated_request_is_no_second_time(shop: Shop) -> None:
    # Given a review
    product = await shop.stock("CARD", 1)
    member = await shop.buyer("CARD")
    first = await shop.review(member, product, 5, key="one")
    # When the request comes again, then it gets the same review
    assert await shop.review(member, product, 5, key="one") == first
    # When it is another request, then it is refused
    again = await shop.review(member, product, 1, key="two")
    assert [error["code"] for error in again["errors"]] == ["ALREADY_REVIEWED"]
    assert (await shop.client()(RATING, {"slug": "card"}))["product"]["averageStars"] == 5.0


async def test_unusable_reviews_are_refused_where_they_are_wrong(shop: Shop) -> None:
    product = await shop.stock("CARD", 1)
    member = await shop.buyer("CARD")
    for stars, text, error in (
        (0, "Good", {"code": "STARS_OUT_OF_RANGE", "path": ["input", "stars"]}),
        (6, "Good", {"code": "STARS_OUT_OF_RANGE", "path": ["input", "stars"]}),
        (5, "   ", {"code": "TEXT_UNUSABLE", "path": ["input", "text"]}),
        (5, "x" * 2001, {"code": "TEXT_UNUSABLE", "path": ["input", "text"]}),
    ):
        assert (await shop.review(member, product, stars, text))["errors"] == [error]


async def test_the_number_of_statements_does_not_grow_with_products(shop: Shop) -> None:
    # Given two products with reviews
    products = {sku: await shop.stock(sku, 2) for sku in ("A", "B")}
    member = await shop.buyer(*products)
    for product in products.values():
        await shop.review(member, product, 3)
    source = "{ products(first: %d) { nodes { averageStars reviews(first: 2) { nodes { stars } } } } }"
    counts = []
    for size in (1, 2):
        # When a list shows them
        with counted_statements() as statements:
            data = await shop.client()(source % size)
        assert [len(node["reviews"]["nodes"]) for node in data["products"]["nodes"]] == [1] * size
        counts.append(len(statements))
    # Then it costs the same for one and for two
    assert counts[0] == counts[1]


async def test_pages_of_reviews_follow_each_other(shop: Shop) -> None:
    # Given three reviews
    product = await shop.stock("CARD", 3)
    for stars in (1, 2, 3):
        await shop.review(await shop.buyer("CARD"), product, stars)
    source = """
    query Page($after: String) {
      product(slug: "card") { reviews(first: 2, after: $after) { nodes { stars } pageInfo { endCursor hasNextPage } } }
    }
    """
    # When they are read in pages of two
    first = (await shop.client()(source))["product"]["reviews"]
    second = (await shop.client()(source, {"after": first["pageInfo"]["endCursor"]}))["product"]["reviews"]
    # Then each comes once
    assert [node["stars"] for node in first["nodes"] + second["nodes"]] == [3, 2, 1]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_review_is_told_to_other_modules(shop: Shop) -> None:
    # Given a review
    product = await shop.stock("CARD", 1)
    await shop.review(await shop.buyer("CARD"), product, 5)
    # Then its event stands in the outbox, and nothing of ours is owed any more
    topics = await shop.kernel.db.fetch("select topic from kernel_outbox")
    assert "reviews.review_written" in {row["topic"] for row in topics}
    await drain(shop.kernel)
    assert (await shop.kernel.events.backlog()).owed == 0
