"""Pages, forms and navigation that modules add, and that none of it can take a theme away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kameng.module import Module, Navigation, Page, PageForm
from kameng.themes import Themes, check_theme, load_themes
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import ORIGIN, Browser, OpenShop, action_of, hidden_fields

LIST = Page(
    name="all",
    kind="storefront",
    path="/ratings/{slug}",
    title="Ratings of {product.name}",
    subject="product",
    template=f"{shop.PACKAGE}:templates/pages/ratings.html",
    document="""
      query Ratings($slug: String!) { product(slug: $slug) { ...Rated } }
      fragment Rated on Product { name rating { stars } }
    """,
)
SECRET = replace(
    LIST, name="secret", path="/secret", document="", title="Secret", subject=None, permission="reviews.see"
)
ORDER = PageForm(
    name="order",
    kind="storefront",
    flash="Done.",
    document="""mutation RatedOrder($input: PlaceOrderInput!) {
      placeOrder(input: $input) { order { number } errors { code path message cure } }
    }""",
)


def reviews(*pages: Page, **more: Any) -> Module:
    """A module with pages."""
    return replace(shop.reviews(), pages=pages, **more)


def findings(*modules: Module) -> list[str]:
    """What a check of the test shop tells of modules."""
    kernel = shop.kernel(*modules)
    return [
        f"{item.level.value} {item.file}: {item.message}"
        for item in check_theme(shop.FIXTURES / "shop", kernel)
        if item.file.startswith("module ")
    ]


async def test_a_page_of_a_module_stands_in_the_frame_of_the_theme(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(reviews(LIST)))

    answer = await browser.get("/ratings/q-coins")

    assert answer.status_code == 200
    assert "<title>Ratings of Q币 &#34;100&#34; &amp; more</title>" in answer.text
    assert '<p id="rated">4 stars, <a href="/ratings/q-coins">here</a></p>' in answer.text
    # the layout has its own data, too
    assert '<p id="engine">' in answer.text
    assert (await browser.get("/ratings/nothing")).status_code == 404


async def test_its_form_runs_its_mutation(open_shop: OpenShop) -> None:
    shop.SEEN.orders.clear()
    browser = open_shop(shop.kernel(reviews(LIST, forms=(ORDER,))))
    text = (await browser.get("/ratings/steam")).text

    sent = await browser.http.post(
        action_of(text),
        data={**hidden_fields(text), "input.lines[0].slug": "steam", "input.lines[0].quantity": "2"},
        headers={"origin": ORIGIN},
    )

    assert (sent.status_code, sent.headers["location"]) == (303, "/ratings/steam")
    assert shop.SEEN.orders == [{"lines": [("steam", 2)], "note": None}]
    assert "Done." in (await browser.get("/")).text


async def test_the_navigation_shows_what_the_viewer_may_see(open_shop: OpenShop, tmp_path: Path) -> None:
    layout = (
        "{% for entry in navigation() %}[{{ entry.name }} {{ entry.text }} {{ entry.url }} {{ entry.current }}]{% endfor %}"
        "{% block main %}{% endblock %}"
    )
    write_theme(tmp_path, "navigated", {"parent": "shop"}, {"templates/layout.html": layout})
    settings = shop.settings(shop.FIXTURES, tmp_path, storefront="navigated")
    plain = replace(SECRET, name="plain", path="/plain", permission=None)
    entries = (
        Navigation(kind="storefront", page="secret", text="Secret", order=1),
        Navigation(kind="storefront", page="plain", text="Too many tries", order=2),
        Navigation(kind="admin", page="plain", text="Elsewhere"),
    )
    browser = open_shop(shop.kernel(reviews(SECRET, plain, navigation=entries), config=settings))

    visitor = (await browser.get("/plain?lang=zh-CN")).text
    browser.log_in("staff")
    browser.http.cookies.set("rights", "reviews.see")
    clerk = (await browser.get("/plain?lang=en")).text

    assert visitor.startswith("[reviews.plain 操作过于频繁 /plain True]")
    assert "reviews.secret" not in visitor
    assert clerk.startswith("[reviews.secret Secret /secret False][reviews.plain Too many tries /plain True]")


async def test_a_page_needs_what_it_says(open_shop: OpenShop) -> None:
    browser = open_shop(shop.kernel(reviews(SECRET)))
    assert (await browser.get("/secret")).headers["location"] == "/login?next=%2Fsecret"

    browser.log_in("staff")

    assert (await browser.get("/secret")).status_code == 403


async def test_a_theme_writes_the_template_anew_or_takes_the_page_away(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    own = {"templates/modules/reviews/pages/ratings.html": "own {{ data.product.rating.stars }}"}
    write_theme(tmp_path, "anew", {"parent": "shop", "pages": {"reviews.secret": None}}, own)
    settings = shop.settings(shop.FIXTURES, tmp_path, storefront="anew")
    entry = Navigation(kind="storefront", page="secret", text="Secret")
    browser = open_shop(shop.kernel(reviews(LIST, SECRET, navigation=(entry,)), config=settings))

    assert (await browser.get("/ratings/steam")).text == "own 4"
    assert (await browser.get("/secret")).status_code == 404


def test_what_cannot_be_added_is_left_out_and_told() -> None:
    wrong = reviews(
        replace(LIST, name="taken", path="/products/{other}"),
        replace(LIST, name="kernel", path="/graphql/mine"),
        replace(LIST, name="path", path="ratings"),
        LIST,
        LIST,
        replace(LIST, name="template", path="/t", template=f"{shop.PACKAGE}:templates/none.html"),
        replace(
            LIST,
            name="field",
            path="/f/{slug}",
            document="query A($slug: String!) {\n product(slug: $slug) { nothing } }",
        ),
        replace(LIST, name="kind", path="/k", document="mutation A { x }"),
        replace(LIST, name="syntax", path="/s", document="query A {"),
        forms=(ORDER, replace(ORDER, name="wrong", document="query A { products { name } }")),
        navigation=(
            Navigation(kind="storefront", page="nowhere", text="x"),
            Navigation(kind="storefront", page="all", text="x"),
        ),
    )

    assert sorted(findings(wrong)) == sorted(
        [
            "warning module reviews/page taken: It is left out: /products/{other} is the path of product.",
            "warning module reviews/page kernel: It is left out: /graphql/mine is answered by the kernel.",
            (
                "warning module reviews/page path: It is left out: its path 'ratings' is unusable: "
                "a path begins with one slash and has no empty segment."
            ),
            "warning module reviews/page all: It is left out: there is a page reviews.all already.",
            f"warning module reviews/{shop.PACKAGE}:templates/none.html: There is no file none.html in templates/ of {shop.PACKAGE}.",  # noqa: E501 - one message
            "warning module reviews/page field: It is left out: Cannot query field 'nothing' on type 'Product'. Did you mean 'rating'?",  # noqa: E501 - one message
            "warning module reviews/page kind: It is left out: its document is not one named query.",
            "warning module reviews/page syntax: It is left out: its document cannot be read: Syntax Error: Expected Name, found <EOF>.",  # noqa: E501 - one message
            "warning module reviews/form wrong: It is left out: its document is not one named mutation.",
            "warning module reviews/navigation: It is left out: there is no page reviews.nowhere.",
            "warning module reviews/navigation: It is left out: the path of reviews.all, /ratings/{slug}, has parameters.",
        ]
    )


def test_what_is_added_asks_for_the_layouts_data_as_well() -> None:
    themes: Themes = load_themes(shop.kernel(reviews(LIST)))

    source = themes.active("storefront").page_documents["reviews.all"].source

    assert "engineVersion" in source
    assert "fragment reviews_page_Rated on Product" in source


def test_pages_of_another_kind_are_not_added() -> None:
    themes = load_themes(shop.kernel(reviews(replace(LIST, kind="admin"))))

    assert "reviews.all" not in themes.active("storefront").merged.pages


async def test_a_browser_without_the_module_finds_nothing(browser: Browser) -> None:
    assert (await browser.get("/ratings/steam")).status_code == 404
