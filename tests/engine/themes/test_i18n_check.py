"""Whether every text that people are shown is there in each language."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kameng.kernel import Kernel
from kameng.module import Module, Navigation, Page, Permission, Slot
from kameng.themes import load_themes
from kameng.themes.checks.i18n import i18n_findings, module_texts
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module whose texts are all in order."""
    package = tmp_path / "speaking"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "templates" / "slot.html").write_text('{{ _("{count} stars", count=1) }}', "utf-8")
    catalogue = package / "locale" / "zh_CN" / "LC_MESSAGES"
    catalogue.mkdir(parents=True)
    texts = {"{count} stars": "{count} 星", "Stars": "星级"}
    body = "".join(f'msgid "{text}"\nmsgstr "{told}"\n\n' for text, told in texts.items())
    (catalogue / "messages.po").write_text(HEAD + body, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "speaking", raising=False)
    return Module(
        name="speaking",
        version="1.0",
        slots=(Slot(place="x", template="speaking:templates/slot.html"),),
        pages=(
            Page(
                name="all",
                kind="admin",
                path="/stars",
                title="Stars",
                template="speaking:templates/slot.html",
            ),
        ),
        permissions=(Permission("speaking.speak", "Speak", "说话"),),
        locale="speaking:locale",
    )


def told(module: Module) -> list[str]:
    """What is wrong with a module's texts."""
    return [f"{item.level.value}: {item.message}" for item in module_texts(module)]


def test_a_module_whose_texts_are_in_order(module: Module) -> None:
    assert told(module) == []


def test_a_text_of_a_declaration_without_a_translation(module: Module) -> None:
    entry = Navigation(kind="admin", page="all", text="All the stars")

    assert told(replace(module, navigation=(entry,))) == ["error: 'All the stars' has no zh-CN translation."]


def test_a_translation_with_other_places_and_one_that_nothing_uses(module: Module, tmp_path: Path) -> None:
    file = tmp_path / "speaking" / "locale" / "zh_CN" / "LC_MESSAGES" / "messages.po"
    text = file.read_text("utf-8").replace("{count} 星", "{number} 星")
    file.write_text(text + 'msgid "Gone"\nmsgstr "没了"\n', "utf-8")

    assert told(module) == [
        "error: '{count} stars' has other places to fill.",
        "advice: Nothing uses 'Gone'.",
    ]


def test_a_permission_without_a_title_in_one_language(module: Module) -> None:
    silent = replace(module, permissions=(Permission("speaking.speak", "Speak", " "),))

    assert told(silent) == ["error: Permission speaking.speak has no zh-CN title."]


def test_an_error_that_a_theme_tells_in_one_language_only(tmp_path: Path) -> None:
    manifest, files = one_page("x", kind="storefront")
    english = HEAD + 'msgctxt "error"\nmsgid "OUT_OF_STOCK"\nmsgstr "Sold out"\n'
    write_theme(tmp_path, "half", manifest, {**files, "locale/en/LC_MESSAGES/messages.po": english})
    kernel: Kernel = shop.kernel(config=shop.settings(tmp_path, storefront="half"))

    found = i18n_findings(kernel, [load_themes(kernel).active("storefront")])

    assert [item.message for item in found] == ["The error OUT_OF_STOCK has no zh-CN text."]
