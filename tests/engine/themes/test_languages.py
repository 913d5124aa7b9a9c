"""Languages: which is chosen, what is translated, how money and times are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from kameng.sites.previews import ENDED, NOT_HERE
from kameng.themes import formats
from kameng.themes.catalogues import read_catalogue
from kameng.themes.checks.templates import read_templates
from kameng.themes.checks.translations import theme_messages
from kameng.themes.coercion import MESSAGES
from kameng.themes.discovery import BASE_FOLDER, read_layer
from kameng.themes.error_pages import TITLES
from kameng.themes.loaded import build_theme
from kameng.themes.locales import negotiate
from kameng.themes.posting import FAILED, FORGED
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import Browser, OpenShop

CATALOGUE = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: zh_CN\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Hello {name}"
msgstr "你好，{name}"

msgid "one code"
msgid_plural "%(n)s codes"
msgstr[0] "%(n)s 个卡密"
"""


@pytest.mark.parametrize(
    ("query", "cookies", "accept", "expected"),
    [
        ({}, {}, "", "zh-CN"),
        ({}, {}, "fr", "zh-CN"),
        ({}, {}, "en-GB,en;q=0.9", "en"),
        ({}, {}, "fr, zh;q=0.4, en;q=0.8", "en"),
        ({}, {}, "en;q=0, zh-Hans", "zh-CN"),
        ({}, {"kameng_locale": "en"}, "zh-CN", "en"),
        ({}, {"kameng_locale": "../../etc"}, "en", "en"),
        ({"lang": "zh"}, {"kameng_locale": "en"}, "en", "zh-CN"),
        ({"lang": "xx"}, {}, "en", "en"),
        ({}, {}, "en;q=x", "zh-CN"),
    ],
)
def test_the_language_is_chosen_by_query_then_cookie_then_header(
    query: dict[str, str], cookies: dict[str, str], accept: str, expected: str
) -> None:
    assert negotiate(query, cookies, accept) == expected


async def test_a_choice_by_address_is_remembered(browser: Browser) -> None:
    answer = await browser.get("/?lang=zh-CN")
    assert '<html lang="zh-CN">' in answer.text
    assert answer.cookies["kameng_locale"] == "zh-CN"

    assert '<html lang="zh-CN">' in (await browser.get("/")).text


async def test_the_switch_keeps_the_rest_of_the_address(browser: Browser) -> None:
    text = (await browser.get("/?first=1&lang=zh-CN")).text

    assert '<a href="/?first=1&amp;lang=en" hreflang="en">' in text


async def test_messages_are_translated_filled_and_escaped(open_shop: OpenShop, tmp_path: Path) -> None:
    template = (
        '{{ _("Hello {name}", name="<i>") }}|{{ t("<b>") }}'
        "|{% trans n=3 %}one code{% pluralize %}{{ n }} codes{% endtrans %}"
        "|{% trans a='<u>' %}<em>{{ a }}</em>{% endtrans %}"
        '|{{ _("{x.__class__}{y}", x=1) }}'
    )
    manifest, files = one_page(template)
    folder = write_theme(
        tmp_path, "talk", manifest, {**files, "locale/zh_CN/LC_MESSAGES/messages.po": CATALOGUE}
    )
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="talk")))

    english = (await browser.get("/?lang=en")).text
    chinese = (await browser.get("/?lang=zh-CN")).text

    assert english == "Hello &lt;i&gt;|&lt;b&gt;|3 codes|<em>&lt;u&gt;</em>|{x.__class__}{y}"
    assert chinese == "你好，&lt;i&gt;|&lt;b&gt;|3 个卡密|<em>&lt;u&gt;</em>|{x.__class__}{y}"


async def test_constants_are_not_written_in_the_language_of_whoever_came_first(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    folder = write_theme(tmp_path, "talk", *one_page('{{ "2026-01-31" | date("long") }}'))
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="talk")))

    assert (await browser.get("/?lang=en")).text == "January 31, 2026"
    assert (await browser.get("/?lang=zh-CN")).text == "2026年1月31日"


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "expected"),
    [
        ("98.50", "CNY", "zh_CN", "¥98.50"),
        ("98.50", "CNY", "en", "CN¥98.50"),
        ("-1234.5", "USD", "en", "-$1,234.50"),
        ("98.5000", "CNY", "zh_CN", "¥98.50"),
        ("0.0532", "CNY", "zh_CN", "¥0.0532"),
        ("100", "JPY", "en", "¥100"),
    ],
)
def test_money_keeps_every_decimal_that_counts(
    amount: str, currency: str, locale: str, expected: str
) -> None:
    assert formats.money({"amount": amount, "currency": currency}, Locale.parse(locale)) == expected


def test_a_time_is_shown_on_the_day_that_it_has_in_the_sites_time_zone() -> None:
    zone, english = ZoneInfo("Asia/Shanghai"), Locale("en")
    evening = "2026-01-31T20:00:00+00:00"

    assert formats.day(evening, zone, english) == "Feb 1, 2026"
    assert formats.day("2026-01-31", zone, english) == "Jan 31, 2026"
    assert formats.day(date(2026, 1, 31), zone, english) == "Jan 31, 2026"
    assert formats.time_of_day(evening, zone, Locale.parse("zh_CN")) == "04:00"
    assert (
        formats.ago("2026-01-31T19:57:00Z", datetime(2026, 1, 31, 20, tzinfo=UTC), english) == "3 minutes ago"
    )


def test_the_kernels_own_messages_are_all_translated() -> None:
    serving = shop.kernel()
    base = read_layer(BASE_FOLDER)
    theme, _ = build_theme((base,), serving.schemas, serving.modules, ZoneInfo("UTC"))
    wanted = {message.text for message in theme_messages(theme, read_templates(theme))}
    wanted |= {*MESSAGES, *TITLES.values(), FORGED, FAILED, NOT_HERE, ENDED}

    catalogue = read_catalogue(BASE_FOLDER / "locale", "zh-CN")

    assert catalogue is not None
    translated = {item.id for item in catalogue if item.id and item.string and item.context is None}
    assert translated == wanted
