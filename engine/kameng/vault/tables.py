"""Tables of the vault: which master keys this database knows, and its data keys, encrypted by them."""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, Integer, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class RegisteredMaster(Table, tablename="kernel_master_key"):
    """A master key that is in use here, known by its fingerprint; the newest wrapping key wraps new data
    keys.
    """

    version = Integer(primary_key=True, null=False, default=None)
    purpose = Text(null=False, default=None)
    fingerprint = Bytea(null=False, default=None)
    created_at = Timestamptz(null=False)

    kernel_master_key_purpose_known = Check("purpose in ('wrapping', 'blind-index', 'signing')")
    kernel_master_key_fingerprinted = Check("octet_length(fingerprint) = 16")


class WrappedKey(Table, tablename="kernel_data_key"):
    """A data key, encrypted by a master key, and how many messages it was allowed to seal so far."""

    id = UUID(primary_key=True, null=False, default=None)
    scope = Text(null=False, default=None)
    wrapped = Bytea(null=False, default=None)
    # RESTRICT is what keeps a master key in place until no data key needs it.
    master_version = ForeignKey(
        RegisteredMaster,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    allowed = BigInt(null=False, default=None)
    created_at = Timestamptz(null=False)
    retired_at = Timestamptz(null=True, default=None)

    kernel_data_key_wrapped = Check("octet_length(wrapped) = 61")
    kernel_data_key_limited = Check("allowed between 0 and 1048576")


INDEXES = (
    Index("kernel_data_key_scope", "create index kernel_data_key_scope on kernel_data_key (scope, id)"),
    Index(
        "kernel_data_key_master",
        "create index kernel_data_key_master on kernel_data_key (master_version, id)",
    ),
)
"""For finding a scope's keys, and those that a rotation has yet to wrap anew."""
