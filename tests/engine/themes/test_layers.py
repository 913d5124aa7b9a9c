"""Layers: where themes are found, how they lie over each other, and which template a name means."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound

from kameng.themes import (
    Installed,
    TemplateRefused,
    ThemeCycle,
    ThemeError,
    ThemeFaulty,
    ThemeNotFound,
    load_themes,
)
from kameng.themes.environment import ThemeEnvironment
from tests.engine.themes import shop
from tests.engine.themes.building import one_page, write_theme
from tests.engine.themes.conftest import Browser, OpenShop


@pytest.fixture
def child(open_shop: OpenShop) -> Browser:
    """A browser in front of a child theme."""
    return open_shop(shop.kernel(config=shop.settings(storefront="child")))


async def test_a_child_extends_the_template_that_it_replaces(child: Browser) -> None:
    text = (await child.get("/products/none")).text

    assert text.index("Sold by a reseller") < text.index('<form method="post"')


async def test_a_child_changes_a_page_key_by_key(child: Browser) -> None:
    text = (await child.get("/")).text

    assert "<title>Game codes</title>" in text
    assert text.count("<li>") == 2
    assert "Games for less" in text


async def test_a_child_adds_and_removes_pages(child: Browser) -> None:
    assert "<p>About</p>" in (await child.get("/about")).text
    assert (await child.get("/login")).status_code == 404


async def test_a_child_changes_one_scheme_of_one_token(child: Browser) -> None:
    text = (await child.get("/about")).text

    assert "--color-brand:light-dark(#7a1f5c, oklch(0.8 0.15 160))" in text
    assert "--color-text:light-dark(#111111, #eeeeee)" in text
    assert "--color-link:var(--color-brand)" in text


async def test_a_grandchild_extends_through_all_layers(open_shop: OpenShop, tmp_path: Path) -> None:
    one = {"templates/a.html": "[1{% block b %}x{% endblock %}]"}
    two = {"templates/a.html": '{% extends "@parent/a.html" %}{% block b %}2{{ super() }}{% endblock %}'}
    three = {"templates/a.html": '{% extends "@parent/a.html" %}{% block b %}3{{ super() }}{% endblock %}'}
    write_theme(tmp_path, "one", {"pages": {"home": {"path": "/", "template": "templates/a.html"}}}, one)
    write_theme(tmp_path, "two", {"parent": "one"}, two)
    write_theme(tmp_path, "three", {"parent": "two"}, three)
    browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="three")))

    assert (await browser.get("/")).text == "[132x]"
    assert (await browser.get("/", **{"kameng-block": "b"})).text == "32x"


async def test_a_parents_template_gets_the_childs_part(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page('{% include "part.html" %}')
    write_theme(tmp_path, "one", manifest, {**files, "templates/part.html": "parent"})
    write_theme(tmp_path, "two", {"parent": "one"}, {"templates/part.html": "child"})
    browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="two")))

    assert (await browser.get("/")).text == "child"


class TestFinding:
    """Where themes come from."""

    def test_a_package_is_found_by_its_entry_point_without_running_its_code(self) -> None:
        point = EntryPoint("shop", "tests.engine.themes.fixtures.shop", "kameng.themes")

        layer = Installed(points=[point]).layer("shop")

        assert layer.folder == shop.FIXTURES / "shop"

    def test_a_mistyped_name_says_what_there_is(self) -> None:
        with pytest.raises(
            ThemeNotFound, match=r"no theme named 'shopp'\. Installed are: backoffice, child, shop"
        ):
            Installed([shop.FIXTURES], points=[]).chain("shopp")

    def test_a_mistyped_parent_is_an_error_and_not_silence(self, tmp_path: Path) -> None:
        write_theme(tmp_path, "two", {"parent": "onne"})

        with pytest.raises(ThemeNotFound, match="theme two has the parent 'onne', which is not installed"):
            Installed([tmp_path], points=[]).chain("two")

    def test_a_circle_of_parents_is_named(self, tmp_path: Path) -> None:
        write_theme(tmp_path, "one", {"parent": "three"})
        write_theme(tmp_path, "two", {"parent": "one"})
        write_theme(tmp_path, "three", {"parent": "two"})

        with pytest.raises(ThemeCycle, match="one → three → two → one"):
            Installed([tmp_path], points=[]).chain("one")

    def test_a_theme_that_is_its_own_parent_is_a_circle(self, tmp_path: Path) -> None:
        write_theme(tmp_path, "one", {"parent": "one"})

        with pytest.raises(ThemeCycle, match="one → one"):
            Installed([tmp_path], points=[]).chain("one")

    def test_an_entry_point_with_another_name_than_its_theme_is_an_error(self) -> None:
        point = EntryPoint("other", "tests.engine.themes.fixtures.shop", "kameng.themes")

        with pytest.raises(ThemeFaulty, match="Its entry point is named 'other'"):
            Installed(points=[point]).layer("other")

    def test_two_packages_of_one_name_are_an_error(self) -> None:
        points = [
            EntryPoint("shop", f"tests.engine.themes.fixtures.{name}", "kameng.themes")
            for name in ("shop", "child")
        ]

        with pytest.raises(ThemeError, match="both name a theme 'shop'"):
            Installed(points=points).layer("shop")

    def test_a_broken_theme_beside_a_good_one_does_no_harm(self, tmp_path: Path) -> None:
        write_theme(tmp_path, "good")
        (write_theme(tmp_path, "bad") / "theme.json").write_text("{")
        installed = Installed([tmp_path], points=[])

        assert [layer.name for layer in installed.chain("good")] == ["good", "base"]
        with pytest.raises(ThemeFaulty, match="It is no JSON"):
            installed.chain("bad")

    def test_an_unknown_key_is_told_with_its_line(self, tmp_path: Path) -> None:
        folder = write_theme(tmp_path, "odd", {"paiges": {}})

        with pytest.raises(ThemeFaulty, match="unknown field `paiges`"):
            Installed([folder], points=[]).layer("odd")

    @pytest.mark.parametrize("name", ["a::b", "../x", "Shop", "module.x", "base", ""])
    def test_a_name_that_could_reach_elsewhere_is_refused(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "theme"
        write_theme(tmp_path, "theme", {"name": name})

        with pytest.raises(ThemeError):
            load_themes(shop.kernel(config=shop.settings(folder, storefront=name or "theme")))

    def test_a_theme_for_another_engine_is_refused(self, tmp_path: Path) -> None:
        write_theme(tmp_path, "old", {"engine": "<0.1"})

        with pytest.raises(ThemeFaulty, match=r"It works with kameng <0\.1"):
            load_themes(shop.kernel(config=shop.settings(tmp_path, storefront="old")))

    def test_a_theme_of_another_kind_is_refused(self) -> None:
        with pytest.raises(ThemeError, match="is of kind admin, but is chosen as storefront"):
            load_themes(shop.kernel(config=shop.settings(storefront="backoffice")))

    def test_all_faults_are_told_together(self, tmp_path: Path) -> None:
        pages = {
            "a": {"path": "/a/{x}", "template": "templates/a.html"},
            "b": {"path": "/a/{y}", "template": "templates/missing.html"},
            "c": {"path": "graphql", "template": "templates/a.html"},
            "d": {"path": "/graphql/x", "template": "elsewhere/a.html"},
            "e": {"path": "/e", "template": "templates/a.html", "colour": 1},
        }
        write_theme(tmp_path, "bad", {"pages": pages, "login": "nowhere"}, {"templates/a.html": "{% if %}"})

        with pytest.raises(ThemeFaulty) as caught:
            load_themes(shop.kernel(config=shop.settings(tmp_path, storefront="bad")))

        told = " ".join(finding.message for finding in caught.value.findings)
        for part in (
            "b and a have the same path",
            "'graphql', is unusable: a path begins with one slash",
            "/graphql/x is answered by the kernel",
            "'elsewhere/a.html' is not in the folder templates/",
            "unknown field `colour`",
            "'nowhere' is no page",
            "there is no template 'missing.html'",
            "Expected an expression, got 'end of statement block'",
        ):
            assert part in told


class TestTemplateNames:
    """What a template may call another."""

    @pytest.fixture
    def environment(self) -> ThemeEnvironment:
        """The templates of the child theme."""
        return ThemeEnvironment(Installed([shop.FIXTURES], points=[]).chain("child"))

    @pytest.mark.parametrize(
        "name",
        [
            "shop::product.html",
            "base::forms.html",
            "../theme.json",
            "parts/../../theme.json",
            "/etc/passwd",
            "@parent/../theme.json",
            "@parent//etc/passwd",
            "..\\theme.json",
            "",
            ".",
        ],
    )
    def test_a_name_from_outside_reaches_no_layer_and_no_other_folder(
        self, environment: ThemeEnvironment, name: str
    ) -> None:
        with pytest.raises(TemplateRefused):
            environment.page_template(name)
        with pytest.raises(TemplateRefused):
            environment.from_string("{% include name %}").render(name=name)

    def test_a_link_out_of_the_theme_is_not_followed(self, tmp_path: Path) -> None:
        folder = write_theme(tmp_path, "sly", *one_page("x"))
        (folder / "templates" / "passwd.html").symlink_to("/etc/passwd")
        environment = ThemeEnvironment(Installed([folder], points=[]).chain("sly"))

        with pytest.raises(TemplateNotFound):
            environment.page_template("passwd.html")

    def test_below_the_last_layer_there_is_nothing(self, environment: ThemeEnvironment) -> None:
        with pytest.raises(TemplateNotFound):
            environment.layer_loader.resolve("@parent/forms.html", "base::forms.html")


class TestSandbox:
    """What a template may do."""

    async def _render(self, open_shop: OpenShop, tmp_path: Path, template: str) -> str:
        write_theme(tmp_path, "try", *one_page(template))
        browser = open_shop(shop.kernel(config=shop.settings(tmp_path, storefront="try")))
        answer = await browser.get("/")
        return answer.text if answer.status_code == 200 else f"status {answer.status_code}"

    @pytest.mark.parametrize(
        "template",
        [
            "{{ ''.__class__ }}",
            "{{ viewer._principal }}",
            "{{ page._visit.context.kernel }}",
            "{{ url_for.__self__._theme }}",
            "{{ url_for.__globals__ }}",
            "{{ form.__func__ }}",
            "{{ settings.update({'tagline': 'x'}) }}",
            "{{ page|attr('_visit') }}",
            "{{ '{0._visit}'.format(page) }}",
            "{% set x = settings %}{% do x.clear() %}",
        ],
    )
    async def test_it_does_not_get_behind_what_it_is_given(
        self, open_shop: OpenShop, tmp_path: Path, template: str
    ) -> None:
        assert await self._render(open_shop, tmp_path, template) == "status 500"

    @pytest.mark.parametrize("template", ["{{ x|safe }}", "{% autoescape false %}{{ x }}{% endautoescape %}"])
    def test_it_cannot_switch_escaping_off(self, tmp_path: Path, template: str) -> None:
        write_theme(tmp_path, "try", *one_page(template))

        with pytest.raises(ThemeFaulty, match=r"switche[sd] (escaping )?off"):
            load_themes(shop.kernel(config=shop.settings(tmp_path, storefront="try")))

    async def test_a_field_called_like_a_method_is_the_field(
        self, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        template = (
            "{% set d = {'items': 1, 'copy': 2} %}{{ d.items }}{{ d.copy }}{{ {'a': 3}.values()|first }}"
        )

        assert await self._render(open_shop, tmp_path, template) == "123"

    async def test_json_fits_an_attribute(self, open_shop: OpenShop, tmp_path: Path) -> None:
        template = '<i data-x="{{ {"a": "\\"><script>"} | json }}">'

        assert await self._render(open_shop, tmp_path, template) == (
            '<i data-x="{&#34;a&#34;:&#34;\\&#34;&gt;&lt;script&gt;&#34;}">'
        )


async def test_in_development_a_changed_theme_is_read_again(open_shop: OpenShop, tmp_path: Path) -> None:
    manifest, files = one_page("old")
    folder = write_theme(tmp_path, "live", manifest, files)
    browser = open_shop(shop.kernel(config=shop.settings(folder, storefront="live")))
    assert (await browser.get("/")).text == "old"

    (folder / "templates" / "new.html").write_text("new")
    write_theme(tmp_path, "live", {"pages": {"home": {"path": "/", "template": "templates/new.html"}}})
    assert (await browser.get("/")).text == "new"

    (folder / "templates" / "other.html").write_text("{% broken %}")
    answer = await browser.get("/")
    assert answer.status_code == 500
    assert "live/templates/other.html:1: error: Encountered unknown tag 'broken'." in answer.text

    (folder / "templates" / "other.html").unlink()
    assert (await browser.get("/")).text == "new"


async def test_in_production_a_theme_stays_as_it_was_read(open_shop: OpenShop, tmp_path: Path) -> None:
    folder = write_theme(tmp_path, "live", *one_page("old"))
    config = shop.settings(folder, storefront="live").with_values("kameng", environment="production")
    browser = open_shop(shop.kernel(config=config))

    (folder / "templates" / "home.html").write_text("new")

    assert (await browser.get("/")).text == "old"
