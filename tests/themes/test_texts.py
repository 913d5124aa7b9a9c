"""Announcements and help pages: written in the back office, read in the shop; and error pages that say what to do."""

from __future__ import annotations

import re

import pytest

from kameng.themes.answers import PageFailure
from kameng.themes.asking import Asking
from tests.themes.conftest import Browser, Shop, text_of

BODY = "## Hours\n\nWe are **here** from *nine*.\n\n<script>alert(1)</script> [more](/help/paying) [bad](javascript:alert(1))"


async def write(office: Browser, **fields: str) -> str:
    """Write a text; its page in the back office."""
    values = {
        "input__kind": "ANNOUNCEMENT",
        "input__slug": "hours",
        "input__titleEn": "Opening hours",
        "input__bodyEn": BODY,
        "input__titleZh": "营业时间",
        "input__bodyZh": "九点开始",
        "input__publishedFrom": "2026-01-01T09:00",
        **{f"input__{name}": value for name, value in fields.items()},
    }
    answer = await office.send("/admin/new-text", "write_article", **values)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"]


async def test_an_announcement_is_written_shown_pinned_and_removed(shop: Shop) -> None:
    # Given one that is pinned, written without any script
    office, visitor = await shop.first_administrator(), shop.open()
    page = await write(office, pinned="true")

    # Then its page shows Markdown as HTML, and nothing of the author's own markup
    shown = await visitor.get("/announcements/hours")
    assert "<h2>Hours</h2>" in shown.text
    assert "<strong>here</strong>" in shown.text
    assert '<a href="/help/paying">more</a>' in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    assert "<script>alert" not in shown.text
    assert 'href="javascript' not in shown.text
    assert "Opening hours" in text_of(await visitor.get("/announcements"))
    assert 'href="/announcements/hours"' in (await visitor.get("/")).text
    assert "营业时间" in text_of(await shop.open("zh-CN").get("/announcements/hours"))

    # and its times are those of the shop's clock: 09:00 in Shanghai
    since = await shop.kernel.db.fetchval("select published_from from membership_article")
    assert since.isoformat() == "2026-01-01T01:00:00+00:00"
    editing = await office.get(page)
    assert 'value="2026-01-01T09:00"' in editing.text
    assert "<h4>Hours</h4>" in editing.text

    # When it has an end, and when it is removed, it is gone
    await office.send(page, "save_article", input__publishedUntil="2026-01-02T09:00")
    assert "The text is saved." in text_of(await office.get(page))
    assert (await visitor.get("/announcements/hours")).status_code == 404
    assert "There is no news at the moment." in text_of(await visitor.get("/announcements"))
    removed = await office.send(page, "remove_article")
    assert removed.headers["location"] == "/admin/texts"
    assert "Nothing has been written yet." in text_of(await office.get("/admin/texts"))


async def test_help_pages_are_arranged_and_a_taken_address_is_told(shop: Shop) -> None:
    office, visitor = await shop.first_administrator(), shop.open()
    await write(office, kind="HELP", slug="refunds", titleEn="Refunds", position="2")
    await write(office, kind="HELP", slug="paying", titleEn="Paying", position="1")

    listed = (await visitor.get("/help")).text
    assert re.findall(r'href="/help/(\w+)"', listed) == ["paying", "refunds"]
    page = await visitor.get("/help/paying")
    assert 'aria-current="page">Paying' in page.text
    assert "Refunds" in text_of(page)

    values = {"input__kind": "HELP", "input__slug": "paying", "input__titleEn": "Again"}
    taken = await office.send("/admin/new-text", "write_article", **values)
    assert taken.status_code == 422
    assert "Another text has this address." in text_of(taken)
    assert 'value="Again"' in taken.text


async def test_drafts_are_not_shown(shop: Shop) -> None:
    office, visitor = await shop.first_administrator(), shop.open()
    await write(office, publishedFrom="")
    assert (await visitor.get("/announcements/hours")).status_code == 404
    assert "Draft" in text_of(await office.get("/admin/texts"))


ERRORS = {
    403: ("You may not do this", "您没有权限执行此操作", "log out and log in with the right account"),
    404: ("This page does not exist", "页面不存在", "Search for it above"),
    409: ("Something changed in the meantime", "内容已发生变化", "Nothing happened twice."),
    413: ("This is too large", "内容过大", "Send a smaller file"),
    422: ("Something is not right yet", "还有内容需要修改", "Go back, look at what you filled in"),
    429: ("Too many tries", "操作过于频繁", "Wait a minute and try again."),
    500: ("Something went wrong on our side", "服务器出了点问题", "No order is lost"),
    503: ("We will be back in a moment", "我们马上回来", "No order is lost"),
}


async def test_each_error_says_what_happened_and_what_to_do(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    english, chinese = shop.open(), shop.open("zh-CN")
    for status, (title, zh_title, cure) in ERRORS.items():

        async def fail(*_: object, status: int = status) -> None:
            raise PageFailure(status)

        monkeypatch.setattr(Asking, "page", fail)
        answers = [await browser.get("/products") for browser in (english, chinese)]

        assert [answer.status_code for answer in answers] == [status, status]
        text, translated = (text_of(answer) for answer in answers)
        assert title in text
        assert cure in text
        assert zh_title in translated
        assert title not in translated
        assert ("name this reference" in text) == (status >= 500)
