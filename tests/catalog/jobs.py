"""Short words for what tests of the catalogue's jobs do."""

from __future__ import annotations

import io
from typing import Any

from kameng.jobs import Job
from kameng.tasks import drain

from .conftest import CLERK, Shop


async def start(shop: Shop, kind: str, content: bytes | str | None = None, **values: Any) -> Job:
    """Start a job of the catalogue; a text is sent as UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    return await shop.kernel.jobs.start(
        f"catalog.{kind}", principal=CLERK, content=None if data is None else io.BytesIO(data), **values
    )


async def ended(shop: Shop, job: Job) -> Job:
    """The job as it is when a worker has done with it."""
    await drain(shop.kernel)
    found = await shop.kernel.jobs.find(job.id, CLERK)
    assert found is not None
    assert not found.state.open, found
    return found


async def done(shop: Shop, kind: str, content: bytes | str | None = None, **values: Any) -> Job:
    """Start a job and have it done."""
    return await ended(shop, await start(shop, kind, content, **values))


async def rolled_back(shop: Shop, job: Job) -> Job:
    """Roll a job back."""
    return await ended(shop, await shop.kernel.jobs.roll_back(job.id, CLERK))


async def file_of(shop: Shop, job: Job, role: Any) -> bytes:
    """The content of a job's file."""
    file = await shop.kernel.jobs.files.of_role(job.id, role)
    assert file is not None, f"there is no file {role}"
    with await shop.kernel.jobs.files.open(file) as opened:
        return opened.read()


async def prices(shop: Shop, tier: str = "retail") -> dict[str, int]:
    """The units of all prices of a tier from one piece on, by SKU."""
    rows = await shop.kernel.db.fetch(
        """select v.sku, r.units from catalog_price r join catalog_variant v on v.id = r.variant
           where r.tier = $1 and r.min_quantity = 1 order by v.sku""",
        tier,
    )
    return {row["sku"]: row["units"] for row in rows}


async def everything(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """All that an import of products may change, to compare."""
    found = {}
    for table, columns in {
        "category": "path, titles",
        "product": "slug, category, titles, descriptions, tags, status, lowest_units, search_terms",
        "variant": "sku, titles, face_minor, face_currency, cost_units, cost_currency, min_quantity, max_quantity, status",
        "price": "variant, tier, min_quantity, currency, units",
    }.items():
        rows = await shop.kernel.db.fetch(f"select {columns} from catalog_{table} order by 1, 2")
        found[table] = [tuple(row) for row in rows]
    return found
