"""Publish windows: products that go on and off sale by themselves.

A window is a plan. At its instants the plan comes true for everybody who asks for the product itself, for its price or for
an order of it; a schedule then makes it the product's status, which is what lists go by, and the plan is done with. So lists may
be some seconds late, and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng_catalog.listings import lock_products

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kameng.kernel import Kernel

CHUNK = 1_000
"""Products of one transaction."""

log = structlog.get_logger(__name__)


_DUE = "least(publish_at, unpublish_at) <= now() and (publish_at is not null or unpublish_at is not null)"

DUE = Statement(
    "catalog.due_windows",
    f"select id from catalog_product where {_DUE} order by least(publish_at, unpublish_at) limit $1",
)

APPLY = Statement(
    "catalog.apply_windows",
    f"""
    update catalog_product set
        status = case when unpublish_at <= now() then 'archived' when publish_at <= now() then 'published' else status end,
        publish_at = case when publish_at > now() then publish_at end,
        unpublish_at = case when unpublish_at > now() then unpublish_at end,
        updated_at = now()
    where id = any($1::uuid[]) and {_DUE}
    returning slug, status
    """,
)


async def apply_windows(kernel: Kernel) -> None:
    """Give products whose windows have begun or ended their status. Run every few seconds by a worker.

    Running it twice, or together with itself, does nothing more.
    """
    while due := [row["id"] for row in await kernel.db.fetch(DUE, CHUNK)]:
        async with kernel.db.transaction():
            await lock_products(kernel.db, due)
            for row in await kernel.db.fetch(APPLY, due):
                log.info("catalog.window_came", product=row["slug"], status=row["status"])


def planned(row: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a change of a product means for its window: changing the status by hand ends the plans that it contradicts.

    Args:
        row: the product.
        changes: new values by column.

    Raises:
        InvalidInput: the window ends before it begins, has ended already, or is to put on sale what is on sale.
    """
    names = ("status", "publish_at", "unpublish_at")
    if not changes.keys() & set(names):
        return {}
    found = {name: changes.get(name, row[name]) for name in names}
    status = changes.get("status")
    if status in ("published", "archived") and "publish_at" not in changes:
        found["publish_at"] = None
    if status == "archived" and "unpublish_at" not in changes:
        found["unpublish_at"] = None
    begins, ends = found["publish_at"], found["unpublish_at"]
    if begins is not None and found["status"] == "published":
        raise InvalidInput(
            "It is on sale already.", cure="Take it off sale first.", path=("input", "publishAt")
        )
    if ends is not None and (ends <= datetime.now(UTC) or (begins is not None and ends <= begins)):
        raise InvalidInput(
            "It would go off sale before it is on sale.",
            cure="Set a later end.",
            path=("input", "unpublishAt"),
        )
    return {name: value for name, value in found.items() if value != row[name]}
