"""What can go wrong with the audit log.

AuditError                  the audit log cannot do what was asked
├── AuditEntryError         an entry cannot be written as it is
│   └── SecretInEntryError  it would have written a secret down
└── ChainBrokenError        the chain does not end where its signed head says
"""

from kameng.errors import KamengError


class AuditError(KamengError):
    """The audit log cannot do what was asked."""

    code = "AUDIT_ERROR"


class AuditEntryError(AuditError):
    """An entry cannot be written as it is: the caller's mistake, not the client's."""

    code = "AUDIT_ENTRY_INVALID"


class SecretInEntryError(AuditEntryError):
    """An entry would have written a secret down."""

    code = "AUDIT_SECRET_REFUSED"


class ChainBrokenError(AuditError):
    """The chain does not end where its signed head says, so nothing is added to it."""

    code = "AUDIT_CHAIN_BROKEN"
