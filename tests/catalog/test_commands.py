"""``kameng import``, run as people run it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from kameng.kernel import Kernel
from kameng.testing.databases import TestServices
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.seeding import seed
from tests.commands import Commands, Ended

from .conftest import DATA, Shop


@dataclass
class CommandLine:
    """Runs ``kameng`` on a database of its own."""

    commands: Commands
    folder: Path
    kernel: Kernel
    redis_url: str

    async def __call__(self, *arguments: str | Path) -> Ended:
        variables = {
            "DATABASE_URL": self.kernel.db.dsn,
            "REDIS_URL": self.redis_url,
            "KAMENG_MODULES__ENABLED": '["catalog"]',
        }
        return await self.commands(*arguments, folder=self.folder, variables=variables)

    async def value(self, sql: str) -> object:
        """What the database answers."""
        return await self.kernel.db.fetchval(sql)


@pytest_asyncio.fixture(loop_scope="session")
async def command(
    commands: Commands, make_kernel: Kernels, services: TestServices, tmp_path: Path
) -> CommandLine:
    """The command line of a shop whose tables are there, and nothing in them."""
    return CommandLine(commands, tmp_path, await make_kernel([catalog]), services.redis_url)


async def test_products_and_cards_from_the_command_line(command: CommandLine) -> None:
    result = await command("import", "products", DATA / "products.csv")
    assert (result.status, result.errors) == (0, "")
    assert result.output == "340 variants: 340 created, 0 updated, 0 unchanged; 0 lines faulty.\n"

    result = await command("import", "products", DATA / "products.csv")
    assert (result.status, result.output) == (
        0,
        "Nothing to change. 340 variants: 0 created, 0 updated, 340 unchanged; 0 lines faulty.\n",
    )

    result = await command(
        "import", "cards", DATA / "cards-steam-us-20.csv", "--variant", "STEAM-US-20", "--source", "issuer"
    )
    assert result.status == 0
    batch = await command.value("select id from catalog_stock_batch where source = 'issuer'")
    assert result.output == f"500 cards of 1 variant; 0 lines faulty. Batch {batch}.\n"
    assert await command.value("select count(*) from catalog_free_card") == 500
    assert await command.value("select created_by from catalog_stock_batch") == "staff"


async def test_faults_are_shown_and_written_and_end_with_one(command: CommandLine, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    result = await command("import", "products", DATA / "products-broken.csv", "--errors", errors)
    assert result.status == 1
    lines = result.output.splitlines()
    assert lines[0] == "line\tcolumn\treason"
    assert lines[1] == "3\tprice\t`19.9元` is not a number"
    assert lines[20] == "28\t\t20 columns instead of 19"
    assert lines[21:] == [
        f"The faults stand in {errors}.",
        "Nothing was written. 8 variants: 8 created, 0 updated, 0 unchanged; 20 lines faulty.",
    ]
    assert result.errors == (
        "20 lines are faulty; nothing was written. Mend them, or take the 8 sound ones by --keep-good.\n"
    )
    with errors.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert (len(rows), rows[1]) == (21, ["3", "price", "`19.9元` is not a number"])
    assert await command.value("select count(*) from catalog_variant") == 0

    result = await command("import", "products", DATA / "products-broken.csv", "--keep-good")
    assert (result.status, result.errors) == (1, "")
    assert result.output.endswith("8 variants: 8 created, 0 updated, 0 unchanged; 20 lines faulty.\n")
    assert await command.value("select count(*) from catalog_variant") == 8


async def test_a_dry_run_shows_the_difference(command: CommandLine, tmp_path: Path) -> None:
    await Shop(command.kernel).product_file(DATA / "products-broken.csv", keep_good=True)
    changed = (DATA / "products.csv").read_text("utf-8").splitlines()[:3]
    changed[1] = changed[1].replace(",9.98,", ",9.95,")
    (tmp_path / "changed.csv").write_text("\n".join(changed), "utf-8")
    result = await command("import", "products", "changed.csv", "--dry-run")
    assert result.status == 0
    assert result.output.splitlines() == [
        "sku\toutcome\tchanges",
        "CMCC-10\tupdated\tprice 9.9800 → 9.9500",
        "CMCC-20\tcreated\t",
        "Dry run, nothing was written. 2 variants: 1 created, 1 updated, 0 unchanged; 0 lines faulty.",
    ]
    assert await command.value("select count(*) from catalog_variant") == 8


async def test_faulty_cards(command: CommandLine) -> None:
    await Shop(command.kernel).product_file(DATA / "products.csv")
    result = await command("import", "cards", DATA / "cards-broken.csv")
    assert result.status == 1
    assert result.output.splitlines()[-1] == "Nothing was written. 7 cards of 1 variant; 10 lines faulty."
    assert "9\tsecret\tthe card of line 2 again" in result.output
    assert result.errors == (
        "10 lines are faulty; nothing was written. Mend them, or take the 7 sound ones by --keep-good.\n"
    )
    secrets = [line.split(",")[2] for line in (DATA / "cards-broken.csv").read_text().splitlines()[1:12]]
    assert not [secret for secret in secrets if secret and secret in result.output + result.errors]


async def test_what_cannot_be_imported_ends_in_one_message(command: CommandLine) -> None:
    cases: tuple[tuple[list[str | Path], str], ...] = (
        (["products", DATA / "cards.csv"], "The file's header does not fit: line 1, number: is no column"),
        (["cards", DATA / "cards.csv", "--variant", "NONE-1"], "There is no variant `NONE-1`."),
    )
    for arguments, told in cases:
        result = await command("import", *arguments)
        assert result.status == 1
        assert told in result.errors
        assert "Traceback" not in result.errors


async def test_the_demo_shop_is_seeded_once(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel([catalog]))
    assert await seed(shop.kernel, DATA) == "catalog: 340 variants and 24260 cards"
    assert await seed(shop.kernel, DATA) == ""
    assert (await shop.sizes())["free_card"] == 24_260
    # Products state the regions that their tags name, and are found by them
    document = """{ products(category: "game", attributes: [{code: "region", anyOf: ["hk", "th"]}]) {
        nodes { slug attributes { labels } } } }"""
    found = (await shop.ask(document))["products"]["nodes"]
    assert {"slug": "steam-hk", "attributes": [{"labels": ["Hong Kong"]}]} in found


async def test_prices_and_exports_from_the_command_line(command: CommandLine) -> None:
    await command("import", "products", DATA / "products.csv")
    file = command.folder / "prices.csv"
    file.write_text("sku,currency,price,tier\nCMCC-10,CNY,10.00,gold\nCMCC-11,CNY,10.00,gold\n")

    tried = await command("import", "prices", file, "--keep-good", "--dry-run")
    assert (tried.status, tried.output.splitlines()[-1]) == (
        1,
        "Dry run, nothing was written. 1 price: 1 created, 0 updated, 0 unchanged; 1 line faulty.",
    )
    done = await command("import", "prices", file, "--keep-good")
    assert done.output.splitlines()[-1] == "1 price: 1 created, 0 updated, 0 unchanged; 1 line faulty."

    exported = await command("export", "prices", command.folder / "all.xlsx", "--sku-prefix", "CMCC-")
    assert (exported.status, exported.errors) == (0, "")
    rows = int(exported.output.split()[0])
    assert exported.output == f"{rows} rows written to {command.folder / 'all.xlsx'}.\n"
    again = await command("import", "prices", command.folder / "all.xlsx")
    assert (
        again.output
        == f"Nothing to change. {rows} prices: 0 created, 0 updated, {rows} unchanged; 0 lines faulty.\n"
    )

    exported = await command("export", "products", command.folder / "all.csv", "--format", "csv-gb18030")
    assert exported.output == f"340 rows written to {command.folder / 'all.csv'}.\n"
    assert (command.folder / "all.csv").read_bytes().decode("gb18030").startswith("sku,product,")
    again = await command("import", "products", command.folder / "all.csv")
    assert (
        again.output
        == "Nothing to change. 340 variants: 0 created, 0 updated, 340 unchanged; 0 lines faulty.\n"
    )
    cards = await command("export", "cards", command.folder / "cards.csv")
    assert cards.output.startswith("0 rows written to ")
