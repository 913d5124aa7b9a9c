"""What the kernel keeps about events: the outbox, and what is still owed to the handlers."""

from piccolo.columns import JSONB, BigInt, BigSerial, SmallInt, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class OutboxEvent(Table, tablename="kernel_outbox"):
    """An event, written in the transaction of the fact that it tells.

    ``relayed_at`` is set in the statement that writes the deliveries, so an event gets them exactly once. Ids
    grow, but commits do not come in their order: nobody may conclude from an id that all smaller ones were
        seen.
    """

    id = BigSerial(primary_key=True)
    topic = Text(null=False, default=None)
    payload = JSONB(null=False, default=None)
    created_at = Timestamptz(null=False)
    relayed_at = Timestamptz(null=True, default=None)


class Delivery(Table, tablename="kernel_delivery"):
    """What is owed to one handler for one event. A delivery that was handled is no row any more.

    The row is deleted in the transaction that holds the handler's effects, so both happen or none does. No
    foreign
    key leads to the outbox: only the relay writes here, from the outbox's rows, and pruning spares events
        that are still owed; checking each row again would cost the hot path a lookup and a lock.

    ``state`` is ``sent`` (a message is on its way), ``waiting`` (it failed and will be sent again) or
    ``dead`` (it failed for the last time). ``next_at`` is when to send it again: at the end of its pause,
    or of the lease when nothing was heard of it. ``attempts`` counts failures; a message names the number
    that it was sent for, so that a late copy of an earlier one does nothing.
    """

    event_id = BigInt(primary_key=True, default=None)
    handler = Text(null=False, default=None)
    state = Text(null=False, default="sent")
    attempts = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=False)
    last_error = Text(null=True, default=None)

    kernel_delivery_state_known = Check("state in ('sent', 'waiting', 'dead')")


class StandingSubscription(Table, tablename="kernel_subscription"):
    """A topic that an observer wants to hear of, beside those that modules declare. The relay reads it in the
    statement that gives events their deliveries, so what is asked for holds from that commit on."""

    topic = Text(primary_key=True, default=None)
    handler = Text(null=False, default=None)


INDEXES: tuple[Index, ...] = (
    Index(
        "kernel_outbox_unrelayed",
        "create index kernel_outbox_unrelayed on kernel_outbox (id) where relayed_at is null",
    ),
    # Piccolo knows no key of two columns.
    Index(
        "kernel_delivery_pkey",
        "alter table kernel_delivery drop constraint if exists kernel_delivery_pkey,"
        " add primary key (event_id, handler)",
        "alter table kernel_delivery drop constraint if exists kernel_delivery_pkey",
    ),
    Index(
        "kernel_delivery_owed",
        "create index kernel_delivery_owed on kernel_delivery (next_at) where state <> 'dead'",
    ),
    Index(
        "kernel_delivery_dead",
        "create index kernel_delivery_dead on kernel_delivery (event_id, handler) where state = 'dead'",
    ),
    Index(
        "kernel_subscription_pkey",
        "alter table kernel_subscription drop constraint if exists kernel_subscription_pkey,"
        " add primary key (topic, handler)",
        "alter table kernel_subscription drop constraint if exists kernel_subscription_pkey",
    ),
    # The table churns: vacuum comes early, so that its indexes stay small.
    Index(
        "kernel_outbox_vacuum",
        "alter table kernel_outbox set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000)",
        "alter table kernel_outbox reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    ),
    # The table churns: vacuum comes early, so that its indexes stay small.
    Index(
        "kernel_delivery_vacuum",
        "alter table kernel_delivery set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)",
        "alter table kernel_delivery reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
