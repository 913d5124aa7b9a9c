"""The catalogue's part of ``kameng import``."""

import click

from kameng_catalog.commands.cards import cards
from kameng_catalog.commands.products import products

IMPORT = click.Group(
    name="import", commands=[products, cards], help="Bring files of products and cards into the shop."
)

__all__ = ["IMPORT"]
