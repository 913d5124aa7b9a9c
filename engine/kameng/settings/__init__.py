"""Settings: one typed tree from ``kameng.toml`` and the environment."""

from kameng.settings.reading import Settings, read_settings
from kameng.settings.sections import EngineSettings, ModulesSettings

__all__ = ["EngineSettings", "ModulesSettings", "Settings", "read_settings"]
