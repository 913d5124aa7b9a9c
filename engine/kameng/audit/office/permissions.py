"""Who may see who did what."""

from kameng.module import Permission

READ_AUDIT = Permission("audit.read", "Read the audit log and export it", "查看和导出审计日志")
"""Reading the log, having it written to a file, and having its chain checked."""
