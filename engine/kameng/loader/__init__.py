"""From installed packages to a checked, ordered tuple of modules."""

from kameng.loader.checking import check_modules
from kameng.loader.discovery import Found, discover
from kameng.loader.loading import load_modules
from kameng.loader.ordering import in_order

__all__ = ["Found", "check_modules", "discover", "in_order", "load_modules"]
