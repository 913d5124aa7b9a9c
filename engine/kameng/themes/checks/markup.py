"""Checks of a template's HTML: what the Content Security Policy would block, and what would let a value out of its place.

These look at the text and not at the page that comes of it, so they are kept to patterns that are wrong wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kameng.themes.checks.templates import TemplateText
from kameng.themes.finding import Finding, Level

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9-]*)((?:\s+[^<>\"']*(?:\"[^\"]*\"|'[^']*')?)*)\s*/?>")
_FIELDS = re.compile(r"\.fields\b")

_INLINE_STYLE = re.compile(r"\sstyle\s*=", re.IGNORECASE)
_HANDLER = re.compile(r"\son[a-z]{3,}\s*=", re.IGNORECASE)
_OUTSIDE = re.compile(r"\s(?:src|srcset|poster)\s*=\s*[\"']?\s*(?:https?:)?//", re.IGNORECASE)
_SCRIPT_LINK = re.compile(r"[\"']\s*javascript:", re.IGNORECASE)
_UNQUOTED = re.compile(r"\s[a-zA-Z-]+\s*=\s*\x01")
_TOJSON = re.compile(r"=\s*\"[^\"<>]*?\{\{(?:[^}\"]|\"[^\"]*\")*?\|\s*tojson", re.DOTALL)
_DATA_BLOCK = re.compile(r"type\s*=\s*[\"'](?:application/(?:ld\+)?json|text/plain)[\"']", re.IGNORECASE)
_POST = re.compile(r"\smethod\s*=\s*[\"']?post", re.IGNORECASE)


def markup_findings(templates: Sequence[TemplateText]) -> Iterator[Finding]:
    """What is wrong with templates as HTML."""
    for text in templates:
        masked = _masked(text.source)
        for level, position, message, cure in (*_in_tags(masked), *_in_text(text.source, masked)):
            yield Finding(level, text.shown, text.source.count("\n", 0, position) + 1, message, cure)


_Found = tuple[Level, int, str, str]


def _masked(source: str) -> str:
    """The text with Jinja's and HTML's own pieces blanked, every character where it was."""

    def blank(found: re.Match[str]) -> str:
        fill = "\x01" if found[0].startswith("{{") else " "
        return "".join(letter if letter == "\n" else fill for letter in found[0])

    return _COMMENT.sub(blank, _JINJA.sub(blank, source))


def _in_tags(masked: str) -> Iterable[_Found]:
    for tag in _TAG.finditer(masked):
        name, attributes, at = tag[1].lower(), tag[2], tag.start()
        if _INLINE_STYLE.search(attributes):
            yield (
                Level.ERROR,
                at,
                "A style= attribute is blocked.",
                "Use a class, or a token in a stylesheet.",
            )
        if _HANDLER.search(attributes):
            yield (
                Level.ERROR,
                at,
                "An on…= handler is blocked.",
                "Listen for the event in a script of the theme.",
            )
        if _SCRIPT_LINK.search(attributes):
            yield (
                Level.ERROR,
                at,
                "A javascript: address is blocked.",
                "Use a button and a script of the theme.",
            )
        if _OUTSIDE.search(attributes):
            yield (
                Level.ERROR,
                at,
                "Files of other hosts are blocked.",
                "Put the file into the theme's assets.",
            )
        if _UNQUOTED.search(attributes):
            yield Level.ERROR, at, "An attribute's value stands without quotes.", 'Write name="{{ value }}".'
        if name == "script" and "nonce" not in attributes and not _DATA_BLOCK.search(attributes):
            yield Level.ERROR, at, "A script without the nonce is blocked.", 'Add nonce="{{ nonce }}".'
        if name == "style" and "nonce" not in attributes:
            yield Level.ERROR, at, "A style element without the nonce is blocked.", 'Add nonce="{{ nonce }}".'
        if name == "img" and not re.search(r"\salt\s*=", attributes):
            yield (
                Level.WARNING,
                at,
                "A picture has no alt text.",
                'Add alt="…", empty where it says nothing new.',
            )
        if name == "html" and "lang" not in attributes:
            yield Level.WARNING, at, "The page does not say its language.", 'Add lang="{{ locale }}".'


def _in_text(source: str, masked: str) -> Iterable[_Found]:
    for found in _TOJSON.finditer(source):
        yield Level.ERROR, found.start(), "`|tojson` in an attribute ends it.", "Use `|json` there."
    posts = [
        tag.start() for tag in _TAG.finditer(masked) if tag[1].lower() == "form" and _POST.search(tag[2])
    ]
    without = len(posts) - len(_FIELDS.findall(source))
    if without > 0:
        message = "A form lacks its hidden fields and will be refused."
        yield Level.ERROR, posts[-1], message, 'Write {{ form("name").fields }} into it.'
