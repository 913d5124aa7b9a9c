"""A third party's gateway, installed from its wheel: its own tests pass, and settlement finds it by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .environment import ROOT, CleanEnvironment

PACKAGE = ROOT / "examples" / "kameng-gateway-epusdt"


@pytest.fixture(scope="module")
def environment(clean_environment: CleanEnvironment) -> CleanEnvironment:
    """The clean environment, with the gateway installed from its wheel."""
    clean_environment.install(*clean_environment.build(PACKAGE))
    return clean_environment


def test_settlement_finds_it_and_loads_it_by_name(environment: CleanEnvironment, tmp_path: Path) -> None:
    code = (
        "from kameng_settlement.payments.gateways import gateway, installed_gateways;"
        "found = gateway('epusdt'); print(found.name, found.title.en, sorted(installed_gateways()))"
    )
    said = environment.run(environment.python, "-c", code, cwd=tmp_path).stdout
    assert said.startswith("epusdt USDT [")
    for name in ("alipay", "epay", "epay_v2", "stripe", "wechat"):
        assert repr(name) in said


@pytest.mark.slow
def test_its_own_tests_pass(environment: CleanEnvironment, tmp_path: Path) -> None:
    # Given its tests without its sources
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "pyproject.toml", tmp_path)
    # When they run, then they pass
    environment.run(environment.python, "-m", "pytest", "-q", cwd=tmp_path)
