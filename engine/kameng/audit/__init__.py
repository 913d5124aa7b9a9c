"""Who did what: an append-only log, hash-chained and signed."""

from kameng.audit.chaining import chain_pending
from kameng.audit.command import verify_command
from kameng.audit.details import JSON
from kameng.audit.entry import AuditEntry
from kameng.audit.errors import AuditEntryError, AuditError, ChainBrokenError, SecretInEntryError
from kameng.audit.listing import AuditPage
from kameng.audit.log import AuditLog
from kameng.audit.report import Anchor, Finding, Kind, Report
from kameng.audit.verification import verify

__all__ = [
    "JSON",
    "Anchor",
    "AuditEntry",
    "AuditEntryError",
    "AuditError",
    "AuditLog",
    "AuditPage",
    "ChainBrokenError",
    "Finding",
    "Kind",
    "Report",
    "SecretInEntryError",
    "chain_pending",
    "verify",
    "verify_command",
]
