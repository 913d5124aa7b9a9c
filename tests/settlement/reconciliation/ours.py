"""Our side, put into the tables of payments as if gateways had told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

from kameng.auth.principal import Principal, PrincipalKind
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.money import Money
from kameng_settlement.payments.posting import post_fee, take_in
from kameng_settlement.reconciliation.importing import Imported, import_bill
from kameng_settlement.reconciliation.running import Run, reconcile
from tests.settlement.reconciliation.bills import DAY, Traded, wechat_bill

SOURCE = "wechat:main"
CLERK = Principal(kind=PrincipalKind.STAFF, id=new_id())


@dataclass
class Desk:
    """An accountant's desk with one account."""

    kernel: Kernel
    account: UUID

    async def record(self, rows: Sequence[Traded], member: UUID | None = None) -> None:
        """We recorded these: in the books, where they are done."""
        member = member or new_id()
        for row in rows:
            await (self._refund(row, member) if row.kind == "refund" else self._payment(row, member))

    async def _payment(self, row: Traded, member: UUID) -> None:
        db, payment = self.kernel.db, new_id()
        async with db.transaction():
            posted = None
            if row.status == "done":
                amount, fee = Money(row.amount, "CNY"), Money(row.fee, "CNY")
                posted = await take_in(self.kernel, SOURCE, row.their_number, member, amount, "")
                await post_fee(self.kernel, SOURCE, row.their_number, fee, "")
            await db.execute(
                """
                insert into settlement_payment
                    (id, number, key, purpose, subject, payer, amount_minor, currency, state, paid_to, transaction,
                     created_at, expires_at, paid_at)
                values ($1, $2, $2, 'top_up', $1, $3, $4, 'CNY', $5, $6, $7, $8, $8, $9)
                """,
                payment,
                f"N{payment.hex[-24:]}",
                member,
                row.amount,
                "PAID" if posted else "PENDING",
                self.account if posted else None,
                row.their_number if posted else None,
                row.at,
                row.at if posted else None,
            )
            await db.execute(
                """
                insert into settlement_payment_attempt
                    (id, payment, account, number, flow, state, started_at, expires_at, ended_at)
                values ($1, $2, $3, $4, 'qr', $5, $6, $6, $7)
                """,
                new_id(),
                payment,
                self.account,
                row.number,
                "PAID" if posted else "WAITING",
                row.at,
                row.at if posted else None,
            )
            if posted:
                await self.observe(row, payment, posted)

    async def observe(self, row: Traded, payment: UUID, posted: UUID) -> None:
        """The gateway told us that it is paid."""
        await self.kernel.db.execute(
            """
            insert into settlement_payment_observation
                (id, account, payment, number, told_by, status, transaction, amount_minor, currency, digest, outcome,
                 taken, posted, paid_at, at)
            values ($1, $2, $3, $4, 'notification', 'paid', $5, $6, 'CNY', $7, 'PAID', true, $8, $9, $9)
            """,
            new_id(),
            self.account,
            payment,
            row.number,
            row.their_number,
            row.amount,
            sha256(row.number.encode()).digest(),
            posted,
            row.at,
        )

    async def _refund(self, row: Traded, member: UUID) -> None:
        payment = await self.kernel.db.fetchrow(
            "select payment, posted from settlement_payment_observation where number = $1", row.parent
        )
        assert payment is not None
        await self.kernel.db.execute(
            """
            insert into settlement_payment_refund
                (id, payment, account, number, key, amount_minor, currency, state, requested_by, posted, gateway_reference,
                 created_at, settled_at)
            values ($1, $2, $3, $4, $4, $5, 'CNY', $6, 'staff', $7, $8, $9, $10)
            """,
            new_id(),
            payment["payment"],
            self.account,
            row.number,
            row.amount,
            "SUCCEEDED" if row.status == "done" else "ACCEPTED",
            payment["posted"],
            row.their_number,
            row.at,
            row.at if row.status == "done" else None,
        )

    async def bring(
        self, content: bytes, day: date | None = DAY, form: str = "wechat-trade", name: str = "bill.csv"
    ) -> Imported:
        """Import a bill."""
        return await import_bill(
            self.kernel, BytesIO(content), source=SOURCE, form=form, principal=CLERK, day=day, file_name=name
        )

    async def bring_rows(self, rows: Sequence[Traded], day: date = DAY) -> Imported:
        """Import a bill with these rows."""
        return await self.bring(wechat_bill(rows), day)

    async def run(self, day: date = DAY) -> Run:
        """Reconcile a day."""
        return await reconcile(self.kernel, SOURCE, day, principal=CLERK)

    async def cases(self) -> list[tuple[str, str, str, int, int, str]]:
        """What the cases say: difference, kind, number, effects and state."""
        rows = await self.kernel.db.fetch("select * from settlement_case order by difference, number, mark")
        return [
            (r["difference"], r["kind"], r["number"], r["effect_minor"], r["fee_effect_minor"], r["state"])
            for r in rows
        ]

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that reconciliation keeps, to see that it did not change."""
        return {
            table: [tuple(row) for row in await self.kernel.db.fetch(f"select * from {table} order by 1")]
            for table in (
                "settlement_bill",
                "settlement_bill_row",
                "settlement_bill_match",
                "settlement_reconciliation",
                "settlement_case",
                "settlement_case_note",
                "settlement_carry_over",
                "settlement_posting",
            )
        }


async def open_desk(kernel: Kernel) -> Desk:
    """A desk with an account that is empty."""
    account = new_id()
    await kernel.db.execute(
        """
        insert into settlement_merchant_account
            (id, gateway, code, name, merchant, sealed_settings, data_key, currencies, sites, created_at, changed_at)
        values ($1, 'wechat', 'main', 'WeChat', '1900000109', '', $1, '{CNY}', '{}', $2, $2)
        """,
        account,
        datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
    )
    return Desk(kernel, account)
