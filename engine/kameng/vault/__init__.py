"""Secrets: envelope encryption, blind indexes, signatures, key rotation."""

from kameng.vault.blind_index import BLIND_INDEX_BYTES
from kameng.vault.data_keys import DataKey
from kameng.vault.errors import (
    DataKeyBrokenError,
    DataKeySpentError,
    DataKeyUnknownError,
    KeyRingError,
    KeyRingExistsError,
    KeyRingExposedError,
    KeyRingForeignError,
    KeyRingInvalidError,
    KeyRingMissingError,
    KeyRingReadOnlyError,
    MasterKeyInUseError,
    MasterKeyUnknownError,
    SealBrokenError,
    SealUnknownError,
    VaultError,
)
from kameng.vault.key_ring import KeyRing
from kameng.vault.ring_source import RingSource, create_key_ring, locate
from kameng.vault.sealing import MESSAGES_PER_KEY
from kameng.vault.secret import Secret
from kameng.vault.vault import Signature, Vault

__all__ = [
    "BLIND_INDEX_BYTES",
    "MESSAGES_PER_KEY",
    "DataKey",
    "DataKeyBrokenError",
    "DataKeySpentError",
    "DataKeyUnknownError",
    "KeyRing",
    "KeyRingError",
    "KeyRingExistsError",
    "KeyRingExposedError",
    "KeyRingForeignError",
    "KeyRingInvalidError",
    "KeyRingMissingError",
    "KeyRingReadOnlyError",
    "MasterKeyInUseError",
    "MasterKeyUnknownError",
    "RingSource",
    "SealBrokenError",
    "SealUnknownError",
    "Secret",
    "Signature",
    "Vault",
    "VaultError",
    "create_key_ring",
    "locate",
]
