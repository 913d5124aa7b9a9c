"""One clean environment for all tests that install wheels: making it takes longer than using it."""

from __future__ import annotations

import pytest

from .environment import CleanEnvironment


@pytest.fixture(scope="session")
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> CleanEnvironment:
    """An environment with the built wheels of the engine, its modules and themes."""
    return CleanEnvironment.create(tmp_path_factory.mktemp("clean"))
