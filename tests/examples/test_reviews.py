"""A third party's module, installed from its wheel beside the wheels of engine and modules, in a shop that runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .environment import ROOT, CleanEnvironment
from .running_shop import RunningShop, processes_with

PACKAGE = ROOT / "examples" / "kameng-reviews"
DATA = ROOT / "examples" / "data"

FIRST_ADMINISTRATOR = """
mutation First($token: String!) {
  createFirstAdministrator(
    input: {token: $token, email: "owner@example.com", name: "Owner", password: "long rivers bend slowly", transport: TOKEN}
  ) { token errors { code message } }
}
"""
REGISTER = """
mutation {
  register(input: {email: "ann@example.com", password: "seven quiet lanterns", transport: TOKEN}) {
    member { id } token errors { code message }
  }
}
"""
CREDIT = """
mutation Credit($input: CreditWalletInput!) { creditWallet(input: $input) { errors { code message } } }
"""
PRODUCT = """
{ product(slug: "steam-us") { id variants { id sku } averageStars reviewCount reviews { nodes { stars text } } } }
"""
PLACE = """
mutation Place($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { number lines { cards { secret } } } errors { code message } }
}
"""
REVIEW = """
mutation Review($input: ReviewProductInput!) { reviewProduct(input: $input) { review { id } errors { code } } }
"""


@pytest.fixture(scope="module")
def environment(clean_environment: CleanEnvironment) -> CleanEnvironment:
    """The clean environment, with reviews installed from their wheel."""
    clean_environment.install(*clean_environment.build(PACKAGE))
    return clean_environment


def test_it_depends_on_published_packages_alone(environment: CleanEnvironment, tmp_path: Path) -> None:
    # Given the clean environment, then nothing of it comes from this checkout
    code = "import kameng, kameng_catalog, kameng_reviews as r; print(kameng.__file__, kameng_catalog.__file__, r.__file__)"
    files = environment.run(environment.python, "-c", code, cwd=tmp_path).stdout.split()
    assert all(Path(file).is_relative_to(environment.folder) for file in files), files


@pytest.mark.slow
def test_its_own_tests_pass(environment: CleanEnvironment, tmp_path: Path) -> None:
    # Given its tests without its sources
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "pyproject.toml", tmp_path)
    # When they run, then they pass
    environment.run(environment.python, "-m", "pytest", "-q", cwd=tmp_path)


@pytest.mark.slow
def test_a_product_is_bought_and_reviewed(environment: CleanEnvironment, tmp_path: Path) -> None:
    # Given a shop that was migrated and stocked by its commands
    kameng = environment.kameng
    ran = environment.run(kameng, "migrate", cwd=tmp_path).stdout
    assert "reviews" in ran
    environment.run(kameng, "import", "products", DATA / "products.csv", cwd=tmp_path)
    cards = DATA / "cards-steam-us-20.csv"
    environment.run(kameng, "import", "cards", cards, "--variant", "STEAM-US-20", cwd=tmp_path)
    secrets = set(cards.read_text("utf-8").split())

    with RunningShop.started(environment, tmp_path) as shop:
        # Given an administrator by the printed link, and a member with money
        administrator = shop.ask("admin", FIRST_ADMINISTRATOR, {"token": shop.setup_token()})
        owner = administrator["createFirstAdministrator"]["token"]
        member = shop.ask("shop", REGISTER)["register"]
        credit = {"memberId": member["member"]["id"], "amount": {"amount": "500.00", "currency": "CNY"}}
        assert shop.ask("admin", CREDIT, {"input": {**credit, "reason": "deposit"}}, owner) == {
            "creditWallet": {"errors": []}
        }
        # When she reviews what she has not bought, then she is refused
        product = shop.ask("shop", PRODUCT)["product"]
        value = {"productId": product["id"], "stars": 4, "text": "Worked at <once>."}
        refused = shop.ask("shop", REVIEW, {"input": value}, member["token"])["reviewProduct"]
        assert refused == {"review": None, "errors": [{"code": "NOT_BOUGHT"}]}
        assert "Nobody has reviewed this yet." in shop.page("/products/steam-us")
        # When she buys it
        [variant] = [item["id"] for item in product["variants"] if item["sku"] == "STEAM-US-20"]
        line = {"variantId": variant, "quantity": 1}
        placed = shop.ask("shop", PLACE, {"input": {"lines": [line]}}, member["token"])["placeOrder"]
        assert placed["errors"] == []
        assert placed["order"]["lines"][0]["cards"][0]["secret"] in secrets

        # When reviews have heard of it, then her review is taken
        def review() -> object:
            payload = shop.ask("shop", REVIEW, {"input": value}, member["token"])["reviewProduct"]
            assert payload["errors"] in ([], [{"code": "NOT_BOUGHT"}])
            return payload["review"]

        shop.wait_for(review)
        # Then the product shows it in GraphQL
        shown = shop.ask("shop", PRODUCT)["product"]
        assert (shown["averageStars"], shown["reviewCount"]) == (4.0, 1)
        assert shown["reviews"]["nodes"] == [{"stars": 4, "text": "Worked at <once>."}]
        # and on its page, escaped, in both languages
        page = shop.page("/products/steam-us")
        assert "4 of 5 stars, 1 reviews" in page
        assert "Worked at &lt;once&gt;." in page
        assert "共 1 条评价" in shop.page("/products/steam-us?lang=zh-CN")
        # and in its own command, beside the shop that runs
        listed = environment.run(kameng, "reviews", "list", cwd=tmp_path).stdout
        assert "★★★★☆" in listed

        # When the operator presses Ctrl-C, then everything ends and nothing is left
        shop.stop()
    assert shop.status == 0, shop.log.read_text("utf-8")
    assert shop.left == ()
    assert processes_with(str(tmp_path)) == []
