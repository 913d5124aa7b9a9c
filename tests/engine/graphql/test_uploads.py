"""Files by the GraphQL multipart request specification: how they arrive, and what attackers try with them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kameng.auth import PrincipalKind
from kameng.ids import new_id
from tests.engine.graphql.conftest import MakeSite, Site
from tests.engine.graphql.sample import SEEN

ONE = "mutation($file: Upload!) { keepFile(file: $file) { names hashes } }"
SEVERAL = "mutation($input: KeepFilesInput!) { keepFiles(input: $input) { names hashes } }"
CSV = ("cards.csv", b"sku,secret\nA,1\n", "text/csv")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Part = tuple[str | None, bytes, str | None]


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def a_zip() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("a", "b")
    return kept.getvalue()


class Client:
    """Somebody who is logged in and sends files."""

    def __init__(self, site: Site, token: str) -> None:
        self.site = site
        self.headers = {"authorization": f"Bearer {token}", "kameng-preflight": "1"}

    async def send(
        self,
        operations: Any,
        places: Any,
        files: Iterable[tuple[str, Part]] = (),
        *,
        headers: dict[str, str] | None = None,
        schema: str = "shop",
    ) -> httpx.Response:
        """A request of these parts in this order; what is no text goes as JSON."""
        parts: list[tuple[str, Any]] = [
            (name, (None, value if isinstance(value, (str, bytes)) else json.dumps(value)))
            for name, value in (("operations", operations), ("map", places))
            if value is not None
        ]
        parts += files
        return await self.site.http.post(
            f"/graphql/{schema}", files=parts, headers=self.headers if headers is None else headers
        )

    async def one(self, part: Part = CSV, **more: Any) -> httpx.Response:
        operations = {"query": ONE, "variables": {"file": None}}
        return await self.send(operations, {"0": ["variables.file"]}, [("0", part)], **more)


async def logged_in(site: Site) -> Client:
    session = await site.kernel.auth.sessions.open(PrincipalKind.MEMBER, new_id())
    return Client(site, session.token)


@pytest_asyncio.fixture(loop_scope="session")
async def client(site: Site) -> Client:
    return await logged_in(site)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of the only error, which has a cure, of a request of which nothing ran."""
    body = answer.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"]["cure"]
    assert SEEN.added == 0
    return answer.status_code, error["extensions"]["code"]


# How they arrive


async def test_a_file_reaches_the_mutation(client: Client) -> None:
    answer = await client.one()

    assert answer.json()["data"]["keepFile"] == {"names": ["cards.csv"], "hashes": [digest(CSV[1])]}
    (file,) = SEEN.files
    assert (file.media_type, file.size, file.sha256) == ("text/csv", len(CSV[1]), digest(CSV[1]))


async def test_files_reach_lists_and_input_objects(client: Client) -> None:
    operations = {
        "query": SEVERAL,
        "variables": {"input": {"files": [None, None], "cover": None, "note": "x"}},
    }
    places = {
        "a": ["variables.input.files.1"],
        "b": ["variables.input.files.0"],
        "c": ["variables.input.cover"],
    }
    files = [
        ("a", ("a.txt", b"a", "text/plain")),
        ("b", ("b.txt", b"b", "text/plain")),
        ("c", ("c.png", PNG, "image/png")),
    ]

    answer = await client.send(operations, places, files)

    assert answer.json()["data"]["keepFiles"] == {
        "names": ["b.txt", "a.txt", "c.png"],
        "hashes": [digest(b"b"), digest(b"a"), digest(PNG)],
    }


async def test_one_file_can_have_two_places(client: Client) -> None:
    operations = {"query": SEVERAL, "variables": {"input": {"files": [None], "cover": None}}}

    answer = await client.send(
        operations, {"0": ["variables.input.files.0", "variables.input.cover"]}, [("0", CSV)]
    )

    assert answer.json()["data"]["keepFiles"]["hashes"] == [digest(CSV[1])] * 2


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 65_536, 262_144, 1_000_003])
async def test_a_file_of_any_size_arrives_as_it_was(client: Client, size: int) -> None:
    content = (b"0123456789,\r\n--abc\r\n" * (size // 20 + 1))[:size]

    answer = await client.one(("x.csv", content, "text/csv"))

    assert answer.json()["data"]["keepFile"]["hashes"] == [digest(content)]


async def test_an_operation_without_files_may_come_this_way(client: Client) -> None:
    answer = await client.send({"query": "{ engineVersion }"}, {})
    assert answer.json()["data"] == {"engineVersion": "0.1.0"}


async def test_a_name_never_leads_anywhere(client: Client) -> None:
    body = WHOLE.replace(b'filename="x.csv"', b'filename="../../etc\\\\pass\x07wd.csv"')
    assert (await raw(client, body)).json()["data"]["keepFile"]["names"] == ["passwd.csv"]


async def test_the_file_is_gone_when_the_request_is_over(client: Client) -> None:
    await client.one()

    (file,) = SEEN.files
    with pytest.raises(ValueError, match="closed file"):
        file.open()


async def test_a_key_stands_for_the_content_of_the_file(client: Client) -> None:
    headers = {**client.headers, "idempotency-key": "k"}

    first = await client.one(headers=headers)
    again = await client.one(headers=headers)
    other = await client.one(("cards.csv", b"sku,secret\nA,2\n", "text/csv"), headers=headers)

    assert first.json()["data"] == again.json()["data"]
    assert SEEN.added == 1
    assert other.json()["data"]["keepFile"]["names"] == []


# What it takes to send one


async def test_another_sites_page_cannot_send_files(client: Client) -> None:
    answer = await client.one(headers={"authorization": client.headers["authorization"]})
    assert code(answer) == (403, "PREFLIGHT_MISSING")


async def test_visitors_bring_no_files(client: Client) -> None:
    assert code(await client.one(headers={"kameng-preflight": "1"})) == (401, "UNAUTHENTICATED")


async def test_other_multipart_types_are_refused(client: Client) -> None:
    answer = await client.site.http.post(
        "/graphql/shop",
        content=b"x",
        headers={**client.headers, "content-type": "multipart/mixed; boundary=x"},
    )
    assert code(answer) == (400, "UPLOAD_MALFORMED")


# Places


@pytest.mark.parametrize(
    "places",
    [
        {"0": ["variables.nothing"]},
        {"0": ["variables.file.deeper"]},
        {"0": ["variables.file.0"]},
        {"0": ["variables"]},
        {"0": ["variables."]},
        {"0": [""]},
        {"0": ["query"]},
        {"0": ["file"]},
        {"0": ["0.variables.file"]},
        {"0": ["variables.__class__"]},
        {"0": ["variables.file", "variables.file"]},
        {"0": ["variables.file"], "1": ["variables.file"]},
        {"0": ["variables." + "file." * 100]},
        {"0": []},
        {"0": "variables.file"},
        {"0": [7]},
        {"0": None},
        [],
        None,
        "null",
        "{",
        '"\ud800"'.encode("utf-8", "surrogatepass"),
    ],
)
async def test_a_map_that_leads_nowhere_is_refused(client: Client, places: Any) -> None:
    operations = {"query": ONE, "variables": {"file": None}}
    assert code(await client.send(operations, places, [("0", CSV)])) == (400, "UPLOAD_MALFORMED")


@pytest.mark.parametrize(
    ("query", "variables", "path"),
    [
        # There is a value already
        (ONE, {"file": "x"}, "variables.file"),
        (SEVERAL, {"input": {"files": []}}, "variables.input.files"),
        # Indices that are none
        (SEVERAL, {"input": {"files": [None]}}, "variables.input.files.1"),
        (SEVERAL, {"input": {"files": [None]}}, "variables.input.files.-1"),
        (SEVERAL, {"input": {"files": [None]}}, "variables.input.files.٠"),
        (SEVERAL, {"input": {"files": [None]}}, "variables.input.files.length"),
        # The schema takes no file there
        (SEVERAL, {"input": {"files": [], "note": None}}, "variables.input.note"),
        (SEVERAL, {"input": {"files": None}}, "variables.input.files"),
        (SEVERAL, {"input": {"files": [], "unknown": None}}, "variables.input.unknown"),
        (SEVERAL, {"input": None}, "variables.input"),
        ("mutation($t: String!) { addThing(title: $t) { number } }", {"t": None}, "variables.t"),
        (ONE, {"file": None, "extra": None}, "variables.extra"),
    ],
)
async def test_a_place_that_takes_no_file_is_refused(
    client: Client, query: str, variables: dict[str, Any], path: str
) -> None:
    answer = await client.send({"query": query, "variables": variables}, {"0": [path]}, [("0", CSV)])
    assert code(answer) == (400, "UPLOAD_MALFORMED")


@pytest.mark.parametrize("files", [[], [("1", CSV)], [("0", CSV), ("0", CSV)], [("0", CSV), ("1", CSV)]])
async def test_files_and_map_must_agree(client: Client, files: list[tuple[str, Part]]) -> None:
    operations = {"query": ONE, "variables": {"file": None}}
    answer = await client.send(operations, {"0": ["variables.file"]}, files)
    assert code(answer) == (400, "UPLOAD_MALFORMED")


async def test_files_before_the_operation_are_refused(client: Client) -> None:
    operations = json.dumps({"query": ONE, "variables": {"file": None}})
    for parts in (
        [("0", CSV), ("operations", (None, operations)), ("map", (None, '{"0": ["variables.file"]}'))],
        [("map", (None, '{"0": ["variables.file"]}')), ("operations", (None, operations)), ("0", CSV)],
        [("operations", (None, operations)), ("0", CSV)],
    ):
        answer = await client.site.http.post("/graphql/shop", files=parts, headers=client.headers)
        assert code(answer) == (400, "UPLOAD_MALFORMED")


async def test_a_part_without_a_file_name_is_no_file(client: Client) -> None:
    answer = await client.one((None, b"x", "text/csv"))
    assert code(answer) == (400, "UPLOAD_MALFORMED")


async def test_a_batch_brings_no_files(client: Client) -> None:
    operations = [{"query": ONE, "variables": {"file": None}}] * 2
    answer = await client.send(operations, {"0": ["0.variables.file"]}, [("0", CSV)])
    assert code(answer) == (200, "BATCH_REFUSED")


@pytest.mark.parametrize("operations", [None, "", "{", "7", {"query": 7}, {"variables": {}}])
async def test_operations_that_are_none_are_refused(client: Client, operations: Any) -> None:
    answer = await client.send(operations, {"0": ["variables.file"]}, [("0", CSV)])
    assert answer.status_code == 400
    assert code(answer)[1] in ("UPLOAD_MALFORMED", "REQUEST_UNREADABLE")


async def test_a_wrong_document_is_told_as_without_files(client: Client) -> None:
    operations = {"query": "mutation($file: Upload!) { nope(file: $file) }", "variables": {"file": None}}
    answer = await client.send(operations, {"0": ["variables.file"]}, [("0", CSV)])
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_INVALID"
    assert SEEN.files == []


async def test_a_file_comes_in_no_other_way(client: Client) -> None:
    for query, variables in (
        (ONE, {"file": "text"}),
        (ONE, {"file": {"name": "x"}}),
        ('mutation { keepFile(file: "text") { names } }', None),
        ("mutation { keepFile(file: {}) { names } }", None),
    ):
        answer = await client.site.post(query, variables)
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_INVALID"
    assert SEEN.added == 0


# Limits


async def test_a_file_may_have_so_many_bytes_and_not_one_more(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_max_bytes=1000))

    assert code(await client.one(("x.csv", b"x" * 1001, "text/csv"))) == (413, "UPLOAD_TOO_LARGE")
    assert "data" in (await client.one(("x.csv", b"x" * 1000, "text/csv"))).json()


async def test_all_files_together_may_have_so_many_bytes(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_max_bytes=1000, upload_total_bytes=1500))
    operations = {"query": SEVERAL, "variables": {"input": {"files": [None, None]}}}
    places = {"0": ["variables.input.files.0"], "1": ["variables.input.files.1"]}

    def files(second: int) -> list[tuple[str, Part]]:
        return [(key, ("x.csv", b"x" * size, "text/csv")) for key, size in (("0", 1000), ("1", second))]

    assert code(await client.send(operations, places, files(501))) == (413, "UPLOAD_TOO_LARGE")
    assert "data" in (await client.send(operations, places, files(500))).json()


async def test_a_file_of_an_import_may_be_larger_in_the_back_office(make_site: MakeSite) -> None:
    # Given a site that takes 1,000 bytes of a file, and 300,000 of one that a job imports
    site = await make_site(upload_max_bytes=1000, upload_total_bytes=1000, upload_import_bytes=300_000)
    session = await site.kernel.auth.sessions.open(PrincipalKind.STAFF, new_id())
    client = Client(site, session.token)
    operations: Any = {"query": SEVERAL, "variables": {"input": {"files": [None], "table": None}}}
    places = {"0": ["variables.input.files.0"], "1": ["variables.input.table"]}

    async def send(file: int, table: int, schema: str = "admin", where: Any = places) -> httpx.Response:
        parts = [(key, ("x.csv", b"x" * size, "text/csv")) for key, size in (("0", file), ("1", table))]
        return await client.send(operations, where, parts, schema=schema)

    # Then each has its own limit, and one does not use up that of the other
    assert code(await send(1000, 300_001)) == (413, "UPLOAD_TOO_LARGE")
    assert code(await send(1001, 300_000)) == (413, "UPLOAD_TOO_LARGE")
    # and neither the shop takes more than it does, nor a place that is none of an import
    assert code(await send(1, 1001, "shop")) == (413, "UPLOAD_TOO_LARGE")
    both = {"0": ["variables.input.files.0"], "1": ["variables.input.table", "variables.input.cover"]}
    operations["variables"]["input"]["cover"] = None
    assert code(await send(1, 1001, where=both)) == (413, "UPLOAD_TOO_LARGE")
    answer = (await send(1000, 300_000)).json()
    assert answer["data"]["keepFiles"]["hashes"] == [digest(b"x" * 1000), digest(b"x" * 300_000)]


async def test_few_imports_are_received_at_the_same_time(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await make_site()
    session = await site.kernel.auth.sessions.open(PrincipalKind.STAFF, new_id())
    client = Client(site, session.token)
    monkeypatch.setattr("kameng.graphql.uploads.receiving.IMPORTS_AT_ONCE", 0)
    operations: Any = {"query": SEVERAL, "variables": {"input": {"files": [None], "table": None}}}
    places = {"0": ["variables.input.files.0"], "1": ["variables.input.table"]}

    answer = await client.send(operations, places, [("0", CSV), ("1", CSV)], schema="admin")
    assert code(answer) == (503, "UNAVAILABLE")
    del operations["variables"]["input"]["table"], places["1"]
    assert "data" in (await client.send(operations, places, [("0", CSV)], schema="admin")).json()


async def test_a_request_may_bring_so_many_files(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_max_files=2))
    operations = {"query": SEVERAL, "variables": {"input": {"files": [None] * 3}}}
    places = {str(n): [f"variables.input.files.{n}"] for n in range(3)}
    files = [(str(n), CSV) for n in range(3)]

    assert code(await client.send(operations, places, files)) == (413, "UPLOAD_TOO_MANY")


async def test_one_file_in_too_many_places_counts_as_many(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_max_files=2))
    operations = {"query": SEVERAL, "variables": {"input": {"files": [None] * 3}}}

    answer = await client.send(
        operations, {"0": [f"variables.input.files.{n}" for n in range(3)]}, [("0", CSV)]
    )

    assert code(answer) == (413, "UPLOAD_TOO_MANY")


async def test_a_deployment_can_take_no_files_at_all(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_max_files=0))
    assert code(await client.one()) == (413, "UPLOAD_TOO_MANY")


async def test_an_announced_length_is_refused_before_anything_is_read(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_total_bytes=1000))
    answer = await client.site.http.post(
        "/graphql/shop",
        content=b"--x--",
        headers={
            **client.headers,
            "content-type": "multipart/form-data; boundary=x",
            "content-length": "9999999999",
        },
    )
    assert code(answer) == (413, "UPLOAD_TOO_LARGE")


async def test_operations_and_map_are_bounded_too(client: Client) -> None:
    large = {"query": "{ engineVersion }" + " " * 1_000_000}
    assert code(await client.send(large, {})) == (413, "UPLOAD_TOO_LARGE")
    places = {"0": ["variables." + "x" * 30_000]}
    operations = {"query": ONE, "variables": {"file": None}}
    assert code(await client.send(operations, places)) == (413, "UPLOAD_TOO_LARGE")


# Types


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("text/csv", b"\x89PNG\r\n\x1a\n" + bytes(10)),
        ("text/csv", a_zip()),
        ("text/csv", b"%PDF-1.7 ..."),
        ("text/csv", b"\x7fELF\x02\x01\x01\0"),
        ("text/plain", b"MZ\x90\0\x03\0\0\0"),
        ("text/plain", b"binary\0text"),
        ("image/png", b"<svg onload='alert(1)'/>"),
        ("image/png", b"\xff\xd8\xff\xe0" + bytes(20)),
        ("image/jpeg", PNG),
        ("image/webp", b"RIFF\0\0\0\0WAVE"),
        ("image/png", b""),
        (XLSX, b"sku,secret\n"),
        (XLSX, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(10)),
        # Types that are not taken
        ("image/svg+xml", b"<svg/>"),
        ("text/html", b"<script>"),
        ("application/octet-stream", b"x"),
        ("application/zip", a_zip()),
        ("", b"x"),
    ],
)
async def test_what_is_not_what_it_says_is_refused(client: Client, declared: str, content: bytes) -> None:
    headers = {"Content-Type": declared} if declared else {"X": "y"}
    part: Any = ("x", content, None, headers)
    assert code(await client.one(part)) == (415, "UPLOAD_TYPE_REFUSED")


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("text/csv", "名称,密码\n".encode()),
        ("text/csv", "名称,密码\n".encode("gb18030")),
        ("text/csv", "a,b\n".encode("utf-16")),
        ("text/csv", b""),
        ("text/csv; charset=gb18030", b"a"),
        ("TEXT/CSV", b"a"),
        ("text/plain", b"MZ is how this letter begins"),
        ("image/png", PNG),
        ("image/jpeg", b"\xff\xd8\xff\xe0" + bytes(20)),
        ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        (XLSX, a_zip()),
    ],
)
async def test_what_is_what_it_says_is_taken(client: Client, declared: str, content: bytes) -> None:
    answer = await client.one(("x", content, declared))
    assert answer.json()["data"]["keepFile"]["hashes"] == [digest(content)]


async def test_the_operator_chooses_the_types(make_site: MakeSite) -> None:
    client = await logged_in(await make_site(upload_types=["application/x-own"]))

    assert code(await client.one()) == (415, "UPLOAD_TYPE_REFUSED")
    assert code(await client.one(("x", PNG, "application/x-own"))) == (415, "UPLOAD_TYPE_REFUSED")
    assert "data" in (await client.one(("x", b"own\0", "application/x-own"))).json()


# Bodies

HEAD = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
WHOLE = (
    HEAD % (b"operations", json.dumps({"query": ONE, "variables": {"file": None}}).encode())
    + HEAD % (b"map", b'{"0": ["variables.file"]}')
    + b'--b\r\nContent-Disposition: form-data; name="0"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\na,b\n\r\n--b--\r\n'
)


async def raw(client: Client, body: bytes | AsyncIterator[bytes], boundary: str = "b") -> httpx.Response:
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    return await client.site.http.post(
        "/graphql/shop", content=body, headers={**client.headers, "content-type": kind}
    )


@pytest.mark.parametrize("cut", [0, 1, 20, 60, 150, 230, 300, len(WHOLE) - 10, len(WHOLE) - 5])
async def test_a_body_that_is_cut_short_is_refused(client: Client, cut: int) -> None:
    assert code(await raw(client, WHOLE[:cut])) == (400, "UPLOAD_MALFORMED")


@pytest.mark.parametrize("step", [1, 2, 7, 64])
async def test_a_body_may_come_in_pieces_of_any_length(client: Client, step: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(WHOLE), step):
            yield WHOLE[start : start + step]

    answer = await raw(client, pieces())
    assert answer.json()["data"]["keepFile"]["hashes"] == [digest(b"a,b\n")]


@pytest.mark.parametrize("boundary", ["", "x" * 71, "other"])
async def test_a_boundary_that_is_none_is_refused(client: Client, boundary: str) -> None:
    assert code(await raw(client, WHOLE, boundary)) == (400, "UPLOAD_MALFORMED")


@pytest.mark.parametrize(
    "extra", [b"X-A: " + b"y" * 3000, b"\r\n".join(b"X-%d: y" % n for n in range(20)), b"no colon", b"X\0: y"]
)
async def test_headers_of_parts_are_bounded(client: Client, extra: bytes) -> None:
    body = WHOLE.replace(b"Content-Type: text/csv", b"Content-Type: text/csv\r\n" + extra)
    assert code(await raw(client, body)) == (400, "UPLOAD_MALFORMED")


async def test_many_parts_are_refused_at_the_first_that_has_no_place(client: Client) -> None:
    many = b"".join(HEAD % (b"x%d" % n, b"y") for n in range(10_000))
    assert code(await raw(client, WHOLE.replace(b"--b--\r\n", many + b"--b--\r\n"))) == (
        400,
        "UPLOAD_MALFORMED",
    )
