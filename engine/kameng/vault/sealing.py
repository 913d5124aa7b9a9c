"""The format of a sealed value, and of a wrapped data key.

A sealed value is ``version (1 byte, 0x01) | nonce (12 bytes) | ciphertext and tag (16 bytes longer than the
plaintext)``: AES-256-GCM (NIST SP 800-38D), the nonce random, the associated data being the version byte
followed by the caller's.

Random nonces of 96 bits allow 2^32 messages a key before a repetition becomes as likely as 2^-32 (SP 800-38D
§8.3). A data key of ours stops at 2^20, where it is 2^-57.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kameng.vault.errors import DataKeyBrokenError, SealBrokenError, SealUnknownError

MESSAGES_PER_KEY = 2**20
"""How many messages a data key seals at most."""

FORMAT = b"\x01"
NONCE_BYTES = 12
OVERHEAD = len(FORMAT) + NONCE_BYTES + 16
"""How many bytes a sealed value is longer than its plaintext."""

_BROKEN = "does not authenticate: it was altered, or it belongs to another place or key."
_CURE = "Restore the row and its data key from one and the same backup."


def seal(aead: AESGCM, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Seal many (plaintext, associated data)."""
    return seal_columns(aead, [plaintext for plaintext, _ in items], [aad for _, aad in items])


def seal_columns(aead: AESGCM, plaintexts: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]:
    """Seal many plaintexts, each with the associated data at its place."""
    encrypt = aead.encrypt
    # One system call for all nonces; one for each would cost as much as the encryption.
    size = NONCE_BYTES * len(plaintexts)
    random = os.urandom(size)
    nonces = [random[start : start + NONCE_BYTES] for start in range(0, size, NONCE_BYTES)]
    return [
        FORMAT + nonce + encrypt(nonce, plaintext, FORMAT + aad)
        for nonce, plaintext, aad in zip(nonces, plaintexts, aads, strict=True)
    ]


def unseal(
    aeads: Mapping[UUID, AESGCM], items: Sequence[tuple[UUID, bytes, bytes]], first: int = 0
) -> list[bytes]:
    """Open many (data key's id, sealed value, associated data): all of them, or none.

    Args:
        aeads: the data keys, by id.
        items: what to open.
        first: the index of the first item, for the error.

    Raises:
        SealBrokenError: one does not authenticate.
        SealUnknownError: one has another format.
    """
    opened = []
    for index, (key, sealed, aad) in enumerate(items, start=first):
        if sealed[:1] != FORMAT or len(sealed) < OVERHEAD:
            raise SealUnknownError(
                f"Sealed value {index} has no format that this version of Kameng knows.",
                cure="Was it written by a newer version, or cut off?",
                index=index,
            )
        try:
            opened.append(aeads[key].decrypt(sealed[1:13], sealed[13:], FORMAT + aad))
        except InvalidTag:
            raise SealBrokenError(f"Sealed value {index} {_BROKEN}", cure=_CURE, index=index) from None
    return opened


def wrap(master: bytes, master_version: int, key_id: UUID, scope: str, key: bytes) -> bytes:
    """Encrypt a data key by a master key, bound to its id, its scope and the master's version."""
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(master).encrypt(nonce, key, _binding(master_version, key_id, scope))


def unwrap(master: bytes, master_version: int, key_id: UUID, scope: str, wrapped: bytes) -> bytes:
    """The data key behind `wrap`.

    Raises:
        DataKeyBrokenError: it does not authenticate with this master key, id and scope.
    """
    try:
        if wrapped[:1] != FORMAT or len(wrapped) < OVERHEAD:
            raise InvalidTag
        return AESGCM(master).decrypt(wrapped[1:13], wrapped[13:], _binding(master_version, key_id, scope))
    except InvalidTag:
        raise DataKeyBrokenError(
            f"Data key {key_id} ({scope}), wrapped by master key {master_version}, {_BROKEN}", cure=_CURE
        ) from None


def _binding(master_version: int, key_id: UUID, scope: str) -> bytes:
    # Fixed lengths before the one free part: no two triples give the same bytes.
    return b"kameng.data_key" + FORMAT + master_version.to_bytes(4, "big") + key_id.bytes + scope.encode()
