"""What tests are given must not lead from one to another."""

from __future__ import annotations

import pytest

from kameng.testing.databases import TestServices
from kameng.testing.kernels import Kernels


async def test_no_two_kernels_of_a_run_count_in_the_same_place(make_kernel: Kernels) -> None:
    # Given more kernels than a Valkey has databases by itself
    places = [make_kernel.settings("postgresql://127.0.0.1/none").engine.redis_url for _ in range(40)]

    # Then what one has counted, such as the tries of an e-mail address, is no other's
    assert len(set(places)) == 40


async def test_a_key_that_one_kernel_has_set_is_unknown_to_those_that_come_later(
    make_kernel: Kernels,
) -> None:
    first = await make_kernel([])
    await first.valkey.set("tries", 3)
    for _ in range(16):
        make_kernel.settings("postgresql://127.0.0.1/none")

    later = await make_kernel([])

    assert await later.valkey.get("tries") is None
    assert await first.valkey.get("tries") == b"3"


@pytest.fixture(autouse=True)
def _own_valkey(services: TestServices) -> None:
    if services.valkey_databases < 100:
        pytest.skip("REDIS_URL names a Valkey whose few databases kernels must share.")
