"""Announcements and help pages: written by the staff, shown in time and in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import Club, clerk, codes

SAVE = """
mutation Save($input: SaveArticleInput!) {
  saveArticle(input: $input) { article { id state } errors { code path } }
}
"""
REMOVE = "mutation Remove($id: ID!) { removeArticle(articleId: $id) { removed errors { code } } }"
ANNOUNCED = """
query Announced($first: Int, $after: String) {
  announcements(first: $first, after: $after) {
    nodes { slug title body } pageInfo { hasNextPage endCursor }
  }
  pinnedAnnouncements { slug }
}
"""
WRITER = clerk("membership.manage_articles")


async def save(club: Club, **values: Any) -> Any:
    draft = {
        "kind": "ANNOUNCEMENT",
        "slug": "sale",
        "titleZh": "大促",
        "titleEn": "Sale",
        "bodyZh": "**全场**",
        **values,
    }
    answer = await club.ask("admin", SAVE, {"input": draft}, principal=WRITER)
    assert answer.errors is None, answer.errors
    return answer.data["saveArticle"]


def days(count: int) -> str:
    return (datetime.now(UTC) + timedelta(days=count)).isoformat()


async def announced(club: Club, locale: str = "en", **values: Any) -> Any:
    return (await club.ask("shop", ANNOUNCED, values, locale=locale)).data


async def test_an_announcement_is_shown_from_its_day_to_its_end(club: Club) -> None:
    # Given a draft, one to come, one that is over and two that run
    states = [
        (await save(club, slug=slug, **window))["article"]["state"]
        for slug, window in (
            ("draft", {}),
            ("coming", {"publishedFrom": days(1)}),
            ("over", {"publishedFrom": days(-3), "publishedUntil": days(-1)}),
            ("older", {"publishedFrom": days(-2), "pinned": True}),
            ("newer", {"publishedFrom": days(-1), "publishedUntil": days(1)}),
        )
    ]
    assert states == ["DRAFT", "SCHEDULED", "OVER", "PUBLISHED", "PUBLISHED"]
    # Then those that run are shown, the newest first
    shown = await announced(club)
    assert [item["slug"] for item in shown["announcements"]["nodes"]] == ["newer", "older"]
    assert shown["pinnedAnnouncements"] == [{"slug": "older"}]
    # page by page too
    first = (await announced(club, first=1))["announcements"]
    assert [item["slug"] for item in first["nodes"]] == ["newer"]
    second = await announced(club, first=1, after=first["pageInfo"]["endCursor"])
    assert [item["slug"] for item in second["announcements"]["nodes"]] == ["older"]
    for slug in ("draft", "coming", "over"):
        answer = await club.ask("shop", f'{{ announcement(slug: "{slug}") {{ slug }} }}')
        assert answer.data == {"announcement": None}


async def test_it_is_read_in_ones_own_language_or_in_the_one_there_is(club: Club) -> None:
    await save(club, publishedFrom=days(-1))
    await save(club, slug="only-chinese", titleEn="", publishedFrom=days(-2))
    english = (await announced(club))["announcements"]["nodes"]
    chinese = (await announced(club, "zh-CN"))["announcements"]["nodes"]
    assert [(item["title"], item["body"]) for item in english] == [("Sale", ""), ("大促", "**全场**")]
    assert [(item["title"], item["body"]) for item in chinese] == [("大促", "**全场**")] * 2


async def test_help_pages_come_as_they_are_arranged(club: Club) -> None:
    for slug, position in (("refunds", 2), ("paying", 1)):
        await save(club, kind="HELP", slug=slug, position=position, publishedFrom=days(-1))
    answer = await club.ask(
        "shop",
        '{ helpPages { nodes { slug } } helpPage(slug: "paying") { title } announcements { nodes { slug } } }',
    )
    assert answer.data == {
        "helpPages": {"nodes": [{"slug": "paying"}, {"slug": "refunds"}]},
        "helpPage": {"title": "Sale"},
        "announcements": {"nodes": []},
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"slug": "Not Plain"}, "slug"),
        ({"slug": "-x"}, "slug"),
        ({"titleZh": " ", "titleEn": ""}, "titleZh"),
        ({"titleEn": "", "bodyEn": "text"}, "titleEn"),
        ({"titleEn": "x" * 121}, "titleEn"),
        ({"bodyZh": "x" * 20_001}, "bodyZh"),
        (
            {"publishedFrom": "2026-01-02T00:00:00Z", "publishedUntil": "2026-01-01T00:00:00Z"},
            "publishedUntil",
        ),
    ],
)
async def test_what_cannot_be_kept_is_told_at_its_field(
    club: Club, values: dict[str, str], field: str
) -> None:
    saved = await save(club, **values)
    assert saved == {"article": None, "errors": [{"code": "INVALID_INPUT", "path": ["input", field]}]}


async def test_an_address_is_one_texts_alone(club: Club) -> None:
    first = (await save(club, publishedFrom=days(-1)))["article"]
    assert codes(await save(club)) == ["SLUG_TAKEN"]
    other = (await save(club, slug="other"))["article"]
    assert codes(await save(club, id=other["id"], slug="sale")) == ["SLUG_TAKEN"]
    # A help page may have it, and so may another site
    assert (await save(club, kind="HELP"))["errors"] == []
    assert (await save(club, site="east"))["errors"] == []
    # A text stays what it is
    assert codes(await save(club, id=first["id"], kind="HELP", slug="moved")) == ["NOT_FOUND"]


async def test_writing_and_removing_need_the_permission_and_are_recorded(club: Club) -> None:
    key = (await save(club, publishedFrom=days(-1)))["article"]["id"]
    refused = await club.ask("admin", REMOVE, {"id": key}, principal=clerk("catalog.edit"))
    assert codes(refused.data["removeArticle"]) == ["FORBIDDEN"]
    done = await club.ask("admin", REMOVE, {"id": key}, principal=WRITER)
    assert done.data["removeArticle"] == {"removed": True, "errors": []}
    assert (await announced(club))["announcements"]["nodes"] == []
    assert await club.audited() == ["membership.save_article", "membership.remove_article"]
