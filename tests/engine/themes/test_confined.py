"""Themes that nobody has looked at: whatever their templates try, the shop goes on and its error page is shown."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from kameng.themes import ThemeFaulty, load_themes
from kameng.themes.confined import ConfinedFailure, confined
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import Browser, OpenShop

HOME = '{% extends "@parent/home.html" %}{% block main %}'


def stranger(
    root: Path, templates: dict[str, str], manifest: dict[str, Any] | None = None, **files: str
) -> Any:
    """Settings of a shop that shows a stranger's theme, laid over the shop's own."""
    paths = {f"templates/{name}": text for name, text in templates.items()}
    write_theme(root, "stranger", {"parent": "shop", **(manifest or {})}, {**paths, **files})
    return shop.settings(shop.FIXTURES, root, storefront="stranger", confined=["stranger"])


def open_stranger(open_shop: OpenShop, root: Path, home: str) -> Browser:
    """A browser in front of a shop whose first page is a stranger's."""
    return open_shop(shop.kernel(config=stranger(root, {"home.html": HOME + home + "{% endblock %}"})))


async def test_a_strangers_template_shows_its_page(open_shop: OpenShop, tmp_path: Path) -> None:
    browser = open_stranger(
        open_shop, tmp_path, "<h1>Mine</h1>{% for p in data.products %}<b>{{ p.name }}</b>{% endfor %}"
    )

    answer = await browser.get("/")
    part = await browser.get("/", **{"kameng-block": "main"})

    assert answer.status_code == 200
    assert "<h1>Mine</h1><b>Steam &lt;script&gt;" in answer.text
    assert "<title>Welcome</title>" in answer.text
    assert (part.status_code, part.headers["kameng-block"]) == (200, "main")
    assert part.text.startswith("<h1>Mine</h1>")


@pytest.mark.parametrize(
    "attack",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ 'a' | center(2000000000) }}",
        "{{ range(10**9) | list | length }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(3000) %}{{ 'x' * 1000 }}{% endfor %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ data.products.append(1) }}",
        "{{ viewer._principal }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../../etc/passwd' %}",
        "{{ lipsum() }}",
        "{{ 10 ** (10 ** 8) }}",
        "{{ nothing }}",
    ],
)
async def test_an_attack_ends_in_the_parents_error_page_and_other_pages_go_on(
    open_shop: OpenShop, tmp_path: Path, attack: str
) -> None:
    browser = open_stranger(open_shop, tmp_path, attack)

    attacked, beside = await asyncio.gather(browser.get("/"), browser.get("/products/steam"))

    assert attacked.status_code == 500
    assert "Something went wrong on our side" in attacked.text
    assert '<p id="engine">' not in attacked.text
    assert "root:" not in attacked.text
    assert beside.status_code == 200
    assert "Steam" in beside.text


async def test_an_error_page_of_a_strangers_is_never_shown(open_shop: OpenShop, tmp_path: Path) -> None:
    templates = {"errors/error.html": "{{ 'a' * 10**9 }}", "errors/404.html": "{{ 'a' * 10**9 }}"}
    browser = open_shop(shop.kernel(config=stranger(tmp_path, templates)))

    answer = await browser.get("/nowhere")

    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


async def test_the_parents_forms_work_on_a_strangers_pages(open_shop: OpenShop, tmp_path: Path) -> None:
    shop.SEEN.orders.clear()
    browser = open_stranger(open_shop, tmp_path, "x")

    sent = await browser.send("/products/steam", {"input.lines[0].quantity": "200"})
    done = await browser.send("/products/steam", {"input.lines[0].quantity": "2"})

    assert (sent.status_code, "Only 100 are left." in sent.text) == (422, True)
    assert done.headers["location"] == "/orders/K%2F1"


@pytest.mark.parametrize(
    ("home", "message"),
    [
        ("<script>x()</script>", "A confined theme writes no <script>."),
        ("< SCRIPT src=x>", "A confined theme writes no <script>."),
        ("<iframe src=x>", "A confined theme writes no <iframe>."),
        ("<b {{ nonce }}>", "A confined theme does not use 'nonce'."),
        ("{{ form('place_order').fields }}", "A confined theme does not use 'form'."),
        ("{{ csrf() }}", "A confined theme does not use 'csrf'."),
        ("{% block %}", "expected token 'name'"),
    ],
)
def test_what_it_may_not_write_is_refused_before_it_is_used(tmp_path: Path, home: str, message: str) -> None:
    config = stranger(tmp_path, {"home.html": HOME + home + "{% endblock %}"})

    with pytest.raises(ThemeFaulty) as refused:
        load_themes(shop.kernel(config=config))

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"forms": {"place_order": {"success": "/"}}}, "A confined theme has no `forms` of its own."),
        ({"login": "home"}, "A confined theme has no `login` of its own."),
        ({"documents": {"a": "queries/home.graphql"}}, "A confined theme has no `documents` of its own."),
        ({"pages": {"order": {"requires": None}}}, "A confined theme does not say who may see order."),
    ],
)
def test_what_it_may_not_declare_is_refused(tmp_path: Path, manifest: dict[str, Any], message: str) -> None:
    with pytest.raises(ThemeFaulty, match=message):
        load_themes(shop.kernel(config=stranger(tmp_path, {}, manifest)))


def test_a_script_among_its_assets_is_refused(tmp_path: Path) -> None:
    config = stranger(tmp_path, {}, None, **{"assets/js/evil.js": "x()"})

    with pytest.raises(ThemeFaulty, match="A confined theme brings styles, pictures and fonts"):
        load_themes(shop.kernel(config=config))


async def test_a_child_has_none_of_its_parents_connections(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def try_to_reach_out() -> str:
        reached = []
        for what, attempt in (
            ("pipe", lambda: os.write(writing, b"x")),
            ("file", lambda: (tmp_path / "a").write_text("x")),
        ):
            try:
                attempt()
                reached.append(what)
            except OSError:
                pass
        return ",".join(reached)

    assert await confined(try_to_reach_out) == ""
    os.close(reading)
    os.close(writing)


async def test_a_child_that_sleeps_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kameng.themes.confined.SECONDS", 0.3)

    with pytest.raises(ConfinedFailure, match=r"It took longer than 0\.3 seconds"):
        await confined(lambda: time.sleep(60) or "")  # type: ignore[func-returns-value]  # it never returns


async def test_a_child_says_none_for_what_is_not_there() -> None:
    assert await confined(lambda: None) is None
