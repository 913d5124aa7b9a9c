"""What the docs say is so: documents are valid, settings are read, and the guide's module runs."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context, compose_schema
from kameng.graphql.compiled import Invalid
from kameng.graphql.execution import Executor
from kameng.ids import global_id, new_id
from kameng.loader import load_modules
from kameng.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [
        (info.strip(), text)
        for kind, info, text in FENCE.findall(page.read_text("utf-8"))
        if kind == language
    ]


GUIDE = ROOT / "docs" / "module-authors-guide.md"
DOCUMENTS = [
    pytest.param(info, text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (info, text) in enumerate(blocks(page, "graphql"))
    if info in ("shop", "admin")
]


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return load_modules(Settings({}, root=tmp_path_factory.mktemp("docs")))


@pytest.mark.parametrize(("schema", "text"), DOCUMENTS)
def test_a_document_is_valid(schema, text, modules):
    prepared = Executor(compose_schema(schema, modules)).prepare(text)
    assert not isinstance(prepared, Invalid), prepared.errors


def test_there_are_documents():
    assert len(DOCUMENTS) >= 7


def test_settings_are_read(tmp_path):
    for page in PAGES:
        for info, text in blocks(page, "toml"):
            tree = tomllib.loads(text)
            if not info and "kameng" in tree:
                assert Settings(tree, root=tmp_path).production


@pytest.fixture
def guide(tmp_path, monkeypatch):
    """The guide's package, laid out as its blocks name their files."""
    for language in ("python", "toml"):
        for name, text in blocks(GUIDE, language):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    migrations = tmp_path / "kameng_wishes" / "migrations"
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "kameng_wishes"]:
        del sys.modules[name]
    return tmp_path


async def test_the_guides_module_does_what_the_guide_says(guide, make_kernel, modules):
    wishes = importlib.import_module("kameng_wishes")
    tables = importlib.import_module("kameng_wishes.tables")
    kernel = await make_kernel([*modules, wishes.module])
    await tables.Wish.create_table()
    for index in tables.INDEXES:
        await kernel.db.execute(index.create)

    async def made(*_args, **_values):
        return kernel

    # its own test passes
    namespace = {}
    exec(compile((guide / "tests" / "test_wishes.py").read_text(), "test_wishes.py", "exec"), namespace)
    await namespace["test_a_product_is_wished_for_once"](made)
    # the event was written with the wish, and the handler takes it
    assert (
        await kernel.db.fetchval("select count(*) from kernel_outbox where topic = 'wishes.product_wished'")
        == 1
    )
    # its query is valid, and counts
    ((_, query),) = [block for block in blocks(GUIDE, "graphql") if block[0] == "shop wishes"]
    assert not isinstance(kernel.graphql["shop"].prepare(query), Invalid)
    product = await kernel.db.fetchval("select product from wishes_wish")
    member = Principal(kind=PrincipalKind.MEMBER, id=new_id())
    answer = await kernel.graphql["shop"].execute(
        "mutation($id: ID!) { wishForProduct(productId: $id) { wished } }",
        {"id": global_id("Product", product)},
        Context(kernel, principal=member),
    )
    assert answer.data == {"wishForProduct": {"wished": True}}
    assert await kernel.db.fetchval("select count(*) from wishes_wish where product = $1", product) == 2


def test_the_guides_code_keeps_our_rules(guide):
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--config",
        str(ROOT / "pyproject.toml"),
        "--ignore",
        "I001,S101,INP001",
    ]
    done = subprocess.run([*ruff, str(guide / "kameng_wishes")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
