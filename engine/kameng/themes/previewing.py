"""Showing a site's draft to who has a signed link to it, and to nobody else.

The link sets a cookie on the site that it is for; with it, that browser sees the draft on the real pages. No cache keeps it,
and a bar on each page says what it is. The cookie is the token itself, so each request proves anew that it still holds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from litestar import Request
from markupsafe import Markup

from kameng.sites.errors import PreviewRefused
from kameng.sites.previews import END, PARAMETER, read_token
from kameng.themes import answers
from kameng.themes.answers import HttpAnswer
from kameng.themes.local_path import local_path
from kameng.themes.routes import with_query

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng.sites.directory import Site

AnyRequest = Request[Any, Any, Any]

COOKIE = "kameng_preview"

REVISION = "revision"
"""The parameter's value by which a page that shows a draft asks whether the draft is still the same."""

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_NONCE = re.compile(r"'nonce-([A-Za-z0-9_-]+)'")

_TEXTS: Mapping[str, tuple[str, str, str]] = {
    "zh-CN": ("预览：", "这是尚未发布的草稿，仅持有此链接的人可见。在此下的订单是真实订单。", "结束预览"),
    "en": (
        "Preview:",
        "a draft that is not published. Only who has the link sees it; orders that are placed here are real.",
        "End the preview",
    ),
}

# Colours of its own, so that it can be told from whatever the draft looks like; both keep a contrast of 4.5 in any scheme.
_STYLE = Markup(
    ".kameng-preview{position:sticky;inset-block-start:0;z-index:1000;display:flex;flex-wrap:wrap;gap:.25rem 1rem;"
    "justify-content:center;padding:.5rem 1rem;font:14px/1.5 system-ui,sans-serif;background:#3b2a00;color:#ffe9b0}"
    ".kameng-preview a{color:#ffffff;text-decoration:underline}"
)

# Asks now and then whether the draft has changed, and shows it then: who edits in one window sees it in the other.
_SCRIPT = Markup(
    "const bar=document.querySelector('.kameng-preview');"
    "setInterval(async()=>{if(document.hidden)return;"
    "const answer=await fetch(bar.dataset.ask,{cache:'no-store'}).catch(()=>null);"
    "if(answer&&answer.ok&&(await answer.text())!==bar.dataset.revision)location.reload();},2000);"
)

_BAR = Markup(
    '<aside class="kameng-preview" role="status" data-revision="{revision}" data-ask="/?{parameter}={ask}">'
    '<span><b>{title}</b> {text}</span> <a href="/?{parameter}={end}" rel="nofollow">{leave}</a></aside>'
    '<style nonce="{nonce}">{style}</style><script type="module" nonce="{nonce}">{script}</script>'
)


@dataclass(frozen=True, slots=True)
class Previews:
    """Reads and ends previews.

    Attributes:
        kernel: whose signing key.
        secure: whether cookies are bound to TLS and to the host.
    """

    kernel: Kernel
    secure: bool

    def asked(self, request: AnyRequest) -> str:
        """What the request's address says of a preview; empty for nothing."""
        if PARAMETER.encode() not in request.scope["query_string"]:
            return ""
        return dict(_pairs(request)).get(PARAMETER, "")

    def begun(self, request: AnyRequest, site: Site, token: str) -> HttpAnswer:
        """Set the cookie, and lead to the page without the token in its address.

        Raises:
            PreviewRefused: the token is forged, too old or of another site.
        """
        if token == END:
            return answers.redirect(_here(request), [self._cookie(None, None)])
        ends = read_token(self.kernel, token, site.id)
        left = max(1, ends - int(time.time()))
        return answers.redirect(_here(request), [self._cookie(token, left)])

    def holds(self, request: AnyRequest, site: Site) -> bool:
        """Whether the browser that asks may see the site's draft."""
        token = request.cookies.get(answers.cookie_name(COOKIE, self.secure))
        if not token:
            return False
        try:
            read_token(self.kernel, token, site.id)
        except PreviewRefused:
            return False
        return True

    def _cookie(self, value: str | None, max_age: int | None) -> str:
        name = answers.cookie_name(COOKIE, self.secure)
        return answers.own_cookie(name, value, secure=self.secure, max_age=max_age)


def told_revision(revision: int) -> HttpAnswer:
    """The answer to a page that asks whether the draft is still the same."""
    headers = [("cache-control", "private, no-store"), ("x-content-type-options", "nosniff")]
    return HttpAnswer(200, "text/plain; charset=utf-8", str(revision).encode(), headers)


def marked(answer: HttpAnswer, revision: int) -> HttpAnswer:
    """An answer that shows a draft: kept by nobody, found by no search engine, and with a bar that says so."""
    kept = [(name, value) for name, value in answer.headers if name not in ("cache-control", "etag")]
    headers = [*kept, ("cache-control", "private, no-store"), ("x-robots-tag", "noindex")]
    answer = replace(answer, headers=headers)
    if not answer.media_type.startswith("text/html"):
        return answer
    text = answer.body.decode()
    # The policy's own nonce: without one there is no page of ours to mark.
    nonce = _NONCE.search(dict(kept).get("content-security-policy", ""))
    body = _BODY.search(text)
    if body is None or nonce is None:
        return answer
    language = "zh-CN" if '<html lang="zh' in text[:300] else "en"
    title, said, leave = _TEXTS[language]
    bar = _BAR.format(
        revision=revision,
        parameter=PARAMETER,
        ask=REVISION,
        end=END,
        title=title,
        text=said,
        leave=leave,
        nonce=nonce[1],
        style=_STYLE,
        script=_SCRIPT,
    )
    return replace(answer, body=(text[: body.end()] + str(bar) + text[body.end() :]).encode())


def _here(request: AnyRequest) -> str:
    rest = [(name, value) for name, value in _pairs(request) if name != PARAMETER]
    return local_path(with_query(request.scope["path"], rest)) or "/"


def _pairs(request: AnyRequest) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=100
        )
    except ValueError:
        return []
