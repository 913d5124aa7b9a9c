"""Tables of sites: their domains, the draft of each one's look, and all looks that were ever published."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only


class SiteRow(Table, tablename="sites_site"):
    """A shop under domains of its own. The one with the empty code is the operator's, at every other domain.

    ``draft`` is a `kameng.sites.look.Look`; ``draft_revision`` counts its changes, so that two who edit at once find out.
    ``published_number`` is the version that visitors see; null: what the deployment's settings say.
    """

    id = UUID(primary_key=True, default=None)
    code = Text(null=False, default=None, unique=True)
    title = Text(null=False, default=None)
    draft = JSONB(null=False, default="{}")
    draft_revision = Integer(null=False, default=0)
    draft_by = Text(null=False, default="")
    draft_at = Timestamptz(null=True, default=None)
    published_number = Integer(null=True, default=None)
    created_at = Timestamptz(null=False)
    changed_at = Timestamptz(null=False)

    sites_site_code_shape = Check("code ~ '^([a-z0-9][a-z0-9_-]{0,63})?$'")
    sites_site_title_said = Check("title <> ''")
    sites_site_draft_object = Check("jsonb_typeof(draft) = 'object'")


class SiteHost(Table, tablename="sites_host"):
    """A domain and the site that it is."""

    host = Text(primary_key=True, null=False, default=None)
    site = ForeignKey(
        SiteRow,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    position = Integer(null=False, default=0)

    sites_host_shape = Check(r"host ~ '^[a-z0-9.:\[\]-]{1,253}$'")


class LookVersion(Table, tablename="sites_version"):
    """A look as it was published; rows are added and never changed."""

    id = UUID(primary_key=True, default=None)
    # The unique key below serves it.
    site = ForeignKey(
        SiteRow,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    number = Integer(null=False, default=None)
    look = JSONB(null=False, default=None)
    note = Text(null=False, default="")
    # The version that this one brings back, if any.
    restored_number = Integer(null=True, default=None)
    published_by = Text(null=False, default=None)
    published_at = Timestamptz(null=False)

    sites_version_once = Unique(["site", "number"])
    sites_version_number_positive = Check("number > 0")


_REFUSE = """
create function sites_version_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', hint = 'Publish another version.';
end $$
"""

INDEXES = (
    Index("sites_version_refuse", _REFUSE, "drop function if exists sites_version_refuse()"),
    append_only("sites_version", "sites_version_refuse"),
)
"""What keeps the history as it was."""
