"""Themes that arrive as ZIP files."""

from __future__ import annotations

import asyncio
import json
import stat
import zipfile
from pathlib import Path

import pytest

from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.themes import ThemeError
from kameng.themes.archive import (
    MOST_FILES,
    ArchiveRefused,
    install_archive,
    read_archive,
    remove_uploaded,
)
from tests.engine.themes import shop
from tests.engine.themes.conftest import OpenShop

MANIFEST = json.dumps({"name": "stranger", "version": "1.0", "parent": "shop"})
HOME = '{% extends "@parent/home.html" %}{% block main %}<h1>Mine</h1>{% endblock %}'


def pack(folder: Path, files: dict[str, str | bytes], *extra: tuple[zipfile.ZipInfo, bytes]) -> Path:
    """An archive of these files."""
    file = folder / "theme.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for info, content in extra:
            archive.writestr(info, content)
    return file


def kernel_with(data: Path, storefront: str = "shop") -> Kernel:
    """A composed shop whose data are kept there."""
    values = {
        "themes": {"folders": [str(shop.FIXTURES)], "storefront": storefront, "admin": ""},
        "kameng": {"data_dir": str(data)},
    }
    return Kernel(Settings(values, root=shop.FIXTURES), [shop.SHOP])


async def test_an_installed_theme_is_shown_confined_and_replaced(open_shop: OpenShop, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"mine/theme.json": MANIFEST, "mine/templates/home.html": HOME}
    store = tmp_path / "data"

    for heading in ("Mine", "Other"):
        files["mine/templates/home.html"] = HOME.replace("Mine", heading)
        name, _ = await asyncio.to_thread(install_archive, kernel_with(store), pack(tmp_path, files))
        browser = open_shop(kernel_with(store, "stranger"))
        assert name == "stranger"
        assert f"<h1>{heading}</h1>" in (await browser.get("/")).text
    assert sorted(item.name for item in (store / "themes").iterdir()) == ["stranger"]

    assert remove_uploaded(kernel_with(store), "stranger")
    assert not remove_uploaded(kernel_with(store), "stranger")
    assert not remove_uploaded(kernel_with(store), "../themes")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.html",
        "templates/../../evil.html",
        "/etc/evil.html",
        "C:/evil.html",
        "templates\\\\evil.html",
        "templates/.hidden.html",
        "templates//a.html",
        "assets/js/evil.js",
        "kameng_evil/__init__.py",
        "assets/img/logo.svg",
        "templates/\\u202elmth.html",
    ],
)
def test_a_name_that_leads_elsewhere_or_is_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    name = name.replace("\\\\", "\\").replace("\\u202e", "\u202e")

    with pytest.raises(ArchiveRefused, match=r"is no name of a file|of a kind that a theme does not have"):
        read_archive(pack(tmp_path, {"theme.json": MANIFEST, name: "x"}))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("templates/passwd.html")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(ArchiveRefused, match="is no plain file"):
        read_archive(pack(tmp_path, {"theme.json": MANIFEST}, (link, b"/etc/passwd")))


def test_a_bomb_is_refused_whatever_it_says_of_its_size(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="is packed more than 100 times"):
        read_archive(pack(tmp_path, {"theme.json": MANIFEST, "templates/a.html": b" " * 4_000_000}))
    with pytest.raises(ArchiveRefused, match="holds more than 20,000,000 bytes"):
        read_archive(pack(tmp_path, {"theme.json": MANIFEST, "templates/a.html": b" " * 6_000_000}))


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"templates/{number}.html": "x" for number in range(MOST_FILES)}

    with pytest.raises(ArchiveRefused, match="it has 501 files; 500 are taken"):
        read_archive(pack(tmp_path, {"theme.json": MANIFEST, **files}))


def test_what_is_no_archive_or_no_theme_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("PK no")
    with pytest.raises(ArchiveRefused, match="it cannot be read"):
        read_archive(tmp_path / "text.zip")
    with pytest.raises(ArchiveRefused, match=r"there is no theme\.json in it"):
        read_archive(pack(tmp_path, {"a/home.html": "x", "b/home.html": "x"}))


@pytest.mark.parametrize(
    ("manifest", "template", "message"),
    [
        ({"name": "shop"}, "x", "did not come from an archive"),
        ({"name": "../x"}, "x", "cannot be a theme's name"),
        ({"parent": "nobody"}, "x", "which is not installed"),
        ({}, "<script>x()</script>", "writes no <script>"),
        ({}, "{{ 'a' | safe }}", "safe"),
        ({"engine": ">=99"}, "x", "It works with kameng >=99"),
    ],
)
def test_a_theme_that_may_not_be_used_is_not_kept(
    tmp_path: Path, manifest: dict[str, str], template: str, message: str
) -> None:
    given = json.dumps({**json.loads(MANIFEST), **manifest})
    file = pack(tmp_path, {"theme.json": given, "templates/home.html": template})

    with pytest.raises(ThemeError, match=message):
        install_archive(kernel_with(tmp_path / "data"), file)

    assert list((tmp_path / "data" / "themes").iterdir()) == []
