"""No code gives anybody a password: not as a default, not for a demo, not for the first administrator."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMED_LIKE_ONE = re.compile(r"(^|_)(password|passwd|pwd|passphrase)$", re.IGNORECASE)
IN_SETTINGS = re.compile(r"""(?i)(password|passwd|passphrase)["']?\s*[:=]\s*["']?[^\s"',{}\[\]]""")
DECLARED_IN = ("engine", "modules", "themes", "examples")


def given_passwords(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each password that a program's text gives: by assignment, argument, default or entry."""
    for node in ast.walk(ast.parse(source)):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(name_of(target), node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(name_of(node.target), node.value)]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg or "", node.value)]
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            pairs = [
                (item.arg, default) for item, default in zip(node.kwonlyargs, node.kw_defaults, strict=True)
            ]
            pairs += [
                (item.arg, default)
                for item, default in zip(positional[::-1], node.defaults[::-1], strict=False)
            ]
        elif isinstance(node, ast.Dict):
            pairs = [
                (key.value, value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            ]
        for name, value in pairs:
            literal = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and value.value
            if literal and NAMED_LIKE_ONE.search(name):
                yield value.lineno, name


def name_of(target: ast.expr) -> str:
    return (
        target.id
        if isinstance(target, ast.Name)
        else target.attr
        if isinstance(target, ast.Attribute)
        else ""
    )


def test_no_program_gives_a_password():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for folder in DECLARED_IN
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "tests" not in path.parts
        for line, name in given_passwords(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_settings_file_gives_a_password():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (".", *DECLARED_IN)
        for suffix in ("toml", "yml", "yaml", "env", "ini", "json")
        for path in sorted((ROOT / folder).glob(f"*.{suffix}" if folder == "." else f"**/*.{suffix}"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if IN_SETTINGS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'PASSWORD = "admin"',
        'user.password = "admin"',
        'admin_password: str = "admin"',
        'create(login="admin", password="admin")',
        'def create(login, password="admin"): ...',
        'def create(*, initial_password="admin"): ...',
        'seed = {"login": "admin", "password": b"admin"}',
    ],
)
def test_the_look_for_one_would_find_it(source):
    assert len(list(given_passwords(source))) == 1


@pytest.mark.parametrize(
    "source",
    ['password = ""', "password = read()", 'PASSWORD_RESET = "password_reset"', "def f(password=None): ..."],
)
def test_and_takes_nothing_else_for_one(source):
    assert list(given_passwords(source)) == []


@pytest.mark.parametrize(
    "line", ['password = "admin"', '"admin_password": "admin"', "PASSWORD=admin", "  passwd: admin"]
)
def test_the_look_into_settings_would_find_one(line):
    assert IN_SETTINGS.search(line)


@pytest.mark.parametrize(
    "line", ['"change_password": {"document": "q"}', 'password = ""', "password_min_length = 12"]
)
def test_and_takes_nothing_else_for_one_there(line):
    assert not IN_SETTINGS.search(line)
