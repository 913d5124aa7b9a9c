"""Changing the draft of a site's look. What visitors see changes when it is published, and not before.

Everybody who changes a draft says which revision he has seen. Where somebody else has changed it since, nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.errors import NotFound, Refusal
from kameng.sites import statements
from kameng.sites.contract import LogoStore
from kameng.sites.directory import SiteDirectory
from kameng.sites.errors import DraftChanged, LogoRefused
from kameng.sites.look import Logo, Look, read_look, written
from kameng.sites.settings import SitesSettings

if TYPE_CHECKING:
    import asyncpg

    from kameng.audit import JSON
    from kameng.graphql.context import Context
    from kameng.graphql.uploads import UploadedFile
    from kameng.sites.book import ThemeBook
    from kameng.sites.checking import Places

FORMATS = ("image/png", "image/jpeg", "image/webp")
"""What a logo may be sent as. No SVG: it is a program as much as a picture."""


async def save_draft(
    context: Context, site: UUID, revision: int, look: Look, settings: Places, tokens: Places
) -> None:
    """Make a look the draft of a site; its logo stays.

    Args:
        context: who asks.
        site: the site's key.
        revision: of the draft that he has seen.
        look: what he wants.
        settings, tokens: where its values stand in the input.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else was faster.
        ThemeUnusable: the theme is not there, or no storefront.
        SettingRefused, TokenRefused, ContrastTooLow: see `check_look`.
    """
    from kameng.sites.checking import check_look, fitting

    theme = theme_book(context).theme(look.theme)
    async with context.db.transaction():
        row = await lock_draft(context, site, revision)
        before = read_look(row["draft"])
        if before.theme != look.theme:
            # The form was made for the theme before; what the new one has no place for is dropped.
            look = fitting(theme, look)
        else:
            check_look(theme, look, settings, tokens)
        look = Look(
            theme=look.theme, brand=look.brand, logo=before.logo, settings=look.settings, tokens=look.tokens
        )
        await set_draft(context, site, look, "sites.draft_saved", _told(look))


async def set_logo(context: Context, site: UUID, revision: int, file: UploadedFile) -> None:
    """Make a picture the logo of a site's draft.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else was faster.
        LogoRefused: it is no PNG, JPEG or WebP, is broken, moves, or is too large; or nobody keeps pictures here.
    """
    settings = context.kernel.settings.section("sites", SitesSettings)
    store = context.kernel.services.find(LogoStore)
    if store is None:
        raise LogoRefused(
            "This deployment keeps no pictures.", cure="Enable a module that does, such as catalog."
        )
    if file.media_type not in FORMATS:
        raise LogoRefused(
            "A logo is a PNG, JPEG or WebP; an SVG may hold a program.",
            cure="Export it as a PNG of 640 pixels or more.",
            path=("input", "file"),
        )
    if file.size > settings.logo_bytes:
        raise LogoRefused(
            f"The file has {file.size:,} bytes; a logo has at most {settings.logo_bytes:,}.",
            cure="Export it smaller.",
            path=("input", "file"),
        )
    # Before anything is decoded or kept: is there such a draft at all?
    async with context.db.transaction():
        await lock_draft(context, site, revision)
    try:
        logo = await store.keep(context, file, most_side=settings.logo_side)
    except LogoRefused:
        raise
    except Refusal as refusal:
        raise LogoRefused(refusal.message, cure=refusal.cure, path=("input", "file")) from refusal
    await _replace_logo(context, site, revision, logo)


async def remove_logo(context: Context, site: UUID, revision: int) -> None:
    """Show no logo of its own in a site's draft.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else was faster.
    """
    await _replace_logo(context, site, revision, None)


async def discard_draft(context: Context, site: UUID, revision: int) -> None:
    """Make the draft what is published again.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else was faster.
    """
    async with context.db.transaction():
        row = await lock_draft(context, site, revision)
        shown = await context.db.fetchval(
            "select look from sites_version where site = $1 and number = $2", site, row["published_number"]
        )
        await set_draft(context, site, read_look(shown) if shown else Look(), "sites.draft_discarded", {})


async def lock_draft(context: Context, site: UUID, revision: int) -> asyncpg.Record:
    """The row of a site, locked, with the draft that whoever asks has seen.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else was faster.
    """
    row = await context.db.fetchrow(statements.LOCK, site)
    if row is None:
        raise NotFound("There is no such site.", cure="Look at the list of sites.")
    if row["draft_revision"] != revision:
        raise DraftChanged(
            "Somebody else has changed this draft since you opened it.",
            cure="Load the page again, look at what is new, and make your change there.",
        )
    return row


async def set_draft(
    context: Context, site: UUID, look: Look, action: str, details: Mapping[str, JSON]
) -> None:
    """Write a draft whose row is locked, and who did it."""
    revision = await context.db.fetchval(statements.SET_DRAFT, site, written(look), context.principal.key)
    await record(context, action, site, {"revision": revision, **details})


async def record(context: Context, action: str, site: UUID, details: Mapping[str, JSON]) -> None:
    """Write down who did what to a site."""
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"site:{site}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )


async def _replace_logo(context: Context, site: UUID, revision: int, logo: Logo | None) -> None:
    async with context.db.transaction():
        row = await lock_draft(context, site, revision)
        before = read_look(row["draft"])
        look = Look(
            theme=before.theme, brand=before.brand, logo=logo, settings=before.settings, tokens=before.tokens
        )
        await set_draft(
            context,
            site,
            look,
            "sites.logo_set" if logo else "sites.logo_removed",
            {"file": logo.name} if logo else {},
        )


def _told(look: Look) -> dict[str, Any]:
    return {
        "theme": look.theme,
        "brand": look.brand,
        "settings": sorted(look.settings),
        "tokens": {name: dict(value) for name, value in look.tokens.items()},
    }


def theme_book(context: Context) -> ThemeBook:
    """The book of themes of a deployment."""
    return context.service(SiteDirectory).book


def told_to_all(context: Context) -> None:
    """Let every process read the sites again once the transaction around has committed."""
    context.service(SiteDirectory).tell_changed()
