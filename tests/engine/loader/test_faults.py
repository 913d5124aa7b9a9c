"""The loader tells everything that is wrong, each with the package at fault and the cure."""

import sys
from typing import Annotated, Protocol

import msgspec
import pytest
import strawberry

from kameng.errors import FaultsFound, SettingsError
from kameng.events import Event
from kameng.graphql import foreign
from kameng.loader import load_modules
from kameng.module import Handler, Module, Provide, SchemaPart
from kameng.settings import Settings, read_settings


def settings(tmp_path, **tree):
    return Settings(tree, root=tmp_path)


def faults_of(modules, where):
    with pytest.raises(FaultsFound) as caught:
        load_modules(where, modules)
    return {(fault.kind, fault.package): fault for fault in caught.value.faults}


@strawberry.type
class Product:
    title: str


@strawberry.type
class ProductQuery:
    @strawberry.field
    def product(self) -> Product:
        return Product(title="a")


CATALOG = Module(name="catalog", version="1.4.0", shop=SchemaPart(query=ProductQuery))


def test_a_missing_requirement(tmp_path):
    found = faults_of([Module(name="a", version="1", requires={"catalog": ">=1"})], settings(tmp_path))
    fault = found[("missing_requirement", "a 1")]
    assert "requires module 'catalog', which is not installed" in fault.message
    assert fault.cure == "Install a package that brings 'catalog'."


def test_a_version_outside_the_range(tmp_path):
    found = faults_of(
        [CATALOG, Module(name="a", version="1", requires={"catalog": ">=2,<3"})], settings(tmp_path)
    )
    fault = found[("version_outside_range", "a 1")]
    assert fault.message == "Module a requires catalog >=2,<3; catalog 1.4.0 is installed."


def test_an_engine_outside_the_range(tmp_path):
    found = faults_of([Module(name="a", version="1", engine=">=9")], settings(tmp_path))
    assert "works with kameng >=9" in found[("engine_outside_range", "a 1")].message


def test_a_range_that_is_none(tmp_path):
    found = faults_of([Module(name="a", version="1", engine="about 2")], settings(tmp_path))
    assert "PEP 440" in found[("bad_version", "a 1")].cure


def test_a_cycle(tmp_path):
    ring = [
        Module(name="a", version="1", requires={"c": ">=1"}),
        Module(name="b", version="1", requires={"a": ">=1"}),
        Module(name="c", version="1", requires={"b": ">=1"}),
    ]
    fault = faults_of(ring, settings(tmp_path))[("cycle", "a 1, b 1, c 1")]
    assert "in a circle" in fault.message
    assert fault.message.count("→") == 3


def test_a_duplicate_name(tmp_path):
    found = faults_of([Module(name="a", version="1"), Module(name="a", version="2")], settings(tmp_path))
    assert ("duplicate_name", "a 1 and a 2") in found


def test_a_duplicate_root_field(tmp_path):
    @strawberry.type
    class OtherQuery:
        @strawberry.field
        def product(self) -> str:
            return ""

    other = Module(name="other", version="1", shop=SchemaPart(query=OtherQuery))
    fault = faults_of([CATALOG, other], settings(tmp_path))[("duplicate_field", "catalog 1.4.0 and other 1")]
    assert fault.message == "The shop schema has two fields Query.product."


def test_a_duplicate_field_on_another_modules_type(tmp_path):
    class Extra:
        @strawberry.field
        def title(self) -> str:
            return ""

    other = Module(
        name="other", version="1", requires={"catalog": ">=1"}, shop=SchemaPart(extend={"Product": Extra})
    )
    fault = faults_of([CATALOG, other], settings(tmp_path))[("duplicate_field", "catalog 1.4.0 and other 1")]
    assert fault.message == "The shop schema has two fields Product.title."


def test_a_field_on_a_type_that_is_not_there(tmp_path):
    class Extra:
        @strawberry.field
        def stars(self) -> int:
            return 1

    other = Module(name="other", version="1", shop=SchemaPart(extend={"Produkt": Extra}))
    fault = faults_of([CATALOG, other], settings(tmp_path))[("unknown_type", "other 1")]
    assert "adds fields to Produkt" in fault.message


def test_a_type_of_a_module_that_is_not_there(tmp_path):
    @strawberry.type
    class ShelfQuery:
        @strawberry.field
        def favourite(self) -> Annotated["Product", foreign("catalog")]:
            return Product(title="a")

    shelf = Module(name="shelf", version="1", shop=SchemaPart(query=ShelfQuery))
    fault = faults_of([shelf], settings(tmp_path))[("unknown_type", "shelf 1")]
    assert "uses the type Product" in fault.message
    assert "Enable catalog" in fault.cure
    assert load_modules(settings(tmp_path), [shelf, CATALOG])


def test_a_duplicate_type(tmp_path):
    @strawberry.type(name="Product")
    class Ware:
        weight: int

    @strawberry.type
    class OtherQuery:
        @strawberry.field
        def ware(self) -> Ware:
            return Ware(weight=1)

    other = Module(name="other", version="1", shop=SchemaPart(query=OtherQuery))
    fault = faults_of([CATALOG, other], settings(tmp_path))[("duplicate_type", "catalog 1.4.0 and other 1")]
    assert "two types named Product" in fault.message
    assert "Ware" in fault.message


def test_an_unknown_settings_key_and_section(tmp_path):
    class ReviewsSettings(msgspec.Struct, forbid_unknown_fields=True):
        stars: int = 5

    module = Module(name="reviews", version="1", settings=ReviewsSettings)
    where = settings(tmp_path, reviews={"starz": 4}, nonsense={"x": 1})
    found = faults_of([module], where)
    assert "starz" in found[("unknown_settings", "reviews 1")].message
    assert found[("unknown_settings", "reviews 1")].cure == "Its keys are: stars."
    assert "[nonsense]" in found[("unknown_settings", "the environment")].message


def test_an_unknown_key_of_the_engine_is_told_before_anything_loads(tmp_path):
    with pytest.raises(SettingsError, match="pool_sise"):
        settings(tmp_path, kameng={"pool_sise": 3})


def test_a_duplicate_table(tmp_path, monkeypatch):
    for name in ("one_app", "two_app"):
        (tmp_path / f"{name}.py").write_text(
            "from piccolo.conf.apps import AppConfig\n"
            "from piccolo.table import Table\n"
            f"class T(Table, tablename='shared_things'): pass\n"
            f"APP_CONFIG = AppConfig(app_name='{name}', migrations_folder_path='.', table_classes=[T])\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    pair = [
        Module(name="one", version="1", piccolo_app="one_app"),
        Module(name="two", version="1", piccolo_app="two_app"),
    ]
    fault = faults_of(pair, settings(tmp_path))[("duplicate_table", "one 1 and two 1")]
    assert "shared_things" in fault.message


class Pricing(Protocol):
    async def price(self) -> int: ...


class Shelf:
    async def price(self) -> int:
        return 1


def test_a_missing_and_a_double_provider(tmp_path):
    needy = Module(name="needy", version="1", needs=(Pricing,))
    assert "Pricing, which no enabled module provides" in (
        faults_of([needy], settings(tmp_path))[("missing_provider", "needy 1")].message
    )
    pair = [
        Module(name=name, version="1", provides=(Provide(Pricing, lambda _: Shelf()),)) for name in ("p", "q")
    ]
    assert ("two_providers", "p 1 and q 1") in faults_of([needy, *pair], settings(tmp_path))


def test_a_handler_of_an_event_that_nobody_publishes(tmp_path):
    class Sold(Event, frozen=True, kw_only=True):
        name = "shop.sold"

    async def count(kernel, event): ...

    module = Module(name="a", version="1", handlers=(Handler(name="count", event=Sold, call=count),))
    assert "shop.sold" in faults_of([module], settings(tmp_path))[("missing_event", "a 1")].message


def test_all_faults_come_together(tmp_path):
    many = [
        Module(name="a", version="1", requires={"zzz": ">=1"}, engine=">=9"),
        Module(name="b", version="1", requires={"a": ">=5"}, needs=(Pricing,)),
        Module(name="b", version="2"),
    ]
    kinds = {kind for kind, _ in faults_of(many, settings(tmp_path, typo={}))}
    assert kinds == {
        "missing_requirement",
        "engine_outside_range",
        "version_outside_range",
        "missing_provider",
        "duplicate_name",
        "unknown_settings",
    }


def test_modules_come_after_what_they_require(tmp_path):
    modules = [
        Module(name="c", version="1", requires={"b": ">=1"}),
        Module(name="a", version="1"),
        Module(name="b", version="1", requires={"a": ">=1"}),
    ]
    assert [module.name for module in load_modules(settings(tmp_path), modules)] == ["a", "b", "c"]


# -- discovery, on real entry points of distributions laid out for the test ---------------------------------------------


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Lay out distributions as pip would; each is a name, a version and the code of its package."""

    def install(name, code, entry="module", point=None):
        package = f"pkg_{name.replace('-', '_')}"
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kameng.modules]\n{point or name} = {package}:{entry}\n")
        sys.modules.pop(package, None)

    monkeypatch.syspath_prepend(tmp_path)
    # stevedore remembers entry points between processes by a hash of the path; a test changes what is on the path.
    monkeypatch.setenv("STEVEDORE_CACHE_DISABLE", "1")
    from stevedore import _cache
    from stevedore.extension import ExtensionManager

    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})
    monkeypatch.setattr(_cache, "_c", _cache.Cache())
    return install


GOOD = (
    "from kameng.module import Module\nmodule = Module(name={name!r}, version='1.0', requires={requires!r})\n"
)


def selected(tmp_path, *names, disabled=()):
    return settings(tmp_path, modules={"enabled": list(names), "disabled": list(disabled)})


def test_a_package_that_fails_to_import_does_not_hide_the_others(installed, tmp_path):
    installed("acme-broken", "import a_library_that_is_not_there\n")
    installed("acme-empty", "module = 42\n")
    installed("acme-good", GOOD.format(name="good", requires={"nowhere": ">=1"}))
    with pytest.raises(FaultsFound) as caught:
        load_modules(selected(tmp_path, "acme-broken", "acme-empty", "acme-good", "acme-absent"))
    found = {(fault.kind, fault.package): fault for fault in caught.value.faults}
    assert "a_library_that_is_not_there" in found[("import_error", "acme-broken 1.0")].message
    assert "is no kameng.Module" in found[("import_error", "acme-empty 1.0")].message
    assert ("missing_requirement", "acme-good 1.0") in found
    assert "not installed" in found[("missing_module", "acme-absent")].message


def test_a_disabled_requirement_is_told_apart_from_a_missing_one(installed, tmp_path):
    installed("base", GOOD.format(name="base", requires={}))
    installed("acme-upper", GOOD.format(name="upper", requires={"base": ">=1"}))
    with pytest.raises(FaultsFound) as caught:
        load_modules(selected(tmp_path, "base", "acme-upper", disabled=("base",)))
    (fault,) = caught.value.faults
    assert (fault.kind, fault.package) == ("disabled_requirement", "acme-upper 1.0")
    assert fault.cure == "Enable 'base' in [modules] of kameng.toml."


def test_two_packages_with_one_entry_point_name(installed, tmp_path):
    installed("acme-one", GOOD.format(name="one", requires={}), point="twice")
    installed("acme-two", GOOD.format(name="two", requires={}), point="twice")
    with pytest.raises(FaultsFound) as caught:
        load_modules(selected(tmp_path, "twice"))
    assert {fault.kind for fault in caught.value.faults} == {"duplicate_name"}
    assert any("acme-one" in fault.package and "acme-two" in fault.package for fault in caught.value.faults)


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_come_from_the_file_and_the_environment_goes_before_it(tmp_path):
    (tmp_path / "kameng.toml").write_text("[kameng]\nport = 9000\npool_size = 3\n")
    (tmp_path / "secret").write_text("postgresql://x@y/z\n")
    read = read_settings(
        tmp_path / "kameng.toml",
        {
            "PORT": "9100",
            "KAMENG_KAMENG__DATABASE_URL_FILE": str(tmp_path / "secret"),
            "KAMENG_KAMENG__TRUSTED_HOSTS": '["a.b"]',
        },
    )
    assert (read.engine.port, read.engine.pool_size, read.engine.database_url) == (
        9100,
        3,
        "postgresql://x@y/z",
    )
    assert read.engine.trusted_hosts == ("a.b",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kameng\n", "no valid TOML"),
        ("port = 1\n", "stands outside a section"),
        ("[kameng]\nport = 'many'\n", "port"),
        ("[kameng]\nenvironment = 'prod'\n", "environment"),
    ],
)
def test_unusable_settings_are_one_clear_error(tmp_path, text, said):
    (tmp_path / "kameng.toml").write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        read_settings(tmp_path / "kameng.toml", {})
    assert caught.value.cure
