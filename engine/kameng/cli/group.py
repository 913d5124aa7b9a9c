"""The command group: the kernel's commands by name, the modules' when one of them is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

from kameng.errors import KamengError
from kameng.settings import read_settings

BUILT_IN = {
    "audit": "kameng.cli.audit:audit",
    "dev": "kameng.cli.dev:dev",
    "doctor": "kameng.cli.doctor:doctor",
    "documents": "kameng.cli.documents:documents",
    "events": "kameng.cli.events:events",
    "i18n": "kameng.cli.i18n:i18n",
    "migrate": "kameng.cli.migrate:migrate",
    "module": "kameng.cli.scaffold:module",
    "schema": "kameng.cli.schema:schema",
    "seed": "kameng.cli.seed:seed",
    "serve": "kameng.cli.serve:serve",
    "theme": "kameng.cli.theme:theme",
    "vault": "kameng.cli.vault:vault",
    "worker": "kameng.cli.worker:worker",
}
"""The kernel's own commands: name → where they stand. Imported when they are used, since each start counts."""


class KamengGroup(click.Group):
    """Finds a command in the kernel first, then in the enabled modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands; those of modules are missing where the modules cannot be loaded, with a hint."""
        try:
            return sorted({*BUILT_IN, *_of_modules(ctx)})
        except KamengError as error:
            click.secho(f"Commands of modules are not shown: {error.message}", fg="yellow", err=True)
            return sorted(BUILT_IN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name in BUILT_IN:
            path, _, attribute = BUILT_IN[cmd_name].partition(":")
            command: click.Command = getattr(import_module(path), attribute)
            return command
        return _of_modules(ctx).get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, with the nearest names where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(near)}?" if near else " `kameng --help` lists them."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx) from error


def _of_modules(ctx: click.Context) -> dict[str, click.Command]:
    # Imported here: a command of the kernel must not wait for the modules and all that checks them.
    from kameng.loader import load_modules

    config = ctx.params.get("config")
    found: dict[str, click.Command] = {}
    for module in load_modules(read_settings(config)):
        for command in module.commands:
            name = command.name or ""
            known = found.get(name)
            if isinstance(known, click.Group) and isinstance(command, click.Group):
                # Several modules may add to one group, such as `import`.
                merged = click.Group(name, commands={**known.commands, **command.commands}, help=known.help)
                found[name] = merged
            else:
                found[name] = command
    return found
