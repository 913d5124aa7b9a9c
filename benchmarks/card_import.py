"""Cards: a file read, checked, encrypted and compared with the vault, beside a bare COPY of the same encrypted rows.

``card-import/time``: seconds from opening the file to the durable commit. The reference copies the rows that ours made, in
PostgreSQL's binary format, into the same table with the same indexes, and commits. ``card-import/memory``: the most resident
memory of the process that imports, beside the 500 MB that it may take.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, median, say
from benchmarks.running import services
from kameng.auth import Principal, PrincipalKind
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.settings import Settings, read_settings
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.card_lines import COLUMNS
from kameng_catalog.importing.card_rows import COLUMNS as VAULT_COLUMNS
from kameng_catalog.importing.sheets import open_sheet

LIMIT = 500.0
"""MB that an import may take."""

VARIANTS = 20


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    cards: int
    rounds: int


SIZES = {"small": Size(cards=100_000, rounds=3), "full": Size(cards=1_000_000, rounds=5)}


async def measure(size: str) -> list[Figure]:
    """Both figures, with the COPY after each of our runs."""
    wanted = SIZES[size]
    ours, theirs, memory = [], [], []
    with tempfile.TemporaryDirectory(prefix="kameng-bench-cards-") as folder:
        file, rows = Path(folder, "cards.csv"), Path(folder, "cards.bin")
        write_cards(file, wanted.cards)
        async with services() as (_, settings), Kernel(settings) as kernel:
            kernel.db.use()
            await _prepare(kernel)
            for number in range(wanted.rounds):
                seconds, busy, peak = await _import(settings, file)
                ours.append(seconds)
                memory.append(peak)
                imported = await kernel.db.fetchval("select count(*) from catalog_free_card")
                if imported != wanted.cards:
                    raise RuntimeError(f"{imported} of {wanted.cards} cards came into stock")
                theirs.append(await _copy(kernel, rows))
                say(
                    f"round {number + 1}: ours {seconds:.1f} s, {busy:.1f} s of them busy, {peak:.0f} MB;"
                    f" COPY {theirs[-1]:.1f} s"
                )
                await _empty(kernel)
    name = f"{wanted.cards:,} cards"
    return [
        Figure(
            name="card-import/time",
            ours=median(ours),
            reference=median(theirs),
            reference_is=f"COPY of the same {name}, encrypted before, into the same table",
            unit="s",
            better="lower",
        ),
        Figure(
            name="card-import/memory",
            ours=median(memory),
            reference=LIMIT,
            reference_is="what it may take",
            unit="MB",
            better="lower",
        ),
    ]


def write_cards(path: Path, count: int) -> None:
    """A card file as issuers send them."""
    with path.open("w") as file:
        file.write("sku,number,secret,expires_on\n")
        for card in range(count):
            file.write(
                f"BENCH-{card % VARIANTS},{10**15 + card},{card * 2654435761 % 10**18:018d},2031-12-31\n"
            )


async def _prepare(kernel: Kernel) -> None:
    category, product = new_id(), new_id()
    await kernel.db.execute(
        """insert into catalog_category (id, path, titles, position, created_at)
           values ($1, 'bench', '{"en": "Bench"}', 0, now())""",
        category,
    )
    await kernel.db.execute(
        """insert into catalog_product (id, slug, category, titles, status, created_at, updated_at)
           values ($1, 'bench', $2, '{"en": "Bench"}', 'published', now(), now())""",
        product,
        category,
    )
    await kernel.db.execute(
        """insert into catalog_variant (id, product, sku, titles, status, created_at, updated_at)
           select gen_random_uuid(), $1, 'BENCH-' || n, '{"en": "One"}', 'published', now(), now()
           from generate_series(0, $2 - 1) n""",
        product,
        VARIANTS,
    )


async def _import(settings: Settings, file: Path) -> tuple[float, float, float]:
    """Import in a process of its own; seconds, seconds of them in which its processor was busy, and MB."""
    environment = {
        **os.environ,
        "DATABASE_URL": settings.engine.database_url,
        "REDIS_URL": settings.engine.redis_url,
        "KAMENG_KAMENG__DATA_DIR": str(settings.data_dir),
        "KAMENG_KAMENG__LOG_LEVEL": "warning",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.card_import",
        str(file),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"the import ended with {child.returncode}")
    told = json.loads(output.splitlines()[-1])
    return float(told["seconds"]), float(told["busy"]), float(told["megabytes"])


async def _copy(kernel: Kernel, rows: Path) -> float:
    """Copy what was imported out, and into the emptied table again; seconds of the way in."""
    async with kernel.db.connection() as connection:
        with rows.open("wb") as file:
            await connection.copy_from_query(
                f"select {', '.join(VAULT_COLUMNS)} from catalog_card order by id",
                output=file,
                format="binary",
            )
        await _empty(kernel)
        await connection.execute("checkpoint")
        began = time.perf_counter()
        with rows.open("rb") as file:
            async with connection.transaction():
                await connection.copy_to_table(
                    "catalog_card", source=file, columns=list(VAULT_COLUMNS), format="binary"
                )
        return time.perf_counter() - began


async def _empty(kernel: Kernel) -> None:
    await kernel.db.execute("truncate catalog_card, catalog_free_card restart identity cascade")
    await kernel.db.execute("checkpoint")


async def _child(file: Path) -> None:
    settings = read_settings(environ=dict(os.environ))
    async with Kernel(settings) as kernel:
        kernel.db.use()
        idle = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        with closing(open_sheet(file, COLUMNS)) as sheet:
            report = await import_cards(
                kernel, sheet, principal=Principal(kind=PrincipalKind.STAFF), source="bench"
            )
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_SELF)
        if not report.applied:
            raise RuntimeError(f"{report.faults.count} faults, the first: {report.faults.in_order()[:1]}")
    busy = used.ru_utime + used.ru_stime - idle.ru_utime - idle.ru_stime
    print(json.dumps({"seconds": seconds, "busy": busy, "megabytes": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    asyncio.run(_child(Path(sys.argv[1])))
