"""Importing files that were uploaded: the same files that the command line reads, and the same checks."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from kameng.graphql.uploads import UploadedFile
from kameng_catalog.importing.faults import UnreadableFile
from kameng_catalog.importing.rows import Columns
from kameng_catalog.importing.sheets import read_sheet

from .conftest import PLAIN, Shop, as_csv
from .test_admin import change, clerk

CARDS = "sku,secret\nA-1,abc\nA-1,def\n"
PRODUCTS = "applied created faultCount faults { line reason }"


Upload = Callable[..., UploadedFile]


@pytest.fixture
def uploaded() -> Iterator[Upload]:
    """Makes files as they stand in a request's variables, until the test ends."""
    with ExitStack() as stack:

        def make(content: bytes, name: str = "file.csv") -> UploadedFile:
            file = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))
            file.write(content)
            hexadecimal = sha256(content).hexdigest()
            return UploadedFile(file, name=name, media_type="text/csv", size=len(content), sha256=hexadecimal)

        yield make


def as_workbook(text: str) -> bytes:
    book, saved = openpyxl.Workbook(), io.BytesIO()
    for line in text.splitlines():
        book.active.append(line.split(","))
    book.save(saved)
    return saved.getvalue()


@pytest.mark.parametrize(
    "content",
    [as_csv([PLAIN]).encode(), as_csv([PLAIN]).encode("gb18030"), as_workbook(as_csv([PLAIN]))],
    ids=["utf-8", "gb18030", "xlsx"],
)
async def test_an_uploaded_product_file_is_imported(shop: Shop, uploaded: Upload, content: bytes) -> None:
    payload = await change(
        shop, "importProducts", PRODUCTS, {"file": uploaded(content)}, clerk("manage_products")
    )

    assert payload == {"applied": True, "created": 1, "faultCount": 0, "faults": [], "errors": []}
    assert await shop.kernel.db.fetchval("select titles ->> 'zh-CN' from catalog_product") == "阿尔法"


async def test_an_uploaded_card_file_is_imported_under_its_name(shop: Shop, uploaded: Upload) -> None:
    await shop.stocked(cards=0)

    payload = await change(
        shop,
        "importCards",
        "applied cards batch { fileName cardCount }",
        {"file": uploaded(as_workbook(CARDS), "十一月.xlsx")},
        clerk("import_stock"),
    )

    assert payload["applied"] is True
    assert payload["batch"] == {"fileName": "十一月.xlsx", "cardCount": 2}


@pytest.mark.parametrize("both", [True, False])
async def test_an_import_takes_one_file(shop: Shop, uploaded: Upload, both: bool) -> None:
    values: dict[str, Any] = {"file": uploaded(b"x"), "content": "x"} if both else {}

    payload = await change(shop, "importCards", "applied", values, clerk("import_stock"))

    assert payload["errors"] == [
        {
            "code": "INVALID_INPUT",
            "path": ["input", "file"],
            "message": "The import takes one file, uploaded or as text.",
        }
    ]


@pytest.mark.parametrize(
    "content", [b"", b"no,such,columns\n", b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
async def test_what_is_no_such_table_is_told(shop: Shop, uploaded: Upload, content: bytes) -> None:
    payload = await change(shop, "importCards", "applied", {"file": uploaded(content)}, clerk("import_stock"))
    assert (payload["applied"], [error["code"] for error in payload["errors"]]) == (False, ["INVALID_INPUT"])


def test_a_workbook_that_unpacks_to_far_more_is_not_read(tmp_path: Path) -> None:
    # Given half a megabyte that unpacks to 400
    path = tmp_path / "bomb.xlsx"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(400):
            part.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000

    with pytest.raises(UnreadableFile, match="400,000,000 bytes when it is unpacked"):
        read_sheet(path.open("rb"), Columns(("sku",), frozenset()))
