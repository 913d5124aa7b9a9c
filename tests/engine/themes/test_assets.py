"""Assets: their names, what is in them, and how they are served."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from pathlib import Path

import pytest

from kameng.themes import Installed, UnknownName
from kameng.themes.assets import Assets
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import Browser, OpenShop

HASHED = r"[0-9a-f]{16}"


def assets_of(root: Path, name: str) -> Assets:
    """The assets of a theme."""
    return Assets(name, Installed([root], points=[]).chain(name))


async def test_an_asset_is_served_for_ever_under_the_hash_of_its_content(browser: Browser) -> None:
    found = re.search(r'src="(/assets/shop/js/shop\.[^"]+)"', (await browser.get("/")).text)
    assert found

    answer = await browser.get(found[1])

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_asset_without_references_is_named_by_its_sha256() -> None:
    body = (shop.FIXTURES / "shop/assets/css/reset.css").read_bytes()

    url = assets_of(shop.FIXTURES, "shop").url("css/reset.css")

    assert url == f"/assets/shop/css/reset.{sha256(body).hexdigest()[:16]}.css"


async def test_references_in_styles_and_modules_lead_to_hashed_names(browser: Browser) -> None:
    text = (await browser.get("/")).text
    style = (await browser.get(re.findall(r'href="(/assets/[^"]+\.css)"', text)[0])).text
    script = (await browser.get(re.findall(r'src="(/assets/[^"]+\.js)"', text)[0])).text

    assert re.search(rf'@import "/assets/shop/css/reset\.{HASHED}\.css";', style)
    assert re.search(rf'url\("/assets/shop/img/logo\.{HASHED}\.svg#mark"\)', style)
    assert "/* url(not-an-asset.png) stands in a comment */" in style
    found = re.search(rf'import {{ greet }} from "(/assets/shop/js/parts\.{HASHED}\.js)";', script)
    assert found
    assert (await browser.get(found[1])).status_code == 200


def test_a_change_far_below_changes_every_name_above_circles_included(tmp_path: Path) -> None:
    files = {
        "assets/a.js": 'import "./b.js";\nexport * from "./d.js"; import("./b.js")',
        "assets/b.js": 'import "./c.js"',
        "assets/c.js": 'import "./b.js"; new URL("./e.svg", import.meta.url)',
        "assets/d.js": "// import './nothing.js'\nconst far = 'https://x/'; /* from './none.js' */",
        "assets/e.svg": "<svg/>",
    }
    write_theme(tmp_path, "one", {}, files)
    before = assets_of(tmp_path, "one")
    write_theme(tmp_path, "one", {}, {"assets/e.svg": "<svg></svg>"})
    after = assets_of(tmp_path, "one")

    assert before.findings == after.findings == []
    changed = {path for path in before.by_path if before.url(path) != after.url(path)}
    assert changed == {"a.js", "b.js", "c.js", "e.svg"}
    assert after.url("e.svg").encode() in after.by_path["c.js"].body


def test_a_childs_asset_stands_in_for_the_parents_wherever_that_is_named() -> None:
    own = assets_of(shop.FIXTURES, "child")

    style = own.by_path["css/main.css"].body.decode()
    assert re.fullmatch(rf'@import "/assets/child/css/main\.{HASHED}\.css";\nmain \{{.*\}}\n', style)
    parents = own.public(re.findall(r'/assets/child/([^"]+)', style)[0])
    assert parents is not None
    assert parents is not own.by_path["css/main.css"]
    # The parent's stylesheet shows the child's logo.
    assert f'url("{own.url("img/logo.svg")}#mark")' in parents.body.decode()
    assert b"<circle" in own.by_path["img/logo.svg"].body


def test_a_reference_to_nothing_is_an_error_with_its_line(tmp_path: Path) -> None:
    write_theme(
        tmp_path,
        "one",
        {},
        {"assets/a.css": "a{}\nb{background:url(img/none.png)}", "assets/b.js": 'import "../../x.js"'},
    )

    assert [str(item) for item in assets_of(tmp_path, "one").findings] == [
        "one/assets/a.css:2: error: It refers to 'img/none.png', which is no asset. Mend the reference, or add the file.",
        "one/assets/b.js:1: error: It refers to '../../x.js', which is no asset. Mend the reference, or add the file.",
    ]


def test_references_to_elsewhere_stay_as_they_are(tmp_path: Path) -> None:
    text = "a{background:url(data:image/png;base64,AA==)}b{fill:url(#x)}c{background:url(/media/x.png)}"
    write_theme(tmp_path, "one", {}, {"assets/a.css": text})

    own = assets_of(tmp_path, "one")

    assert own.findings == []
    assert own.by_path["a.css"].body.decode() == text


def test_an_unknown_asset_is_an_error() -> None:
    with pytest.raises(UnknownName, match=r"There is no asset 'css/none\.css' in shop"):
        assets_of(shop.FIXTURES, "shop").url("css/none.css")


def test_links_out_of_the_theme_and_unknown_kinds_are_not_served(tmp_path: Path) -> None:
    folder = write_theme(
        tmp_path, "sly", {}, {"assets/a.php": "<?php", "assets/.env": "SECRET=1", "assets/a.html": "<p>"}
    )
    (folder / "assets" / "passwd.txt").symlink_to("/etc/passwd")

    own = assets_of(tmp_path, "sly")

    assert not {"passwd.txt", ".env", "a.php", "a.html"} & set(own.by_path)
    assert [(item.level, item.file) for item in own.findings] == [
        ("warning", "sly/assets/a.html"),
        ("warning", "sly/assets/a.php"),
        ("error", "sly/assets/passwd.txt"),
    ]


class TestServing:
    """Assets over HTTP."""

    @pytest.mark.parametrize(
        "path",
        [
            "/assets/shop/../theme.json",
            "/assets/shop/%2e%2e/theme.json",
            "/assets/shop/..%2ftheme.json",
            "/assets/shop/css/..%5c..%5ctheme.json",
            "/assets/shop//etc/passwd",
            "/assets/shop/theme.json",
            "/assets/shop/css/main.0000000000000000.css",
            "/assets/shop/css",
            "/assets/nothing/css/main.css",
            "/assets/base/forms.html",
            "/assets/..%2f..%2fpyproject.toml/x",
        ],
    )
    async def test_nothing_but_assets_is_reached(self, browser: Browser, path: str) -> None:
        assert (await browser.get(path)).status_code == 404

    async def test_a_plain_name_must_be_asked_for_again(self, browser: Browser) -> None:
        answer = await browser.get("/assets/shop/css/main.css")

        assert answer.headers["cache-control"] == "public, no-cache"

    async def test_what_has_not_changed_is_not_sent_again(self, browser: Browser) -> None:
        first = await browser.get("/assets/shop/css/reset.css")

        again = await browser.get(
            "/assets/shop/css/reset.css", **{"if-none-match": f'"x", W/{first.headers["etag"]}'}
        )

        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]

    async def test_text_is_sent_compressed_to_who_can_read_it(
        self, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        body = "a { color: red; }\n" * 100
        folder = write_theme(tmp_path, "big", {}, {"assets/a.css": body})
        browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="big")))

        packed = await browser.get("/assets/big/a.css", **{"accept-encoding": "br, gzip"})
        plain = await browser.get("/assets/big/a.css", **{"accept-encoding": "identity"})

        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(gzip.compress(body.encode(), 9, mtime=0))
        assert packed.text == plain.text == body
        assert "content-encoding" not in plain.headers
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert packed.headers["etag"] != plain.headers["etag"]

    async def test_a_picture_opened_by_itself_runs_no_script(self, browser: Browser) -> None:
        answer = await browser.get("/assets/shop/img/logo.svg")

        assert answer.headers["content-type"] == "image/svg+xml"
        assert (
            answer.headers["content-security-policy"]
            == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
