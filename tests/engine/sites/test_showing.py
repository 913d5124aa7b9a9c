"""What visitors see of a site's look, and who sees a draft."""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from kameng.graphql.uploads import UploadedFile
from kameng.http.app import create_app
from kameng.ids import key_of
from kameng.kernel import Kernel
from kameng.settings.sections import ThemesSettings
from kameng.sites.previews import preview_token
from kameng.testing.clients import a_clerk

from .conftest import Office

MARKUP = "</p><script>alert(1)</script><p>"


class Visitors:
    """Browsers in front of the application of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._app = create_app(kernel)
        self._opened: list[httpx.AsyncClient] = []

    def at(self, host: str) -> httpx.AsyncClient:
        """A fresh browser at a host."""
        transport = httpx.ASGITransport(app=self._app)
        client = httpx.AsyncClient(
            transport=transport, base_url=f"https://{host}", headers={"accept-language": "en"}
        )
        self._opened.append(client)
        return client

    async def close(self) -> None:
        """Close all of them."""
        for client in self._opened:
            await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(office: Office) -> AsyncIterator[Visitors]:
    """Browsers of visitors."""
    opened = Visitors(office.kernel)
    yield opened
    await opened.close()


MakeFile = Callable[..., UploadedFile]


@pytest.fixture
def a_file() -> Iterator[MakeFile]:
    """Makes files as they come with a request."""
    with ExitStack() as opened:

        def make(data: bytes, name: str = "logo.png", media_type: str = "image/png") -> UploadedFile:
            file = opened.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.flush()
            digest = sha256(data).hexdigest()
            return UploadedFile(file, name=name, media_type=media_type, size=len(data), sha256=digest)

        yield make


def a_picture(width: int = 800, height: int = 200, **options: Any) -> bytes:
    """A PNG."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 40)).save(out, "PNG", **options)
    return out.getvalue()


async def preview_of(office: Office, site: dict[str, Any]) -> str:
    """A link to a site's draft."""
    data = await office.client(
        "mutation($id: ID!) { createSitePreview(id: $id) { url expiresAt errors { code } } }",
        {"id": site["id"]},
    )
    assert data["createSitePreview"]["errors"] == []
    return str(data["createSitePreview"]["url"])


async def test_each_site_shows_its_own_theme_settings_and_colours(office: Office, visitors: Visitors) -> None:
    # given two sites with looks of their own beside the operator's
    north = await office.done("createSite", code="north", title="North", hosts=["north.test"])
    await office.done(
        "saveSiteDraft",
        id=north["id"],
        revision=0,
        theme="lantern",
    )
    await office.done(
        "saveSiteDraft",
        id=north["id"],
        revision=1,
        theme="lantern",
        settings=[{"name": "shop_name", "value": "North & Sons"}, {"name": "support", "value": MARKUP}],
        tokens=[{"name": "radius", "light": "2px"}],
    )
    await office.done("publishSite", id=north["id"], revision=2)
    south = await office.done("createSite", code="south", title="South", hosts=["south.test"])
    await office.done("saveSiteDraft", id=south["id"], revision=0, brand="#e60012")
    await office.done("publishSite", id=south["id"], revision=1)
    # when each is visited
    pages = {
        host: (await visitors.at(host).get("/")).text for host in ("north.test", "south.test", "shop.test")
    }
    # then each has its own, and text is text
    assert "<h1>North &amp; Sons</h1>" in pages["north.test"]
    assert "--radius:2px" in pages["north.test"]
    assert "<p>#8a2b06</p>" in pages["north.test"]
    assert "<script>alert" not in pages["north.test"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages["north.test"]
    assert "<p>#e30012</p>" in pages["south.test"]
    assert "--color-brand:light-dark(#e30012, #ff9689)" in pages["south.test"]
    assert "<h1>Kameng</h1>" in pages["shop.test"]
    assert "<p>#0b6b4f</p>" in pages["shop.test"]
    # and its theme's assets are there, in a process that has not shown it yet
    [address] = re.findall(r'src="(/assets/lantern/[^"]+)"', pages["north.test"])
    fresh = Visitors(office.kernel)
    assert (await fresh.at("shop.test").get(address)).status_code == 200
    for strange in (
        "/assets/broken/img/dot.svg",
        "/assets/..%2F..%2Fetc/passwd",
        "/assets/nowhere/img/dot.svg",
    ):
        assert (await fresh.at("shop.test").get(strange)).status_code == 404
    await fresh.close()


async def test_a_theme_that_was_taken_away_leaves_the_default(office: Office) -> None:
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, theme="lantern")
    await office.done("publishSite", id=site["id"], revision=1)
    [folder] = office.kernel.settings.section("themes", ThemesSettings).folders
    (Path(folder) / "lantern" / "theme.json").write_text("{", "utf-8")
    later = Visitors(office.kernel)
    answer = await later.at("shop.test").get("/")
    assert (answer.status_code, "<p>#0b6b4f</p>" in answer.text) == (200, True)
    await later.close()


async def test_a_signed_link_shows_the_draft_to_who_has_it(office: Office, visitors: Visitors) -> None:
    north = await office.done("createSite", code="north", title="North", hosts=["north.test"])
    await office.done("saveSiteDraft", id=north["id"], revision=0, brand="#e60012")
    link = await preview_of(office, north)
    assert link.startswith("https://north.test/?_preview=")
    browser, other = visitors.at("north.test"), visitors.at("north.test")
    # when the link is opened, the token leaves the address and becomes a cookie of this host alone
    answer = await browser.get(link.removeprefix("https://north.test"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    [cookie] = [value for value in answer.headers.get_list("set-cookie") if "preview" in value]
    assert cookie.startswith("__Host-kameng_preview=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    # then each page shows the draft, says so, and is kept by nobody
    for path in ("/", "/about"):
        answer = await browser.get(path)
        assert "<p>#e30012</p>" in answer.text
        assert (
            '<body class="shop"><aside class="kameng-preview" role="status" data-revision="1"' in answer.text
        )
        assert "orders that are placed here are real" in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        [nonce] = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
    # and nobody else sees any of it
    answer = await other.get("/")
    assert "<p>#0b6b4f</p>" in answer.text
    assert "kameng-preview" not in answer.text
    # when the draft changes, the page can find out, and shows it at the next look
    await office.done("saveSiteDraft", id=north["id"], revision=1, brand="#00a0e9")
    assert (await browser.get("/?_preview=revision")).text == "2"
    assert "<p>#0077af</p>" in (await browser.get("/")).text
    assert "kameng" in (await other.get("/?_preview=revision")).text.lower()
    # when the preview is ended, the cookie goes
    answer = await browser.get("/?_preview=end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "<p>#0b6b4f</p>" in (await browser.get("/")).text


async def test_a_link_of_another_site_or_one_that_ended_or_was_forged_shows_nothing(
    office: Office, visitors: Visitors
) -> None:
    north = await office.done("createSite", code="north", title="North", hosts=["north.test"])
    south = await office.done("createSite", code="south", title="South", hosts=["south.test"])
    await office.done("saveSiteDraft", id=south["id"], revision=0, brand="#e60012")
    await office.done("saveSiteDraft", id=north["id"], revision=0, brand="#00a0e9")
    key = UUID(int=key_of("Site", north["id"]).int)
    soon = int(time.time()) + 60
    good = preview_token(office.kernel, key, soon)
    claim, version, mac = good.split(".")
    refused = {
        "another site's": preview_token(office.kernel, key_of("Site", south["id"]), soon),
        "ended": preview_token(office.kernel, key, int(time.time()) - 1),
        "changed": f"{claim[:-2]}AA.{version}.{mac}",
        "of an unknown key": f"{claim}.99.{mac}",
        "cut": f"{claim}.{version}",
        "unsigned": f"{claim}.{version}.",
        "no token": "x" * 5_000,
        "markup": '"><script>alert(1)</script>',
    }
    for name, token in refused.items():
        browser = visitors.at("north.test")
        answer = await browser.get("/", params={"_preview": token})
        assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), name
        assert "<script>alert" not in answer.text
        # nor as a cookie
        browser.cookies.set("__Host-kameng_preview", token.replace('"', "")[:4_000].replace(";", ""))
        answer = await browser.get("/")
        assert (answer.status_code, "<p>#0b6b4f</p>" in answer.text) == (200, True), name
    assert (await visitors.at("north.test").get("/", params={"_preview": good})).status_code == 303


async def test_nobody_without_the_permission_makes_a_link(office: Office) -> None:
    site = await office.main()
    clerk = Office(office.kernel, a_clerk("sites.read_sites", "sites.publish_looks"))
    data = await clerk.client(
        "mutation($id: ID!) { createSitePreview(id: $id) { url errors { code } } }", {"id": site["id"]}
    )
    assert data["createSitePreview"] == {"url": None, "errors": [{"code": "FORBIDDEN"}]}


async def test_a_logo_is_written_anew_and_served_under_the_hash_of_what_it_is(
    office: Office, visitors: Visitors, a_file: MakeFile
) -> None:
    site = await office.main()
    # given a picture with something hidden behind its pixels, under a name that leads elsewhere
    raw = a_picture() + b"<script>alert(1)</script>"
    site = await office.done(
        "setSiteLogo", id=site["id"], revision=0, file=a_file(raw, "../../etc/cron.d/logo.png")
    )
    logo = site["draft"]["logo"]
    # then it is shown small, under a name made of its content
    assert re.fullmatch(r"/media/[0-9a-f]{64}-640\.webp", logo["url"])
    assert (logo["width"], logo["height"]) == (640, 160)
    browser = visitors.at("shop.test")
    answer = await browser.get(logo["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert b"script" not in answer.content
    # and visitors see it when it is published, until it is taken away
    assert '<img src="/media/' not in (await browser.get("/")).text
    await office.done("publishSite", id=site["id"], revision=1)
    assert f'<img src="{logo["url"]}" width="640" height="160" alt="">' in (await browser.get("/")).text
    await office.done("removeSiteLogo", id=site["id"], revision=1)
    await office.done("publishSite", id=site["id"], revision=2)
    assert '<img src="/media/' not in (await browser.get("/")).text


async def test_a_logo_that_is_no_small_still_picture_is_refused(office: Office, a_file: MakeFile) -> None:
    site = await office.main()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    moving = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    # a PNG that says it is 40,000 pixels wide, in a few bytes
    bomb = bytearray(a_picture(4, 4))
    bomb[16:24] = (40_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    refused = {
        "svg": (a_file(svg, "logo.svg", "image/svg+xml"), "A logo is a PNG, JPEG or WebP"),
        "svg that says it is a PNG": (a_file(svg), "no picture that can be read"),
        "text": (a_file(b"hello", "logo.png"), "no picture that can be read"),
        "broken": (a_file(a_picture()[:60]), "broken"),
        "moving": (a_file(moving.getvalue(), "logo.webp", "image/webp"), "moves"),
        "bomb": (a_file(bytes(bomb)), "too many pixels"),
        "wide": (a_file(a_picture(2_001, 10)), "too many pixels"),
        "heavy": (a_file(a_picture() + b"\0" * 1_000_000), "bytes; a logo has at most"),
    }
    for name, (file, message) in refused.items():
        error = await office.refused("setSiteLogo", id=site["id"], revision=0, file=file)
        assert (error["code"], error["path"]) == ("LOGO_REFUSED", ["input", "file"]), name
        assert message in error["message"], name
    assert (await office.main())["draftRevision"] == 0


async def test_only_hosts_of_the_deployment_are_answered_in_production(office: Office) -> None:
    # given a deployment that names its hosts
    settings = office.kernel.settings.with_values("kameng", trusted_hosts=("shop.test", "*.own.test"))
    async with Kernel(settings, office.kernel.modules) as kernel:
        there = Visitors(kernel)
        assert (await there.at("shop.test").get("/")).status_code == 200
        assert (await there.at("a.own.test").get("/")).status_code == 200
        assert (await there.at("own.test").get("/")).status_code == 400
        assert (await there.at("new.test").get("/")).status_code == 400
        assert (await there.at("new.test").get("/livez")).status_code == 200
        # when a site gets a domain, by another process
        await office.done("createSite", code="new", title="New", hosts=["new.test"])
        # then it is answered, without a restart
        while (await there.at("new.test").get("/")).status_code != 200:
            await asyncio.sleep(0.02)
        await there.close()
