"""Slots: what modules put into a page, and that none of it can take the page away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from kameng.module import Slot
from kameng.themes import load_themes
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import OpenShop

BROKEN = Slot(
    place="product.after_description", template=f"{shop.PACKAGE}:templates/slots/broken.html", order=1
)
FOOTER = Slot(place="layout.footer", template=f"{shop.PACKAGE}:templates/slots/footer.html")


async def test_a_module_shows_what_its_fragment_asked_for(open_shop: OpenShop) -> None:
    text = (await open_shop(shop.kernel(shop.reviews(shop.RATING))).get("/products/q-coins")).text

    # Its own text, the theme's macros, the visitor's language; and escaped like everything.
    assert '<p id="field-rating">Rated 4 by &lt;b&gt;Ann&lt;/b&gt;, en</p>' in text


async def test_the_fragment_joins_only_the_documents_that_mark_the_slot() -> None:
    theme = load_themes(shop.kernel(shop.reviews(shop.RATING))).active("storefront")

    assert "...reviews_Rated" in theme.page_documents["product"].source
    assert "fragment reviews_Parts on Rating" in theme.page_documents["product"].source
    assert "reviews" not in theme.page_documents["product"].bare
    assert "slot_" not in theme.page_documents["product"].bare
    assert "reviews" not in theme.page_documents["home"].source


async def test_a_slot_without_a_fragment_needs_no_document(open_shop: OpenShop) -> None:
    text = (await open_shop(shop.kernel(shop.reviews(FOOTER))).get("/login")).text

    assert "<footer>Codes at once <small>Reviews by us</small></footer>" in text


async def test_smaller_orders_come_first(open_shop: OpenShop) -> None:
    first = replace(FOOTER, place="product.after_description", order=1)

    text = (await open_shop(shop.kernel(shop.reviews(shop.RATING, first))).get("/products/q-coins")).text

    assert text.index("Reviews by us") < text.index("Rated 4")


async def test_a_slot_whose_resolver_fails_leaves_the_page_as_it_is(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(shop.reviews(shop.RATING, FOOTER)))

    with structlog.testing.capture_logs() as logs:
        answer = await browser.get("/products/none")

    assert answer.status_code == 200
    assert '<h1 title="Third">Third</h1>' in answer.text
    assert '<section id="slot"></section>' in answer.text
    assert "Reviews by us" in answer.text
    assert "slots left out" in [entry["event"] for entry in logs]


async def test_a_slot_whose_template_fails_is_left_out_alone(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(shop.reviews(BROKEN, shop.RATING)))

    with structlog.testing.capture_logs() as logs:
        answer = await browser.get("/products/q-coins")

    assert answer.status_code == 200
    assert "Rated 4" in answer.text
    assert [(entry["slot"], entry["module"]) for entry in logs if entry["event"] == "slot failed"] == [
        ("product.after_description", "reviews")
    ]


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("fragment F on Product { noSuchField }", "Cannot query field 'noSuchField' on type 'Product'."),
        ("fragment F on Order { number }", "can never be of type"),
        ("fragment F on Product { name: slug }", "Fields 'name' conflict"),
    ],
)
async def test_a_fragment_that_does_not_fit_is_left_out_with_a_warning(
    open_shop: OpenShop, fragment: str, message: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        browser = open_shop(shop.kernel(shop.reviews(replace(shop.RATING, fragment=fragment), FOOTER)))

    answer = await browser.get("/products/q-coins")
    assert answer.status_code == 200
    assert "Rated" not in answer.text
    assert "Reviews by us" in answer.text
    assert [message in entry["finding"] for entry in logs if entry["event"] == "theme finding"] == [True]


@pytest.mark.parametrize(
    ("slot", "message"),
    [
        (replace(FOOTER, template=f"{shop.PACKAGE}:templates/none.html"), "There is no file none.html"),
        (replace(FOOTER, template="no_such_package:a.html"), "It names no template of a package."),
        (replace(FOOTER, template=f"{shop.PACKAGE}:../shop/templates/layout.html"), "There is no file"),
        (replace(FOOTER, fragment="fragment F on {"), "Its fragment cannot be read"),
        (replace(FOOTER, fragment="query Q { engineVersion }"), "something else than fragments"),
    ],
)
async def test_a_slot_that_cannot_be_used_does_not_keep_the_theme_from_loading(
    open_shop: OpenShop, slot: Slot, message: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        browser = open_shop(shop.kernel(shop.reviews(slot)))

    assert (await browser.get("/login")).status_code == 200
    assert any(message in entry["finding"] for entry in logs if entry["event"] == "theme finding")


async def test_a_theme_writes_a_modules_template_anew(open_shop: OpenShop, tmp_path: Path) -> None:
    write_theme(
        tmp_path,
        "own",
        {"parent": "shop"},
        {"templates/modules/reviews/slots/rating.html": "<b>{{ subject.rating.stars }} of 5</b>"},
    )
    config = shop.settings(shop.FIXTURES, tmp_path, storefront="own")

    text = (
        await open_shop(shop.kernel(shop.reviews(shop.RATING), config=config)).get("/products/q-coins")
    ).text

    assert '<section id="slot"><b>4 of 5</b></section>' in text


async def test_a_theme_without_the_slot_is_no_worse(open_shop: OpenShop) -> None:
    nowhere = replace(FOOTER, place="nowhere.at_all")

    assert (await open_shop(shop.kernel(shop.reviews(nowhere))).get("/")).status_code == 200
