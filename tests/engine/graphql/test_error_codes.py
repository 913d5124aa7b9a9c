"""Every code that a client may see is documented, and has one meaning."""

from __future__ import annotations

import re
from pathlib import Path

from kameng.errors import Forbidden, RateLimited, UnavailableError
from kameng.graphql import compose_schema
from kameng.graphql.error_codes import OTHERS, meaning, page, refusals
from kameng.graphql.refusals import TooComplex, extensions_of
from kameng.kernel import load_modules
from kameng.settings import Settings

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "error-codes.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python tools/error_codes.py`"


def test_each_code_has_one_meaning() -> None:
    clashes = {
        code: [f"{cls.__module__}.{cls.__qualname__}" for cls in classes]
        for code, classes in refusals().items()
        if not all(issubclass(cls, classes[0]) for cls in classes)
    }
    assert clashes == {}
    assert not set(OTHERS) & set(refusals())


def test_each_code_is_upper_case_and_explained() -> None:
    for code, classes in refusals().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]{2,47}", code), code
        assert len(meaning(classes[0])) > 10, code


def test_the_codes_of_both_schemas_and_of_the_sources_are_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    modules = load_modules(Settings({}, root=ROOT))
    for name in ("shop", "admin"):
        types = compose_schema(name, modules)._schema.type_map  # type: ignore[arg-type]  # one of the two
        for enum in [kind for key, kind in types.items() if key.endswith("ErrorCode")]:
            assert set(enum.values) <= documented, enum.name
    told = re.compile(r'"code": "([A-Z_]+)"|_Refused\(\s*\d+,\s*f?"[^"]*",\s*"([A-Z_]+)"')
    for file in (ROOT / "engine" / "kameng" / "graphql").rglob("*.py"):
        for match in told.findall(file.read_text("utf-8")):
            assert set(filter(None, match)) <= documented, file.name


def test_errors_say_whose_fault_they_are() -> None:
    # Given errors that lie with the request, and one that lies with us
    forbidden = Forbidden("This is not for you.", cure="Ask.")
    late, down = (
        RateLimited("Too often.", retry_after=7),
        UnavailableError("The database is away.", cure="Wait."),
    )

    # Then a client that knows none of the codes can tell them apart
    client, server = {"classification": "BAD_REQUEST"}, {"classification": "INTERNAL_SERVER_ERROR"}
    assert extensions_of(forbidden) == {"code": "FORBIDDEN", "cure": "Ask.", **client}
    again = {"code": "RATE_LIMITED", "cure": "Try again in 7 s.", "retryAfter": 7, **client}
    assert extensions_of(late) == again
    limit = {"name": "depth", "maximum": 12}
    refused = extensions_of(TooComplex("too many levels", "depth", 12))
    assert refused == {
        "code": "GRAPHQL_TOO_COMPLEX",
        "cure": "Ask for less at once, or in several requests.",
        "limit": limit,
        **client,
    }
    assert extensions_of(down) == {"code": "UNAVAILABLE", "cure": "Wait.", **server}
