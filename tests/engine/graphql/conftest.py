"""The web application of a small module, and a client in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from kameng.vault.ring_source import RingSource
from tests.engine.graphql.sample import SAMPLE, SEEN, TABLE


@dataclass(frozen=True)
class Site:
    """A running deployment, and a client in front of it."""

    kernel: Kernel
    http: httpx.AsyncClient

    async def post(
        self,
        query: str | None = None,
        variables: Any = None,
        *,
        schema: str = "shop",
        headers: Any = None,
        **more: Any,
    ) -> dict[str, Any]:
        """The answer to a request, with its status under ``status``."""
        body = {**({"query": query} if query is not None else {}), "variables": variables, **more}
        answer = await self.http.post(f"/graphql/{schema}", json=body, headers=headers or {})
        return {"status": answer.status_code, **answer.json()}

    async def code(self, query: str | None = None, variables: Any = None, **more: Any) -> str:
        """The code of the only error."""
        answer = await self.post(query, variables, **more)
        assert "data" not in answer, answer
        (error,) = answer["errors"]
        return str(error["extensions"]["code"])


MakeSite = Callable[..., Awaitable[Site]]


@pytest_asyncio.fixture(loop_scope="session")
async def make_site(
    make_kernel: Kernels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MakeSite]:
    keys = tmp_path_factory.mktemp("keys") / "vault.keys"
    RingSource(keys, None, creates=True).read()

    async with AsyncExitStack() as stack:

        async def make(**graphql: Any) -> Site:
            environment = graphql.pop("environment", "development")
            kernel = await make_kernel(
                [SAMPLE],
                kameng={
                    "environment": environment,
                    "public_url": "https://shop.example",
                    "master_keys_file": str(keys),
                },
                graphql=graphql,
                themes={"storefront": "", "admin": ""},
            )
            await kernel.db.execute(TABLE)
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=create_app(kernel)), base_url="https://shop.example"
            )
            await stack.enter_async_context(client)
            return Site(kernel, client)

        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def site(make_site: MakeSite) -> Site:
    """A site in development, where everything may be asked and all texts are taken."""
    return await make_site()


@pytest.fixture(autouse=True)
def forget() -> None:
    """Nothing was resolved yet."""
    SEEN.resolved = SEEN.added = 0
    SEEN.pause = SEEN.started = None
    SEEN.files.clear()
