"""The key ring: master keys, each with a version and one purpose.

A wrapping key encrypts data keys and nothing else, the blind-index key finds equal secrets, a signing key
signs what must not be changed unseen. They are drawn independently; none is derived from another, so
replacing the wrapping key leaves the index alone, and who can look up duplicates can still open nothing.

As text a ring is JSON:

    {"format": 1, "keys": [{"version": 1, "purpose": "wrapping", "created": "2026-01-01T00:00:00Z", "key":
    "…base64…"}, …]}
"""

from __future__ import annotations

import hmac
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from kameng.vault.errors import KeyRingInvalidError, MasterKeyUnknownError
from kameng.vault.secret import Secret

KEY_BYTES = 32
"""Length of every key: AES-256 and HMAC-SHA-256."""


class Purpose(StrEnum):
    """What a master key is for."""

    WRAPPING = "wrapping"
    BLIND_INDEX = "blind-index"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One key of the ring.

    Attributes:
        version: its number, unique in the ring whatever its purpose, and never used again.
        purpose: what it is for.
        created: when it was drawn, in UTC.
        secret: its 32 bytes.
    """

    version: int
    purpose: Purpose
    created: datetime
    secret: Secret

    @property
    def fingerprint(self) -> bytes:
        """Sixteen bytes that tell this key from others and give nothing away about it."""
        return hmac.digest(self.secret.reveal(), b"kameng.vault.fingerprint", "sha256")[:16]


class _WrittenKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    purpose: Purpose
    created: datetime
    key: str


class _WrittenRing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    keys: list[_WrittenKey]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All master keys of a deployment, in order of version.

    Raises:
        KeyRingInvalidError: a version or a key occurs twice, a key has a wrong length, or a purpose has no
            key or, for the blind index, more than one.
    """

    keys: tuple[MasterKey, ...]

    def __post_init__(self) -> None:
        versions = [key.version for key in self.keys]
        if versions != sorted(set(versions)) or any(version < 1 for version in versions):
            raise _invalid("its versions are not positive, unique and ascending")
        if any(len(key.secret.reveal()) != KEY_BYTES for key in self.keys):
            raise _invalid(f"a key has not {KEY_BYTES} bytes")
        if len({key.secret.reveal() for key in self.keys}) < len(self.keys):
            raise _invalid("two versions are the same key")
        for purpose in Purpose:
            if not self.of(purpose):
                raise _invalid(f"it has no key for the purpose {purpose.value}")
        if len(self.of(Purpose.BLIND_INDEX)) > 1:
            raise _invalid("it has more than one blind-index key, and equal secrets would no longer be found")

    @classmethod
    def fresh(cls) -> KeyRing:
        """A ring of new random keys, one for each purpose."""
        now = datetime.now(UTC).replace(microsecond=0)
        return cls(tuple(_draw(version, purpose, now) for version, purpose in enumerate(Purpose, start=1)))

    @classmethod
    def parse(cls, text: bytes | str) -> KeyRing:
        """Read a ring as `text` writes it.

        Raises:
            KeyRingInvalidError: it is none.
        """
        try:
            written = msgspec.json.decode(text, type=_WrittenRing)
        except msgspec.DecodeError as error:
            raise _invalid(str(error)) from None  # the decoder's own traceback would hold the text
        if written.format != 1:
            raise _invalid(f"its format is {written.format}, and this version of Kameng knows format 1")
        return cls(tuple(_read(key) for key in written.keys))

    def text(self) -> Secret:
        """The ring as JSON, for its file."""
        keys = [
            _WrittenKey(key.version, key.purpose, key.created, b64encode(key.secret.reveal()).decode())
            for key in self.keys
        ]
        return Secret(msgspec.json.format(msgspec.json.encode(_WrittenRing(1, keys)), indent=2) + b"\n")

    def of(self, purpose: Purpose) -> tuple[MasterKey, ...]:
        """The keys of one purpose, the newest last."""
        return tuple(key for key in self.keys if key.purpose is purpose)

    def newest(self, purpose: Purpose) -> MasterKey:
        """The newest key of a purpose."""
        return self.of(purpose)[-1]

    def get(self, version: int, purpose: Purpose) -> MasterKey:
        """The key with that version.

        Raises:
            MasterKeyUnknownError: there is none for that purpose.
        """
        for key in self.of(purpose):
            if key.version == version:
                return key
        raise MasterKeyUnknownError(
            f"The key ring has no {purpose.value} key of version {version}.",
            cure="Copy the current key ring to this machine, or bring the version back from a backup.",
        )

    def with_new(self, purpose: Purpose) -> KeyRing:
        """A ring with one more key, newer than all others."""
        return KeyRing(
            (*self.keys, _draw(self.keys[-1].version + 1, purpose, datetime.now(UTC).replace(microsecond=0)))
        )

    def without(self, version: int) -> KeyRing:
        """A ring without that version."""
        return KeyRing(tuple(key for key in self.keys if key.version != version))


def _draw(version: int, purpose: Purpose, created: datetime) -> MasterKey:
    return MasterKey(version, purpose, created, Secret(os.urandom(KEY_BYTES)))


def _read(written: _WrittenKey) -> MasterKey:
    try:
        key = b64decode(written.key, validate=True)
    except ValueError:
        raise _invalid(f"the key of version {written.version} is no base64") from None
    return MasterKey(written.version, written.purpose, written.created, Secret(key))


def _invalid(reason: str) -> KeyRingInvalidError:
    return KeyRingInvalidError(
        f"The master keys cannot be read: {reason}.",
        cure="Bring the key ring back from its backup; do not make a new one.",
    )
