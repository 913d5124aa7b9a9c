"""Making sites, and saying which domains they have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import NotFound
from kameng.ids import new_id
from kameng.sites import statements
from kameng.sites.drafting import record, told_to_all
from kameng.sites.errors import SiteRefused
from kameng.sites.hosts import domain

if TYPE_CHECKING:
    from kameng.graphql.context import Context

MOST_SITES = 5_000
MOST_HOSTS = 20
"""Sites of a deployment, and domains of a site."""

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TITLE = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


async def create_site(context: Context, code: str, title: str, hosts: Sequence[str]) -> UUID:
    """Make a site; returns its key. Until a look is published it shows the deployment's own theme.

    Args:
        context: who asks.
        code: what prices and reports name it by; never changed.
        title: for people.
        hosts: its domains, the chief first.

    Raises:
        SiteRefused: the code, the title or a domain cannot be used, or is another site's.
    """
    if not _CODE.fullmatch(code):
        raise SiteRefused(
            "A site's code has 1 to 64 small letters, digits, hyphens and underscores.",
            cure="Write one such as north-shop.",
            path=("input", "code"),
        )
    title, names = _title(title), _domains(hosts)
    async with context.db.transaction():
        # One at a time: the number of sites and whose a domain is are looked up, then relied on.
        await context.db.execute("select pg_advisory_xact_lock(hashtext('sites.managing'))")
        if await context.db.fetchval("select count(*) from sites_site") >= MOST_SITES:
            raise SiteRefused(
                f"There are {MOST_SITES:,} sites, which is the most.", cure="Use one that is not needed."
            )
        if await context.db.fetchval("select exists (select from sites_site where code = $1)", code):
            raise SiteRefused("There is a site of this code.", cure="Choose another.", path=("input", "code"))
        key = new_id()
        await context.db.execute(
            "insert into sites_site (id, code, title, created_at, changed_at) values ($1, $2, $3, now(), now())",
            key,
            code,
            title,
        )
        await _set_hosts(context, key, names)
        await record(context, "sites.created", key, {"code": code, "title": title, "hosts": list(names)})
        told_to_all(context)
    return key


async def change_site(context: Context, key: UUID, title: str, hosts: Sequence[str]) -> None:
    """Say anew what a site is called and which domains it has.

    Raises:
        NotFound: there is no such site.
        SiteRefused: the title or a domain cannot be used, or is another site's.
    """
    title, names = _title(title), _domains(hosts)
    async with context.db.transaction():
        await context.db.execute("select pg_advisory_xact_lock(hashtext('sites.managing'))")
        if await context.db.fetchrow(statements.LOCK, key) is None:
            raise NotFound("There is no such site.", cure="Look at the list of sites.")
        await context.db.execute(
            "update sites_site set title = $2, changed_at = now() where id = $1", key, title
        )
        await _set_hosts(context, key, names)
        await record(context, "sites.changed", key, {"title": title, "hosts": list(names)})
        told_to_all(context)


async def _set_hosts(context: Context, site: UUID, names: Sequence[str]) -> None:
    taken = await context.db.fetchrow(
        "select h.host, s.title from sites_host h join sites_site s on s.id = h.site"
        " where h.host = any($1::text[]) and h.site <> $2 limit 1",
        list(names),
        site,
    )
    if taken is not None:
        raise SiteRefused(
            f"{taken['host']} is a domain of {taken['title']}.",
            cure="Take it away there first.",
            path=("input", "hosts"),
        )
    await context.db.execute("delete from sites_host where site = $1", site)
    await context.db.execute(
        "insert into sites_host (host, site, position)"
        " select name, $2, place from unnest($1::text[]) with ordinality as given (name, place)",
        list(names),
        site,
    )


def _title(text: str) -> str:
    if not _TITLE.fullmatch(text.strip()):
        raise SiteRefused(
            "A site has a name of 1 to 100 characters.", cure="Name it.", path=("input", "title")
        )
    return text.strip()


def _domains(hosts: Sequence[str]) -> list[str]:
    names = []
    for text in (text for text in hosts if text.strip()):
        name = domain(text)
        if name is None:
            raise SiteRefused(
                f"{text.strip()[:60]!r} is no domain.",
                cure="Write it without https://, port and path, such as shop.example.",
                path=("input", "hosts"),
            )
        names.append(name)
    if len(names) > MOST_HOSTS:
        raise SiteRefused(
            f"A site has at most {MOST_HOSTS} domains.", cure="Take some out.", path=("input", "hosts")
        )
    return list(dict.fromkeys(names))
