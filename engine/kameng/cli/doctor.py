"""``kameng doctor``: what is there, what is missing, what to do."""

from __future__ import annotations

import asyncio
import platform
import sys
from importlib.metadata import version

import click

from kameng.cli.running import settings_of, with_services
from kameng.errors import KamengError
from kameng.settings import Settings
from kameng.version import VERSION

_SHOWN = ("litestar", "piccolo", "strawberry-graphql", "dramatiq", "redis", "granian", "asyncpg")


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check this deployment from its settings to its services; exit code 1 if anything is wrong."""
    faults = 0

    def say(ok: bool, what: str, detail: str = "") -> None:
        nonlocal faults
        faults += not ok
        mark = click.style("ok   ", fg="green") if ok else click.style("fault", fg="red")
        click.echo(f"{mark} {what:<14} {detail}")

    say(
        sys.version_info >= (3, 11),
        "python",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
    )
    say(True, "kameng", f"{VERSION}; " + ", ".join(f"{name} {version(name)}" for name in _SHOWN))
    try:
        settings = settings_of(context)
        say(True, "settings", str(settings.source or "defaults and environment"))
    except KamengError as error:
        say(False, "settings", str(error))
        context.exit(1)
    for name, check in (("modules", _modules), ("services", _services)):
        try:
            for ok, what, detail in check(settings):
                say(ok, what, detail)
        except KamengError as error:
            say(False, name, str(error))
    click.echo("All is well." if not faults else f"{faults} faults.")
    context.exit(1 if faults else 0)


def _modules(settings: Settings) -> list[tuple[bool, str, str]]:
    from kameng.loader import load_modules

    modules = load_modules(settings)
    return [
        (
            True,
            "modules",
            ", ".join(f"{module.name} {module.version}" for module in modules) or "none installed",
        )
    ]


def _services(settings: Settings) -> list[tuple[bool, str, str]]:
    from kameng.http.health import check_all
    from kameng.kernel import Kernel

    async def ask(ready: Settings) -> list[tuple[bool, str, str]]:
        async with Kernel(ready) as kernel:
            kernel.db.use()
            checks = await check_all(kernel)
            server = await kernel.db.fetchval("show server_version")
            broker = (await kernel.valkey.info("server")).get("redis_version", "?")
        details = {
            "database": f"PostgreSQL {server} at {kernel.db.address}",
            "broker": f"protocol of Redis {broker}",
        }
        return [(check.ok, name, check.detail or details.get(name, "")) for name, check in checks.items()]

    with with_services(settings) as ready:
        return asyncio.run(ask(ready))
