"""The SQL of sites that more than one place needs."""

from kameng.db import Statement

LOCK = Statement("sites.lock", "select * from sites_site where id = $1 for update")

BY_KEYS = Statement(
    "sites.by_keys",
    """
    select s.*, array(select h.host from sites_host h where h.site = s.id order by h.position, h.host) as hosts,
        v.look as shown
    from sites_site s left join sites_version v on v.site = s.id and v.number = s.published_number
    where s.id = any($1::uuid[])
    """,
)

SET_DRAFT = Statement(
    "sites.set_draft",
    """
    update sites_site set draft = $2::jsonb, draft_revision = draft_revision + 1, draft_by = $3, draft_at = now(),
        changed_at = now()
    where id = $1 returning draft_revision
    """,
)

ADD_VERSION = Statement(
    "sites.add_version",
    """
    insert into sites_version (id, site, number, look, note, restored_number, published_by, published_at)
    select $1, $2, coalesce(max(number), 0) + 1, $3::jsonb, $4, $5, $6, now() from sites_version where site = $2
    returning number
    """,
)

SHOW_VERSION = Statement(
    "sites.show_version", "update sites_site set published_number = $2, changed_at = now() where id = $1"
)

VERSION = Statement("sites.version", "select * from sites_version where id = $1 and site = $2")
"""A version of a site; the row of the site is locked by then."""

SITES_PAGE = """-- sites.page
select s.*, array(select h.host from sites_host h where h.site = s.id order by h.position, h.host) as hosts,
    v.look as shown
from sites_site s left join sites_version v on v.site = s.id and v.number = s.published_number"""

VERSIONS_PAGE = """-- sites.versions_page
select v.*, s.published_number from sites_version v join sites_site s on s.id = v.site"""
"""Both continue with a condition and an order."""

VERSIONS_BY_KEYS = Statement(
    "sites.versions_by_keys",
    """
    select v.*, s.published_number from sites_version v join sites_site s on s.id = v.site
    where v.id = any($1::uuid[])
    """,
)
