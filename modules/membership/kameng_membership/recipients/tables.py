"""Saved recipients: for whom a member buys again and again."""

from piccolo.columns import UUID, Bytea, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_membership.tables import Member


class Recipient(Table, tablename="membership_recipient"):
    """A phone or a game account that a member tops up.

    What it is called and what it holds are sealed together, by a data key of the member's own scope, so that destroying that
    key makes all of a member's recipients unreadable.
    """

    id = UUID(primary_key=True, default=None)
    member: ForeignKey[Member] = ForeignKey(
        Member,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    kind = Text(null=False, default=None)
    data_key = UUID(null=False, default=None)
    sealed = Bytea(null=False, default=None)
    created_at = Timestamptz(null=False)

    membership_recipient_kind_known = Check("kind in ('PHONE', 'GAME_ACCOUNT')")


INDEXES: tuple[Index, ...] = (
    Index(
        "membership_recipient_of_member",
        "create index membership_recipient_of_member on membership_recipient (member, id)",
    ),
)
"""Serves the list of a member's recipients."""
