"""The compiled path and graphql-core answer byte for byte the same, in the same order of calls."""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kameng.graphql.compiled import CompiledSchema
from kameng.testing.documents import GeneratedDocument, documents
from tests.engine.graphql.compiled import torture, torture_core
from tests.engine.graphql.compiled.chaos import World
from tests.engine.graphql.compiled.comparing import compare

EXAMPLES = int(os.environ.get("KAMENG_PROPERTY_EXAMPLES", "300"))

property_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Without shrinking, which takes minutes here: a failure prints the document, the seed and both answers.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    derandomize="KAMENG_PROPERTY_EXAMPLES" not in os.environ,
)

# A task that is cancelled before it began leaves its coroutine unawaited, here as in graphql-core.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Unawaited coroutines come to light within the test that left them, where their warning is expected."""
    yield
    gc.collect()


fallbacks: Counter[str] = Counter()
compiled = CompiledSchema(torture.schema, on_fallback=lambda reason: fallbacks.update([reason]))


@property_settings
@given(
    generated=documents(torture.schema._schema, wrong_variables=True),
    seed=st.integers(0, 2**16),
    trouble=st.sampled_from([0, 20, 100, 300]),
)
def test_a_generated_document_has_the_answer_of_graphql_core(
    runner: asyncio.Runner, generated: GeneratedDocument, seed: int, trouble: int
) -> None:
    runner.run(
        compare(torture.schema, compiled, generated, lambda: torture.make_world(seed, trouble), torture.root)
    )


core_compiled = CompiledSchema(torture_core.schema, inert_directives={"mark"})


@property_settings
@given(
    generated=documents(torture_core.schema, wrong_variables=True),
    seed=st.integers(0, 2**16),
    trouble=st.sampled_from([0, 20, 100, 300]),
)
def test_a_schema_of_graphql_core_has_the_answer_of_graphql_core(
    runner: asyncio.Runner, generated: GeneratedDocument, seed: int, trouble: int
) -> None:
    runner.run(
        compare(
            torture_core.schema, core_compiled, generated, lambda: World(seed, trouble), torture_core.root
        )
    )
