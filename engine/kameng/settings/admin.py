"""Settings in the back office: what each section holds and where that comes from. They are changed where they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import orjson
import strawberry

from kameng.graphql.context import Info
from kameng.module import SchemaPart
from kameng.settings.describing import READ_SETTINGS, DescribedSetting, describe, shown, value_at
from kameng.settings.fields import SettingKindName
from kameng.settings.reading import Origin, Settings
from kameng.settings.sections import SECTIONS

if TYPE_CHECKING:
    from kameng.kernel import Kernel

OriginName = strawberry.enum(
    Origin, name="SettingOrigin", description="Where a setting's value comes from; the last of them counts."
)


@strawberry.type(description="A setting as it is in this process.")
class Setting:
    """A setting."""

    key: str = strawberry.field(description="Its name in kameng.toml, within its section.")
    variable: str = strawberry.field(description="The environment variable that goes before the file.")
    kind: SettingKindName  # type: ignore[valid-type]  # an enum that Strawberry named
    about: str = strawberry.field(description="What it does, in English.")
    unit: str = strawberry.field(description="seconds, minutes, hours, days, bytes, minor, ppm, ms or none.")
    choices: list[str]
    least: float | None
    most: float | None
    default: str = strawberry.field(
        description="As JSON, what it is where nobody sets it; empty: it has to be set."
    )
    value: str = strawberry.field(description="As JSON; of a secret that is set: ***.")
    secret: bool
    origin: OriginName  # type: ignore[valid-type]  # as above


@strawberry.type(description="The settings of the kernel or of a module.")
class SettingsSection:
    """A section."""

    name: str = strawberry.field(description="Its heading in kameng.toml.")
    module: str = strawberry.field(description="The module that it belongs to; empty: the kernel.")
    settings: list[Setting]


@strawberry.type
class SettingsQuery:
    """What the staff reads of settings."""

    @strawberry.field(
        description="All sections with their settings, the kernel's first, as this process read them when it started."
        " Needs kameng.read_settings."
    )
    def settings(self, info: Info) -> list[SettingsSection]:
        """The settings of this process."""
        info.context.require(READ_SETTINGS)
        return list(_sections(info.context.kernel))

    @strawberry.field(
        description="The file that settings were read from; null: there is none. Needs kameng.read_settings."
    )
    def settings_file(self, info: Info) -> str | None:
        """The file of settings."""
        info.context.require(READ_SETTINGS)
        source = info.context.kernel.settings.source
        return None if source is None else str(source)


def _sections(kernel: Kernel) -> Iterator[SettingsSection]:
    for name, shape in SECTIONS:
        if shape.__struct_fields__:
            yield _section(kernel.settings, name, "", shape)
    for module in kernel.modules:
        if module.settings is not None:
            yield _section(kernel.settings, module.name, module.name, module.settings)


def _section(settings: Settings, name: str, module: str, shape: type[msgspec.Struct]) -> SettingsSection:
    section = settings.section(name, shape)
    return SettingsSection(
        name=name,
        module=module,
        settings=[_setting(settings, name, section, each) for each in describe(shape)],
    )


def _setting(settings: Settings, name: str, section: msgspec.Struct, known: DescribedSetting) -> Setting:
    key = known.key.partition(".")[0]
    return Setting(
        key=known.key,
        variable=settings.variable(name, key),
        kind=known.kind,
        about=known.about,
        unit=known.unit,
        choices=list(known.choices),
        least=known.least,
        most=known.most,
        default="" if known.required else _json(known.default),
        value=_json(shown(value_at(section, known.key), secret=known.secret)),
        secret=known.secret,
        origin=settings.origin(name, key),
    )


def _json(value: object) -> str:
    return orjson.dumps(msgspec.to_builtins(value)).decode()


ADMIN = SchemaPart(query=SettingsQuery)
"""The kernel's part of the admin schema on settings."""
