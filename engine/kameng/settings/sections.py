"""The kernel's own sections of ``kameng.toml``."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[kameng]``.

    Attributes:
        environment: ``development`` shows more and asks less; ``production`` hides and demands.
        host, port: where the web processes listen.
        public_url: how browsers reach us, such as ``https://shop.example``; empty: derived from host and port.
        database_url: PostgreSQL; empty: the embedded one.
        redis_url: Redis or Valkey; empty: the embedded one.
        valkey_seconds: how long it may take to answer before it counts as away: limits and costs are then not counted,
            or nobody passes, as each rule has it.
        data_dir: where the embedded services, uploads and keys of a development machine live.
        pool_size: database connections of each process.
        web_processes, worker_processes, worker_threads: how much `serve`, `worker` and `dev` start.
        stop_seconds: how long a web process may take to answer what it has begun before it is killed; give it less than
            what kills the whole service, such as a container's grace period.
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
    valkey_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=600)] = 2.0
    data_dir: str = ".kameng"
    pool_size: int = 10
    web_processes: int = 1
    worker_processes: int = 1
    worker_threads: int = 4
    stop_seconds: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 20.0
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


Positive = Annotated[int, msgspec.Meta(ge=1)]


class AuthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[auth]``.

    Attributes:
        session_idle_minutes, session_lifetime_hours: a session ends this long after its last request, and this
            long after the log-in, whichever comes first.
        staff_idle_minutes, staff_lifetime_hours: the same for staff.
        step_up_minutes: how long a second factor, once shown, opens what asks for a fresh one.
        session_cache_seconds: how long a process may answer for a session without asking the database; 0: never.
            A revocation reaches all processes at once; this is the bound where Valkey cannot pass it on.
        session_cache_size: sessions and tokens that a process remembers at most.
        password_min_length: characters of a new password.
        signature_tolerance_seconds: how far the clock of a signed request may be off.
        allowed_origins: origins besides our own whose pages may use the session cookie, such as
            ``https://app.shop.example``; browsers send it only within one site.
        insecure_cookies: session cookies without ``Secure`` and ``__Host-``: for development over plain http on
            another machine, or in Safari, which refuses secure cookies even on localhost. Not for production.
    """

    session_idle_minutes: Positive = 14 * 24 * 60
    session_lifetime_hours: Positive = 90 * 24
    staff_idle_minutes: Positive = 60
    staff_lifetime_hours: Positive = 12
    step_up_minutes: Positive = 10
    session_cache_seconds: Annotated[float, msgspec.Meta(ge=0, le=300)] = 5.0
    session_cache_size: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    password_min_length: Annotated[int, msgspec.Meta(ge=8, le=128)] = 10
    signature_tolerance_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 300
    allowed_origins: tuple[str, ...] = ()
    insecure_cookies: bool = False


class EventsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[events]``.

    Attributes:
        keep_days: how long handled events stay in the outbox.
        lease_seconds: after how long an event is sent again to a handler of which nothing was heard.
        retry_seconds: the pause after a handler's first failure; each further one is twice as long, up to an hour.
    """

    keep_days: Positive = 14
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.5, le=3600)] = 30.0
    retry_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0


class TasksSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[tasks]``.

    Attributes:
        keep_days: how long finished tasks stay in the table, and their keys keep them from running twice.
        lease_seconds: after how long a task is given to another worker when its own has fallen silent.
        retry_seconds: the pause after a task's first failure; each further one is twice as long, up to an hour.
        stop_seconds: how long a stopping worker waits for what it has begun before it returns it.
    """

    keep_days: Positive = 14
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.5, le=3600)] = 30.0
    retry_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 5.0
    stop_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 20.0


class JobsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[jobs]``.

    Attributes:
        at_once: jobs that run at the same time in the whole deployment; the others wait. Each takes a thread of a worker.
        lease_seconds: after how long a job is given to another worker when its own has fallen silent.
        max_file_bytes, max_total_bytes: of a file that a job reads or makes, and of all of them together.
        keep_files_days: how long files of jobs are kept.
        keep_days: how long jobs, and what a roll-back needs, are kept.
    """

    at_once: Positive = 2
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.5, le=3600)] = 30.0
    max_file_bytes: Positive = 512_000_000
    max_total_bytes: Positive = 3_000_000_000
    keep_files_days: Positive = 7
    keep_days: Positive = 90

    @property
    def lease(self) -> timedelta:
        """``lease_seconds`` as a span of time."""
        return timedelta(seconds=self.lease_seconds)


class ThemesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[themes]``.

    Attributes:
        storefront, admin: the theme that shows each; None: the one of that name, if it is installed; empty: none.
        folders: theme folders, or folders that hold some, beside the installed packages.
        time_zone: the IANA time zone in which pages show days and times.
        confined: names of themes whose templates nobody has looked at: they are rendered in processes of their own, with
            limits, and may show pages, but neither have forms nor scripts.
    """

    storefront: str | None = None
    admin: str | None = None
    folders: tuple[str, ...] = ()
    time_zone: str = "Asia/Shanghai"
    confined: tuple[str, ...] = ()


class GraphQLSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[graphql]``.

    What stands as None follows the environment: development shows and allows, production hides and demands.

    Attributes:
        max_depth, max_fields, max_aliases, max_root_fields, max_mutations: how large a document from the network may
            be; fields and depth count with fragments wherever they are spread.
        max_directives: directives at one place of a document.
        max_tokens: tokens of any document.
        max_cost: what a single operation may cost; see ``kameng.graphql.cost``.
        bucket_capacity: cost that a principal, or an address without one, may spend at once; 0: without bounds.
            None: 20,000 in production, 1,000,000 in development.
        bucket_refill: cost that comes back in a second. None: 1,000 in production, 100,000 in development.
        show_cost: whether every answer tells its cost; else those whose request has the header ``Kameng-Cost``.
        introspection: whether everybody may ask the schema about itself; else who has ``graphql.introspect``.
        trusted_documents: ``off`` knows none, ``allow`` takes ids as well as texts, ``require`` takes nothing else
            from those who are neither staff nor integration. None: ``require`` for the shop in production, else
            ``allow``. A value given here is for the shop alone; the back office stays at ``allow``, unless ``off``.
        idempotency_keep_days: how long the results of mutations with a key are kept.
        max_batch: operations in one body; together they may cost what one may; 1: none but single ones are served.
            None: 1 in production, 5 in development.
        at_once: operations that one process carries out at the same time; of those that wait for it, the newest go first.
        upload_max_files: files of one request; 0: none are taken.
        upload_max_bytes, upload_total_bytes: of a file, and of all files of a request.
        upload_import_bytes: of a file that a job of the back office imports; ``[jobs] max_file_bytes`` bounds it as well.
        upload_types: media types of files that are taken; images that can hold scripts are not among them.
    """

    max_depth: Positive = 15
    max_fields: Positive = 500
    max_aliases: Annotated[int, msgspec.Meta(ge=0)] = 30
    max_root_fields: Positive = 10
    max_mutations: Positive = 5
    max_directives: Positive = 5
    max_tokens: Annotated[int, msgspec.Meta(ge=10)] = 5_000
    max_cost: Positive = 1_000
    bucket_capacity: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    bucket_refill: Annotated[int, msgspec.Meta(ge=1, le=10**9)] | None = None
    show_cost: bool | None = None
    introspection: bool | None = None
    trusted_documents: Literal["off", "allow", "require"] | None = None
    idempotency_keep_days: Positive = 7
    max_batch: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    at_once: Positive = 256
    upload_max_files: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    upload_max_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 20_000_000
    upload_total_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 50_000_000
    upload_import_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 512_000_000
    upload_types: tuple[str, ...] = (
        "text/csv",
        "text/plain",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "image/png",
        "image/jpeg",
        "image/webp",
    )


class VaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[vault]``."""


SECTIONS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("kameng", EngineSettings),
    ("modules", ModulesSettings),
    ("auth", AuthSettings),
    ("events", EventsSettings),
    ("tasks", TasksSettings),
    ("jobs", JobsSettings),
    ("themes", ThemesSettings),
    ("graphql", GraphQLSettings),
    ("vault", VaultSettings),
)
"""The sections that the kernel owns, with their shapes: each is checked whenever settings are read."""
