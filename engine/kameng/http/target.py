"""What the web server loads in each of its processes."""

from __future__ import annotations

import gc
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
        application = create_app(Kernel(settings))
    except KamengError as error:
        # The server prints a traceback of whatever a factory raises; the message is what helps.
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1)
    # All of this stays for as long as the process does: looking through it for garbage again and again would cost each
    # time a pause of a tenth of a second.
    gc.collect()
    gc.freeze()
    return application
