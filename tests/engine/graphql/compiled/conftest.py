"""A compiled schema of cards, and a way to ask it that also asks graphql-core."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kameng.graphql.compiled import CompiledSchema, Invalid, Result
from tests.engine.graphql.compiled import shop
from tests.engine.graphql.compiled.comparing import as_json, by_core


@pytest.fixture
def fallbacks() -> list[str]:
    """The reasons for which graphql-core executed something."""
    return []


@pytest.fixture
def compiled(fallbacks: list[str]) -> CompiledSchema:
    return CompiledSchema(shop.schema, on_fallback=fallbacks.append, inert_directives={"idempotent"})


Ask = Callable[..., Awaitable[Result]]


@pytest.fixture
def ask(compiled: CompiledSchema) -> Ask:
    """Ask the compiled schema, make sure that graphql-core says the same, and give the answer."""

    async def ask(
        source: str,
        variables: dict[str, Any] | None = None,
        *,
        operation: str | None = None,
        staff: bool = False,
    ) -> Result:
        ours, theirs = shop.Context(staff), shop.Context(staff)
        prepared = compiled.prepare(source, operation)
        if isinstance(prepared, Invalid):
            result = prepared.result()
        else:
            result = await prepared.execute(variables, ours)
        data, errors = await by_core(
            shop.schema, source, variables, theirs, operation_name=operation, rules=compiled.rules
        )
        assert as_json(result.data, result.errors) == as_json(data, errors)
        assert ours.log == theirs.log
        result.extensions = {"log": ours.log}
        return result

    return ask
