"""PostgreSQL's settings for one small machine that it shares with everything else."""

import os
from collections.abc import Mapping
from pathlib import Path

from kameng.embedded.errors import ServerSettingError

MEBIBYTE = 1024 * 1024

# Whoever sets one of these by hand would undo a promise of this package.
RESERVED = {
    "fsync": "durable=False",
    "full_page_writes": "durable=False",
    "synchronous_commit": "durable=False",
    "port": "port=",
    "data_directory": "",
    "hba_file": "",
    "ident_file": "",
    "listen_addresses": "",
    "unix_socket_directories": "",
}


def server_settings(chosen: Mapping[str, str], *, durable: bool, memory: int | None = None) -> dict[str, str]:
    """All settings of a run that do not depend on its place.

    Args:
        chosen: the caller's, which win.
        durable: whether a commit survives the loss of power.
        memory: bytes of the machine; found out if left open.

    Raises:
        ServerSettingError: ``chosen`` holds a setting that is not the caller's to choose.
    """
    for name in chosen:
        if name.lower() in RESERVED:
            way = RESERVED[name.lower()]
            raise ServerSettingError(
                f"The setting {name} of the embedded PostgreSQL cannot be chosen.",
                cure=f"Use the argument {way}." if way else "Bring a PostgreSQL of your own by DATABASE_URL.",
            )
    memory = memory or machine_memory()
    buffers = min(max(memory // 16, 64 * MEBIBYTE), 1024 * MEBIBYTE) // MEBIBYTE
    settings = {
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(memory // 2 // MEBIBYTE, buffers)}MB",
        "max_connections": "200",
        # Our statements are short; compiling them costs more than it saves.
        "jit": "off",
        "random_page_cost": "1.1",
        "min_wal_size": "256MB",
        "max_wal_size": "2GB",
        "wal_buffers": "16MB",
        "checkpoint_timeout": "10min",
        # Sold stock leaves dead index entries behind quickly; look often and sweep faster than the default.
        "autovacuum": "on",
        "autovacuum_naptime": "15s",
        "autovacuum_vacuum_cost_limit": "1000",
        "shared_preload_libraries": "pg_stat_statements",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    return settings | dict(chosen)


def machine_memory() -> int:
    """Bytes of memory in this machine, or in the container as far as the system tells."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        total = 2048 * MEBIBYTE
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return total
    return min(total, limit)
