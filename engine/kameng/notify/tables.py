"""Tables of the notifications: messages to send, and what people do not want to be told."""

from piccolo.columns import UUID, Boolean, Bytea, SmallInt, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class Message(Table, tablename="notify_message"):
    """A message to one person by one channel, and its receipt.

    ``sealed`` holds the address and the values of the template; it is gone once the message is sent. ``hint`` is what an
    operator sees of the address.
    """

    id = UUID(primary_key=True, default=None)
    kind = Text(null=False, default=None)
    unique_key = Text(null=False, default=None)
    channel = Text(null=False, default=None)
    recipient_kind = Text(null=True, default=None)
    recipient = UUID(null=True, default=None)
    locale = Text(null=False, default=None)
    hint = Text(null=False, default="")
    data_key = UUID(null=True, default=None)
    sealed = Bytea(null=True, default=None)
    state = Text(null=False, default="queued")
    attempts = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=False)
    gives_up_at = Timestamptz(null=False)
    last_error = Text(null=True, default=None)
    answer = Text(null=True, default=None)
    created_at = Timestamptz(null=False)
    sent_at = Timestamptz(null=True, default=None)

    notify_message_once = Unique(["unique_key", "channel"])
    notify_message_state_known = Check("state in ('queued', 'sending', 'sent', 'dead', 'discarded')")
    notify_message_sealed_kept = Check("state not in ('queued', 'sending', 'dead') or sealed is not null")


class Preference(Table, tablename="notify_preference"):
    """Whether somebody wants to be told of a kind of things by a channel. Without a row: yes."""

    id = UUID(primary_key=True, default=None)
    person_kind = Text(null=False, default=None)
    person = UUID(null=False, default=None)
    kind = Text(null=False, default=None)
    channel = Text(null=False, default=None)
    enabled = Boolean(null=False, default=True)
    changed_at = Timestamptz(null=False)

    notify_preference_once = Unique(["person", "kind", "channel", "person_kind"])


INDEXES: tuple[Index, ...] = (
    Index(
        "notify_message_due",
        "create index notify_message_due on notify_message (next_at) where state in ('queued', 'sending')",
    ),
    Index(
        "notify_message_dead", "create index notify_message_dead on notify_message (id) where state = 'dead'"
    ),
    Index(
        "notify_message_age",
        "create index notify_message_age on notify_message (created_at) where state in ('sent', 'dead', 'discarded')",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
