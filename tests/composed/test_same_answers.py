"""Of both composed schemas the compiled path and graphql-core answer byte for byte the same, with the same SQL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kameng.auth import VISITOR, Principal
from kameng.cli.seed import seed_all
from kameng.testing.clients import a_clerk, a_member
from kameng.testing.databases import Databases, TestServices
from kameng.testing.documents import GeneratedDocument, documents
from kameng.testing.kernels import Kernels
from kameng.vault import data_keys
from kameng_catalog.known_lists import KnownLists
from kameng_fulfilment.flash.known import KnownSales
from tests.composed.filling import OWNER, Filling
from tests.composed.twice import CoreGaveUp, Twice, fresh_key, standing_still
from tests.composed.values import values_of

EXAMPLES = int(os.environ.get("KAMENG_PROPERTY_EXAMPLES", "100"))
DATA = Path(__file__).parents[2] / "examples" / "data"

CLOSED = {
    # Passwords cost 50 ms each, and tries are counted in Valkey, where nothing is rolled back.
    *(("Mutation", name) for name in ("logIn", "register", "changePassword", "acceptInvitation")),
    *(("Mutation", name) for name in ("createFirstAdministrator", "requestPasswordReset", "resetPassword")),
    *(("Mutation", name) for name in ("lookUpOrder", "sendOrderLink", "placeGuestOrder", "redeemGiftCard")),
    *(("Mutation", name) for name in ("openGuestOrder", "cancelGuestOrder", "claimGuestOrder")),
    *(("Mutation", name) for name in ("openGuestTicket", "withdrawGuestTicket", "payGuestOrder")),
    # What calls a gateway refuses to be inside a transaction.
    *(("Mutation", name) for name in ("startPayment", "topUp", "payOrder")),
    # A file comes beside the document.
    *(
        ("Mutation", name)
        for name in ("addProductMedia", "startProductImport", "startPriceImport", "startCardImport")
    ),
    *(("Mutation", name) for name in ("addTransferProof", "replaceProductMedia", "startBillImport")),
    # By a clock that goes on within a transaction.
    *(("Job", name) for name in ("createdAt", "startedAt", "endedAt")),
    ("Service", "claimedUntil"),
    ("Order", "reservedUntil"),
    # A one-time secret.
    ("CreateStaffPayload", "invitationLink"),
    ("Mutation", "makeGiftCards"),
}
"""Fields whose answers differ from one time to the next, whoever carries them out."""

property_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Without shrinking, which takes minutes here: a failure prints the document and both answers.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    derandomize="KAMENG_PROPERTY_EXAMPLES" not in os.environ,
)

pytestmark = [
    # A task that is cancelled before it began leaves its coroutine unawaited, here as in graphql-core.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True)
class Case:
    """One schema of the demo shop, and what is tried with it."""

    documents: SearchStrategy[GeneratedDocument]
    people: Sequence[Principal]
    twice: Twice


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filling(services: TestServices, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filling]:
    """The demo shop, with members, orders, staff and figures."""
    databases = Databases(services)
    async with AsyncExitStack() as stack:
        # What a process remembers for some time would be read by whoever comes first.
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(data_keys, "CACHED_SECONDS", -1.0)
        stack.push_async_callback(databases.drop_all)
        kernels = Kernels(services, databases, lambda: tmp_path_factory.mktemp("demo"), stack)
        kernel = await kernels(membership={"tier_cache_seconds": 0})
        await seed_all(kernel, DATA)
        filling = Filling(kernel)
        await filling.fill(4)
        # What a process reads again once in a while, the first of both executions would wait for and the second not.
        for kind in (KnownSales, KnownLists):
            patch.setattr(kernel.services.get(kind), "read", _always(await kind(kernel).read()))
        yield filling


def _always(known: object) -> Callable[[], Awaitable[object]]:
    async def read() -> object:
        return known

    return read


@pytest_asyncio.fixture(loop_scope="session", params=["shop", "admin"])
async def case(
    filling: Filling, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Case]:
    """One of both schemas."""
    schema: Literal["shop", "admin"] = request.param
    buyer = filling.buyer
    assert buyer is not None
    strategy = documents(
        filling.kernel.schemas[schema]._schema,
        kinds=("query", "query", "query", "query", "mutation"),
        max_depth=6,
        known=await values_of(filling, schema),
        allowed=lambda *field: field not in CLOSED,
        wrong_variables=True,
    )
    people = {
        "shop": (buyer, buyer, buyer, VISITOR, a_member()),
        "admin": (OWNER, OWNER, OWNER, a_clerk("catalog.read_products"), VISITOR),
    }
    with standing_still(monkeypatch) as start:
        yield Case(strategy, people[schema], Twice(filling.kernel, schema, start))


@property_settings
@given(data=st.data())
async def test_a_generated_document_has_the_answer_and_the_statements_of_graphql_core(
    case: Case, data: st.DataObject
) -> None:
    generated = data.draw(case.documents)
    principal = data.draw(st.sampled_from(case.people))
    locale = data.draw(st.sampled_from(("zh-CN", "en")))

    try:
        theirs, ours = await case.twice(generated, principal, locale, fresh_key())
    except CoreGaveUp:
        reject()

    assert ours.answer == theirs.answer, f"\n{ours.answer.decode()}\n{theirs.answer.decode()}"
    assert ours.cookies == theirs.cookies
    assert ours.statements == theirs.statements, "\n\n".join(
        f"ours:\n{own}\ntheirs:\n{other}"
        for own, other in zip_longest(ours.statements, theirs.statements)
        if own != other
    )
