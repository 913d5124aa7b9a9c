"""Answering requests for pages: find the page, ask the schema, render."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import structlog
from litestar import Request

from kameng.auth.principal import Principal
from kameng.graphql.context import Context
from kameng.http.observing import CORRELATION
from kameng.themes import answers
from kameng.themes.answers import HttpAnswer, PageFailure
from kameng.themes.asking import Asking, Executes
from kameng.themes.confined import confined
from kameng.themes.csp import new_nonce
from kameng.themes.error_pages import answer_failure
from kameng.themes.fields import MAX_FIELDS
from kameng.themes.fragments import fragments_of
from kameng.themes.locales import COOKIE as LOCALE_COOKIE
from kameng.themes.locales import PARAMETER as LOCALE_PARAMETER
from kameng.themes.locales import negotiate
from kameng.themes.manifest import PageSpec, SchemaName
from kameng.themes.patterns import filled
from kameng.themes.rendering import Rendering
from kameng.themes.schemes import AUTOMATIC, chosen_scheme
from kameng.themes.schemes import COOKIE as SCHEME_COOKIE
from kameng.themes.schemes import PARAMETER as SCHEME_PARAMETER
from kameng.themes.visit import OWN_PARAMETER, PageView, Visit

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.themes.loaded import LoadedTheme

log = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]
MakeContext = Callable[[AnyRequest, SchemaName], Awaitable[Context]]
"""Finds out who asks: ``async (request, schema) -> Context``. The theme engine sets the context's locale."""


class PageServer:
    """Serves the pages of one theme.

    Args:
        theme: the theme.
        kernel: runs its documents.
        make_context: finds out who asks.
    """

    def __init__(self, theme: LoadedTheme, kernel: Kernel, make_context: MakeContext) -> None:
        self.theme = theme
        self.executor: Executes = kernel.graphql[theme.merged.schema]
        self.asking = Asking(theme, self.executor)
        self.fragments = fragments_of(kernel)
        self.trusted = PageServer(theme.trusted, kernel, make_context) if theme.trusted else None
        self._kernel = kernel
        self._make_context = make_context
        self._secure = kernel.settings.public_url.startswith("https:")

    async def get(self, request: AnyRequest) -> HttpAnswer:
        """Answer GET and HEAD."""
        visit = self.begin(request)
        try:
            await self.identify(visit, request)
            return await self._get(visit)
        except Exception as fault:  # the last line of defence: a visitor always gets a page
            return await answer_failure(self, visit, fault)

    async def refuse(self, request: AnyRequest, status: int, message: str) -> HttpAnswer:
        """Answer with an error page.

        Args:
            request: what was asked.
            status: of the answer.
            message: a message id for the visitor.
        """
        return await answer_failure(self, self.begin(request), PageFailure(status, message))

    async def _get(self, visit: Visit) -> HttpAnswer:
        found = self.theme.routes.match(self.inner_path(visit.path))
        if found is None:
            raise PageFailure(404)
        visit.page, visit.parameters = found
        page = self.theme.merged.pages[visit.page]
        self.guard(page.requires, visit.context.principal, page.permission)
        return await self.show(visit, page, page.status)

    def begin(self, request: AnyRequest) -> Visit:
        """What a theme needs to know of a request, as if a visitor sent it; enough for an error page in any case."""
        query = _pairs(request)
        locale = negotiate(dict(query), request.cookies, request.headers.get("accept-language", ""))
        correlation = (request.scope.get("state") or {}).get(CORRELATION, "")
        return Visit(
            path=request.scope["path"],
            query=query,
            context=Context(
                self._kernel, locale=locale, schema=self.theme.merged.schema, correlation_id=correlation
            ),
            nonce=new_nonce(),
            block=_block(request),
            seed=request.cookies.get(answers.cookie_name(answers.SEED_COOKIE, self._secure)),
            # A block is asked for beside the page, which shows the message, if any.
            flash=None
            if _block(request)
            else request.cookies.get(answers.cookie_name(answers.FLASH_COOKIE, self._secure)),
            scheme=chosen_scheme(dict(query), request.cookies),
        )

    async def identify(self, visit: Visit, request: AnyRequest) -> None:
        """Find out who sent a request."""
        locale = visit.context.locale
        visit.context = await self._make_context(request, self.theme.merged.schema)
        visit.context.locale = locale

    def inner_path(self, path: str) -> str:
        """A path without the theme's prefix."""
        return path.removeprefix(self.theme.prefix) or "/"

    def guard(self, requires: str | None, principal: Principal, permission: str | None = None) -> None:
        """Insist on who may see a page or send a form.

        Raises:
            PageFailure: 401 where logging in helps, 403 where it doesn't.
        """
        if (requires or permission) and principal.id is None:
            raise PageFailure(401)
        if requires and principal.kind.value != requires:
            raise PageFailure(401)
        if permission and not principal.may(permission):
            raise PageFailure(403)

    async def show(self, visit: Visit, page: PageSpec, status: int) -> HttpAnswer:
        """Run a page's document and render it.

        Raises:
            PageFailure: there is nothing to show.
        """
        found = await self.asking.page(visit, page)
        rendering = Rendering(self.theme, visit, found, self.fragments)
        view = self.view(
            visit, visit.page, self.title(page, found.data, rendering), rendering, found.problems
        )
        template = page.template.removeprefix("templates/")
        private = page.private or bool(page.requires or page.permission)
        if visit.block:
            block = visit.block
            part = await self._rendered(visit, lambda: rendering.render_block(template, block, view))
            if part is None:
                raise PageFailure(404)
            return answers.part(part, status, visit, self.cookies(visit), private=private)
        text = await self._rendered(visit, lambda: rendering.render(template, view)) or ""
        answer = answers.html(text, status, visit, self.cookies(visit), private=private)
        if page.media_type != "text/html":
            return replace(answer, media_type=f"{page.media_type}; charset=utf-8", body=text.strip().encode())
        return answer

    async def _rendered(self, visit: Visit, render: Callable[[], str | None]) -> str | None:
        if self.trusted is None:
            return render()
        # What a child process does to the visit is lost, so what it may need is there before.
        visit.csrf_token()
        return await confined(render)

    def title(self, page: PageSpec, data: Mapping[str, Any], rendering: Rendering) -> str:
        """A page's title in the visitor's language; empty where the data lacks what it is made of."""
        return filled(rendering.translate(page.title), data, str) or ""

    def view(
        self,
        visit: Visit,
        name: str,
        title: str,
        rendering: Rendering,
        problems: Mapping[str, Sequence[str]] | None = None,
    ) -> PageView:
        """What a template is told of its page."""
        return PageView(
            name=name,
            path=visit.path,
            title=title,
            params=visit.parameters,
            query=dict(visit.query),
            address=visit.address,
            problems={
                key: [rendering.translate(message) for message in messages]
                for key, messages in (problems or {}).items()
            },
            _visit=visit,
        )

    def cookies(self, visit: Visit) -> list[str]:
        """The cookies that an answer sets, as values of ``Set-Cookie``."""
        cookies = [*visit.context.cookies]
        if visit.seed_is_new:
            cookies.append(self.cookie(answers.SEED_COOKIE, visit.seed))
        if visit.flash:
            cookies.append(self.cookie(answers.FLASH_COOKIE, None))
        if LOCALE_PARAMETER in dict(visit.query):
            year = 31_536_000
            cookies.append(answers.own_cookie(LOCALE_COOKIE, visit.locale, secure=self._secure, max_age=year))
        if SCHEME_PARAMETER in dict(visit.query):
            chosen = visit.scheme or AUTOMATIC
            cookies.append(answers.own_cookie(SCHEME_COOKIE, chosen, secure=self._secure, max_age=31_536_000))
        return cookies

    def cookie(self, name: str, value: str | None, max_age: int | None = None) -> str:
        """A cookie of the engine's own; over TLS bound to this very host by its name."""
        return answers.own_cookie(
            answers.cookie_name(name, self._secure), value, secure=self._secure, max_age=max_age
        )


def _block(request: AnyRequest) -> str:
    """The block of a page that is asked for; empty: all of it."""
    name = request.headers.get(answers.BLOCK_HEADER, "")[:100]
    return name if name.isidentifier() and name.isascii() else ""


def _pairs(request: AnyRequest) -> list[tuple[str, str]]:
    """The query's pairs in the order in which they stand, which Litestar's own reading does not keep."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return []  # more fields than any address of ours has
    return [(name, value) for name, value in pairs if name != OWN_PARAMETER]
