"""What the kernel keeps of sessions, API tokens and one-time tokens; of each text only its SHA-256."""

from piccolo.columns import JSONB, UUID, Array, Bytea, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class Session(Table, tablename="kernel_session"):
    """One log-in, from its first token to its end; a rotation ends the row and starts another."""

    id = UUID(primary_key=True, default=None)
    token_hash = Bytea(null=False, default=None, unique=True)
    principal_kind = Text(null=False, default=None)
    principal_id = UUID(null=False, default=None)
    created_at = Timestamptz(null=False)
    last_seen_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False, default=None)
    revoked_at = Timestamptz(null=True, default=None)
    rotated_to = UUID(null=True, default=None)
    user_agent = Text(null=False, default="")
    address = Text(null=False, default="")
    step_up_at = Timestamptz(null=True, default=None)

    kernel_session_kind_known = Check("principal_kind in ('member', 'staff', 'integration')")
    kernel_session_token_hashed = Check("octet_length(token_hash) = 32")


class ApiToken(Table, tablename="kernel_api_token"):
    """A bearer token of a program that acts for a principal, limited to scopes and networks."""

    id = UUID(primary_key=True, default=None)
    token_hash = Bytea(null=False, default=None, unique=True)
    prefix = Text(null=False, default=None)
    principal_kind = Text(null=False, default=None)
    principal_id = UUID(null=False, default=None)
    name = Text(null=False, default=None)
    scopes = Array(base_column=Text(), null=False, default=list)
    allowed_networks = Array(base_column=Text(), null=False, default=list)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=True, default=None)
    last_used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)

    kernel_api_token_kind_known = Check("principal_kind in ('member', 'staff', 'integration')")
    kernel_api_token_hashed = Check("octet_length(token_hash) = 32")


class OneTimeToken(Table, tablename="kernel_one_time_token"):
    """A text that opens one thing once, such as a link that sets a new password."""

    id = UUID(primary_key=True, default=None)
    purpose = Text(null=False, default=None)
    token_hash = Bytea(null=False, default=None, unique=True)
    subject = JSONB(null=False, default="{}")
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False, default=None)
    used_at = Timestamptz(null=True, default=None)

    kernel_one_time_token_hashed = Check("octet_length(token_hash) = 32")


INDEXES = (
    Index(
        "kernel_session_live",
        "create index kernel_session_live on kernel_session (principal_kind, principal_id, created_at desc)"
        " where revoked_at is null",
    ),
    Index(
        "kernel_session_staff",
        "create index kernel_session_staff on kernel_session (id desc) where principal_kind = 'staff'",
    ),
    Index("kernel_session_expiry", "create index kernel_session_expiry on kernel_session (expires_at)"),
    Index(
        "kernel_api_token_principal",
        "create index kernel_api_token_principal on kernel_api_token"
        " (principal_kind, principal_id, created_at desc)",
    ),
    Index(
        "kernel_one_time_token_open",
        "create index kernel_one_time_token_open on kernel_one_time_token (purpose, subject)"
        " where used_at is null",
    ),
    Index(
        "kernel_one_time_token_expiry",
        "create index kernel_one_time_token_expiry on kernel_one_time_token (expires_at)",
    ),
)
