"""What a member may ask of the shop about his data: a copy of it, and its erasure."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_membership.tables import Member


class DataExport(Table, tablename="membership_data_export"):
    """A copy of what the shop keeps about a member: a ZIP file, sealed, for some days.

    When it is over its content is deleted and its data key destroyed.
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
    state = Text(null=False, default="WAITING")
    requested_at = Timestamptz(null=False)
    ready_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    size = Integer(null=False, default=0, help_text="Bytes of the file.")
    data_key = UUID(null=True, default=None)
    sealed = Bytea(null=True, default=None)

    membership_data_export_state_known = Check("state in ('WAITING', 'READY', 'FAILED', 'OVER')")
    membership_data_export_kept = Check("(state = 'READY') = (sealed is not null)")
    membership_data_export_ends = Check(
        "state <> 'READY' or (expires_at is not null and data_key is not null)"
    )


class ErasureRequest(Table, tablename="membership_erasure_request"):
    """That a member wants his data erased, and what the staff decided."""

    id = UUID(primary_key=True, default=None)
    member: ForeignKey[Member] = ForeignKey(
        Member,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    state = Text(null=False, default="OPEN")
    requested_at = Timestamptz(null=False)
    decided_at = Timestamptz(null=True, default=None)
    answer = Text(null=False, default="", help_text="Why it was refused, for the member.")

    membership_erasure_state_known = Check("state in ('OPEN', 'WITHDRAWN', 'REFUSED', 'DONE')")
    membership_erasure_decided = Check("(state = 'OPEN') = (decided_at is null)")
    membership_erasure_answer_sized = Check("length(answer) <= 500")


INDEXES: tuple[Index, ...] = (
    Index(
        "membership_data_export_of_member",
        "create index membership_data_export_of_member on membership_data_export (member, id desc)",
    ),
    Index(
        "membership_data_export_ending",
        "create index membership_data_export_ending on membership_data_export (expires_at) where state = 'READY'",
    ),
    Index(
        "membership_data_export_one",
        "create unique index membership_data_export_one on membership_data_export (member) where state = 'WAITING'",
    ),
    Index(
        "membership_erasure_one_open",
        "create unique index membership_erasure_one_open on membership_erasure_request (member) where state = 'OPEN'",
    ),
    Index(
        "membership_erasure_of_member",
        "create index membership_erasure_of_member on membership_erasure_request (member, id desc)",
    ),
    Index(
        "membership_erasure_open",
        "create index membership_erasure_open on membership_erasure_request (id) where state = 'OPEN'",
    ),
)
"""Serve lists and the clean-up; one copy is made, and one request open, for a member at a time."""
