"""The kernel's own version, as its distribution states it."""

from importlib.metadata import version

VERSION = version("kameng")
