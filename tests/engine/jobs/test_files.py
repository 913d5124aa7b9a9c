"""Files of jobs: sealed, bounded, fetched by a signed link of one's own, gone when they are over."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import unquote

import httpx
import msgspec
import pytest
import pytest_asyncio

from kameng.auth import Principal
from kameng.errors import Forbidden, NotFound
from kameng.graphql.uploads import UploadedFile
from kameng.http.app import create_app
from kameng.jobs import JobFileTooLarge, JobState, JobStoreFull
from kameng.jobs.files import PIECE
from kameng.jobs.links import SECONDS, file_of_link, link_to
from kameng.jobs.pruning import prune_jobs
from kameng.jobs.routes import disposition
from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng.vault import SealBrokenError

from .sample import CLERK, again, clerk, module


async def stored(kernel: Kernel, content: bytes, name: str = "a.csv", **options: Any):
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=1)
    return job, await kernel.jobs.files.store(
        job.id, "output", name, "text/csv", io.BytesIO(content), **options
    )


async def test_a_file_comes_back_as_it_was_and_is_sealed_in_the_database(kernel: Kernel) -> None:
    content = b"secret-number-one," + os.urandom(20 * PIECE) + b"the end"
    _, file = await stored(kernel, content)
    assert file.size == len(content)
    with await kernel.jobs.files.open(file) as opened:
        assert opened.read() == content
    pieces = await kernel.db.fetch("select sealed from kernel_job_piece order by number")
    assert len(pieces) == 21
    assert all(
        b"secret-number-one" not in row["sealed"] and b"the end" not in row["sealed"] for row in pieces
    )


async def test_a_piece_that_was_moved_does_not_open(kernel: Kernel) -> None:
    _, file = await stored(kernel, os.urandom(2 * PIECE))
    await kernel.db.execute("update kernel_job_piece set number = 7 where number = 0")
    await kernel.db.execute("update kernel_job_piece set number = 0 where number = 1")
    with pytest.raises(SealBrokenError):
        await kernel.jobs.files.open(file)


async def test_files_are_bounded_one_by_one_and_together(make_kernel: Kernels) -> None:
    kernel = await make_kernel([module()], jobs={"max_file_bytes": 1000, "max_total_bytes": 2500})
    with pytest.raises(JobFileTooLarge, match="1,000"):
        await stored(kernel, b"x" * 1001)
    for _ in range(2):
        await stored(kernel, b"x" * 1000)
    with pytest.raises(JobStoreFull):
        await stored(kernel, b"x" * 501)
    await stored(kernel, b"x" * 500)


async def test_an_upload_is_read_by_the_worker_and_forgotten_at_the_end(kernel: Kernel) -> None:
    with tempfile.TemporaryFile() as local:
        local.write(b"0123456789")
        upload = UploadedFile(cast("Any", local), name="in.csv", media_type="text/csv", size=10, sha256="")
        job = await kernel.jobs.start("sample.read", principal=CLERK, file=upload)
    file = await kernel.jobs.files.of_role(job.id, "input")
    assert file is not None
    assert (file.name, file.confidential) == ("in.csv", True)

    await drain(kernel)

    done = await again(kernel, job)
    assert done.result is not None
    assert (done.state, done.result.counts) == (JobState.SUCCEEDED, {"bytes": 10, "size": 10})
    assert await kernel.jobs.files.of_role(job.id, "input") is None
    assert await kernel.db.fetchval("select count(*) from kernel_job_piece") == 0


async def test_the_upload_of_a_cancelled_job_is_forgotten_too(kernel: Kernel) -> None:
    job = await kernel.jobs.start("sample.read", principal=CLERK, content=io.BytesIO(b"secrets"))
    await kernel.jobs.cancel(job.id, CLERK)
    assert await kernel.jobs.files.of_role(job.id, "input") is None
    assert await kernel.db.fetchval("select count(*) from kernel_job_piece") == 0


async def test_a_link_is_for_one_principal_and_for_five_minutes(kernel: Kernel) -> None:
    _, file = await stored(kernel, b"x")
    token = link_to(kernel, file, CLERK, now=1_000_000).rpartition("/")[2]
    assert file_of_link(kernel, token, CLERK, now=1_000_000 + SECONDS) == file.id
    with pytest.raises(NotFound, match="over"):
        file_of_link(kernel, token, CLERK, now=1_000_001 + SECONDS)
    with pytest.raises(Forbidden):
        file_of_link(kernel, token, clerk(), now=1_000_000)
    for broken in ("", "x", token[:-2] + "zA", "B" + token[1:], token + "A", "é" * 10):
        with pytest.raises(NotFound):
            file_of_link(kernel, broken, CLERK, now=1_000_000)


async def test_a_file_that_is_over_is_deleted_with_its_key(kernel: Kernel) -> None:
    job, file = await stored(kernel, b"x")
    await drain(kernel)
    file = (await kernel.jobs.files.of_role(job.id, "output")) or file
    await kernel.db.execute("update kernel_job_file set expires_at = now() - interval '1 second'")
    await prune_jobs(kernel)
    assert await kernel.jobs.files.of_role(job.id, "output") is None
    assert await kernel.db.fetchval("select count(*) from kernel_job_piece") == 0
    keys = await kernel.db.fetchval("select count(*) from kernel_data_key where id = $1", file.data_key)
    assert keys == 0
    # The job itself is kept longer.
    assert (await again(kernel, job)).state is JobState.SUCCEEDED
    await kernel.db.execute("update kernel_job set ended_at = now() - interval '91 days'")
    await prune_jobs(kernel)
    assert await kernel.jobs.find(job.id, CLERK) is None


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("十月.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%E5%8D%81%E6%9C%88.csv"),
        ('a"b\r\nSet-Cookie: x=1;.csv', None),
        (
            "../../etc/passwd",
            "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd",
        ),
    ],
)
async def test_a_name_cannot_leave_its_header(kernel: Kernel, name: str, header: str | None) -> None:
    _, file = await stored(kernel, b"x", name)
    made = disposition(file)
    assert header is None or made == header
    assert made.isascii()
    assert made.isprintable()
    assert made.count('"') == 2
    assert unquote(made.rpartition("''")[2]) == name


@pytest_asyncio.fixture(loop_scope="session")
async def web(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the web application, logged in as whom its token names."""
    people = {"clerk": CLERK, "other": clerk("sample.other")}

    async def principal(credentials: Any, **_: Any) -> Principal:
        return people.get(credentials.bearer or "", Principal())

    monkeypatch.setattr(kernel.auth, "principal", principal)
    transport = httpx.ASGITransport(app=create_app(kernel))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}


async def test_a_file_is_fetched_by_whom_the_link_was_made_for(
    kernel: Kernel, web: httpx.AsyncClient
) -> None:
    content = os.urandom(PIECE + 7)
    job, file = await stored(kernel, content, "十月.csv", confidential=True)
    link = link_to(kernel, file, CLERK)

    answer = await web.get(link, headers=as_("clerk"))

    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    entries = (await kernel.audit.page(action="kernel.job_file_fetched")).entries
    assert [(entry.subject, entry.principal_id) for entry in entries] == [(f"job:{job.id}", CLERK.id)]


async def test_a_link_is_of_no_use_to_others(kernel: Kernel, web: httpx.AsyncClient) -> None:
    _, file = await stored(kernel, b"x")
    link = link_to(kernel, file, CLERK)
    assert (await web.get(link)).status_code == 403
    assert (await web.get(link, headers=as_("other"))).status_code == 403
    broken = await web.get(link[:-3] + "AAA", headers=as_("clerk"))
    assert (broken.status_code, broken.json()["title"]) == (404, "NOT_FOUND")
    await kernel.jobs.files.drop([file.id])
    gone = await web.get(link, headers=as_("clerk"))
    assert (gone.status_code, gone.json()["detail"].split(".")[0]) == (404, "The file is not kept any more")


async def test_whoever_lost_the_permission_cannot_fetch(
    kernel: Kernel, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = await stored(kernel, b"x")
    link = link_to(kernel, file, CLERK)
    poor = msgspec.structs.replace(CLERK, permissions=frozenset())

    async def principal(credentials: Any, **_: Any) -> Principal:
        return poor

    monkeypatch.setattr(kernel.auth, "principal", principal)
    assert (await web.get(link, headers=as_("clerk"))).status_code == 404
