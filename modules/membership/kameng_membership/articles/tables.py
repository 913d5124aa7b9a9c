"""The shop's own texts: announcements and help pages."""

from piccolo.columns import JSONB, UUID, Boolean, SmallInt, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class Article(Table, tablename="membership_article"):
    """A text that the shop publishes, in one or more languages; its body is Markdown.

    ``site`` is where it is shown, empty: on all sites. It is shown from ``published_from`` (null: a draft) until
    ``published_until`` (null: for good). Help pages come by ``position``, announcements the newest first.
    """

    id = UUID(primary_key=True, default=None)
    kind = Text(null=False, default=None)
    slug = Text(null=False, default=None)
    site = Text(null=False, default="")
    titles = JSONB(null=False, default=None, help_text="Texts by locale.")
    bodies = JSONB(null=False, default=None, help_text="Markdown by locale.")
    pinned = Boolean(null=False, default=False)
    position = SmallInt(null=False, default=0)
    published_from = Timestamptz(null=True, default=None)
    published_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)

    membership_article_once = Unique(["kind", "slug", "site"])
    membership_article_kind_known = Check("kind in ('announcement', 'help')")
    membership_article_slug_plain = Check("slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'")
    membership_article_site_plain = Check("site ~ '^[a-z0-9_-]{0,64}$'")
    membership_article_titled = Check("jsonb_typeof(titles) = 'object' and titles <> '{}'")
    membership_article_written = Check("jsonb_typeof(bodies) = 'object'")
    membership_article_window = Check("published_until is null or published_until > published_from")


INDEXES: tuple[Index, ...] = (
    Index(
        "membership_article_shown",
        "create index membership_article_shown on membership_article (kind, published_from desc, id desc)"
        " where published_from is not null",
    ),
)
"""Serves the shop's lists, which are of one kind."""
