"""Fetching a file of a job over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Request, get
from litestar.response import Response, Stream

from kameng.errors import Forbidden, NotFound, Refusal, Unauthenticated
from kameng.http.requests import context_of, read_headers
from kameng.jobs.links import PATH, file_of_link

if TYPE_CHECKING:
    from litestar.types import ControllerRouterHandler

    from kameng.jobs.job import JobFile
    from kameng.kernel import Kernel

_STATUS: dict[type[Refusal], int] = {Unauthenticated: 401, Forbidden: 403, NotFound: 404}
_PRIVATE = {"Cache-Control": "private, no-store"}


def job_handlers(kernel: Kernel) -> list[ControllerRouterHandler]:
    """The route from which files of jobs are fetched; none where no module has jobs."""

    @get(f"{PATH}/{{token:str}}", include_in_schema=False)
    async def fetch_job_file(request: Request[Any, Any, Any], token: str) -> Response[Any]:
        try:
            return await _answer(kernel, request, token)
        except Refusal as refusal:
            status = next((code for kind, code in _STATUS.items() if isinstance(refusal, kind)), 400)
            content = {"title": refusal.code, "status": status, "detail": str(refusal)}
            return Response(
                content, status_code=status, media_type="application/problem+json", headers=_PRIVATE
            )

    return [fetch_job_file] if kernel.jobs.kinds else []


async def _answer(kernel: Kernel, request: Request[Any, Any, Any], token: str) -> Response[Any]:
    context = await context_of(kernel, request.scope, read_headers(request.scope), "admin")
    key = file_of_link(kernel, token, context.principal)
    file = await kernel.jobs.files.find(key)
    job = None if file is None else await kernel.jobs.find(file.job, context.principal)
    if file is None or job is None:
        raise NotFound("The file is not kept any more.", cure="Run the job again.")
    if file.confidential:
        # The entry is there before the first byte leaves.
        async with kernel.db.transaction():
            await kernel.audit.record(
                "kernel.job_file_fetched",
                principal=context.principal,
                subject=f"job:{job.id}",
                details={"file": str(file.id), "role": file.role, "kind": job.kind},
                correlation_id=context.correlation_id,
                address=context.address,
            )

    async def content() -> AsyncIterator[bytes]:
        async for piece in kernel.jobs.files.pieces(file):
            yield piece

    headers = {
        **_PRIVATE,
        "Content-Disposition": disposition(file),
        "Content-Length": str(file.size),
        "Content-Type": _media_type(file),
    }
    return Stream(content(), headers=headers, media_type=_media_type(file))


def disposition(file: JobFile) -> str:
    """A header by which browsers save the file under its name, whatever that holds (RFC 6266)."""
    plain = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in file.name
    )
    return f"attachment; filename=\"{plain.lstrip('.') or 'file'}\"; filename*=UTF-8''{quote(file.name, safe='')}"


def _media_type(file: JobFile) -> str:
    # Uploaded files have the type that their sender declared; none of them is shown by a browser.
    allowed = file.media_type if file.media_type.isascii() and file.media_type.isprintable() else ""
    return allowed or "application/octet-stream"
