"""What can go wrong with secrets.

    VaultError                   the vault cannot do what was asked
    ├── KeyRingError             the master keys cannot be used (also a `BootError`)
    │   ├── KeyRingMissingError       there are none
    │   ├── KeyRingExposedError       others than the owner may read the file
    │   ├── KeyRingInvalidError       the text is no key ring
    │   ├── KeyRingForeignError       they belong to another database
    │   ├── KeyRingExistsError        a new ring would overwrite one
    │   └── KeyRingReadOnlyError      they came by the environment and cannot be changed from here
    ├── MasterKeyUnknownError         this process's ring lacks a version
    ├── MasterKeyInUseError           a version cannot be removed yet
    ├── DataKeyUnknownError           there is no such data key, or it was shredded
    ├── DataKeyBrokenError            a stored data key does not authenticate
    ├── DataKeySpentError             a data key has sealed as many messages as it may
    └── SealBrokenError               a sealed value does not authenticate
        └── SealUnknownError          it has a format that this version does not know

No message holds key material, plaintext or sealed bytes.
"""

from kameng.errors import BootError, KamengError


class VaultError(KamengError):
    """The vault cannot do what was asked."""

    code = "VAULT_ERROR"


class KeyRingError(VaultError, BootError):
    """The master keys cannot be used."""

    code = "VAULT_KEYS_UNUSABLE"


class KeyRingMissingError(KeyRingError):
    """There are no master keys."""

    code = "VAULT_KEYS_MISSING"


class KeyRingExposedError(KeyRingError):
    """Others than the owner may read the file of master keys."""

    code = "VAULT_KEYS_EXPOSED"


class KeyRingInvalidError(KeyRingError):
    """The text is no key ring."""

    code = "VAULT_KEYS_INVALID"


class KeyRingForeignError(KeyRingError):
    """The master keys belong to another database."""

    code = "VAULT_KEYS_FOREIGN"


class KeyRingExistsError(KeyRingError):
    """A new ring would overwrite one, and with it everything that it can open."""

    code = "VAULT_KEYS_EXIST"


class KeyRingReadOnlyError(KeyRingError):
    """The master keys came by the environment and cannot be changed from here."""

    code = "VAULT_KEYS_READ_ONLY"


class MasterKeyUnknownError(VaultError):
    """This process's key ring lacks a version."""

    code = "VAULT_MASTER_UNKNOWN"


class MasterKeyInUseError(VaultError):
    """A version cannot be removed yet."""

    code = "VAULT_MASTER_IN_USE"


class DataKeyUnknownError(VaultError):
    """There is no such data key, or it was shredded."""

    code = "VAULT_KEY_UNKNOWN"


class DataKeyBrokenError(VaultError):
    """A stored data key does not authenticate: its row was altered, or another master key wrapped it."""

    code = "VAULT_KEY_BROKEN"


class DataKeySpentError(VaultError):
    """A data key has sealed as many messages as it may."""

    code = "VAULT_KEY_SPENT"


class SealBrokenError(VaultError):
    """A sealed value does not authenticate: it was altered, or its key or its associated data is another.

    Attributes:
        index: which item of a bulk call it was; 0 for a single one.
    """

    code = "VAULT_SEAL_BROKEN"

    def __init__(self, message: str, *, cure: str = "", index: int = 0) -> None:
        super().__init__(message, cure=cure)
        self.index = index


class SealUnknownError(SealBrokenError):
    """A sealed value has a format that this version does not know."""

    code = "VAULT_SEAL_UNKNOWN"
