"""``kameng dev``: everything on this machine, under one supervisor."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path

import click

from kameng.cli.running import settings_of, with_services
from kameng.cli.seed import DEMO_DATA, check_folder, seed_all
from kameng.cli.serve import hand_down
from kameng.errors import BootError
from kameng.logs import configure_logs
from kameng.settings import Settings


@click.command()
@click.option("--seed", is_flag=True, help="Fill an empty shop with the demo data first.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEMO_DATA,
    help="The folder of the demo data.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Where to listen; otherwise PORT or the settings."
)
@click.pass_context
def dev(context: click.Context, seed: bool, data: Path, port: int | None) -> None:
    """Start the services, bring the database to where the code is, and run web and worker until Ctrl-C."""
    from kameng.http.serving import check_port
    from kameng.supervisor import ProcessSpec, Supervisor

    settings = settings_of(context)
    if settings.production:
        raise BootError(
            "This is for development.", cure="In production run `kameng serve` and `kameng worker`."
        )
    if port:
        settings = settings.with_values("kameng", port=port)
    configure_logs(settings.engine, "dev")
    check_port(settings.engine.host, settings.engine.port)
    if seed:
        check_folder(data)
    click.echo("Starting PostgreSQL and Valkey …", err=True)
    with with_services(settings, note=True) as ready:
        hand_down(context, ready)
        link = asyncio.run(_prepare(ready, data if seed else None))
        engine = ready.engine
        python = [sys.executable, "-m", "kameng"]
        base = f"http://{engine.host}:{engine.port}"
        environment = {"PYTHONUNBUFFERED": "1"}
        specs = [
            ProcessSpec(
                "web",
                [*python, "serve", "--checked"],
                environment,
                ready=f"{base}/readyz",
                reload_signal=signal.SIGHUP,
            ),
            ProcessSpec("worker", [*python, "worker"], environment),
        ]
        status = Supervisor(specs, on_ready=lambda: _tell(ready, link)).run()
    context.exit(status)


async def _prepare(settings: Settings, data: Path | None) -> str | None:
    """Migrate and seed; returns the first administrator's link while there is none."""
    from kameng.auth.first_administrator import FirstAdministrator
    from kameng.db.migrations import Migrator, Step
    from kameng.kernel import Kernel

    def say(step: Step) -> None:
        click.echo(f"  {step.app:<16} {step.description}", err=True)

    async with Kernel(settings) as kernel:
        kernel.db.use()
        if await Migrator(kernel.db, kernel.modules).pending():
            click.echo("Bringing the database to where the code is …", err=True)
            await Migrator(kernel.db, kernel.modules).forwards(say)
        if data is not None:
            for line in await seed_all(kernel, data):
                click.echo(line, err=True)
        administrator = kernel.services.find(FirstAdministrator)
        return await administrator.link() if administrator else None


def _tell(settings: Settings, link: str | None) -> None:
    """Say where everything is, once everything answers."""
    url = settings.public_url
    lines = [
        ("Storefront", url),
        ("GraphQL for shops", f"{url}/graphql/shop"),
        ("GraphQL for staff", f"{url}/graphql/admin"),
        ("Back office", f"{url}/admin"),
    ]
    if link:
        lines.append(("First administrator (one-time link)", link))
    width = max(len(name) for name, _ in lines)
    rule = "─" * min(shutil.get_terminal_size((80, 24)).columns, 100)
    text = "\n".join(f"  {name:<{width}}  {value}" for name, value in lines)
    click.echo(
        f"{rule}\nKameng is ready.\n{text}\n\nCtrl-C stops everything; data stays in {settings.data_dir}.\n{rule}"
    )
    sys.stdout.flush()
