"""The one tree of errors.

    KamengError                 everything that Kameng raises on purpose
    ├── BootError               the deployment cannot start as it is configured
    │   ├── FaultsFound         the loader's report: every fault with its package and its cure
    │   └── SettingsError       kameng.toml or the environment holds something unusable
    ├── UnavailableError        a service that we need does not answer (database, broker)
    ├── TransactionError        a transaction was used in a way that cannot work
    └── Refusal                 a request that we understood and will not carry out; shown to the client
        ├── InvalidInput        a value of the request is unusable
        ├── NotFound            the thing asked for does not exist, or not for this principal
        ├── Unauthenticated     no principal, or its credentials do not hold
        ├── Forbidden           the principal lacks a permission
        ├── Conflict            the same key was used for something else, or the state moved on
        └── RateLimited         too many tries; says when to come back

Each class has a stable ``code``. Modules derive from these and add codes of their own; a code never changes its
meaning, since clients branch on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class KamengError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what happened, in one sentence.
        cure: what to do about it, in one sentence.
    """

    code: ClassVar[str] = "KAMENG_ERROR"

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class BootError(KamengError):
    """The deployment cannot start as it is configured."""

    code = "BOOT_FAILED"


class SettingsError(BootError):
    """``kameng.toml`` or the environment holds something unusable."""

    code = "SETTINGS_INVALID"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps a deployment from starting.

    Attributes:
        kind: a stable name, such as ``missing_requirement``.
        package: the distribution or module at fault.
        message: what is wrong.
        cure: what to do about it.
    """

    kind: str
    package: str
    message: str
    cure: str

    def __str__(self) -> str:
        return f"[{self.package}] {self.message}\n    cure: {self.cure}"


class FaultsFound(BootError):
    """All faults that the loader found, together."""

    code = "MODULES_FAULTY"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault{'s' if len(self.faults) > 1 else ''}"
        super().__init__(
            f"The modules do not fit together ({count}):\n" + "\n".join(f"  {f}" for f in self.faults)
        )


class UnavailableError(KamengError):
    """A service that we need does not answer."""

    code = "UNAVAILABLE"


class TransactionError(KamengError):
    """A transaction was used in a way that cannot work."""

    code = "TRANSACTION_MISUSED"


class Refusal(KamengError):
    """A request that we understood and will not carry out.

    Args:
        message: what happened; shown to the client, so it holds no secret and no internal name.
        cure: what the client can do about it.
        path: where in the input the reason lies, such as ``("input", "lines", "0", "quantity")``.
    """

    code = "REFUSED"

    def __init__(self, message: str, *, cure: str = "", path: Sequence[str] = ()) -> None:
        super().__init__(message, cure=cure)
        self.path = tuple(path)


class InvalidInput(Refusal):
    """A value of the request is unusable."""

    code = "INVALID_INPUT"


class NotFound(Refusal):
    """The thing asked for does not exist, or not for this principal: the two are never told apart."""

    code = "NOT_FOUND"


class Unauthenticated(Refusal):
    """No principal, or its credentials do not hold."""

    code = "UNAUTHENTICATED"


class Forbidden(Refusal):
    """The principal lacks a permission."""

    code = "FORBIDDEN"


class Conflict(Refusal):
    """The same key was used for something else, or the state moved on in between."""

    code = "CONFLICT"


class RateLimited(Refusal):
    """Too many tries.

    Attributes:
        retry_after: seconds to wait before the next try.
    """

    code = "RATE_LIMITED"

    def __init__(
        self, message: str, *, cure: str = "", path: Sequence[str] = (), retry_after: int = 1
    ) -> None:
        super().__init__(message, cure=cure or f"Try again in {retry_after} s.", path=path)
        self.retry_after = retry_after
