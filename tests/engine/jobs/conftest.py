"""A kernel with jobs."""

from __future__ import annotations

import pytest_asyncio

from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

from .sample import TABLES, module


@pytest_asyncio.fixture(loop_scope="session")
async def kernel(make_kernel: Kernels) -> Kernel:
    """A running kernel whose module has jobs."""
    made = await make_kernel([module()], themes={"storefront": "", "admin": ""})
    await made.db.execute(TABLES)
    return made
