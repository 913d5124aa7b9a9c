"""Error pages: the theme's own, and a plain one for when even that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from jinja2 import TemplateNotFound
from markupsafe import Markup

from kameng.ids import new_id
from kameng.themes import answers
from kameng.themes.answers import HttpAnswer, PageFailure
from kameng.themes.asking import PageData
from kameng.themes.csp import page_headers
from kameng.themes.rendering import Rendering
from kameng.themes.routes import with_query
from kameng.themes.visit import Visit

if TYPE_CHECKING:
    from kameng.themes.serving import PageServer

log = structlog.get_logger(__name__)

TITLES = {
    401: "Please log in first",
    403: "You may not do this",
    404: "This page does not exist",
    409: "Something changed in the meantime",
    413: "This is too large",
    422: "Something is not right yet",
    429: "Too many tries",
    500: "Something went wrong on our side",
    503: "We will be back in a moment",
}
"""Message ids of error pages' titles."""


def title_of(status: int) -> str:
    """The message id of an error page's title."""
    return TITLES.get(status) or TITLES[500 if status >= 500 else 422]


_PLAIN = Markup(
    '<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title><h1>{}</h1><p>{}</p></html>'
)


async def answer_failure(server: PageServer, visit: Visit, fault: Exception) -> HttpAnswer:
    """What to answer where a page cannot be shown.

    Args:
        server: of the theme.
        visit: the request, as far as it was understood.
        fault: a `PageFailure`, or whatever else went wrong.
    """
    if server.trusted is not None:
        server = server.trusted
    status = fault.status if isinstance(fault, PageFailure) else answers.status_of_fault(fault)
    message = fault.message if isinstance(fault, PageFailure) else ""
    reference = visit.context.correlation_id or str(new_id())
    if status >= 500 and not isinstance(fault, PageFailure):
        log.error("page failed", theme=server.theme.name, correlation_id=reference, exc_info=fault)
    if status == 401:
        if target := _login(server, visit):
            return answers.redirect(target, server.cookies(visit), partial=bool(visit.block))
        status = 403
    try:
        return await _themed(server, visit, status, message, reference)
    except Exception:  # an error page that fails must not fail the answer
        log.exception("error page failed", theme=server.theme.name, status=status)
        return _plain(status, visit, reference)


def _login(server: PageServer, visit: Visit) -> str | None:
    merged = server.theme.merged
    if merged.login is None or merged.login not in merged.patterns or visit.page == merged.login:
        return None
    return with_query(server.theme.prefixed(merged.pages[merged.login].path), [("next", visit.address)])


async def _themed(server: PageServer, visit: Visit, status: int, message: str, reference: str) -> HttpAnswer:
    theme = server.theme
    # Where something of ours is broken, asking for more would only break again.
    found = await server.asking.layout(visit) if status < 500 else PageData()
    visit.posted = None
    rendering = Rendering(theme, visit, found)
    title = rendering.translate(title_of(status))
    error = {
        "status": status,
        "message": rendering.translate(message),
        "reference": reference if status >= 500 else "",
    }
    view = server.view(visit, "", title, rendering)
    try:
        theme.environment.page_template(f"errors/{status}.html")
        template = f"errors/{status}.html"
    except TemplateNotFound:
        template = "errors/error.html"
    text = rendering.render(template, view, error=error)
    return answers.html(text, status, visit, server.cookies(visit), private=True)


def _plain(status: int, visit: Visit, reference: str) -> HttpAnswer:
    title = title_of(status)
    text = str(_PLAIN.format(visit.locale, title, title, reference))
    return HttpAnswer(status, answers.HTML, text.encode(), page_headers(visit.nonce, private=True))
