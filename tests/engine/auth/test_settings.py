"""The kernel's sections are known to the settings, and checked."""

from pathlib import Path

import pytest

from kameng.errors import SettingsError
from kameng.settings import SECTIONS, AuthSettings, Settings, read_settings


def settings(**tree):
    return Settings(tree, root=Path("/nonexistent"))


def test_the_kernel_owns_its_sections_and_modules_the_others():
    names = [name for name, _ in SECTIONS]
    assert names == ["kameng", "modules", "auth", "events", "tasks", "jobs", "themes", "graphql", "vault"]
    read = settings(**{name: {} for name in names}, reviews={}, typo={})
    assert read.unknown_sections({"reviews"}) == ["typo"]


@pytest.mark.parametrize("section", [name for name, _ in SECTIONS])
def test_an_unknown_key_of_any_of_them_is_an_error(section):
    with pytest.raises(SettingsError, match=rf"\[{section}\].*`no_such_key`"):
        settings(**{section: {"no_such_key": 1}})


@pytest.mark.parametrize(
    "values",
    [
        {"session_idle_minutes": 0},
        {"session_cache_seconds": -1},
        {"session_cache_seconds": 301},
        {"password_min_length": 7},
        {"signature_tolerance_seconds": 0},
        {"staff_lifetime_hours": "long"},
    ],
)
def test_a_value_that_makes_no_sense_is_an_error(values):
    with pytest.raises(SettingsError):
        settings(auth=values)


def test_the_environment_sets_them(tmp_path):
    read = read_settings(
        None, {"KAMENG_AUTH__STAFF_IDLE_MINUTES": "15", "KAMENG_AUTH__ALLOWED_ORIGINS": '["https://a"]'}
    )
    section = read.section("auth", AuthSettings)
    assert (section.staff_idle_minutes, section.allowed_origins) == (15, ("https://a",))
