"""What the web server loads in each of its processes."""

from __future__ import annotations

import sys

from litestar.types import ASGIApp

from kameng.errors import KamengError
from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.logs import configure_logs
from kameng.settings import read_settings


def app() -> ASGIApp:
    """The application of the deployment that the environment describes."""
    try:
        settings = read_settings()
        configure_logs(settings.engine, "web")
        return create_app(Kernel(settings))
    except KamengError as error:
        # The server prints a traceback of whatever a factory raises; the message is what helps.
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1)
