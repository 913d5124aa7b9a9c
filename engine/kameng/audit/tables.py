"""Tables of the audit log. What is written there stays: triggers refuse every change.

- ``kernel_audit``: what was done. Rows are written by anybody's transaction and wait for nobody.
- ``kernel_audit_pending``: rows that have no place in the chain yet; written and emptied together with the
  others.
- ``kernel_audit_chain``: the places, each with a hash over its row and everything before it.
- ``kernel_audit_head``: how far the chain had come on each day (UTC), signed.

The owner of the tables can put triggers to sleep, so let the shop connect as another role where you can. What is
done past them is found by the verification, since signatures need a key that the database never sees.

No foreign keys: they would lock each audit row a second time when it is chained, and what they forbid is
refused by the triggers and found by the verification.
"""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Date, Integer, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class AuditRow(Table, tablename="kernel_audit"):
    """Who did what, to what, when and from where."""

    id = UUID(primary_key=True, null=False, default=None)
    at = Timestamptz(null=False)
    action = Text(null=False, default=None)
    principal_kind = Text(null=False, default=None)
    principal_id = UUID(null=True, default=None)
    subject = Text(null=False, default=None)
    details = JSONB(null=False, default="{}")
    address = Text(null=False, default="")
    correlation_id = Text(null=False, default="")


class PendingRow(Table, tablename="kernel_audit_pending"):
    """A row that has no place in the chain yet."""

    audit_id = UUID(primary_key=True, null=False, default=None)


class ChainLink(Table, tablename="kernel_audit_chain"):
    """A row's place in the chain: positions count from 1 without a gap."""

    position = BigInt(primary_key=True, null=False, default=None)
    audit_id = UUID(null=False, default=None, unique=True)
    hash = Bytea(null=False, default=None)

    kernel_audit_chain_position_positive = Check("position > 0")
    kernel_audit_chain_hashed = Check("octet_length(hash) = 32")


class ChainHead(Table, tablename="kernel_audit_head"):
    """The newest place of a day, signed; the signature covers the head of the day before."""

    day = Date(primary_key=True, null=False, default=None)
    position = BigInt(null=False, default=None)
    hash = Bytea(null=False, default=None)
    signed_at = Timestamptz(null=False)
    key_version = Integer(null=False, default=None)
    mac = Bytea(null=False, default=None)

    kernel_audit_head_hashed = Check("octet_length(hash) = 32 and octet_length(mac) = 32")


_REFUSE = """
create function kernel_audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', hint = 'Correct it by another entry.';
end $$
"""

_FORWARD = """
create function kernel_audit_head_forward() returns trigger language plpgsql as $$
begin
    if new.day <> old.day or new.position <= old.position then
        raise exception 'kernel_audit_head only moves forward: day %, position %', old.day, old.position
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""


def _guard(table: str, operations: str) -> Index:
    return Index(
        f"{table}_append_only",
        f"create trigger {table}_append_only before {operations} on {table} "
        "for each statement execute function kernel_audit_refuse()",
        f"drop trigger if exists {table}_append_only on {table}",
    )


INDEXES = (
    Index("kernel_audit_by_time", "create index kernel_audit_by_time on kernel_audit (at, id)"),
    Index("kernel_audit_by_action", "create index kernel_audit_by_action on kernel_audit (action, at, id)"),
    Index(
        "kernel_audit_by_principal",
        "create index kernel_audit_by_principal on kernel_audit (principal_id, at, id)"
        " where principal_id is not null",
    ),
    Index(
        "kernel_audit_by_subject", "create index kernel_audit_by_subject on kernel_audit (subject, at, id)"
    ),
    Index("kernel_audit_refuse", _REFUSE, "drop function if exists kernel_audit_refuse()"),
    _guard("kernel_audit", "update or delete or truncate"),
    _guard("kernel_audit_chain", "update or delete or truncate"),
    _guard("kernel_audit_head", "delete or truncate"),
    Index("kernel_audit_head_forward", _FORWARD, "drop function if exists kernel_audit_head_forward()"),
    Index(
        "kernel_audit_head_moves",
        "create trigger kernel_audit_head_moves before update on kernel_audit_head "
        "for each row execute function kernel_audit_head_forward()",
        "drop trigger if exists kernel_audit_head_moves on kernel_audit_head",
    ),
)
"""What operators search by, and what keeps the log as it was written."""
