"""``kameng serve``: the web processes, as production runs them."""

from __future__ import annotations

import os

import click

from kameng.cli.running import settings_of, with_services
from kameng.logs import configure_logs
from kameng.settings import Settings


@click.command()
@click.option("--host", help="Where to listen; otherwise HOST or the settings.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Where to listen; otherwise PORT or the settings."
)
@click.option(
    "--processes", type=click.IntRange(1), help="Web processes; otherwise the settings' web_processes."
)
@click.option("--checked", is_flag=True, hidden=True, help="The caller has checked the modules.")
@click.pass_context
def serve(
    context: click.Context, host: str | None, port: int | None, processes: int | None, checked: bool
) -> None:
    """Serve GraphQL and pages. Reloads on SIGHUP, stops on SIGTERM after the requests that run."""
    from kameng.http.serving import check_port, serve_web

    settings = settings_of(context)
    given = {key: value for key, value in (("host", host), ("port", port)) if value}
    if given:
        settings = settings.with_values("kameng", **given)
    configure_logs(settings.engine, "web")
    check_port(settings.engine.host, settings.engine.port)
    if not checked:
        # Their faults are told once, here, and not by each process.
        from kameng.loader import load_modules

        load_modules(settings)
    with with_services(settings) as ready:
        hand_down(context, ready)
        serve_web(ready, processes=processes or settings.engine.web_processes)


def hand_down(context: click.Context, settings: Settings) -> None:
    """Let child processes find the same settings and services by the environment."""
    engine = settings.engine
    os.environ.update(
        DATABASE_URL=engine.database_url, REDIS_URL=engine.redis_url, HOST=engine.host, PORT=str(engine.port)
    )
    config = context.find_root().params.get("config")
    if config:
        os.environ["KAMENG_CONFIG"] = str(config)
