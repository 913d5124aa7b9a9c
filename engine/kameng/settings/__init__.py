"""Settings: one typed tree from ``kameng.toml`` and the environment."""

from kameng.settings.reading import Settings, read_settings
from kameng.settings.sections import (
    SECTIONS,
    AuthSettings,
    EngineSettings,
    EventsSettings,
    GraphQLSettings,
    JobsSettings,
    ModulesSettings,
    TasksSettings,
    ThemesSettings,
    VaultSettings,
)

__all__ = [
    "SECTIONS",
    "AuthSettings",
    "EngineSettings",
    "EventsSettings",
    "GraphQLSettings",
    "JobsSettings",
    "ModulesSettings",
    "Settings",
    "TasksSettings",
    "ThemesSettings",
    "VaultSettings",
    "read_settings",
]
