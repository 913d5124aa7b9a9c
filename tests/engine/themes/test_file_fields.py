"""Forms that bring files."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry

from kameng.graphql import Info, mutation, payload
from kameng.graphql.uploads import IMPORTED, UploadedFile
from kameng.module import Module, SchemaPart
from kameng.settings import Settings
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme
from tests.engine.themes.conftest import ORIGIN, Browser, OpenShop, action_of, hidden_fields

KEPT: list[tuple[str | None, list[tuple[str, str, int, str]]]] = []


@strawberry.input
class KeepInput:
    """Files, and what is said of them."""

    file: UploadedFile | None = None
    others: list[UploadedFile] | None = None
    table: UploadedFile | None = strawberry.field(default=None, metadata=IMPORTED)
    note: str | None = None


@payload()
class KeepPayload:
    """Whether they were kept."""

    ok: bool = False


@strawberry.type
class Keeping:
    """Roots."""

    @mutation(idempotency="own")
    async def keep(self, info: Info, input: KeepInput) -> KeepPayload:  # noqa: A002
        """Keep files."""
        found = []
        for file in filter(None, (input.file, input.table, *(input.others or ()))):
            with file.open() as opened:
                found.append((file.name, file.media_type, file.size, sha256(opened.read()).hexdigest()))
        KEPT.append((input.note, found))
        return KeepPayload(ok=True)


KEEPER = Module(
    name="keeper",
    version="0.1.0",
    requires={"shop": ">=0.1"},
    shop=SchemaPart(mutation=Keeping),
    admin=SchemaPart(mutation=Keeping),
)

PAGE = """{% extends "layout.html" %}{% import "forms.html" as forms %}{% block main %}{% set keep = form("keep") %}
<form method="post" action="{{ keep.url }}" enctype="multipart/form-data">
{{ keep.fields }}{{ forms.summary(keep) }}
{{ forms.input(keep, "input.note", "Note") }}
{{ forms.file(keep, "input.file", "File", accept=".csv") }}
<input type="file" name="input.others" multiple>
</form>{% endblock %}"""
MUTATION = (
    "mutation Keep($input: KeepInput!) { keep(input: $input) { ok errors { code path message cure } } }"
)


@pytest.fixture
def keeper(open_shop: OpenShop, tmp_path: Path) -> Browser:
    """A shop with a page that takes files, whose limits are 1,000 bytes of a file and 1,500 of all together."""
    KEPT.clear()
    write_theme(
        tmp_path,
        "keeping",
        {
            "parent": "shop",
            "pages": {"keep": {"path": "/keep", "template": "templates/keep.html"}},
            "forms": {"keep": {"document": "queries/keep.graphql", "success": "/"}},
        },
        {"templates/keep.html": PAGE, "queries/keep.graphql": MUTATION},
    )
    themes = {"folders": [str(shop.FIXTURES), str(tmp_path)], "storefront": "keeping", "admin": ""}
    limits = {"upload_max_bytes": 1000, "upload_total_bytes": 1500, "upload_max_files": 2}
    browser = open_shop(
        shop.kernel(KEEPER, config=Settings({"themes": themes, "graphql": limits}, root=shop.FIXTURES))
    )
    browser.log_in()
    return browser


CSV = b"sku,name\n1,plum\n"


async def send(
    browser: Browser, files: list[tuple[str, Any]], fields: dict[str, str] | None = None, **headers: str
) -> httpx.Response:
    """Open the page, choose files, and send the form as a browser does: fields first, where the page has them first."""
    text = (await browser.get("/keep")).text
    data = {**hidden_fields(text), **({"input.note": ""} if fields is None else fields)}
    return await browser.http.post(
        action_of(text), data=data, files=files, headers={"origin": ORIGIN, **headers}
    )


async def test_a_chosen_file_fills_the_variable_with_what_was_typed_beside_it(keeper: Browser) -> None:
    answer = await send(
        keeper, [("input.file", ("C:\\list.csv", CSV, "text/csv"))], {"input.note": "spring\r\nlist"}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    note, files = KEPT[0]
    assert note == "spring\nlist"
    assert files == [("list.csv", "text/csv", 16, sha256(CSV).hexdigest())]


async def test_a_field_of_several_files_fills_a_list(keeper: Browser) -> None:
    await send(keeper, [("input.others", (name, CSV, "text/csv")) for name in ("a.csv", "b.csv")])

    assert [name for name, *_ in KEPT[0][1]] == ["a.csv", "b.csv"]


async def test_a_field_without_a_chosen_file_is_empty(keeper: Browser) -> None:
    answer = await send(keeper, [("input.file", ("", b"", "application/octet-stream"))], {"input.note": "x"})

    assert answer.status_code == 303
    assert KEPT == [("x", [])]


async def test_a_csv_is_one_whatever_the_browser_takes_it_for(keeper: Browser) -> None:
    await send(keeper, [("input.file", ("list.CSV", CSV, "application/vnd.ms-excel"))])

    assert KEPT[0][1][0][:2] == ("list.CSV", "text/csv")


async def test_a_file_that_is_too_large_is_told_at_its_field_and_the_rest_is_kept(keeper: Browser) -> None:
    answer = await send(
        keeper, [("input.file", ("big.csv", b"x" * 1001, "text/csv"))], {"input.note": "spring list"}
    )

    assert answer.status_code == 422
    assert '<p class="field-error" id="field-input-file-error">big.csv may have 1,000 bytes' in answer.text
    assert 'aria-invalid="true" aria-describedby="field-input-file-error"' in answer.text
    assert 'value="spring list"' in answer.text
    assert "Choose the file again." in answer.text
    assert KEPT == []


async def test_all_files_together_have_a_limit_told_at_the_one_too_many(keeper: Browser) -> None:
    files = [("input.file", ("a.csv", b"x" * 800, "text/csv"))]
    answer = await send(keeper, [*files, ("input.others", ("b.csv", b"x" * 701, "text/csv"))])

    assert answer.status_code == 422
    assert "All files together may have 1,500 bytes; there are more." in answer.text
    assert KEPT == []


async def test_a_body_beyond_every_limit_ends_at_the_files_field(keeper: Browser) -> None:
    answer = await send(keeper, [("input.file", ("huge.csv", b"x" * 1_200_000, "text/csv"))])

    assert answer.status_code == 422
    assert 'id="field-input-file-error">The request has more than 1,087,036 bytes.' in answer.text


async def test_more_files_than_are_taken_are_told(keeper: Browser) -> None:
    files = [("input.others", (f"{number}.csv", CSV, "text/csv")) for number in range(3)]

    answer = await send(keeper, files)

    assert (answer.status_code, KEPT) == (422, [])
    assert "2 files are taken at once." in answer.text


async def test_a_program_that_calls_itself_a_table_is_told_in_the_visitors_language(keeper: Browser) -> None:
    answer = await send(
        keeper,
        [("input.file", ("list.csv", b"MZ\0\0", "text/csv"))],
        **{"accept-language": "zh-CN"},
    )

    assert answer.status_code == 422
    assert "不接受这种文件，请换一种格式。" in answer.text


async def test_a_file_where_none_belongs_is_passed_over(keeper: Browser) -> None:
    answer = await send(keeper, [("input.note", ("note.csv", CSV, "text/csv"))], {})

    assert answer.status_code == 303
    assert KEPT == [(None, [])]


async def test_a_visitor_who_sends_a_file_is_asked_to_log_in(keeper: Browser) -> None:
    keeper.http.cookies.delete("who")

    answer = await send(keeper, [("input.file", ("list.csv", CSV, "text/csv"))])

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fkeep")
    assert KEPT == []


async def test_a_form_of_another_page_brings_no_file(keeper: Browser) -> None:
    text = (await keeper.get("/keep")).text
    files = [("input.file", ("list.csv", CSV, "text/csv"))]

    without_token = await keeper.http.post(action_of(text), files=files, headers={"origin": ORIGIN})
    elsewhere = await send(keeper, files, origin="https://evil.test")

    assert (without_token.status_code, elsewhere.status_code) == (403, 403)
    assert KEPT == []
