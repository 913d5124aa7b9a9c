"""Lighthouse's grades, as on a phone, of the pages that people see first.

Its grade of performance depends on what else the machine does; here it is told, and `make lighthouse` demands it too.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.node import require_node, run

from .chromium import HERE, program
from .shop import Shop
from .test_journeys import FROM_STOCK

LEAST = 95
MEASURED = os.environ.get("KAMENG_LIGHTHOUSE_PERFORMANCE") == "1"


def grades(url: str, cookies: str, folder: Path) -> dict[str, int]:
    """What Lighthouse says of a page, in hundredths, with the audits that did not pass in the log."""
    report = folder / "report.json"
    flags = "--headless=new --disable-dev-shm-usage" + (" --no-sandbox" if os.getuid() == 0 else "")
    extra = [f"--extra-headers={json.dumps({'cookie': cookies})}"] if cookies else []
    command = [
        "node",
        HERE / "node_modules/lighthouse/cli/index.js",
        url,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        "--form-factor=mobile",
        f"--chrome-flags={flags}",
        *extra,
    ]
    for tries_left in (2, 1, 0):
        try:
            run(*command, folder=folder, CHROME_PATH=program())
            break
        except AssertionError as error:
            # The browser's own recording fails now and then, and Lighthouse asks to be run again.
            if not tries_left or "run Lighthouse again" not in str(error):
                raise
    told = json.loads(report.read_text("utf-8"))
    for audit in told["audits"].values():
        if audit.get("score") is not None and audit["score"] < 0.9:
            print(f"{audit['id']} {audit['score']}: {audit['title']} {audit.get('displayValue', '')}")
    return {name: round(100 * (category["score"] or 0)) for name, category in told["categories"].items()}


@pytest.mark.parametrize("what", ["home", "product", "dashboard"])
async def test_pages_get_good_grades(browser: Any, shop: Shop, what: str, tmp_path: Path) -> None:
    require_node(HERE)
    slug = await shop.server.kernel.db.fetchval(FROM_STOCK)
    path = {"home": "/", "product": f"/products/{slug}", "dashboard": "/admin"}[what]
    cookies = ""
    if what == "dashboard":
        context = await browser.new_context()
        page = await context.new_page()
        await shop.log_in(page, staff=True)
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in await context.cookies())
        await context.close()

    found = await asyncio.to_thread(grades, f"{shop.url}{path}", cookies, tmp_path)

    print(what, found)
    demanded = {name: grade for name, grade in found.items() if MEASURED or name != "performance"}
    assert {name: grade for name, grade in demanded.items() if grade < LEAST} == {}
