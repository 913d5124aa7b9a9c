"""What can be said of a page as it stands: faults that people would meet, found by tools and by measure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AXE = HERE / "node_modules/axe-core/axe.min.js"

PHONE, TABLET, DESKTOP = (390, 844), (768, 1024), (1440, 900)
SCHEMES = ("light", "dark")

RUN_AXE = """
async () => (await axe.run(document, {resultTypes: ['violations']})).violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id} (${rule.impact}): ${node.html.slice(0, 160)} ${node.any.concat(node.all)
        .map(check => check.message).join('; ').slice(0, 200)}`))
"""
WIDER = """
() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
    if (wide <= 0) return null
    const over = [...document.querySelectorAll('body *')].filter(one => {
        const box = one.getBoundingClientRect()
        return box.right > document.documentElement.clientWidth + 1 && getComputedStyle(one).position !== 'fixed'
    })
    return `${wide}px wider than the window: ` + (over[0] ? over[0].outerHTML.slice(0, 120) : '')
}
"""


@dataclass
class Watch:
    """What a browser says while pages are open, and what they weigh.

    Attributes:
        complaints: errors in its console, scripts that failed, requests that were refused or failed.
        weight: bytes on the wire since `fresh`, without pictures.
    """

    complaints: list[str] = field(default_factory=list)
    weight: int = 0

    def attach(self, page: Any) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("requestfinished", self._finished)
        page.on("response", self._answered)

    def fresh(self) -> None:
        """Begin anew."""
        self.complaints, self.weight = [], 0

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # what a page that is left behind had asked for
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    async def _finished(self, request: Any) -> None:
        if request.resource_type in ("image", "media"):
            return
        try:
            sizes = await request.sizes()
        except Exception:  # the page has gone on
            return
        self.weight += sizes["responseBodySize"] + sizes["responseHeadersSize"]


async def axe(page: Any) -> list[str]:
    """What axe finds wrong with a page as it is shown."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = await page.evaluate(RUN_AXE)
    return found


async def show(page: Any, size: tuple[int, int], scheme: str) -> None:
    """Show a page in this size and scheme."""
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(color_scheme=scheme)
    # Colours that change slowly are looked at when they have; what pulses for ever is left alone.
    await page.evaluate(
        """() => document.getAnimations()
            .filter(one => one.effect && one.effect.getComputedTiming().endTime !== Infinity)
            .forEach(one => one.finish())"""
    )
