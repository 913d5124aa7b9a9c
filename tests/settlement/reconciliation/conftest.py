"""A desk for each test."""

import pytest_asyncio

from kameng.module import Module
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from tests.settlement.reconciliation.ours import Desk, open_desk

CATALOG = Module(name="catalog", version="0.1.0")


@pytest_asyncio.fixture(loop_scope="session")
async def desk(make_kernel: Kernels) -> Desk:
    """An account without a payment."""
    return await open_desk(await make_kernel([CATALOG, membership, settlement]))
