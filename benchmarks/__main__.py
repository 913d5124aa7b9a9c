"""``python -m benchmarks NAME``."""

import argparse
import asyncio
from importlib import import_module

from benchmarks.figures import show

KNOWN = {
    "card-import": "benchmarks.card_import",
    "documents": "benchmarks.documents",
    "graphql": "benchmarks.graphql",
    "ledger": "benchmarks.ledger",
    "million": "benchmarks.million",
    "orders": "benchmarks.orders",
    "pages": "benchmarks.pages",
    "process": "benchmarks.web_process",
    "reconcile": "benchmarks.reconcile",
}


def main() -> None:
    """Run one benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=import_module("benchmarks").__doc__
    )
    parser.add_argument("name", choices=sorted(KNOWN))
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--size", choices=["small", "full"], default="small", help="small takes a minute or two"
    )
    given = parser.parse_args()
    figures = asyncio.run(import_module(KNOWN[given.name]).measure(given.size))
    show(figures, as_json=given.json)


if __name__ == "__main__":
    main()
