"""Cached fragments: rendered once for all, never with anything of one person, and anew after events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateAssertionError
from markupsafe import Markup

from kameng.events import Event
from kameng.events.outbox import PAGES_TOPIC
from kameng.themes import check_theme
from kameng.themes.environment import ThemeEnvironment, rendering
from kameng.themes.fragments import Fragments, fragments_of
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import OpenShop


class _Counting:
    """Renders texts of templates, and counts how often a part of them was rendered."""

    def __init__(self) -> None:
        self.environment = ThemeEnvironment([])
        self.fragments = Fragments()
        self.count = 0
        self.environment.filters["counted"] = self._counted

    def _counted(self, text: object) -> object:
        self.count += 1
        return text

    def __call__(self, text: str, **values: Any) -> str:
        values = {"_fragments": self.fragments, "locale": "en", **values}
        with rendering(values):
            return self.environment.from_string(text).render()


LISTED = '{% cache "list", items=data.items %}{% for item in items %}{{ item | counted }},{% endfor %}{% endcache %}'


def test_a_fragment_is_rendered_once_for_the_same_content() -> None:
    render = _Counting()

    texts = [render(LISTED, data={"items": items}) for items in (["a", "<b>"], ["a", "<b>"], ["c"])]

    assert texts == ["a,&lt;b&gt;,", "a,&lt;b&gt;,", "c,"]
    assert render.count == 3
    assert (render.fragments.hits, render.fragments.misses) == (1, 2)


def test_who_is_shown_another_price_has_another_fragment() -> None:
    render = _Counting()
    text = '{% cache "card", price=data.price %}{{ price.amount | counted }}{% endcache %}'

    assert render(text, data={"price": {"amount": "9.50"}}) == "9.50"
    assert render(text, data={"price": {"amount": "9.00"}}) == "9.00"
    assert render(text, data={"price": {"amount": "9.50"}}) == "9.50"


@pytest.mark.parametrize("other", [{"locale": "zh-CN"}, {"_variant": "north@3"}])
def test_languages_and_sites_have_fragments_of_their_own(other: dict[str, str]) -> None:
    render = _Counting()
    text = '{% cache "x" %}{{ locale | counted }}{% endcache %}'

    render(text)
    render(text, **other)

    assert render.count == 2


@pytest.mark.parametrize(
    "inside",
    [
        "{{ viewer.kind }}",
        "{{ data.viewer.name }}",
        "{{ csrf() }}",
        "{{ page.path }}",
        "{{ form('a').fields }}",
        "{{ flash }}",
    ],
)
def test_a_fragment_cannot_name_what_it_is_not_given(inside: str) -> None:
    with pytest.raises(TemplateAssertionError, match="A cached fragment sees only what it is given"):
        ThemeEnvironment([]).from_string(f'{{% cache "x" %}}{inside}{{% endcache %}}')


def test_a_variable_set_around_it_is_not_given_either() -> None:
    with pytest.raises(TemplateAssertionError, match="'name' is not"):
        ThemeEnvironment([]).from_string(
            '{% set name = data.viewer.name %}{% cache "x" %}{{ name }}{% endcache %}'
        )


def test_a_macro_of_the_same_template_sees_no_more() -> None:
    with pytest.raises(TemplateAssertionError, match="'name' is not"):
        ThemeEnvironment([]).from_string(
            "{% set name = data.name %}{% macro who() %}{{ name }}{% endmacro %}"
            '{% cache "x" %}{{ who() }}{% endcache %}'
        )


def test_what_is_imported_with_the_context_is_not_given() -> None:
    with pytest.raises(TemplateAssertionError, match="'groups' is not"):
        ThemeEnvironment([]).from_string(
            '{% from "a.html" import groups with context %}{% cache "x" %}{{ groups }}{% endcache %}'
        )


def test_a_fragment_includes_nothing() -> None:
    with pytest.raises(TemplateAssertionError, match="includes nothing"):
        ThemeEnvironment([]).from_string('{% cache "x" %}{% include "a.html" %}{% endcache %}')


async def test_a_macro_in_a_fragment_sees_nothing_of_the_viewer(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page(
        '{% import "who.html" as who %}{% cache "x" %}{{ who.name() }}{% endcache %}', kind="storefront"
    )
    write_theme(
        tmp_path,
        "sly",
        manifest,
        {**files, "templates/who.html": "{% macro name() %}{{ viewer.kind }}{% endmacro %}"},
    )
    browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="sly")))

    assert (await browser.get("/")).status_code == 500


def test_what_is_no_data_is_no_key() -> None:
    with pytest.raises(TypeError, match="kept under what it is given"):
        _Counting()('{% cache "x", y=data %}{% endcache %}', data=object())


def test_the_oldest_go_when_there_are_too_many() -> None:
    fragments = Fragments(most_bytes=1500)
    for key in "abcd":
        fragments.put(key, Markup("x" * 100), frozenset(), 60)
        fragments.get("a")

    assert [key for key in "abcd" if fragments.get(key)] == ["a", "d"]
    assert fragments.bytes == 1200
    fragments.put("large", Markup("x" * 1000), frozenset(), 60)
    assert fragments.get("large") is None
    assert len(fragments) == 2


def test_a_fragment_is_kept_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("kameng.themes.fragments.time.monotonic", lambda: now[0])
    fragments = Fragments()
    fragments.put("a", Markup("x"), frozenset(), 10)

    now[0] = 1009.0
    assert fragments.get("a") == "x"
    now[0] = 1011.0
    assert fragments.get("a") is None


def test_an_event_takes_away_what_waits_for_it() -> None:
    fragments = Fragments()
    fragments.put("a", Markup("x"), frozenset({"shop.changed"}), 60)
    fragments.put("b", Markup("x"), frozenset({"shop.other"}), 60)
    fragments.put("c", Markup("x"), frozenset(), 60)

    fragments.expire("shop.changed")
    assert [key for key in "abc" if fragments.get(key)] == ["b", "c"]
    fragments.expire(None)
    assert [key for key in "abc" if fragments.get(key)] == ["c"]


class ShelfChanged(Event, frozen=True, kw_only=True):
    """What everybody is shown is another."""

    name = "shelves.changed"
    pages = True


class OrderSeen(Event, frozen=True, kw_only=True):
    """Nothing that pages show to everybody."""

    name = "shelves.seen"


async def test_an_event_of_another_process_makes_a_fragment_old(make_kernel: Callable[..., Any]) -> None:
    # Given a line that is up, and a fragment that an event makes old
    kernel = await make_kernel([])
    fragments = fragments_of(kernel)
    key, text, until = "a", Markup("x"), frozenset({"shelves.changed"})
    fragments.put(key, text, until, 60)
    async with kernel.live.subscribe(PAGES_TOPIC) as line:
        await anext(line)
        while fragments.get(key):
            await asyncio.sleep(0.01)
        fragments.put(key, text, until, 60)
        # When events are published, then those are told by which pages change, and the fragment goes
        async with kernel.db.transaction():
            await kernel.events.emit(OrderSeen(), ShelfChanged(), ShelfChanged())
        assert await anext(line) == "shelves.changed"
        while fragments.get(key):
            await asyncio.sleep(0.01)


async def test_pages_come_from_fragments(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page(
        '{% cache "list", products=data.products %}{% for item in products %}{{ item.name }};{% endfor %}{% endcache %}'
    )
    manifest["pages"]["home"]["document"] = "queries/home.graphql"
    files["queries/home.graphql"] = "query Home { products { name } }"
    write_theme(tmp_path, "kept", {**manifest, "kind": "storefront"}, files)
    kernel = shop.kernel(config=shop.settings(tmp_path, storefront="kept"))
    browser = open_shop(kernel)

    texts = [(await browser.get("/")).text for _ in range(3)]

    assert texts[0].startswith("Steam &lt;script&gt;")
    assert len(set(texts)) == 1
    assert (fragments_of(kernel).hits, fragments_of(kernel).misses) == (2, 1)


def test_theme_check_tells_of_a_fragment_that_sees_too_much(tmp_path: Path) -> None:
    manifest, files = one_page('\n{% cache "x" %}{{ viewer.kind }}{% endcache %}')
    folder = write_theme(tmp_path, "sly", {**manifest, "kind": "storefront"}, files)

    found = [(item.level.value, item.line, item.message) for item in check_theme(folder, shop.kernel())]

    assert ("error", 2, "A cached fragment sees only what it is given, and 'viewer' is not.") in found
