"""Another process of the deployment: answers for each token on its standard input whether it holds, and from where.

``remembered`` means that no statement was needed, ``looked up`` that the database was asked, ``dead`` that it does not hold.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from kameng.auth import PrincipalKind
from kameng.db import counted_statements
from kameng.kernel import Kernel
from kameng.settings import Settings
from tests.engine.auth.people import people_module


class Everybody:
    async def permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        return frozenset({"people.read"})


async def main(database_url: str, redis_url: str, data_dir: str) -> None:
    tree = {
        "kameng": {"database_url": database_url, "redis_url": redis_url, "data_dir": data_dir},
        "auth": {"session_cache_seconds": 300},
    }
    settings = Settings(tree, root=Path(data_dir))
    async with Kernel(settings, [people_module(Everybody())]) as kernel:
        while token := (await asyncio.to_thread(sys.stdin.readline)).strip():
            with counted_statements() as statements:
                principal = await kernel.auth.sessions.find(token)
            print("dead" if principal is None else "looked up" if statements else "remembered", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
