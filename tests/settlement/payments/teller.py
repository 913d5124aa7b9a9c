"""A process that does one thing with payments, to be killed in the middle of it.

python -m tests.settlement.payments.teller SETTINGS DOING ARGUMENT
"""

import asyncio
import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from uuid import UUID

from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments import gateways
from kameng_settlement.payments.notifying import take_notification
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.polling import poll_payments
from kameng_settlement.payments.refunding import refund_payments
from kameng_settlement.payments.starting import Choice, start
from tests.settlement.conftest import CATALOG
from tests.settlement.payments.bank_gateway import told
from tests.settlement.payments.conftest import SECRET


async def main(tree: str, doing: str, argument: str) -> None:
    bank = EntryPoint("bank", "tests.settlement.payments.bank_gateway:gateway", "kameng.gateways")
    gateways.installed_gateways = lambda: {"bank": bank}  # type: ignore[assignment]  # as if a package had brought it
    value = json.loads(tree)
    settings = Settings(value["tree"], root=Path(value["root"]))
    async with Kernel(settings, [CATALOG, membership, settlement]) as kernel:
        kernel.db.use()
        print("ready", flush=True)
        if doing == "start":
            payment = await payment_by_number(kernel, argument)
            assert payment is not None
            await start(kernel, payment, Choice(gateway="bank", flow=Flow.QR))
        elif doing == "tell":
            account, _, said = argument.partition(" ")
            await take_notification(kernel, "bank", UUID(account), told(SECRET, json.loads(said)))
        elif doing == "poll":
            await poll_payments(kernel)
        else:
            await refund_payments(kernel)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
