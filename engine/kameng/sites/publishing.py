"""Publishing a site's draft, and bringing an older look back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import NotFound
from kameng.ids import new_id
from kameng.sites import statements
from kameng.sites.drafting import lock_draft, record, set_draft, theme_book, told_to_all
from kameng.sites.look import Look, read_look, written

if TYPE_CHECKING:
    from kameng.graphql.context import Context


async def publish(context: Context, site: UUID, revision: int, note: str) -> int:
    """Show a site's draft to its visitors, as a new version; returns its number.

    Args:
        context: who asks.
        site: the site's key.
        revision: of the draft that he has seen.
        note: what is new, for the history.

    Raises:
        NotFound: there is no such site.
        DraftChanged: somebody else has changed it in between.
        ThemeUnusable: the theme has errors.
        SettingRefused, TokenRefused, ContrastTooLow: the theme has changed since the draft was saved, and refuses it now.
    """
    row = await context.db.fetchrow("select draft from sites_site where id = $1", site)
    if row is None:
        raise NotFound("There is no such site.", cure="Look at the list of sites.")
    # Outside of the lock: a theme is checked as a whole, which takes a moment. The revision tells whether it is still that draft.
    look = read_look(row["draft"])
    await _insist_on_showable(context, look)
    async with context.db.transaction():
        row = await lock_draft(context, site, revision)
        look = read_look(row["draft"])
        return await _show(context, site, look, note, None)


async def restore(context: Context, site: UUID, revision: int, version: UUID) -> int:
    """Show an older look again, as a new version; returns its number. The draft becomes the same.

    Args:
        context: who asks.
        site: the site's key.
        revision: of the draft that he has seen, which is lost by this.
        version: key of the version to bring back.

    Raises:
        NotFound: there is no such site, or no such version of it.
        DraftChanged: somebody else has changed the draft in between.
        ThemeUnusable: its theme is no longer there or has errors.
        SettingRefused, TokenRefused, ContrastTooLow: its theme has changed since, and refuses it now.
    """
    row = await context.db.fetchrow(statements.VERSION, version, site)
    if row is None:
        raise NotFound("There is no such version of this site.", cure="Look at its history.")
    look = read_look(row["look"])
    await _insist_on_showable(context, look)
    async with context.db.transaction():
        await lock_draft(context, site, revision)
        await set_draft(context, site, look, "sites.draft_restored", {"version": row["number"]})
        return await _show(context, site, look, "", row["number"])


async def _insist_on_showable(context: Context, look: Look) -> None:
    from kameng.sites.checking import check_look

    check_look(await theme_book(context).insist(look.theme), look)


async def _show(context: Context, site: UUID, look: Look, note: str, restored: int | None) -> int:
    number: int = await context.db.fetchval(
        statements.ADD_VERSION, new_id(), site, written(look), note, restored, context.principal.key
    )
    await context.db.execute(statements.SHOW_VERSION, site, number)
    action = "sites.published" if restored is None else "sites.restored"
    await record(context, action, site, {"version": number, "theme": look.theme, "restored": restored})
    told_to_all(context)
    return number
