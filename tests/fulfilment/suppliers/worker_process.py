"""A worker of a shop in a process of its own, to be killed: it plans, sends and asks until it is told no more."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng_fulfilment.suppliers.working import SupplierWork


async def main(folder: Path) -> None:
    tree = json.loads((folder / "settings.json").read_text())
    async with Kernel(Settings(tree, root=folder)) as kernel:
        kernel.db.use()
        print("up", flush=True)
        while True:
            await kernel.services.get(SupplierWork).run()
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
