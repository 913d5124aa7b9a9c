"""Health: ``/livez`` says that the process runs, ``/readyz`` that it can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Response, get

from kameng.db.migrations import Migrator
from kameng.kernel import Kernel

_PATIENCE = 3.0
"""Seconds that one check may take before it counts as failed."""


class Check(msgspec.Struct, frozen=True):
    """The outcome of one check.

    Attributes:
        ok: whether it passed.
        detail: what is wrong, in a sentence without addresses or secrets.
    """

    ok: bool
    detail: str = ""


async def check_all(kernel: Kernel) -> dict[str, Check]:
    """Database, broker and migrations, asked at the same time."""

    async def database() -> Check:
        await kernel.db.fetchval("select 1")
        return Check(True)

    async def broker() -> Check:
        await kernel.valkey.ping()
        return Check(True)

    async def migrations() -> Check:
        pending = await Migrator(kernel.db, kernel.modules).pending()
        return Check(
            not pending, f"{len(pending)} migrations have not run; run `kameng migrate`." if pending else ""
        )

    checks = {"database": database(), "broker": broker(), "migrations": migrations()}
    outcomes = await asyncio.gather(*(_tried(check) for check in checks.values()))
    return dict(zip(checks, outcomes, strict=True))


async def _tried(check: Awaitable[Check]) -> Check:
    try:
        return await asyncio.wait_for(check, _PATIENCE)
    except Exception as error:  # whatever a check raises means that it failed
        return Check(False, f"It does not answer ({type(error).__name__}).")


def health_handlers(kernel: Kernel) -> list[Any]:
    """The two routes, bound to a kernel."""

    @get("/livez", include_in_schema=False, sync_to_thread=False)
    def livez() -> dict[str, bool]:
        """The process runs; a failure means: restart it."""
        return {"ok": True}

    @get("/readyz", include_in_schema=False)
    async def readyz() -> Response[dict[str, Any]]:
        """The process can work; a failure means: send it no requests now."""
        checks = await check_all(kernel)
        ok = all(check.ok for check in checks.values())
        return Response({"ok": ok, "checks": msgspec.to_builtins(checks)}, status_code=200 if ok else 503)

    return [livez, readyz]
