"""What the kernel keeps about GraphQL: trusted documents, and the results of mutations that carried a key."""

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class TrustedDocument(Table, tablename="kernel_document"):
    """A document that clients may send by its hash. One that was revoked stays, to be found in audits and registered again."""

    id = UUID(primary_key=True, null=False, default=None)
    schema = Text(null=False, default=None)
    sha256 = Text(null=False, default=None)
    source = Text(null=False, default=None)
    name = Text(null=False, default="")
    registered_at = Timestamptz(null=False)
    revoked_at = Timestamptz(null=True, default=None)

    kernel_document_once = Unique(["schema", "sha256"])
    kernel_document_schema_known = Check("schema in ('shop', 'admin')")


class IdempotentResult(Table, tablename="kernel_idempotency"):
    """The result of a mutation with an idempotency key, written in the transaction of its effects.

    ``input`` and ``selection`` are hashes: what was asked for, and which part of the answer. ``result`` is JSON as text, since
    its order matters; it is null only inside the transaction that makes it.
    """

    id = UUID(primary_key=True, null=False, default=None)
    principal = Text(null=False, default=None)
    key = Text(null=False, default=None)
    field = Text(null=False, default=None)
    input = Text(null=False, default=None)
    selection = Text(null=False, default=None)
    result = Text(null=True, default=None)
    created_at = Timestamptz(null=False)

    kernel_idempotency_once = Unique(["principal", "key", "field"])


INDEXES: tuple[Index, ...] = (
    Index(
        "kernel_idempotency_age",
        "create index kernel_idempotency_age on kernel_idempotency (created_at)",
    ),
)
"""Beside what Piccolo declares; created by a migration of their own."""
