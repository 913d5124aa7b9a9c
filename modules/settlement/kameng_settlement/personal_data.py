"""What settlement keeps about a member: the lines of his wallets. The law has them kept, so nothing of it is erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from kameng.db import Statement
from kameng.money import Money
from kameng_membership.contract import PersonalData
from kameng_settlement.chart import WALLET

if TYPE_CHECKING:
    from kameng.kernel import Kernel

MOST: Final = 20_000
"""The latest lines that a copy of a member's data holds."""

_LINES = Statement(
    "settlement.personal_lines",
    """
    select p.id, t.kind, t.memo, t.posted_at, p.currency,
           case when p.credit_account = a.id then p.amount else -p.amount end as minor
    from settlement_account a
    join lateral (
        (select * from settlement_posting where debit_account = a.id order by id desc limit $3)
        union all
        (select * from settlement_posting where credit_account = a.id order by id desc limit $3)
    ) as p on true
    join settlement_ledger_transaction t on t.id = p.transaction
    where a.kind = $1 and a.owner_kind = 'member' and a.owner_id = $2
    order by p.id desc limit $3
    """,
)

_LEFT = Statement(
    "settlement.personal_balances",
    """
    select a.currency, sum(b.credits - b.debits)::bigint as minor
    from settlement_account a join settlement_balance b on b.account = a.id
    where a.kind = $1 and a.owner_kind = 'member' and a.owner_id = $2
    group by a.currency having sum(b.credits - b.debits) <> 0 order by a.currency
    """,
)


async def collect(kernel: Kernel, member: UUID) -> Sequence[Mapping[str, Any]]:
    """The lines of a member's wallets, the newest first."""
    return [
        {
            "bookedAt": row["posted_at"].isoformat(),
            "kind": row["kind"],
            "memo": row["memo"],
            "amount": str(Money(row["minor"], row["currency"]).amount),
            "currency": row["currency"],
        }
        for row in await kernel.db.fetch(_LINES, WALLET.code, member, MOST)
    ]


async def unsettled(kernel: Kernel, member: UUID) -> str | None:
    """What is still in a member's wallets, or is owed by them."""
    left = [Money(row["minor"], row["currency"]) for row in await kernel.db.fetch(_LEFT, WALLET.code, member)]
    return (
        f"The wallet holds {', '.join(f'{sum_.amount} {sum_.currency}' for sum_ in left)}." if left else None
    )


PERSONAL_DATA: Final = PersonalData(name="wallet", collect=collect, unsettled=unsettled)
