"""Checks: each finding has its level, its file and line, and a cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kameng.themes import Finding, Level, check_theme
from tests.engine.themes import shop
from tests.engine.themes.building import LAYOUT, write_theme

PAGE = '{% extends "layout.html" %}{% block main %}\n'


BUY = """mutation Buy {
  placeOrder(input: {lines: []}) {
    order { number }
    errors { code path message }
  }
}"""


def found(
    tmp_path: Path, manifest: dict[str, Any], files: dict[str, str | bytes], *modules: Any
) -> list[Finding]:
    """What is found about a theme that has a layout and a page ``/`` beside these."""
    whole = {
        **manifest,
        "pages": {"home": {"path": "/", "template": "templates/home.html"}, **manifest.get("pages", {})},
    }
    texts = {"templates/layout.html": LAYOUT, "templates/home.html": "x", **files}
    folder = write_theme(tmp_path, "tried", whole, texts)
    return check_theme(folder, shop.kernel(*modules))


def lines(findings: list[Finding]) -> list[str]:
    """The findings without their cures."""
    return [f"{item.level} {item.file}:{item.line} {item.message}" for item in findings]


def test_a_theme_without_fault_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, {}, {}) == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ url_for('nowhere') }}", "There is no page 'nowhere'."),
        ("{{ url_for('item') }}", "The path of item is /items/{id}."),
        ("{{ asset('css/none.css') }}", "There is no asset 'css/none.css'."),
        ("{{ slot('nowhere') }}", "There is no slot 'nowhere'."),
        ("{{ form('nothing').url }}", "There is no form 'nothing'."),
        ("{{ form_url('nothing') }}", "There is no form 'nothing'."),
        ("{{ document('nothing') }}", "There is no document 'nothing'."),
        ("{{ token('nothing') }}", "There is no token 'nothing'."),
        ("{% include 'parts/none.html' %}", "There is no template 'parts/none.html' in tried → base."),
        ("{% include 'base::forms.html' %}", "'base::forms.html' is no name of a template."),
        ("{% import '../theme.json' as x %}", "'../theme.json' is no name of a template."),
        ("{{ data.x|safe }}", "`|safe` switches escaping off."),
        ("{% autoescape false %}x{% endautoescape %}", "Escaping cannot be switched off."),
        ("{{ x|nofilter }}", "No filter named 'nofilter'."),
        ('<p style="color: red">', "A style= attribute is blocked."),
        ('<p class="a"\n style="color: {{ x }}">', "A style= attribute is blocked."),
        ('<button onclick="x()">', "An on…= handler is blocked."),
        ("<a href='javascript:x()'>", "A javascript: address is blocked."),
        (
            '<script src="https://cdn.test/x.js" nonce="{{ nonce }}"></script>',
            "Files of other hosts are blocked.",
        ),
        ('<img alt="" src="//cdn.test/x.png">', "Files of other hosts are blocked."),
        ("<script>x()</script>", "A script without the nonce is blocked."),
        ("<style>p{}</style>", "A style element without the nonce is blocked."),
        ("<p title={{ data.x }}>", "An attribute's value stands without quotes."),
        ('<p data-x="{{ data.x | tojson }}">', "`|tojson` in an attribute ends it."),
        (
            '<form method="post" action="{{ form_url("buy") }}"></form>',
            "A form lacks its hidden fields and will be refused.",
        ),
    ],
)
def test_what_is_wrong_in_a_template_is_an_error_on_its_line(
    tmp_path: Path, template: str, message: str
) -> None:
    manifest = {
        "pages": {"item": {"path": "/items/{id}", "template": "templates/home.html"}},
        "forms": {"buy": {"document": "queries/buy.graphql"}},
    }
    mutation = "mutation Buy { placeOrder(input: {lines: []}) { errors { code path message cure } } }"
    files: dict[str, str | bytes] = {
        "templates/home.html": f"\n\n{template}",
        "queries/buy.graphql": mutation,
    }

    errors = [item for item in lines(found(tmp_path, manifest, files)) if item.startswith("error")]

    assert f"error tried/templates/home.html:3 {message}" in errors


@pytest.mark.parametrize(
    "template",
    [
        '<p class="{{ data.x }}" data-x="{{ data.x | json }}">',
        '<script type="application/json">{{ data.x | tojson }}</script>',
        '<script type="module" src="{{ asset("a.js") }}" nonce="{{ nonce }}"></script>',
        "{# <p style='x' onclick='y'> #}<!-- <p style='x'> -->",
        "{{ url_for('item', id=1) }}{{ url_for(data.page) }}{% set args = {'id': 1} %}{{ url_for('item', **args) }}",
        '<form method="post" action="{{ form("buy").url }}">{{ form("buy").fields }}</form>',
        '<form method="get"><input name="q"></form>',
        '{% set style = "x" %}<option value="1"{% if data.x %} selected{% endif %}>1 > 0</option>',
        "{% include 'maybe.html' ignore missing %}",
    ],
)
def test_what_is_right_is_no_error(tmp_path: Path, template: str) -> None:
    manifest = {
        "pages": {"item": {"path": "/items/{id}", "template": "templates/home.html"}},
        "forms": {"buy": {"document": "queries/buy.graphql"}},
    }
    mutation = "mutation Buy { placeOrder(input: {lines: []}) { errors { code path message cure } } }"
    files: dict[str, str | bytes] = {
        "templates/home.html": template,
        "queries/buy.graphql": mutation,
        "assets/a.js": "export {};",
    }

    assert [item for item in found(tmp_path, manifest, files) if item.level is Level.ERROR] == []


def test_doubtful_things_are_warnings_and_advice(tmp_path: Path) -> None:
    manifest = {
        "slots": {"a.b": {"on": "Product"}, "c.d": {}},
        "forms": {"buy": {"document": "queries/buy.graphql"}},
    }
    files: dict[str, str | bytes] = {
        "templates/layout.html": "<html><title>x</title>{% block main %}{% endblock %}",
        "templates/home.html": PAGE
        + '<img src="{{ asset(\'a.png\') }}">\n{{ nobody }} {{ slot("a.b") }}{% endblock %}',
        "queries/buy.graphql": "mutation Buy {\n  placeOrder(input: {lines: []}) { errors { code } }\n}",
        "queries/unused.graphql": "query Unused { engineVersion }",
        "queries/fragments/unused.graphql": "\nfragment Unused on Product { name }",
        "assets/a.png": b"\x89PNG" + bytes(200_001),
        "assets/orphan.css": "a{}",
        "assets/notes.md": "x",
    }

    assert lines(found(tmp_path, manifest, files)) == [
        "warning tried/assets/a.png:0 The picture has 200,005 bytes.",
        "warning tried/assets/notes.md:0 Files of this kind are not served.",
        "warning tried/queries/buy.graphql:2 It does not ask for path, message of the errors of placeOrder.",
        "warning tried/templates/home.html:2 A picture has no alt text.",
        "warning tried/templates/home.html:3 Nothing sets 'nobody'.",
        "warning tried/templates/layout.html:1 The page does not say its language.",
        "warning tried/theme.json:5 No document marks the slot a.b.",
        "warning tried/theme.json:8 No template shows the slot c.d.",
        "advice tried/assets/orphan.css:0 No template, style or script names this asset by a constant.",
        "advice tried/queries/fragments/unused.graphql:2 No document spreads the fragment Unused.",
        "advice tried/queries/unused.graphql:0 Nothing uses this document.",
    ]


def test_paths_that_documents_do_not_ask_for_are_errors(tmp_path: Path) -> None:
    manifest = {
        "pages": {
            "home": {
                "path": "/",
                "template": "templates/home.html",
                "document": "queries/home.graphql",
                "title": "{product.name}",
                "subject": "order",
            }
        },
        "forms": {
            "buy": {"document": "queries/buy.graphql", "success": "/o/{placeOrder.order.numbr}"},
            "far": {
                "document": "queries/buy.graphql",
                "success": "https://evil.test/{placeOrder.order.number}",
            },
        },
        "slots": {"a.b": {"on": "Prodct"}},
    }
    files: dict[str, str | bytes] = {
        "queries/home.graphql": 'query Home { product(slug: "a") { slug } }',
        "queries/buy.graphql": BUY,
    }

    messages = [item.message for item in found(tmp_path, manifest, files) if item.level is Level.ERROR]

    assert sorted(messages) == [
        "'https://evil.test/{placeOrder.order.number}' is no path of this site.",
        "The schema has no type Prodct.",
        "tried/queries/buy.graphql does not ask for placeOrder.order.numbr.",
        "tried/queries/home.graphql does not ask for order.",
        "tried/queries/home.graphql does not ask for product.name.",
    ]


def test_low_contrast_is_an_error(tmp_path: Path) -> None:
    tokens = {
        "a": {"type": "color", "value": "#777"},
        "b": {"type": "color", "light": "#fff", "dark": "#000"},
    }

    findings = found(tmp_path, {"tokens": tokens, "contrast": [{"text": "a", "on": "b"}]}, {})

    assert [(item.level, item.message) for item in findings] == [
        (Level.ERROR, "--a on --b has a contrast of 4.48 in the light scheme.")
    ]


def test_missing_translations_are_told_once_each(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "templates/home.html": (
            '{{ _("Known") }}{{ _("Unknown") }}\n{{ t("Unknown") }}{{ pgettext("verb", "Order") }}'
            "{% trans n=2 %}one{% pluralize %}many{% endtrans %}{{ _(data.x) }}"
        ),
        "locale/zh_CN/LC_MESSAGES/messages.po": (
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
            'msgid "Known"\nmsgstr "已知"\n\n'
            '#, fuzzy\nmsgid "Unknown"\nmsgstr "未知"\n\n'
            'msgid "Home {name}"\nmsgstr "首页 {nmae}"\n\n'
            'msgid "Gone"\nmsgstr "没有"\n'
        ),
    }
    pages = {"home": {"path": "/", "template": "templates/home.html", "title": "Home {name}"}}

    assert lines(found(tmp_path, {"pages": pages}, files)) == [
        "warning tried/locale/zh_CN/LC_MESSAGES/messages.po:11 The translation of 'Home {name}' has other places to fill.",
        "warning tried/templates/home.html:1 'Unknown' has no zh-CN translation.",
        "warning tried/templates/home.html:2 'Order' has no zh-CN translation.",
        "warning tried/templates/home.html:2 'one' has no zh-CN translation.",
        "advice tried/locale/zh_CN/LC_MESSAGES/messages.po:14 Nothing uses 'Gone'.",
    ]


def test_too_heavy_scripts_are_told(tmp_path: Path) -> None:
    # Bytes that compression cannot shrink: a long number written in hexadecimal.
    script = f'export const x = "{pow(7, 600_000):x}";'
    files: dict[str, str | bytes] = {
        "templates/home.html": '<script type="module" src="{{ asset("a.js") }}" nonce="{{ nonce }}"></script>',
        "assets/a.js": script,
    }

    messages = [item.message for item in found(tmp_path, {}, files)]

    assert len(messages) == 1
    assert messages[0].startswith("Styles and scripts come to ")


def test_of_a_parent_only_errors_are_told(tmp_path: Path) -> None:
    write_theme(
        tmp_path,
        "p",
        {"pages": {"home": {"path": "/", "template": "templates/a.html"}}},
        {"templates/a.html": "<img>"},
    )
    folder = write_theme(tmp_path, "c", {"parent": "p"})
    assert check_theme(folder, shop.kernel()) == []

    (tmp_path / "p" / "templates" / "a.html").write_text("{% if %}")
    assert [item.file for item in check_theme(folder, shop.kernel())] == ["p/templates/a.html"]


def test_a_modules_slot_that_does_not_fit_is_told(tmp_path: Path) -> None:
    slot = shop.Slot(place="product.after_description", template=f"{shop.PACKAGE}:templates/none.html")

    findings = check_theme("shop", shop.kernel(shop.reviews(slot)))

    assert [item.message for item in findings if item.file.startswith("module reviews/")] == [
        f"There is no file none.html in templates/ of {shop.PACKAGE}."
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "There is no theme named 'nothing'."), ("base", "The base layer is no theme by itself.")],
)
def test_what_is_no_theme_is_a_finding_too(name: str, message: str) -> None:
    assert [item.message for item in check_theme(name, shop.kernel())] == [message]


def test_a_folder_without_a_manifest_is_a_finding_too(tmp_path: Path) -> None:
    findings = check_theme(tmp_path, shop.kernel())

    assert [(item.level, item.message) for item in findings] == [
        (Level.ERROR, f"There is no readable theme.json in {tmp_path}: No such file or directory.")
    ]


@pytest.mark.parametrize("name", ["shop", "child", "backoffice"])
def test_the_themes_of_these_tests_have_nothing_worse_than_missing_translations(name: str) -> None:
    findings = check_theme(name, shop.kernel(shop.reviews(shop.RATING)))

    assert [item for item in findings if "has no zh-CN translation" not in item.message] == []
