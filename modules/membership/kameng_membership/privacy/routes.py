"""Fetching the copy of one's data over HTTP, with the session alone: the address opens nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from litestar import Request, get
from litestar.response import Response

from kameng.auth import PrincipalKind
from kameng.errors import Forbidden, NotFound, Refusal, Unauthenticated
from kameng.http.requests import context_of, read_headers
from kameng_membership.privacy.exporting import fetch_export

if TYPE_CHECKING:
    from kameng.kernel import Kernel

PATH: Final = "/data-exports"
"""Where copies are fetched."""

_STATUS: dict[type[Refusal], int] = {Unauthenticated: 401, Forbidden: 403, NotFound: 404}
_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@get(f"{PATH}/{{export:uuid}}", include_in_schema=False)
async def fetch_data_export(request: Request[Any, Any, Any], export: UUID) -> Response[Any]:
    """A member's copy of his data."""
    kernel: Kernel = request.app.state.kernel
    try:
        context = await context_of(kernel, request.scope, read_headers(request.scope), "shop")
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        content = await fetch_export(kernel, member, export)
        async with kernel.db.transaction():
            await kernel.audit.record(
                "membership.fetch_data_export",
                principal=context.principal,
                subject=f"member:{member}",
                details={"export": str(export)},
                correlation_id=context.correlation_id,
                address=context.address,
            )
    except Refusal as refusal:
        status = next((code for kind, code in _STATUS.items() if isinstance(refusal, kind)), 400)
        problem = {"title": refusal.code, "status": status, "detail": str(refusal)}
        return Response(problem, status_code=status, media_type="application/problem+json", headers=_PRIVATE)
    headers = {**_PRIVATE, "Content-Disposition": 'attachment; filename="my-data.zip"'}
    return Response(content, media_type="application/zip", headers=headers)
