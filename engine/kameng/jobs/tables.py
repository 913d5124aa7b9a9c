"""What the kernel keeps about jobs: each job, its files in sealed pieces, and the rows that it changed."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class JobRow(Table, tablename="kernel_job"):
    """A piece of bulk work that somebody asked for.

    ``fence`` counts beginnings and names the run that may still speak for the job; ``tries`` counts those since its last
    committed chunk. ``saved`` is where that chunk ended. A job that is rolled back goes through the same states once more,
    with ``rolling_back`` set, and ends as ``ROLLED_BACK``.
    """

    id = UUID(primary_key=True, default=None)
    kind = Text(null=False, default=None)
    state = Text(null=False, default="QUEUED")
    rolling_back = Boolean(null=False, default=False)
    dry_run = Boolean(null=False, default=False)
    owner_kind = Text(null=False, default=None)
    owner = UUID(null=True, default=None)
    locale = Text(null=False, default=None)
    input = JSONB(null=False, default="{}")
    rows_done = BigInt(null=False, default=0)
    rows_total = BigInt(null=True, default=None)
    problems = BigInt(null=False, default=0)
    # Whether anything was committed that a roll-back could undo.
    changed = Boolean(null=False, default=False)
    saved = JSONB(null=False, default="{}")
    result = JSONB(null=True, default=None)
    undone = JSONB(null=True, default=None)
    error = JSONB(null=True, default=None)
    fence = Integer(null=False, default=0)
    tries = SmallInt(null=False, default=0)
    cancel_requested = Boolean(null=False, default=False)
    heartbeat_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False)
    started_at = Timestamptz(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)

    kernel_job_state_known = Check(
        "state in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'ROLLED_BACK')"
    )
    kernel_job_counts = Check("rows_done >= 0 and rows_total >= 0 and problems >= 0")
    kernel_job_alive = Check("state <> 'RUNNING' or heartbeat_at is not null")


class JobFileRow(Table, tablename="kernel_job_file"):
    """A file that a job reads or has made; its content lies in the pieces, sealed by a data key of its own."""

    id = UUID(primary_key=True, default=None)
    job = ForeignKey(
        JobRow,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    role = Text(null=False, default=None)
    name = Text(null=False, default=None)
    media_type = Text(null=False, default=None)
    size = BigInt(null=False, default=0)
    data_key = UUID(null=False, default=None)
    confidential = Boolean(null=False, default=False)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)

    # One of each role; a job that begins anew makes its files anew. Serves as the index of the job.
    kernel_job_file_one_each = Unique(["job", "role"])


class JobPieceRow(Table, tablename="kernel_job_piece"):
    """A piece of a file, in order of its number."""

    id = BigSerial(primary_key=True)
    file = ForeignKey(
        JobFileRow,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    number = Integer(null=False, default=None)
    sealed = Bytea(null=False, default=None)

    kernel_job_piece_one_each = Unique(["file", "number"])


class JobChangeRow(Table, tablename="kernel_job_change"):
    """What a job did, would do, or could not do to one row; what a roll-back reads, and where it notes what became of it.

    ``problem`` says why nothing was done. ``outcome`` is null until a roll-back came by: ``restored``, or why not.
    """

    id = BigSerial(primary_key=True)
    job = ForeignKey(
        JobRow,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    subject = Text(null=False, default=None)
    content = JSONB(null=False, default="{}")
    problem = Text(null=True, default=None)
    outcome = Text(null=True, default=None)


INDEXES: tuple[Index, ...] = (
    Index(
        "kernel_job_open",
        "create index kernel_job_open on kernel_job (id) where state in ('QUEUED', 'RUNNING')",
    ),
    Index("kernel_job_kind", "create index kernel_job_kind on kernel_job (kind, id)"),
    Index(
        "kernel_job_ended",
        "create index kernel_job_ended on kernel_job (ended_at) where state not in ('QUEUED', 'RUNNING')",
    ),
    Index("kernel_job_file_expiry", "create index kernel_job_file_expiry on kernel_job_file (expires_at)"),
    Index("kernel_job_change_job", "create index kernel_job_change_job on kernel_job_change (job, id)"),
    # Sealed bytes do not get smaller by compression.
    Index(
        "kernel_job_piece_plain",
        "alter table kernel_job_piece alter column sealed set storage external",
        "alter table kernel_job_piece alter column sealed set storage extended",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
