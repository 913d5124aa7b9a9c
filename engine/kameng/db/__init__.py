"""PostgreSQL: pool, transactions that survive their pitfalls, migrations over all modules."""

import os

from kameng.db.database import Database, as_json, counted_statements, current_database
from kameng.db.index import Index, append_only
from kameng.db.piccolo_engine import ENGINE
from kameng.db.statement import Statement
from kameng.db.together import Together
from kameng.db.transaction import CommitUnknown, Scope, TransactionClosed

# Piccolo looks for a settings module by this variable; a deployment may name its own.
os.environ.setdefault("PICCOLO_CONF", "kameng.db.piccolo_conf")

__all__ = [
    "ENGINE",
    "CommitUnknown",
    "Database",
    "Index",
    "Scope",
    "Statement",
    "Together",
    "TransactionClosed",
    "append_only",
    "as_json",
    "counted_statements",
    "current_database",
]
