"""The SQL of articles."""

from kameng.db import Statement

SHOWN = """kind = $1 and site in ('', $2) and published_from <= now()
 and (published_until is null or published_until > now())"""
"""The condition of what a site shows now: ``$1`` is the kind, ``$2`` the site."""

SHOWN_ARTICLE = Statement(
    "membership.shown_article",
    # A site's own text stands before one for all sites.
    f"select * from membership_article where {SHOWN} and slug = $3 order by site desc limit 1",
)

PINNED = Statement(
    "membership.pinned_articles",
    f"select * from membership_article where {SHOWN} and pinned order by published_from desc, id desc limit 3",
)

ARTICLES_BY_ID = Statement(
    "membership.articles_by_id", "select * from membership_article where id = any($1::uuid[])"
)

ADD_ARTICLE = Statement(
    "membership.add_article",
    """
    insert into membership_article
        (id, kind, slug, site, titles, bodies, pinned, position, published_from, published_until, created_at, updated_at)
    values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8, $9, $10, now(), now())
    on conflict (kind, slug, site) do nothing
    returning id
    """,
)

CHANGE_ARTICLE = Statement(
    "membership.change_article",
    """
    update membership_article
    set slug = $3, site = $4, titles = $5::jsonb, bodies = $6::jsonb, pinned = $7, position = $8,
        published_from = $9, published_until = $10, updated_at = now()
    where id = $1 and kind = $2
      and not exists (
          select from membership_article o where o.kind = $2 and o.slug = $3 and o.site = $4 and o.id <> $1
      )
    returning id
    """,
)

REMOVE_ARTICLE = Statement(
    "membership.remove_article", "delete from membership_article where id = $1 returning kind, slug, site"
)
