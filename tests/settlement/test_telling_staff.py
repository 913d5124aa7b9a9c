"""The staff is told what a person should look at, once for each occasion, and may choose not to be."""

from __future__ import annotations

from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_settlement.payments.events import PaymentNeedsAttention
from kameng_settlement.reconciliation.events import BillNotFetched, CasesFound
from tests.analytics.test_closing import MAIL


async def told(kernel: Kernel) -> dict[str, int]:
    """How many messages of each kind there are."""
    rows = await kernel.db.fetch("select kind, count(*) from notify_message group by kind")
    return {row["kind"]: row["count"] for row in rows}


async def test_what_does_not_fit_and_what_was_found_is_told_once(make_kernel: Kernels) -> None:
    kernel = await make_kernel(notify=MAIL)
    attention = PaymentNeedsAttention(
        payment=None,
        account="wechat:main",
        number="A1",
        outcome="WRONG_AMOUNT",
        amount_minor=100,
        currency="CNY",
    )
    unfetched = BillNotFetched(
        account="wechat:main", day="2026-11-22", kind="trade", code="GATEWAY", message="m", cure="c"
    )
    cases = CasesFound(
        reconciliation="0", account="wechat:main", day="2026-11-22", opened={"amount": 2, "missing_ours": 1}
    )
    for _ in range(2):
        async with kernel.db.transaction():
            await kernel.events.emit(attention, unfetched)
    async with kernel.db.transaction():
        await kernel.events.emit(cases)
    await drain(kernel)
    assert await told(kernel) == {
        "settlement.payment_attention": 1,
        "settlement.bill_not_fetched": 1,
        "settlement.reconciliation_cases": 1,
    }
    # Each can be switched off by whoever is told
    for kind in ("payment_attention", "bill_not_fetched", "reconciliation_cases"):
        assert kernel.services.get(_notifications()).kinds[f"settlement.{kind}"].optional


def _notifications() -> type:
    from kameng.notify import Notifications

    return Notifications
