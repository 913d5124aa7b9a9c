"""Piccolo's settings: its apps are those that the kernel's loader finds, so ``piccolo migrations …`` works on all of them."""

from piccolo.conf.apps import AppRegistry

from kameng.db import ENGINE as DB
from kameng.db.migrations import app_paths
from kameng.loader import load_modules
from kameng.settings import read_settings

APP_REGISTRY = AppRegistry(apps=app_paths(load_modules(read_settings())))

__all__ = ["APP_REGISTRY", "DB"]
