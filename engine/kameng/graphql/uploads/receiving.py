"""From an HTTP request with files to a GraphQL request: who sends it, what it asks, where its files belong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from litestar.types import HTTPScope, Receive

from kameng.errors import Refusal, Unauthenticated, UnavailableError
from kameng.graphql.compiled import Invalid
from kameng.graphql.refusals import BatchRefused
from kameng.graphql.uploads.placing import check_types, put, read_places
from kameng.graphql.uploads.reading import MAX_MAP, MULTIPART, Parts, UploadLimits
from kameng.graphql.uploads.refusals import PreflightMissing, UploadMalformed, UploadTooLarge
from kameng.graphql.wire import MAX_BODY, GraphQLRequest, read_object
from kameng.http.requests import context_of
from kameng.settings import GraphQLSettings

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

PREFLIGHT = "kameng-preflight"
"""A header that a page of another site cannot send without asking first; a GET and a request with files need it."""

AT_ONCE = 16
"""Requests with files that a process reads at the same time: together they bound the room that it takes on the disk."""


IMPORTS_AT_ONCE = 2
"""Of these, those with files of imports."""


def upload_limits(kernel: Kernel, schema: Literal["shop", "admin"]) -> UploadLimits:
    """What clients of a schema may send."""
    settings = kernel.settings.section("graphql", GraphQLSettings)
    return UploadLimits(
        files=settings.upload_max_files,
        file_bytes=settings.upload_max_bytes,
        total_bytes=settings.upload_total_bytes,
        # Only the staff imports.
        import_bytes=settings.upload_import_bytes if schema == "admin" else 0,
        types=frozenset(settings.upload_types),
        operations_bytes=MAX_BODY,
    )


class Turns:
    """Bounds how many requests with files, and of imports, a process receives at the same time."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def of(self, what: Literal["files", "imports"]) -> Iterator[None]:
        """One more, for as long as the block lasts.

        Raises:
            UnavailableError: there are too many.
        """
        if self._under_way[what] >= (AT_ONCE if what == "files" else IMPORTS_AT_ONCE):
            raise UnavailableError("Too many files are being received.", cure="Send it again in a moment.")
        self._under_way[what] += 1
        try:
            yield
        finally:
            self._under_way[what] -= 1


class Uploads:
    """Receives the requests with files of one schema.

    Args:
        kernel: a running kernel.
        schema: ``shop`` or ``admin``.
    """

    def __init__(self, kernel: Kernel, schema: Literal["shop", "admin"]) -> None:
        self._kernel = kernel
        self._schema: Literal["shop", "admin"] = schema
        self._turns = Turns()
        self._limits = upload_limits(kernel, schema)

    async def read(
        self, scope: HTTPScope, headers: Mapping[str, str], receive: Receive, files: ExitStack
    ) -> GraphQLRequest:
        """The request, with its files in its variables.

        Args:
            scope, receive: ASGI's.
            headers: as `kameng.http.requests.read_headers` gave them.
            files: what closes the files when the request is over.

        Raises:
            Refusal: it breaks a rule or a limit; all have a code and a cure of their own.
            UnavailableError: too many requests with files are under way.
        """
        files.enter_context(self._turns.of("files"))
        parts = Parts(receive, headers["content-type"], self._limits, files)
        try:
            return await self._read(scope, headers, parts, files)
        except Refusal:
            await parts.pass_over()
            raise

    async def _read(
        self, scope: HTTPScope, headers: Mapping[str, str], parts: Parts, files: ExitStack
    ) -> GraphQLRequest:
        if not headers.get(PREFLIGHT):
            raise PreflightMissing(
                "A request with files needs the header Kameng-Preflight, so that no other site can send it.",
                cure="Send the header with any value.",
            )
        self._check_length(headers)
        if headers["content-type"].partition(";")[0].strip().lower() != MULTIPART:
            raise UploadMalformed(
                f"Files come as {MULTIPART}.", cure="Follow the multipart request specification."
            )
        context = await context_of(self._kernel, scope, headers, self._schema)
        if context.principal.id is None:
            raise Unauthenticated("Files are taken from those who are logged in.", cure="Log in first.")
        request = _request(await parts.text("operations", MAX_BODY))
        variables: dict[str, Any] = request.variables or {}
        places = read_places(await parts.text("map", MAX_MAP), variables, self._limits.files)
        imports = await self._checked(request, context, places)
        if imports is None:
            await parts.pass_over()
            return request  # whose document will be told to be wrong
        if imports:
            files.enter_context(self._turns.of("imports"))
        async for key, file in parts.files(places, imports):
            for place in places[key]:
                put(variables, place, file)
        return request

    def _check_length(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "")
        # Which of them are imports is told by the body.
        most = self._limits.total_bytes + self._limits.import_bytes
        if length.isdigit() and int(length) > most + 2 * MAX_BODY:
            raise UploadTooLarge(
                f"The request has {int(length):,} bytes; {most:,} are taken.",
                cure="Send fewer or smaller files.",
            )

    async def _checked(
        self, request: GraphQLRequest, context: Context, places: Mapping[str, Any]
    ) -> frozenset[str] | None:
        """The keys of files of imports; None if the document is wrong."""
        prepared = await self._kernel.admission[self._schema].prepare(request, context)
        if isinstance(prepared, Invalid):
            return None
        definitions = {node.variable.name.value: node for node in prepared.node.variable_definitions or ()}
        return check_types(places, definitions, self._kernel.schemas[self._schema]._schema)


def _request(parts: Any) -> GraphQLRequest:
    if isinstance(parts, list):
        raise BatchRefused("A batch brings no files.", cure="Send each operation with files by itself.")
    return read_object(parts)
