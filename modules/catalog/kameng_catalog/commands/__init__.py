"""The catalogue's parts of ``kameng import`` and ``kameng export``."""

import click

from kameng_catalog.commands import exports
from kameng_catalog.commands.cards import cards
from kameng_catalog.commands.prices import prices
from kameng_catalog.commands.products import products

IMPORT = click.Group(
    name="import",
    commands=[products, prices, cards],
    help="Bring files of products, prices and cards into the shop.",
)

EXPORT = click.Group(
    name="export",
    commands=[exports.products, exports.prices, exports.cards],
    help="Write products, prices and lists of cards to files.",
)

__all__ = ["EXPORT", "IMPORT"]
