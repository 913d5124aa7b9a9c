"""The kernel's own sections of ``kameng.toml``."""

from typing import Literal

import msgspec


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[kameng]``.

    Attributes:
        environment: ``development`` shows more and asks less; ``production`` hides and demands.
        host, port: where the web processes listen.
        public_url: how browsers reach us, such as ``https://shop.example``; empty: derived from host and port.
        database_url: PostgreSQL; empty: the embedded one.
        redis_url: Redis or Valkey; empty: the embedded one.
        data_dir: where the embedded services, uploads and keys of a development machine live.
        pool_size: database connections of each process.
        web_processes, worker_processes, worker_threads: how much `serve`, `worker` and `dev` start.
        log_format: ``text`` for people, ``json`` for machines.
        log_level: the least level that is written.
        master_keys_file: the file with the vault's master keys; empty: ``vault.keys`` in ``data_dir``.
        trusted_hosts: host names that requests may carry; empty: any in development, those of `public_url` in production.
    """

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    database_url: str = ""
    redis_url: str = ""
    data_dir: str = ".kameng"
    pool_size: int = 10
    web_processes: int = 1
    worker_processes: int = 1
    worker_threads: int = 4
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    master_keys_file: str = ""
    trusted_hosts: tuple[str, ...] = ()


class ModulesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[modules]``.

    Attributes:
        enabled: entry-point names of the modules to load; None: all that are installed.
        disabled: names to leave out of these.
    """

    enabled: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()
