"""Pictures of products: what is taken, what is left of them, where they are kept, and how they are served."""

from __future__ import annotations

import asyncio
import io
import os
import re
import struct
import tempfile
import threading
import zlib
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from PIL import ExifTags, Image, PngImagePlugin

from kameng.graphql.uploads import UploadedFile
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.media.cleaning import clean_media
from kameng_catalog.media.pictures import read_picture
from kameng_catalog.media.refusals import MediaRefused
from kameng_catalog.media.serving import serve_media
from kameng_catalog.media.stores import Media

from .conftest import CLERK, Shop
from .office import code, product_id, run

ADD = """
mutation ($input: AddProductMediaInput!) {
    addProductMedia(input: $input) {
        product { media { id url width height sizeBytes position alts { locale text } thumbnails { width url } } }
        errors { code path message }
    }
}
"""


def picture(kind: str = "PNG", size: tuple[int, int] = (200, 100), **options: Any) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


async def add(shop: Shop, data: bytes, **more: Any) -> Any:
    """Upload a file as a picture of the product."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        upload = UploadedFile(
            file,
            name="picture.png",
            media_type="image/png",
            size=len(data),
            sha256=sha256(data).hexdigest(),
        )
        values = {"product": await product_id(shop), "file": upload, **more}
        answer = await shop.ask(ADD, {"input": values}, schema="admin", principal=CLERK)
    return answer["addProductMedia"]


def read(data: bytes, **limits: int) -> Any:
    return read_picture(io.BytesIO(data), **{"max_pixels": 1_000_000, "max_side": 5_000, **limits})


# -- what is taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_pictures_are_written_anew_with_small_copies(kind: str, extension: str) -> None:
    taken = read(picture(kind, (1000, 500)))
    assert (taken.extension, taken.width, taken.height) == (extension, 1000, 500)
    assert taken.content_hash == sha256(taken.data).hexdigest()
    assert sorted(taken.thumbnails) == [160, 320, 640]
    with Image.open(io.BytesIO(taken.thumbnails[320])) as small:
        assert (small.format, small.size) == ("WEBP", (320, 160))


def test_what_a_camera_writes_into_it_is_gone_but_it_stands_upright() -> None:
    # Given a picture that lies on its side, and says where it was taken
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Secret Camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (31.0, 14.0, 0.0)
    data = picture("JPEG", exif=exif)
    assert b"Secret Camera" in data
    taken = read(data)
    # Then it is turned, and says nothing
    assert (taken.width, taken.height) == (100, 200)
    assert b"Secret Camera" not in taken.data
    with Image.open(io.BytesIO(taken.data)) as image:
        assert dict(image.getexif()) == {}
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "Secret Comment")
    taken = read(picture("PNG", pnginfo=notes) + b"behind the end")
    assert b"Secret" not in taken.data
    assert b"behind the end" not in taken.data


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A small file that says it is a large picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is no picture that can be read."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The file is no picture that can be read."),
        (b"GIF89a" + bytes(100), "The file is no picture that can be read."),
        (picture()[:200], "The picture is broken."),
        (bomb(50_000, 50_000), "The picture has too many pixels; at most 1,000,000 are taken."),
        (bomb(6_000, 1), "The picture has too many pixels; at most 1,000,000 are taken."),
        (picture(size=(1001, 1000)), "The picture has too many pixels; at most 1,000,000 are taken."),
        (picture("WEBP", save_all=True, append_images=[Image.new("RGB", (200, 100), "green")]), "The picture moves."),
    ],
    ids=["empty", "svg", "gif", "cut", "bomb", "line", "large", "moving"],
)  # fmt: skip
def test_what_is_not_taken(data: bytes, message: str) -> None:
    with pytest.raises(MediaRefused, match=message.split(";", maxsplit=1)[0]):
        read(data)


# -- in the catalogue -----------------------------------------------------------------------------------------------


@pytest.fixture
async def gallery(make_kernel: Kernels, tmp_path: Path) -> Shop:
    """A shop that keeps pictures in a folder."""
    settings = {"media": {"folder": str(tmp_path / "media"), "max_pixels": 1_000_000}}
    shop = Shop(await make_kernel([catalog], catalog=settings))
    await shop.products()
    return shop


async def test_a_product_shows_its_pictures(gallery: Shop, tmp_path: Path) -> None:
    # When two pictures are added, and the first one again
    alts = [{"locale": "en", "text": "A card"}, {"locale": "zh-CN", "text": "一张卡"}]
    await add(gallery, picture(size=(400, 200)), alts=alts)
    await add(gallery, picture(size=(100, 50)))
    answer = await add(gallery, picture(size=(400, 200)))
    # Then there are two, in this order
    first, second = answer["product"]["media"]
    assert (first["width"], first["position"], first["alts"][0]["text"]) == (400, 0, "A card")
    assert (second["width"], second["position"], second["thumbnails"]) == (100, 1, [])
    assert [small["width"] for small in first["thumbnails"]] == [160, 320]
    files = {path.name for path in (tmp_path / "media").rglob("*") if path.is_file()}
    assert {media["url"].rpartition("/")[2] for media in (first, second, *first["thumbnails"])} == files
    # and the shop shows them, in its language
    document = '{ product(slug: "alpha") { media { url alt thumbnails { width } } } }'
    shown = (await gallery.ask(document, locale="zh-CN"))["product"]["media"]
    assert [media["alt"] for media in shown] == ["一张卡", ""]
    # When they are put in another order, and one is taken away
    await run(gallery, "updateProductMedia", "product { slug }", id=second["id"], position=-1)
    shown = (await gallery.ask(document))["product"]["media"]
    assert [media["url"] for media in shown] == [second["url"], first["url"]]
    await run(gallery, "removeProductMedia", "product { slug }", id=first["id"])
    shown = (await gallery.ask(document))["product"]["media"]
    assert [media["url"] for media in shown] == [second["url"]]
    assert code(await run(gallery, "removeProductMedia", "product { slug }", id=first["id"])) == "NOT_FOUND"


async def test_the_same_picture_at_once_is_there_once(gallery: Shop) -> None:
    answers = await asyncio.gather(*(add(gallery, picture()) for _ in range(4)))
    assert all(answer["errors"] == [] for answer in answers)
    assert await gallery.kernel.db.fetchval("select count(*) from catalog_product_media") == 1
    assert await gallery.kernel.db.fetchval("select count(*) from catalog_media_file") == 1


async def test_what_is_no_picture_is_refused_and_leaves_nothing(gallery: Shop, tmp_path: Path) -> None:
    assert code(await add(gallery, b"no picture")) == "MEDIA_REFUSED"
    assert not (tmp_path / "media").exists()


async def test_pictures_are_served_for_good(gallery: Shop) -> None:
    media = (await add(gallery, picture()))["product"]["media"][0]
    app = Litestar([serve_media], state=State({"kernel": gallery.kernel}), logging_config=None)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar's own type of an ASGI application
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get(media["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert sha256(answer.content).hexdigest() in media["url"]
        again = await client.get(media["url"], headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("0" * 64 + ".png", "x.png", "..%2f..%2fkameng.toml"):
            assert (await client.get(f"/media/{name}")).status_code == 404


# -- in a bucket ----------------------------------------------------------------------------------------------------


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as keeping and fetching needs."""

    kept: dict[str, tuple[bytes, dict[str, str]]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept[self.path] = body, dict(self.headers)
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        body, headers = self.kept.get(self.path, (None, {}))
        self.send_response(200 if body is not None else 404)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
        self.send_header("Content-Type", headers.get("Content-Type", "application/xml"))
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        # DeleteObjects, the only operation of S3 that comes this way.
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", asked)
        for key in keys:
            self.kept.pop(f"/shop/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        body = (
            f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{deleted}</DeleteResult>'.encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tell nothing."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a bucket's server, and what it keeps."""
    kept: dict[str, Any] = {}
    handler = type("Kept", (Bucket,), {"kept": kept})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    yield f"http://127.0.0.1:{server.server_port}", kept
    server.shutdown()
    thread.join()
    server.server_close()


async def test_pictures_are_kept_in_a_bucket(
    make_kernel: Kernels, bucket: tuple[str, dict[str, Any]]
) -> None:
    endpoint, kept = bucket
    settings = {
        "store": "s3",
        "bucket": "shop",
        "prefix": "media",
        "endpoint": endpoint,
        "public_url": "https://cdn.example/media",
    }
    shop = Shop(await make_kernel([catalog], catalog={"media": settings}))
    await shop.products()
    # When a picture is added
    media = (await add(shop, picture(size=(200, 100))))["product"]["media"][0]
    # Then it and its copy lie in the bucket, signed for, with what a CDN needs to know
    name = media["url"].removeprefix("https://cdn.example/media/")
    assert set(kept) == {f"/shop/media/{name}", f"/shop/media/{name.removesuffix('.png')}-160.webp"}
    _, headers = kept[f"/shop/media/{name}"]
    assert headers["content-type"] == "image/png"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "Credential=who/" in headers["authorization"]
    # and are found there
    store = shop.kernel.services.get(Media).store
    assert sha256(await store.get(name) or b"").hexdigest() in name
    assert await store.get("0" * 64 + ".png") is None
    # until they are removed, once or twice
    for _ in range(2):
        await store.remove(name)
    assert await store.get(name) is None


REPLACE = """
mutation ($input: ReplaceProductMediaInput!) {
    replaceProductMedia(input: $input) { product { media { id url alts { text } } } errors { code path } }
}
"""


async def replaced(shop: Shop, key: str, data: bytes) -> Any:
    """Upload a file in the place of a picture."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        upload = UploadedFile(
            file, name="new.png", media_type="image/png", size=len(data), sha256=sha256(data).hexdigest()
        )
        values = {"id": key, "file": upload}
        answer = await shop.ask(REPLACE, {"input": values}, schema="admin", principal=CLERK)
    return answer["replaceProductMedia"]


async def remove(shop: Shop, key: str) -> None:
    document = "mutation ($input: RemoveProductMediaInput!) { removeProductMedia(input: $input) { errors { code } } }"
    answer = await shop.ask(document, {"input": {"id": key}}, schema="admin", principal=CLERK)
    assert answer["removeProductMedia"]["errors"] == []


def files(shop: Shop) -> set[str]:
    """The files in the store's folder."""
    folder = shop.kernel.services.get(Media).store.folder  # type: ignore[attr-defined]  # a folder in tests
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def make_older(shop: Shop, days: int) -> None:
    """Let so many days pass."""
    await shop.kernel.db.execute(
        "update catalog_media_file set unused_since = unused_since - make_interval(days => $1)", days
    )
    folder = shop.kernel.services.get(Media).store.folder  # type: ignore[attr-defined]  # a folder in tests
    for path in folder.rglob("*"):
        moment = path.stat().st_mtime - days * 86_400
        os.utime(path, (moment, moment))


async def test_a_picture_is_replaced_in_its_place(shop: Shop) -> None:
    await shop.products()
    alts = [{"locale": "en", "text": "A card"}]
    await add(shop, picture(size=(10, 10)), alts=alts)
    before = (await add(shop, picture(size=(20, 10))))["product"]["media"]
    # When the first is replaced, then it keeps its place and its texts
    after = (await replaced(shop, before[0]["id"], picture(size=(30, 10))))["product"]["media"]
    assert [item["id"] for item in after] == [item["id"] for item in before]
    assert (after[0]["url"] != before[0]["url"], after[1]["url"]) == (True, before[1]["url"])
    assert after[0]["alts"] == [{"text": "A card"}]
    # And one that the product shows already does not come twice
    twice = await replaced(shop, before[0]["id"], picture(size=(20, 10)))
    assert twice["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "file"]}]
    same = await replaced(shop, before[0]["id"], picture(size=(30, 10)))
    assert same["product"]["media"] == after


async def test_what_nothing_shows_is_deleted_after_some_days(shop: Shop) -> None:
    # Given a picture that two products show, one that was replaced, one that was removed, and a file without a row
    await shop.products({}, {"sku": "B-1", "product": "beta"})
    other = await product_id(shop, "beta")
    shared = (await add(shop, picture(size=(10, 10))))["product"]["media"][0]
    await add(shop, picture(size=(10, 10)), product=other)
    old = (await add(shop, picture(size=(20, 10))))["product"]["media"][1]
    await replaced(shop, old["id"], picture(size=(30, 10)))
    gone = (await add(shop, picture(size=(40, 10))))["product"]["media"][2]
    for item in (shared, gone):
        await remove(shop, item["id"])
    store = shop.kernel.services.get(Media).store
    await store.put("0" * 64 + ".png", b"x", "image/png")
    await store.put("readme.txt", b"x", "text/plain")
    everything = files(shop)
    # When less than the days pass, then all is there
    await make_older(shop, 29)
    await clean_media(shop.kernel)
    assert files(shop) == everything
    # When they have passed, then what is shown is there, and what is none of ours
    await make_older(shop, 2)
    await clean_media(shop.kernel)
    rows = await shop.kernel.db.fetch("select content_hash from catalog_media_file")
    shown = {row["content_hash"] for row in rows}
    assert len(shown) == 2
    assert {name[:64] for name in files(shop) if name != "readme.txt"} == shown
    assert "readme.txt" in files(shop)
    # And a picture that comes back is kept anew
    await add(shop, picture(size=(40, 10)))
    await make_older(shop, 100)
    await clean_media(shop.kernel)
    assert len({name[:64] for name in files(shop)}) == 4


async def test_a_picture_that_comes_back_while_it_is_deleted_stays(shop: Shop) -> None:
    # Given a picture that is overdue
    await shop.products()
    for _ in range(5):
        item = (await add(shop, picture(size=(10, 10))))["product"]["media"][0]
        await remove(shop, item["id"])
        await make_older(shop, 31)
        # When it is deleted and added at the same moment
        await asyncio.gather(
            clean_media(shop.kernel), add(shop, picture(size=(10, 10))), clean_media(shop.kernel)
        )
        # Then it is shown, and its files are there
        assert len(await shop.kernel.db.fetch("select from catalog_product_media")) == 1
        assert len(files(shop)) >= 1
        [row] = await shop.kernel.db.fetch("select content_hash, unused_since from catalog_media_file")
        assert row["unused_since"] is None
        assert {name[:64] for name in files(shop)} == {row["content_hash"]}


async def test_the_last_two_products_that_let_a_picture_go_note_it(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "beta"})
    for _ in range(5):
        one = (await add(shop, picture(size=(10, 10))))["product"]["media"][0]
        other = await product_id(shop, "beta")
        two = (await add(shop, picture(size=(10, 10)), product=other))["product"]["media"][0]
        await asyncio.gather(remove(shop, one["id"]), remove(shop, two["id"]))
        unused = "select count(*) from catalog_media_file where unused_since is not null"
        assert await shop.kernel.db.fetchval(unused) == 1
