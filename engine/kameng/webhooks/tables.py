"""Tables of the webhooks: endpoints, their secrets, what is delivered to them, and each attempt."""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
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


class Endpoint(Table, tablename="webhooks_endpoint"):
    """Somebody who wants to be told of events.

    ``failures`` counts attempts that failed since the last one that succeeded, ``failing_since`` is when the first of
    them was, and until ``resume_at`` nothing is sent. Without ``document`` the event itself is what is sent.
    """

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None)
    url = Text(null=False, default=None)
    topics = JSONB(null=False, default="[]")
    state = Text(null=False, default="enabled")
    reason = Text(null=False, default="")
    document = Text(null=True, default=None)
    document_schema = Text(null=False, default="admin")
    variables = JSONB(null=False, default="[]")
    permissions = JSONB(null=False, default="[]")
    locale = Text(null=False, default="zh-CN")
    failures = Integer(null=False, default=0)
    failing_since = Timestamptz(null=True, default=None)
    resume_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False)
    changed_at = Timestamptz(null=False)

    webhooks_endpoint_state_known = Check("state in ('enabled', 'disabled')")
    webhooks_endpoint_reason_known = Check("reason in ('', 'operator', 'gone', 'failing')")
    webhooks_endpoint_schema_known = Check("document_schema in ('shop', 'admin')")
    webhooks_endpoint_topics_list = Check("jsonb_typeof(topics) = 'array'")
    webhooks_endpoint_permissions_list = Check("jsonb_typeof(permissions) = 'array'")


class EndpointSecret(Table, tablename="webhooks_secret"):
    """A secret of an endpoint, sealed by the vault. One has no end; the one before it signs until its own."""

    id = UUID(primary_key=True, default=None)
    endpoint: ForeignKey[Endpoint] = ForeignKey(
        Endpoint,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    data_key = UUID(null=False, default=None)
    sealed = Bytea(null=False, default=None)
    created_at = Timestamptz(null=False)
    ends_at = Timestamptz(null=True, default=None)


class WebhookDelivery(Table, tablename="webhooks_delivery"):
    """An event that is owed to an endpoint, or was told, or was given up.

    A test has no ``event``. ``data`` is the event; ``sealed`` is what the endpoint's document made of it, kept so that
    each attempt sends the same, and sealed since it may hold what events never do.
    """

    id = UUID(primary_key=True, default=None)
    endpoint: ForeignKey[Endpoint] = ForeignKey(
        Endpoint,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    event = BigInt(null=True, default=None)
    topic = Text(null=False, default=None)
    happened_at = Timestamptz(null=False)
    data = JSONB(null=False, default="{}")
    data_key = UUID(null=True, default=None)
    sealed = Bytea(null=True, default=None)
    state = Text(null=False, default="waiting")
    attempts = SmallInt(null=False, default=0)
    next_at = Timestamptz(null=False)
    gives_up_at = Timestamptz(null=False)
    last_status = SmallInt(null=True, default=None)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(null=False)
    delivered_at = Timestamptz(null=True, default=None)

    webhooks_delivery_once = Unique(["endpoint", "event"])
    webhooks_delivery_state_known = Check("state in ('waiting', 'sending', 'delivered', 'dead')")


class WebhookAttempt(Table, tablename="webhooks_attempt"):
    """One request, and what came of it."""

    id = UUID(primary_key=True, default=None)
    delivery: ForeignKey[WebhookDelivery] = ForeignKey(
        WebhookDelivery,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
    )
    at = Timestamptz(null=False)
    milliseconds = Integer(null=False, default=0)
    status = SmallInt(null=True, default=None)
    error = Text(null=True, default=None)
    excerpt = Text(null=True, default=None)


INDEXES: tuple[Index, ...] = (
    Index(
        "webhooks_secret_current",
        "create unique index webhooks_secret_current on webhooks_secret (endpoint) where ends_at is null",
    ),
    Index("webhooks_secret_all", "create index webhooks_secret_all on webhooks_secret (endpoint, id)"),
    Index(
        "webhooks_delivery_due",
        "create index webhooks_delivery_due on webhooks_delivery (endpoint, next_at)"
        " where state in ('waiting', 'sending')",
    ),
    Index(
        "webhooks_delivery_owed",
        "create index webhooks_delivery_owed on webhooks_delivery (gives_up_at)"
        " where state in ('waiting', 'sending')",
    ),
    Index(
        "webhooks_delivery_test",
        "create index webhooks_delivery_test on webhooks_delivery (next_at)"
        " where event is null and state in ('waiting', 'sending')",
    ),
    Index(
        "webhooks_delivery_dead",
        "create index webhooks_delivery_dead on webhooks_delivery (id) where state = 'dead'",
    ),
    Index(
        "webhooks_delivery_endpoint",
        "create index webhooks_delivery_endpoint on webhooks_delivery (endpoint, id)",
    ),
    Index(
        "webhooks_delivery_happened",
        "create index webhooks_delivery_happened on webhooks_delivery (endpoint, happened_at)",
    ),
    Index(
        "webhooks_delivery_age",
        "create index webhooks_delivery_age on webhooks_delivery (created_at)"
        " where state in ('delivered', 'dead')",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
