"""Markdown in templates: what people write becomes plain HTML, and nothing that they write becomes anything else."""

from __future__ import annotations

import re

import pytest

from kameng.themes.markdown import markdown


def test_headings_lists_emphasis_and_tables_are_shown() -> None:
    text = "# Hours\n\nWe are **here**:\n\n- Monday\n- Tuesday\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    html = str(markdown(text))
    assert html.startswith("<h2>Hours</h2>\n<p>We are <strong>here</strong>:</p>\n<ul>\n<li>Monday</li>")
    assert "<td>1</td>" in html
    assert str(markdown("## x\n\n### y", top=4)) == "<h4>x</h4>\n<h5>y</h5>\n"


def test_links_lead_to_this_site_and_to_the_web() -> None:
    html = str(
        markdown("[in](/help/paying) [out](https://example.com/?a=1&b=2) [mail](mailto:a@example.com)")
    )
    assert '<a href="/help/paying">in</a>' in html
    assert '<a href="https://example.com/?a=1&amp;b=2" rel="noopener nofollow">out</a>' in html
    assert '<a href="mailto:a@example.com" rel="noopener nofollow">mail</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick='x'>b</b> <!-- c --> <style>d</style>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](//evil.example)",
        "[x](/\\evil.example)",
        "<javascript:alert(1)>",
        '[x](https://e.example "\\" onmouseover=alert(1)")',
        "![x](https://e.example/x.png)",
        '```"><script>\nx\n```',
        "[x]: javascript:alert(1)\n\n[x]",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
    ],
)
def test_no_markup_of_the_authors_own_and_no_other_scheme_gets_through(text: str) -> None:
    html = str(markdown(text))
    tags = re.findall(r"<\s*/?\s*([a-z0-9]+)([^>]*)>", html, re.IGNORECASE)
    assert {name for name, _ in tags} <= {"p", "a", "pre", "code"}, html
    for name, attributes in tags:
        assert set(re.findall(r"([a-z-]+)=", re.sub(r'"[^"]*"', '""', attributes))) <= {
            "href",
            "rel",
            "title",
            "class",
        }, (name, attributes)
    assert not re.search(r'href="\s*(?!https?://|mailto:|/[^/\\]|#)', html, re.IGNORECASE), html
