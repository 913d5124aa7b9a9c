"""What a section's shape says of its settings, and where their values come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from kameng.errors import InvalidInput
from kameng.settings import SECTIONS, read_settings
from kameng.settings.describing import DescribedSetting, SettingKind, describe, shown, value_at
from kameng.settings.fields import SettingTextInput, values_of
from kameng.settings.reading import Origin


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures.

    Attributes:
        folder: where they are.
    """

    folder: str = "media"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A section.

    Attributes:
        host, port: where it listens; a sentence
            that goes on.
        wait_seconds: how long.
        api_key: of ``somebody``.
        mode: ``on`` or ``off``.
        names: some.
    """

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5
    wait_seconds: float | None = None
    api_key: str = ""
    max_tokens: int = 1
    mode: Literal["on", "off"] = "on"
    names: tuple[str, ...] = ()
    media: Pictures = Pictures()
    quiet: bool = False


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys by their number."""

    keys: dict[str, str]


FOUND = {setting.key: setting for setting in describe(Shape)}


def test_each_setting_is_told_in_order_with_those_of_a_part_one_by_one() -> None:
    assert list(FOUND) == [
        "host", "port", "wait_seconds", "api_key", "max_tokens", "mode", "names", "media.folder", "quiet",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("host", {"kind": SettingKind.TEXT, "required": True, "about": "where it listens; a sentence that goes on."}),
        ("port", {"kind": SettingKind.INTEGER, "least": 1, "most": 9, "default": 5, "required": False}),
        ("wait_seconds", {"kind": SettingKind.NUMBER, "unit": "seconds", "optional": True, "default": None}),
        ("api_key", {"secret": True, "about": "of somebody."}),
        ("max_tokens", {"secret": False, "about": ""}),
        ("mode", {"kind": SettingKind.CHOICE, "choices": ("off", "on")}),
        ("names", {"kind": SettingKind.LIST, "default": ()}),
        ("media.folder", {"kind": SettingKind.TEXT, "default": "media", "about": "where they are."}),
        ("quiet", {"kind": SettingKind.BOOLEAN, "default": False}),
    ],
)  # fmt: skip
def test_a_setting_is_described_by_its_shape(key: str, expected: dict[str, Any]) -> None:
    setting: DescribedSetting = FOUND[key]

    assert {name: getattr(setting, name) for name in expected} == expected


def test_a_gateways_own_word_says_what_is_secret() -> None:
    found = {setting.key: setting.secret for setting in describe(Shape, frozenset({"host"}))}

    assert (found["host"], found["api_key"]) == (True, False)


def test_every_setting_of_the_kernel_has_its_help() -> None:
    silent = [f"{name}.{each.key}" for name, shape in SECTIONS for each in describe(shape) if not each.about]

    assert silent == []


def test_secrets_and_logins_in_addresses_are_hidden() -> None:
    assert shown("hunter2", secret=True) == "***"
    assert shown("", secret=True) == ""
    assert shown("postgresql://shop:geheim@db.internal/shop") == "postgresql://***@db.internal/shop"
    assert shown(5) == 5


def test_it_is_known_where_a_value_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "kameng.toml"
    file.write_text("[auth]\nstep_up_minutes = 5\npassword_min_length = 12\n[kameng]\nport = 9000\n")
    environ = {"KAMENG_AUTH__PASSWORD_MIN_LENGTH": "14", "PORT": "9100"}

    settings = read_settings(file, environ).with_values("kameng", host="0.0.0.0")

    assert settings.origin("auth", "step_up_minutes") is Origin.FILE
    assert settings.origin("auth", "password_min_length") is Origin.ENVIRONMENT
    assert settings.origin("auth", "staff_idle_minutes") is Origin.DEFAULT
    assert settings.origin("kameng", "host") is Origin.PROGRAM
    assert settings.variable("kameng", "port") == "PORT"
    assert settings.variable("auth", "step_up_minutes") == "KAMENG_AUTH__STEP_UP_MINUTES"
    assert value_at(settings.engine, "port") == 9100


def test_texts_of_a_form_become_values_by_their_kind() -> None:
    texts = [
        SettingTextInput(name="host", value=" db.internal "),
        SettingTextInput(name="port", value="7"),
        SettingTextInput(name="wait_seconds", value=None),
        SettingTextInput(name="api_key", value=None),
        SettingTextInput(name="names", value="a\n\n b \n"),
        SettingTextInput(name="quiet", value="true"),
    ]

    assert values_of(Shape, {"api_key"}, texts, ("input", "values")) == {
        "host": "db.internal",
        "port": 7,
        "wait_seconds": None,
        "names": ["a", "b"],
        "quiet": True,
    }  # the secret stays what it is


def test_a_table_holds_the_entries_that_have_a_value() -> None:
    texts = [
        SettingTextInput(name="keys", entry="A1", value="one"),
        SettingTextInput(name="keys", entry="B2", value=None),
        SettingTextInput(name="keys", entry=None, value=None),
    ]

    assert values_of(Keys, (), texts, ("input", "values")) == {"keys": {"A1": "one"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SettingTextInput(name="port", value="seven"), "'seven' is no value of port."),
        (SettingTextInput(name="quiet", value="maybe"), "'maybe' is no value of quiet."),
        (SettingTextInput(name="host", value=" "), "This is required."),
        (SettingTextInput(name="colour", value="red"), "There is no setting 'colour'."),
    ],
)
def test_a_text_that_is_no_value_is_told_at_its_field(text: SettingTextInput, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        values_of(Shape, (), [text], ("input", "values"))

    assert (refused.value.message, refused.value.path) == (message, ("input", "values", "0", "value"))
