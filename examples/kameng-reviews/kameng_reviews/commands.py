"""``kameng reviews``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kameng.cli.running import run

if TYPE_CHECKING:
    from kameng.kernel import Kernel


@click.group()
def reviews() -> None:
    """Look at reviews."""


@reviews.command("list")
@click.option("--first", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.pass_context
def list_reviews(context: click.Context, first: int) -> None:
    """List the newest reviews, hidden ones among them."""

    async def work(kernel: Kernel) -> list[Any]:
        return await kernel.db.fetch("select * from reviews_review order by id desc limit $1", first)

    rows = run(context, work)
    for row in rows:
        stars = "★" * row["stars"] + "☆" * (5 - row["stars"])
        hidden = "  (hidden)" if row["hidden"] else ""
        text = " ".join(row["text"].split())
        click.echo(
            f"{row['created_at']:%Y-%m-%d %H:%M}  {stars}  product {row['product']}{hidden}  {text[:80]}"
        )
    if not rows:
        click.echo("There is no review yet.")
