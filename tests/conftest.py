"""How a whole run is divided between processes: by files, the long ones first, and rooms that share a dear fixture as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.commands import Commands

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

WHOLE_ROOMS = ("tests/conformance/", "tests/examples/")
"""Rooms whose tests share something that takes longer to make than to use: running web processes, an environment."""

LONG = (
    *WHOLE_ROOMS,
    "tests/faults/",
    "tests/composed/",
    "tests/engine/cli/",
    "tests/engine/graphql/compiled/",
)
"""What takes long although it has few tests; started last, it would leave the other processes waiting for it."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Divide a run with ``--dist loadfile``, as `make test` starts it; any other way is left as it is."""
    if config.getoption("dist") != "loadfile":
        return None
    # Imported here: a run in one process needs no xdist.
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            room = next((room for room in WHOLE_ROOMS if nodeid.startswith(room)), None)
            return room or nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # would begin with the most tests, and end with the longest
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long rooms first, in their order; everything else stays as it was collected."""

    def turn(item: pytest.Item) -> int:
        return next((number for number, room in enumerate(LONG) if item.nodeid.startswith(room)), len(LONG))

    items.sort(key=turn)


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """Runs `kameng`."""
    with Commands() as running:
        yield running
