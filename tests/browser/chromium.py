"""The system's Chromium, driven by Playwright from an environment of its own.

Where there is no browser these tests are skipped; in CI they fail, since nothing else would say that nobody looked.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.conformance.node import missing
from tests.conformance.python_tools import python_tools

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program() -> str:
    """The browser's program; skips the test, or in CI fails it, where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or missing("Chromium is not installed; the pages cannot be looked at.")


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """A running browser, as Playwright's ``Browser``."""
    path = program()
    packages = (
        python_tools(HERE).parent / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    )
    site.addsitedir(str(packages))
    from playwright.async_api import async_playwright  # type: ignore[import-not-found]  # it is installed only now

    # Root has no sandbox of its own, as in a container; small shared memory is usual there as well.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.getuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
