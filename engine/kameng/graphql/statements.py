"""The statements of trusted documents and of idempotent results."""

from kameng.db import Statement

DOCUMENT = Statement(
    "kernel.read_document",
    "select source from kernel_document where schema = $1 and sha256 = $2 and revoked_at is null",
)

DOCUMENTS = Statement(
    "kernel.list_documents",
    """
select sha256, name, registered_at, revoked_at, length(source) as length
from kernel_document where schema = $1 order by name, registered_at
""",
)

REGISTER = Statement(
    "kernel.register_document",
    """
insert into kernel_document as known (id, schema, sha256, source, name) values ($1, $2, $3, $4, $5)
on conflict (schema, sha256) do update set revoked_at = null, name = excluded.name
where known.revoked_at is not null or known.name <> excluded.name
""",
)

REVOKE = Statement(
    "kernel.revoke_document",
    """
update kernel_document set revoked_at = clock_timestamp()
where schema = $1 and sha256 = $2 and revoked_at is null
""",
)

CLAIM = Statement(
    "kernel.claim_key",
    """
insert into kernel_idempotency (id, principal, key, field, input, selection) values ($1, $2, $3, $4, $5, $6)
on conflict (principal, key, field) do nothing returning id
""",
)
"""Waits for a transaction under way that holds the same key; gives nothing where the key is taken."""

CLAIMED = Statement(
    "kernel.read_claim",
    "select input, selection, result from kernel_idempotency where principal = $1 and key = $2 and field = $3",
)

KEEP_RESULT = Statement("kernel.keep_result", "update kernel_idempotency set result = $2 where id = $1")

PRUNE_RESULTS = Statement(
    "kernel.prune_results",
    """
delete from kernel_idempotency where id = any (array(
    select id from kernel_idempotency where created_at < clock_timestamp() - $1::interval limit 1000
))
""",
)
"""$1 how long they are kept."""
