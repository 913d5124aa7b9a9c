"""The command line as a whole: help, wrong names, wrong settings, broken modules."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from kameng.cli import cli
from kameng.cli.group import BUILT_IN
from kameng.embedded.ports import free_port
from kameng.testing.databases import Databases, TestServices

from .conftest import Command


def write_package(folder: Path, code: str) -> None:
    """An installed distribution whose entry point leads to some code."""
    (folder / "brokenmodule.py").write_text(code)
    info = folder / "brokenmodule-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brokenmodule\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kameng.modules]\nbroken = brokenmodule:module\n")


async def test_help_lists_the_commands_of_kernel_and_modules(command: Command) -> None:
    ended = await command("--help")
    assert (ended.status, ended.errors) == (0, "")
    listed = {line.split()[0] for line in ended.output.partition("Commands:")[2].splitlines() if line.strip()}
    assert {*BUILT_IN, "import", "staff"} <= listed


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_command_explains_itself(name: str) -> None:
    ended = CliRunner().invoke(cli, [name, "--help"], prog_name="kameng")
    assert ended.exit_code == 0
    assert ended.output.startswith(f"Usage: kameng {name} ")


async def test_a_mistyped_command_names_the_nearest(command: Command) -> None:
    ended = await command("migrat")
    assert ended.status == 2
    assert ended.errors.endswith("Error: There is no command 'migrat'. Did you mean migrate?\n")
    ended = await command("zzz")
    assert ended.errors.endswith("Error: There is no command 'zzz'. `kameng --help` lists them.\n")


async def test_a_module_that_cannot_be_imported_is_named_with_the_cure(
    command: Command, tmp_path: Path
) -> None:
    # Given an installed package that fails to import
    write_package(tmp_path, "raise RuntimeError('half an upgrade')\n")
    # When something needs the modules, then it names the package, the reason and the cure
    ended = await command("schema", "shop", PYTHONPATH=str(tmp_path))
    assert (ended.status, ended.output) == (1, "")
    assert "[brokenmodule 1.0] Importing it failed: RuntimeError: half an upgrade" in ended.errors
    assert "cure: Mend or reinstall the package, or disable its module" in ended.errors
    # but help is there all the same
    ended = await command("--help", PYTHONPATH=str(tmp_path))
    assert ended.status == 0
    assert "Commands of modules are not shown:" in ended.errors
    assert "  migrate " in ended.output
    # and when it is disabled, everything works
    (tmp_path / "kameng.toml").write_text('[modules]\ndisabled = ["broken"]\n')
    assert (await command("schema", "shop", PYTHONPATH=str(tmp_path))).status == 0


async def test_unusable_settings_are_told_with_their_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "kameng.toml").write_text("[kameng]\nprot = 8000\n")
    ended = await command("schema", "shop")
    assert ended.status == 1
    assert ended.errors.startswith(
        "Error: [kameng] in kameng.toml: Object contains unknown field `prot`.\nCure: Its keys are: "
    )
    ended = await command("--config", "nowhere.toml", "schema", "shop")
    assert (ended.status, ended.errors.splitlines()[0]) == (
        1,
        "Error: There is no settings file nowhere.toml.",
    )


@pytest.mark.parametrize("arguments", [("migrate",), ("vault", "status"), ("worker",)])
async def test_a_wrong_database_address_is_one_message(
    arguments: tuple[str, ...], command: Command, services: TestServices
) -> None:
    port = free_port()
    wrong = f"postgresql://kameng:geheim@127.0.0.1:{port}/kameng"
    ended = await command(*arguments, DATABASE_URL=wrong, REDIS_URL=services.redis_url)
    assert ended.status == 1
    first, *others = ended.errors.strip().splitlines()
    assert first.startswith(
        f"Error: The database at postgresql://kameng@127.0.0.1:{port}/kameng cannot be used: "
    )
    assert others == [
        "Cure: Check DATABASE_URL and that PostgreSQL runs there; leave it unset for the embedded one."
    ]
    assert "geheim" not in ended.errors


async def test_a_database_that_does_not_exist_is_one_message(
    command: Command, services: TestServices
) -> None:
    wrong = services.url_of("no_such_database")
    ended = await command("migrate", DATABASE_URL=wrong, REDIS_URL=services.redis_url)
    assert ended.status == 1
    assert 'database "no_such_database" does not exist' in ended.errors


async def test_a_wrong_broker_address_is_one_message(command: Command, make_database: Databases) -> None:
    url = await make_database()
    assert (await command("migrate", DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:1")).status == 0
    ended = await command("events", "backlog", DATABASE_URL=url, REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert ended.status == 1
    assert ended.errors.startswith("Error: Redis or Valkey does not answer: ")


@pytest.mark.parametrize("name", ["serve", "dev"])
async def test_a_taken_port_is_told_before_anything_starts(
    name: str, command: Command, tmp_path: Path
) -> None:
    # Given somebody who listens there
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # When we are to listen there too
        ended = await command(name, "--port", str(port))
    # Then it says so, and nothing was started
    assert ended.status == 1
    assert str(port) in ended.errors
    assert "Cure: " in ended.errors
    assert not (tmp_path / ".kameng").exists()


async def test_production_demands_its_services(command: Command) -> None:
    ended = await command("worker", KAMENG_KAMENG__ENVIRONMENT="production")
    assert ended.status == 1
    assert ended.errors.startswith("Error: Production needs DATABASE_URL and REDIS_URL.\n")
    ended = await command("dev", KAMENG_KAMENG__ENVIRONMENT="production")
    assert ended.errors.startswith("Error: This is for development.\n")


async def test_schema_prints_or_writes_sdl(command: Command, tmp_path: Path) -> None:
    printed = await command("schema", "shop")
    assert printed.status == 0
    assert "placeOrder(input: PlaceOrderInput!): PlaceOrderPayload!" in printed.output
    assert (await command("schema", "shop", "-o", "shop.graphql")).output == "Written to shop.graphql.\n"
    assert (tmp_path / "shop.graphql").read_text("utf-8") == printed.output
    assert "creditWallet(" in (await command("schema", "admin")).output
    assert (await command("schema", "other")).status == 2


async def test_a_module_with_an_unusable_name_is_refused(command: Command, tmp_path: Path) -> None:
    ended = await command("module", "new", "Acme")
    assert (ended.status, ended.errors.splitlines()[0]) == (1, "Error: 'Acme' cannot be a module's name.")
    assert list(tmp_path.iterdir()) == []
