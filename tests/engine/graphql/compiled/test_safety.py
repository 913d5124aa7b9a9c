"""Nothing of a document becomes code: names are checked by the parser and quoted, values are bound as objects."""

import builtins

import pytest
import strawberry

from kameng.graphql.compiled import CompiledSchema, emit

ATTEMPTS = [
    "'); raise SystemExit('",
    '"""\n)\nimport os; os.abort()\n"""',
    "{o.__class__.__mro__}",
    "%(R)s",
    "\\' + R.context + \\'",
    "\u2028raise SystemExit",
    "v0 = R",
]


@pytest.fixture
def sources(monkeypatch):
    """Every source that was compiled."""
    seen = []

    def spy(source, *args):
        seen.append(source)
        return builtins.compile(source, *args)

    monkeypatch.setattr(emit, "compile", spy, raising=False)
    return seen


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_values_never_reach_the_source(ask, sources, attempt):
    literal = attempt.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    result = await ask(
        f'query ($t: String = "{literal}") {{ a: search(text: "{literal}") b: search(text: $t)'
        f' c: search(filter: {{words: ["{literal}", $t]}}) }}',
        {"t": attempt},
    )

    assert result.data["a"] == result.data["b"] == repr((None, attempt))
    assert len(sources) == 1
    assert not any(part in sources[0] for part in (attempt, literal, repr(attempt), "SystemExit"))


@pytest.mark.parametrize(
    "name",
    ["__builtins__", "__import__", "exec", "o", "R", "p", "w", "e", "v0", "fail", "None", "def", "x" * 5_000],
)
async def test_names_are_only_keys(ask, fallbacks, name):
    result = await ask(
        f"query Q(${name}: Int = 1) {{ {name}: cards(first: ${name}) {{ {name}: name ...{name}F }} }}"
        f" fragment {name}F on Card {{ {name}2: price {{ {name}: currency }} }}"
    )

    assert result.data == {name: [{name: "card 1", f"{name}2": {name: "CNY"}}]}
    assert fallbacks == []


@pytest.mark.parametrize("name", ["a'", "a-b", "a b", "ä", "a\u200b", "1a", "a;b"])
def test_what_is_no_name_is_refused_by_the_parser(compiled, name):
    prepared = compiled.prepare(f"{{ {name}: cards {{ id }} }}")

    assert prepared.errors


async def test_generated_code_reaches_no_builtin_function_beyond_its_own(compiled):
    prepared = compiled.prepare("{ cards { id } }")
    await prepared.execute()
    (variant,) = prepared._variants.values()
    names = set(variant._build.__globals__["__builtins__"])

    assert names == {"Exception", "type", "getattr", "list", "str", "int", "float", "bool", "dict"}


async def test_a_schema_with_names_that_python_reserves():
    @strawberry.type
    class Odd:
        class_: int = strawberry.field(name="class", default=1)
        o: int = 2
        R: int = 3
        w: int | None = None

    @strawberry.type
    class Query:
        @strawberry.field
        def odd(self, e: int = 5, p: int = 6) -> Odd:
            return Odd(w=e + p)

    result = (
        await CompiledSchema(strawberry.Schema(query=Query))
        .prepare("{ odd(p: 1) { class o R w } }")
        .execute()
    )

    assert result.data == {"odd": {"class": 1, "o": 2, "R": 3, "w": 6}}
