"""The vault's SQL."""

from kameng.db import Statement

KNOWN_MASTERS = Statement(
    "vault.known_masters", "select version, purpose, fingerprint from kernel_master_key order by version"
)

REGISTER = Statement(
    "vault.register_masters",
    """
    insert into kernel_master_key (version, purpose, fingerprint, created_at)
    select * from unnest($1::int[], $2::text[], $3::bytea[], $4::timestamptz[])
    on conflict do nothing
    """,
)

# The lock keeps the version from being removed before the data key that it wraps is there.
ACTIVE_MASTER = Statement(
    "vault.active_master",
    """
    select version from kernel_master_key where purpose = 'wrapping'
    order by version desc limit 1 for key share
    """,
)

REMOVE_MASTER = Statement("vault.remove_master", "delete from kernel_master_key where version = $1")

MASTER_USAGE = Statement(
    "vault.master_usage",
    """
    select master.version, count(key.id) as keys
    from kernel_master_key master left join kernel_data_key key on key.master_version = master.version
    where master.purpose = 'wrapping' group by master.version order by master.version
    """,
)

ADD_KEY = Statement(
    "vault.add_key",
    """
    insert into kernel_data_key (id, scope, wrapped, master_version, allowed, created_at)
    values ($1, $2, $3, $4, $5, now())
    """,
)

KEYS = Statement(
    "vault.keys", "select id, scope, wrapped, master_version from kernel_data_key where id = any($1::uuid[])"
)

ALLOW_MORE = Statement(
    "vault.allow_more",
    """
    update kernel_data_key set allowed = allowed + $2
    where id = (
        select id from kernel_data_key where scope = $1 and retired_at is null
        order by id desc limit 1 for update
    ) and retired_at is null and allowed + $2 <= $3
    returning id, scope, wrapped, master_version
    """,
)

RETIRE = Statement(
    "vault.retire", "update kernel_data_key set retired_at = now() where scope = $1 and retired_at is null"
)

SHRED = Statement("vault.shred", "delete from kernel_data_key where scope = $1 returning id")

# Rows that another rotation works on are skipped; the caller asks again until none is left.
KEYS_OF_OTHER_MASTERS = Statement(
    "vault.keys_of_other_masters",
    """
    select id, scope, wrapped, master_version from kernel_data_key
    where master_version < $1 order by master_version, id limit $2 for update skip locked
    """,
)

REWRAP = Statement(
    "vault.rewrap",
    """
    update kernel_data_key key set wrapped = new.wrapped, master_version = $3
    from unnest($1::uuid[], $2::bytea[]) as new (id, wrapped) where key.id = new.id
    """,
)

ROTATION_LOCK = 0x6B616D656E670001
"""The advisory lock of whoever changes the key ring."""

LOCK_ROTATION = Statement("vault.lock_rotation", "select pg_advisory_xact_lock($1)")
