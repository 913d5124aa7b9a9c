"""Notes of the staff about members."""

from piccolo.columns import UUID, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_membership.tables import Member, StaffMember


class MemberNote(Table, tablename="membership_note"):
    """Something that one of the staff wrote down about a member, for colleagues. It goes when the member goes."""

    id = UUID(primary_key=True, default=None)
    member: ForeignKey[Member] = ForeignKey(
        Member,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    author: ForeignKey[StaffMember] = ForeignKey(
        StaffMember,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    text = Text(null=False, default=None)
    created_at = Timestamptz(null=False)

    membership_note_sized = Check("length(text) between 1 and 2000")


INDEXES: tuple[Index, ...] = (
    Index(
        "membership_note_of_member",
        "create index membership_note_of_member on membership_note (member, id)",
    ),
)
"""Serves the list of a member's notes."""
