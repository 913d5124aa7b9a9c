"""Articles in the shop schema: announcements and help pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import strawberry

from kameng.graphql import Connection, Context, Info, Node
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id
from kameng_catalog.contract import Sites
from kameng_membership.articles.statements import PINNED, SHOWN, SHOWN_ARTICLE

NEWEST = Keyset("articles-newest", (("published_from", "timestamptz"), ("id", "uuid")), descending=True)
ARRANGED = Keyset("articles-arranged", (("position", "smallint"), ("id", "uuid")))

_LONGEST_SLUG = 64


@strawberry.type(description="A text of the shop: an announcement or a help page.")
class Article(Node):
    """A text of the shop."""

    titles: strawberry.Private[Mapping[str, str]]
    bodies: strawberry.Private[Mapping[str, str]]
    slug: str
    pinned: bool = strawberry.field(description="Whether it is to be seen before everything else.")
    published_at: datetime | None = strawberry.field(description="Since when it is shown.")
    updated_at: datetime

    @strawberry.field(description="In the language of the request, else in another.")
    def title(self, info: Info) -> str:
        """Its title."""
        return in_language(self.titles, info.context.locale)

    @strawberry.field(description="Markdown, in the language of the title; HTML in it is text.")
    def body(self, info: Info) -> str:
        """Its text."""
        return self.bodies.get(language_of(self.titles, info.context.locale), "")


@strawberry.type
class ArticlesQuery:
    """Queries on articles."""

    @strawberry.field(description="What the shop has announced, the newest first.")
    async def announcements(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Article]:
        """A page of announcements."""
        return await _page(
            info.context, "announcement", NEWEST, PageRequest.of(first, after, last, before), "published_from"
        )

    @strawberry.field(
        description="Announcements that are to be seen before everything else, the newest first; 3 at most."
    )
    async def pinned_announcements(self, info: Info) -> list[Article]:
        """What is pinned."""
        rows = await info.context.db.fetch(PINNED, "announcement", site_of(info.context))
        return [article_of(row) for row in rows]

    @strawberry.field(description="An announcement by its slug; null if there is none.")
    async def announcement(self, info: Info, slug: str) -> Article | None:
        """An announcement."""
        return await _by_slug(info.context, "announcement", slug)

    @strawberry.field(description="The help pages, as the shop has arranged them.")
    async def help_pages(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Article]:
        """A page of the list of help pages."""
        return await _page(
            info.context, "help", ARRANGED, PageRequest.of(first, after, last, before), "position"
        )

    @strawberry.field(description="A help page by its slug; null if there is none.")
    async def help_page(self, info: Info, slug: str) -> Article | None:
        """A help page."""
        return await _by_slug(info.context, "help", slug)


async def article_nodes(context: Context, keys: Sequence[UUID]) -> list[Article | None]:
    """Articles for ``node(id:)``, as far as this site shows them."""
    found = {
        row["id"]: article_of(row)
        for row in await context.db.fetch(
            f"""
            select * from membership_article
            where id = any($3::uuid[]) and ({SHOWN.replace("kind = $1", "kind = any($1::text[])")})
            """,
            ["announcement", "help"],
            site_of(context),
            list(keys),
        )
    }
    return [found.get(key) for key in keys]


def article_of(row: Mapping[str, Any]) -> Article:
    """A stored article as the shop shows it."""
    return Article(
        id=strawberry.ID(global_id("Article", row["id"])),
        titles=orjson.loads(row["titles"]),
        bodies=orjson.loads(row["bodies"]),
        slug=row["slug"],
        pinned=row["pinned"],
        published_at=row["published_from"],
        updated_at=row["updated_at"],
    )


def language_of(texts: Mapping[str, str], locale: str) -> str:
    """The language in which somebody reads a text: his own, else one that there is."""
    return locale if locale in texts else next(iter(texts), locale)


def in_language(texts: Mapping[str, str], locale: str) -> str:
    """A text in somebody's language, else in one that there is; empty where there is none."""
    return texts.get(language_of(texts, locale), "")


def site_of(context: Context) -> str:
    """The site that a request is for; empty: the operator's own."""
    sites = context.kernel.services.find(Sites)
    return sites.site_of(context.host) if sites is not None else ""


async def _by_slug(context: Context, kind: str, slug: str) -> Article | None:
    if len(slug) > _LONGEST_SLUG or "\0" in slug:
        return None
    row = await context.db.fetchrow(SHOWN_ARTICLE, kind, site_of(context), slug)
    return None if row is None else article_of(row)


async def _page(
    context: Context, kind: str, keyset: Keyset, page: PageRequest, column: str
) -> Connection[Article]:
    behind, tail, cursor = page.clauses(keyset, 3)
    rows = await context.db.fetch(
        f"select * from membership_article where {SHOWN} and {behind} {tail}", kind, site_of(context), *cursor
    )
    return page.connection(rows, keyset, lambda row: [row[column], row["id"]], article_of)
