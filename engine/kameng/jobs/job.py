"""A job as the rest of the program sees it, and what it reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import orjson

from kameng.auth.principal import Principal, PrincipalKind

SHOWN = 200
"""Problems and changes that a report shows; files hold all of them."""


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    ROLLED_BACK = "ROLLED_BACK"

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self in (JobState.QUEUED, JobState.RUNNING)


class Problem(msgspec.Struct, frozen=True, array_like=True):
    """Why something was not done.

    Attributes:
        line: the line of the input, 0 where there is none.
        subject: what it is about: a column, or what names the row.
        reason: in words.
    """

    line: int
    subject: str
    reason: str


class FieldChange(msgspec.Struct, frozen=True, array_like=True):
    """A value that changes; empty for none.

    Attributes:
        name: what is changed.
        old, new: as a file would write them.
    """

    name: str
    old: str
    new: str


class RowChange(msgspec.Struct, frozen=True, array_like=True):
    """What becomes of a row.

    Attributes:
        subject: names it, such as a SKU.
        outcome: what the job does to it, such as ``created``.
        fields: what changes of it.
    """

    subject: str
    outcome: str
    fields: tuple[FieldChange, ...] = ()


class JobError(msgspec.Struct, frozen=True):
    """Why a job failed.

    Attributes:
        code: stable.
        message, cure: for people; they hold no secret.
    """

    code: str
    message: str
    cure: str = ""


class JobReport(msgspec.Struct, kw_only=True):
    """What a job did, or would do.

    Attributes:
        counts: numbers by name, such as ``created``.
        problem_count: rows that were not done.
        problems: the first `SHOWN` of them.
        changes: the first `SHOWN` changes.
        applied: whether anything was written.
        subject: the global id of what came of it, if one thing did.
        error: why the job counts as failed although its function came to an end; nothing more is tried.
    """

    counts: dict[str, int] = {}
    problem_count: int = 0
    problems: list[Problem] = []
    changes: list[RowChange] = []
    applied: bool = False
    subject: str = ""
    error: JobError | None = None


class JobFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a job.

    Attributes:
        id: names it.
        job: whose it is.
        role: ``input``, ``problems``, ``changes``, ``output`` or ``undone``.
        name: what it is called, for people.
        media_type: of its content.
        size: bytes.
        data_key: opens its pieces.
        confidential: whether each download goes into the audit log.
        expires_at: when it is deleted.
    """

    id: UUID
    job: UUID
    role: str
    name: str
    media_type: str
    size: int
    data_key: UUID
    confidential: bool
    created_at: datetime
    expires_at: datetime


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands.

    Attributes:
        kind: ``module.kind``.
        owner: who asked for it; without permissions.
        locale: the language of what it writes for people.
        input: what it was started with.
        rows_done, rows_total: progress; the total is None as long as nobody knows.
        changed: whether it committed something that can be undone.
        saved: where its last committed chunk ended.
        result, undone: what it did, and what its roll-back did.
        fence: the number of its last beginning.
    """

    id: UUID
    kind: str
    state: JobState
    rolling_back: bool
    dry_run: bool
    owner: Principal
    locale: str
    input: dict[str, Any]
    rows_done: int
    rows_total: int | None
    problems: int
    changed: bool
    saved: dict[str, Any]
    result: JobReport | None
    undone: JobReport | None
    error: JobError | None
    fence: int
    tries: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def confirmed(self) -> UUID | None:
        """The job that does in earnest what this dry run told of, if somebody has confirmed it."""
        found = self.saved.get("confirmed") if self.dry_run else None
        return UUID(found) if isinstance(found, str) else None


def job_of(row: Mapping[str, Any]) -> Job:
    """A job from its row."""
    return Job(
        id=UUID(int=row["id"].int),
        kind=row["kind"],
        state=JobState(row["state"]),
        rolling_back=row["rolling_back"],
        dry_run=row["dry_run"],
        owner=Principal(kind=PrincipalKind(row["owner_kind"]), id=_plain(row["owner"])),
        locale=row["locale"],
        input=orjson.loads(row["input"]),
        rows_done=row["rows_done"],
        rows_total=row["rows_total"],
        problems=row["problems"],
        changed=row["changed"],
        saved=orjson.loads(row["saved"]),
        result=_read(row["result"], JobReport),
        undone=_read(row["undone"], JobReport),
        error=_read(row["error"], JobError),
        fence=row["fence"],
        tries=row["tries"],
        cancel_requested=row["cancel_requested"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def file_of(row: Mapping[str, Any]) -> JobFile:
    """A file from its row."""
    plain = {name: row[name] for name in JobFile.__struct_fields__}
    return JobFile(**{name: _plain(value) for name, value in plain.items()})


def _plain(value: Any) -> Any:
    # The driver has a UUID class of its own.
    return UUID(int=value.int) if isinstance(value, UUID) else value


def _read(text: str | None, kind: Any) -> Any:
    return None if text is None else msgspec.json.decode(text, type=kind)
