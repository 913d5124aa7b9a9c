"""What Piccolo reads where a deployment brings no ``piccolo_conf.py`` of its own."""

from typing import Any

from piccolo.conf.apps import AppRegistry

from kameng.db.piccolo_engine import ENGINE

DB = ENGINE


def __getattr__(name: str) -> Any:
    # Only Piccolo's own commands ask for the registry; a running shop must not load its modules a second time.
    if name == "APP_REGISTRY":
        from kameng.db.migrations import app_paths
        from kameng.loader import load_modules
        from kameng.settings import read_settings

        return AppRegistry(apps=app_paths(load_modules(read_settings())))
    raise AttributeError(name)
