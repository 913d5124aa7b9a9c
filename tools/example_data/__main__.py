"""Write the example files, or check that they are as they would be written."""

import argparse
import sys
from pathlib import Path

from . import attributes, card_stock, catalogue, faults, readme, sheets

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "data"


def files() -> dict[str, bytes]:
    """Every file of the folder by name."""
    products, cards = faults.products(), faults.cards()
    return {
        "products.csv": sheets.csv_bytes(catalogue.COLUMNS, (list(row.values()) for row in catalogue.rows())),
        "attributes.json": attributes.page().encode(),
        "products-small.xlsx": sheets.workbook_bytes(
            "products", catalogue.COLUMNS, (catalogue.row_of(sku) for sku in catalogue.SMALL)
        ),
        "cards.csv": sheets.csv_bytes(card_stock.COLUMNS, card_stock.stock()),
        "cards-steam-us-20.csv": sheets.csv_bytes(
            ["secret"], ([secret] for secret in card_stock.extra_secrets())
        ),
        "products-broken.csv": sheets.csv_bytes(catalogue.COLUMNS, products.lines),
        "cards-broken.csv": sheets.csv_bytes(card_stock.COLUMNS, cards.lines),
        "README.md": readme.page().encode(),
    }


def same(name: str, present: bytes, wanted: bytes) -> bool:
    """Whether a file is as it should be. Of a workbook only the cells count: packing varies."""
    if name.endswith(".xlsx"):
        return sheets.workbook_cells(present) == sheets.workbook_cells(wanted)
    return present == wanted


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if ``--check`` finds a file that is missing or differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.example_data", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a file differs")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the files are (default: examples/data)"
    )
    options = parser.parse_args(arguments)
    wanted = files()
    if options.check:
        stale = [
            name
            for name, data in wanted.items()
            if not (options.folder / name).is_file()
            or not same(name, (options.folder / name).read_bytes(), data)
        ]
        for name in stale:
            sys.stderr.write(
                f"{options.folder / name} is missing or differs; run python -m tools.example_data\n"
            )
        return 1 if stale else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, data in wanted.items():
        (options.folder / name).write_bytes(data)
        sys.stdout.write(f"{options.folder / name}  {len(data):,} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
