"""The log of log-ins: sessions, over or not, as long as they are kept; for lists of who came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from kameng.auth.principal import PrincipalKind
from kameng.db import Statement
from kameng.graphql.pages import Keyset, PageRequest

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LOG_INS: Final = Keyset("log-ins-newest", (("s.id", "uuid"),), descending=True)
"""The order of the list. A session that got a new token is one entry, that of its latest token."""

_LIVE: Final = """(s.revoked_at is null and s.expires_at > now() and s.last_seen_at > now() - make_interval(
    mins => case s.principal_kind when 'staff' then $2::int else $1::int end))"""

_ENTRY: Final = f"""
    select s.id, s.principal_id, s.created_at, s.last_seen_at, s.expires_at, s.user_agent, s.address, {_LIVE} as open
    from kernel_session s
"""

_BY_ID = Statement("auth.log_ins_by_id", f"{_ENTRY} where s.principal_kind = $3 and s.id = any($4::uuid[])")

_COUNT = Statement(
    "auth.count_open_sessions",
    f"""
    select s.principal_id, count(*) as sessions from kernel_session s
    where s.principal_kind = $3 and s.principal_id = any($4::uuid[]) and s.revoked_at is null and {_LIVE}
    group by s.principal_id
    """,
)


async def page_of_log_ins(
    kernel: Kernel,
    page: PageRequest,
    kind: PrincipalKind,
    principal_id: UUID | None = None,
    *,
    live: bool | None = None,
) -> Sequence[Mapping[str, Any]]:
    """A page of log-ins, with one more than asked for. One statement.

    Args:
        kernel: whose.
        page: which page.
        kind: of whom.
        principal_id: of one of them; None: of all.
        live: only those that are open, or that are over.
    """
    conditions, values = ["s.principal_kind = $3", "s.rotated_to is null"], [*_idle(kernel), kind.value]
    if principal_id is not None:
        values.append(principal_id)
        conditions.append(f"s.principal_id = ${len(values)}")
    if live is not None:
        conditions.append(_LIVE if live else f"not {_LIVE}")
    behind, tail, cursor = page.clauses(LOG_INS, len(values) + 1)
    sql = f"{_ENTRY} where {' and '.join([*conditions, behind])} {tail}"
    return await kernel.db.fetch(Statement("auth.log_ins", sql), *values, *cursor)


async def log_ins_by_id(
    kernel: Kernel, kind: PrincipalKind, keys: Sequence[UUID]
) -> list[Mapping[str, Any] | None]:
    """Log-ins of a kind of principal by key, in order; None where there is none."""
    rows = await kernel.db.fetch(_BY_ID, *_idle(kernel), kind.value, list(keys))
    found: dict[UUID, Mapping[str, Any]] = {row["id"]: row for row in rows}
    return [found.get(key) for key in keys]


async def count_open(kernel: Kernel, kind: PrincipalKind, keys: Sequence[UUID]) -> list[int]:
    """In how many places each of some principals is logged in, in order. One statement."""
    rows = await kernel.db.fetch(_COUNT, *_idle(kernel), kind.value, list(keys))
    found = {row["principal_id"]: row["sessions"] for row in rows}
    return [found.get(key, 0) for key in keys]


def _idle(kernel: Kernel) -> tuple[Any, ...]:
    settings = kernel.auth.settings
    return settings.session_idle_minutes, settings.staff_idle_minutes
