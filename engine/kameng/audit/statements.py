"""The audit log's SQL."""

from kameng.db import Statement

_ENTRY = """a.id, a.at, a.action, a.principal_kind, a.principal_id, a.subject, a.details,
    a.address, a.correlation_id"""
_HEAD = "day, position, hash, signed_at, key_version, mac"

# Both rows in one statement: an entry that came any other way is not pending, and the verification finds it.
RECORD = Statement(
    "audit.record",
    """
    with entry as (
        insert into kernel_audit
            (id, at, action, principal_kind, principal_id, subject, details, address, correlation_id)
        values ($1, clock_timestamp(), $2, $3, $4, $5, $6::jsonb, $7, $8)
        returning id
    )
    insert into kernel_audit_pending (audit_id) select id from entry
    """,
)

CHAIN_LOCK = 0x6B616D656E670002
"""The advisory lock of whoever adds to the chain."""

TRY_LOCK_CHAIN = Statement("audit.try_lock_chain", "select pg_try_advisory_xact_lock($1)")

PENDING = Statement(
    "audit.pending",
    f"""
    select {_ENTRY} from kernel_audit_pending p join kernel_audit a on a.id = p.audit_id
    order by p.audit_id limit $1
    """,
)

TAIL = Statement("audit.tail", "select position, hash from kernel_audit_chain order by position desc limit 1")

ADD_LINKS = Statement(
    "audit.add_links",
    """
    insert into kernel_audit_chain (position, audit_id, hash)
    select * from unnest($1::bigint[], $2::uuid[], $3::bytea[])
    """,
)

CLEAR_PENDING = Statement(
    "audit.clear_pending", "delete from kernel_audit_pending where audit_id = any($1::uuid[])"
)

LAST_HEADS = Statement(
    "audit.last_heads",
    f"select {_HEAD} from kernel_audit_head order by day desc limit 2",
)

SET_HEAD = Statement(
    "audit.set_head",
    """
    insert into kernel_audit_head (day, position, hash, signed_at, key_version, mac)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (day) do update set position = excluded.position, hash = excluded.hash,
        signed_at = excluded.signed_at, key_version = excluded.key_version, mac = excluded.mac
    """,
)

HEADS = Statement(
    "audit.heads",
    f"select {_HEAD} from kernel_audit_head order by day",
)

# By pages of positions: the planner walks both keys in order, whatever the tables' sizes.
LINKS = Statement(
    "audit.links",
    f"""
    select c.position, c.audit_id, c.hash, {_ENTRY}
    from (
        select position, audit_id, hash from kernel_audit_chain where position > $1 order by position limit $2
    ) c left join kernel_audit a on a.id = c.audit_id order by c.position
    """,
)

UNCHAINED = Statement(
    "audit.unchained",
    """
    select a.id, a.at from kernel_audit a
    where not exists (select from kernel_audit_chain c where c.audit_id = a.id)
      and not exists (select from kernel_audit_pending p where p.audit_id = a.id)
    limit $1
    """,
)

LOST_PENDING = Statement(
    "audit.lost_pending",
    """
    select p.audit_id from kernel_audit_pending p
    where not exists (select from kernel_audit a where a.id = p.audit_id) limit $1
    """,
)

COUNT_PENDING = Statement("audit.count_pending", "select count(*) from kernel_audit_pending")


def page_sql(conditions: list[str], limit_parameter: int) -> str:
    """The SQL of a page of entries, the newest first.

    Args:
        conditions: constants of ours with their parameters' numbers.
        limit_parameter: the number of the parameter that holds the page's size.
    """
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return (
        f"-- audit.page\nselect {_ENTRY} from kernel_audit a {where} "
        f"order by a.at desc, a.id desc limit ${limit_parameter}"
    )
