"""Articles as the staff writes them: checked, kept, removed, each recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec
import orjson

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.graphql import LOCALES, Context
from kameng.ids import new_id
from kameng_membership.articles.statements import (
    ADD_ARTICLE,
    ARTICLES_BY_ID,
    CHANGE_ARTICLE,
    REMOVE_ARTICLE,
)

Kind = Literal["announcement", "help"]

LONGEST_TITLE = 120
LONGEST_BODY = 20_000

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_SITE = re.compile(r"[a-z0-9_-]{0,64}")


class SlugTaken(Conflict):
    """Another text of this kind has this slug on this site."""

    code = "SLUG_TAKEN"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An article as somebody wants it; see the table."""

    kind: Kind
    slug: str
    titles: Mapping[str, str]
    bodies: Mapping[str, str]
    site: str = ""
    pinned: bool = False
    position: int = 0
    published_from: datetime | None = None
    published_until: datetime | None = None


async def save_article(context: Context, draft: Draft, article: UUID | None = None) -> UUID:
    """Keep a new article, or change one; returns its key.

    Raises:
        InvalidInput: a value is unusable.
        SlugTaken: another one has its slug.
        NotFound: there is no such article of this kind.
    """
    _check(draft)
    titles = {
        locale: draft.titles[locale].strip() for locale in LOCALES if draft.titles.get(locale, "").strip()
    }
    bodies = {
        locale: _body(draft.bodies[locale]) for locale in titles if draft.bodies.get(locale, "").strip()
    }
    own, statement = (new_id(), ADD_ARTICLE) if article is None else (article, CHANGE_ARTICLE)
    async with context.db.transaction():
        if article is not None and not any(
            row["kind"] == draft.kind for row in await context.db.fetch(ARTICLES_BY_ID, [article])
        ):
            raise _no_article()
        kept = await context.db.fetchval(
            statement,
            own,
            draft.kind,
            draft.slug,
            draft.site,
            orjson.dumps(titles).decode(),
            orjson.dumps(bodies).decode(),
            draft.pinned,
            draft.position,
            draft.published_from,
            draft.published_until,
        )
        if kept is None:
            raise SlugTaken(
                "Another text has this address.", cure="Choose another slug.", path=("input", "slug")
            )
        await _record(context, "membership.save_article", own, draft.kind, draft.slug, draft.site)
    return own


async def remove_article(context: Context, article: UUID) -> None:
    """Remove an article for good.

    Raises:
        NotFound: there is no such article.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow(REMOVE_ARTICLE, article)
        if row is None:
            raise _no_article()
        await _record(context, "membership.remove_article", article, row["kind"], row["slug"], row["site"])


def _check(draft: Draft) -> None:
    if not _SLUG.fullmatch(draft.slug):
        raise _wrong(
            "slug",
            "This cannot be an address.",
            "Write small letters, digits and dashes, such as opening-hours.",
        )
    if not _SITE.fullmatch(draft.site):
        raise _wrong("site", "This is no site's code.", "Leave it empty to show the text on all sites.")
    if not any(draft.titles.get(locale, "").strip() for locale in LOCALES):
        raise _wrong("titleZh", "A text needs a title.", "Write it in one language at least.")
    for locale, field in zip(LOCALES, ("Zh", "En"), strict=True):
        title, body = draft.titles.get(locale, "").strip(), draft.bodies.get(locale, "")
        if len(title) > LONGEST_TITLE or not title.isprintable():
            raise _wrong(
                f"title{field}", "This cannot be a title.", f"Write at most {LONGEST_TITLE} plain characters."
            )
        if len(body) > LONGEST_BODY or "\0" in body:
            raise _wrong(
                f"body{field}", "This text cannot be kept.", f"Write at most {LONGEST_BODY:,} characters."
            )
        if body.strip() and not title:
            raise _wrong(
                f"title{field}", "This text has no title in its language.", "Write one, or take the text out."
            )
    if draft.published_until is not None and draft.published_until <= (
        draft.published_from or datetime.min.replace(tzinfo=UTC)
    ):
        raise _wrong("publishedUntil", "It would end before it begins.", "Choose a later time.")
    if not 0 <= draft.position <= 9_999:
        raise _wrong("position", "A position is 0 to 9,999.", "Choose another.")


def _body(text: str) -> str:
    return "\n".join(
        line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    )


def _wrong(field: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, cure=cure, path=("input", field))


def _no_article() -> NotFound:
    return NotFound("There is no such text.", cure="`articles` lists them.")


async def _record(context: Context, action: str, article: UUID, kind: str, slug: str, site: str) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"article:{article}",
        details={"kind": kind, "slug": slug, "site": site},
        correlation_id=context.correlation_id,
        address=context.address,
    )
