"""Articles in the admin schema: all of them, in all languages, to write and to remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

import orjson
import strawberry

from kameng.graphql import LOCALES, Connection, Context, Info, Node, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of
from kameng_membership.articles.statements import ARTICLES_BY_ID
from kameng_membership.articles.writing import Draft, Kind, SlugTaken, remove_article, save_article

MANAGE_ARTICLES = "membership.manage_articles"
"""The permission to write, publish and remove announcements and help pages."""

NEWEST = Keyset("articles-written", (("id", "uuid"),), descending=True)

_ZH, _EN = LOCALES


@strawberry.enum(description="What an article is.")
class ArticleKind(Enum):
    """What an article is."""

    ANNOUNCEMENT = strawberry.enum_value("announcement", description="News, the newest first.")
    HELP = strawberry.enum_value("help", description="A page that answers a question, arranged by position.")


@strawberry.enum(description="Whether an article is to be seen.")
class ArticleState(Enum):
    """Whether an article is to be seen."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    OVER = "over"


@strawberry.type(name="Article", description="A text of the shop: an announcement or a help page.")
class ManagedArticle(Node):
    """An article as the staff sees it."""

    kind: ArticleKind
    slug: str = strawberry.field(description="The end of its address.")
    site: str = strawberry.field(description="Where it is shown; empty: on all sites.")
    title_zh: str
    title_en: str
    body_zh: str = strawberry.field(description="Markdown.")
    body_en: str = strawberry.field(description="Markdown.")
    pinned: bool
    position: int = strawberry.field(description="Of a help page: smaller comes first.")
    published_from: datetime | None = strawberry.field(
        description="Since when it is shown; null: it is a draft."
    )
    published_until: datetime | None = strawberry.field(description="Until when; null: for good.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Whether it is to be seen now.")
    def state(self) -> ArticleState:
        """Where it stands."""
        now = datetime.now(UTC)
        if self.published_from is None:
            return ArticleState.DRAFT
        if self.published_until is not None and self.published_until <= now:
            return ArticleState.OVER
        return ArticleState.SCHEDULED if self.published_from > now else ArticleState.PUBLISHED


@strawberry.type
class ArticlesAdminQuery:
    """Queries of the back office on articles."""

    @strawberry.field(
        description="All texts, drafts included, the newest first. Needs membership.manage_articles."
    )
    async def articles(
        self,
        info: Info,
        kind: ArticleKind | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ManagedArticle]:
        """A page of articles."""
        info.context.require(MANAGE_ARTICLES)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 2)
        rows = await info.context.db.fetch(
            f"select * from membership_article where ($1::text is null or kind = $1) and {behind} {tail}",
            kind.value if kind else None,
            *cursor,
        )
        return page.connection(rows, NEWEST, lambda row: [row["id"]], managed_article)

    @strawberry.field(description="A text by id; null if there is none. Needs membership.manage_articles.")
    async def article(self, info: Info, id: strawberry.ID) -> ManagedArticle | None:  # noqa: A002 - GraphQL's name
        """One article."""
        info.context.require(MANAGE_ARTICLES)
        return (await managed_article_nodes(info.context, [key_of("Article", id)]))[0]


@strawberry.input(description="A text to write, or to change: all of it, as it is to be.")
class SaveArticleInput:
    """A text to write, or to change."""

    id: strawberry.ID | None = strawberry.field(
        default=None, description="The one to change; none: a new one."
    )
    kind: ArticleKind
    slug: str = strawberry.field(description="The end of its address: small letters, digits, dashes.")
    site: str = strawberry.field(default="", description="Where it is shown; empty: on all sites.")
    title_zh: str = ""
    title_en: str = ""
    body_zh: str = strawberry.field(default="", description="Markdown; HTML in it is shown as text.")
    body_en: str = strawberry.field(default="", description="Markdown; HTML in it is shown as text.")
    pinned: bool = False
    position: int = 0
    published_from: datetime | None = strawberry.field(
        default=None, description="Since when it is shown; null: it stays a draft."
    )
    published_until: datetime | None = strawberry.field(
        default=None, description="Until when; null: for good."
    )


@payload(SlugTaken)
class SaveArticlePayload:
    """The text as it is kept, or why it is not."""

    article: ManagedArticle | None = None


@payload()
class RemoveArticlePayload:
    """Whether the text was removed."""

    removed: bool = False


@strawberry.type
class ArticlesAdminMutation:
    """Mutations of the back office on articles."""

    @mutation
    async def save_article(self, info: Info, input: SaveArticleInput) -> SaveArticlePayload:  # noqa: A002 - GraphQL's name
        """Write a text, or change one. Needs membership.manage_articles."""
        context = info.context
        context.require(MANAGE_ARTICLES)
        draft = Draft(
            kind=cast("Kind", input.kind.value),
            slug=input.slug.strip(),
            site=input.site.strip(),
            titles={_ZH: input.title_zh, _EN: input.title_en},
            bodies={_ZH: input.body_zh, _EN: input.body_en},
            pinned=input.pinned,
            position=input.position,
            published_from=input.published_from,
            published_until=input.published_until,
        )
        key = await save_article(context, draft, None if input.id is None else key_of("Article", input.id))
        return SaveArticlePayload(article=(await managed_article_nodes(context, [key]))[0])

    @mutation
    async def remove_article(self, info: Info, article_id: strawberry.ID) -> RemoveArticlePayload:
        """Remove a text for good. Needs membership.manage_articles."""
        info.context.require(MANAGE_ARTICLES)
        await remove_article(info.context, key_of("Article", article_id))
        return RemoveArticlePayload(removed=True)


async def managed_article_nodes(context: Context, keys: Sequence[UUID]) -> list[ManagedArticle | None]:
    """Articles for ``node(id:)`` in the back office."""
    if not context.principal.may(MANAGE_ARTICLES):
        return [None] * len(keys)
    found = {row["id"]: managed_article(row) for row in await context.db.fetch(ARTICLES_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


def managed_article(row: Mapping[str, Any]) -> ManagedArticle:
    """A stored article as the staff sees it."""
    titles, bodies = orjson.loads(row["titles"]), orjson.loads(row["bodies"])
    return ManagedArticle(
        id=strawberry.ID(global_id("Article", row["id"])),
        kind=ArticleKind(row["kind"]),
        slug=row["slug"],
        site=row["site"],
        title_zh=titles.get(_ZH, ""),
        title_en=titles.get(_EN, ""),
        body_zh=bodies.get(_ZH, ""),
        body_en=bodies.get(_EN, ""),
        pinned=row["pinned"],
        position=row["position"],
        published_from=row["published_from"],
        published_until=row["published_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
