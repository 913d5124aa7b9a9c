"""Markdown in templates: ``{{ article.body | markdown }}``. The only HTML that it lets through is its own.

CommonMark with tables. HTML in the text is text; pictures are left out, since pages load nothing from elsewhere; links lead to
``http``, ``https``, ``mailto`` and paths of this site. Headings begin below the page's own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LINK = re.compile(r"(?:https?://|mailto:|/(?![/\\])|#)", re.IGNORECASE)
_LOWEST = 6


@lru_cache(maxsize=256)
def _rendered(text: str, top: int) -> Markup:
    parser = _parser()
    tokens = parser.parse(text)
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((int(token.tag[1:]) for token in headings), default=top)
    for token in headings:
        token.tag = f"h{min(int(token.tag[1:]) - highest + top, _LOWEST)}"
    # The renderer escapes every text and attribute; with HTML disabled nothing of the author's own markup is among its tokens.
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704


def markdown(text: Any, top: int = 2) -> Markup:
    """A text in Markdown as HTML.

    Args:
        text: the text.
        top: the level of its highest headings, however many ``#`` they are written with.
    """
    return _rendered(str(text), top)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Imported here: most processes never show such a text, and it would cost each a moment and some memory.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.validateLink = _is_harmless  # type: ignore[method-assign]  # its documented way to say which links are made
    parser.add_render_rule("link_open", _external)
    return parser


def _is_harmless(url: str) -> bool:
    return _LINK.match(url.strip()) is not None


def _external(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    if not str(token.attrGet("href") or "").startswith(("/", "#")):
        token.attrSet("rel", "noopener nofollow")
    render: Callable[[Sequence[Token], int, Any, Any], str] = renderer.renderToken
    return render(tokens, index, options, env)
