"""``kameng worker``: events, tasks and schedules, as production runs them."""

from __future__ import annotations

import click

from kameng.cli.running import settings_of, with_services
from kameng.logs import configure_logs


@click.command()
@click.pass_context
def worker(context: click.Context) -> None:
    """Handle events and run tasks; the relay and the scheduler stand by inside and run where they lead."""
    from kameng.tasks import run_worker

    settings = settings_of(context)
    configure_logs(settings.engine, "worker")
    with with_services(settings) as ready:
        run_worker(ready)
