"""Bills of WeChat Pay: asked for, downloaded, and compared with the hash that WeChat Pay signed."""

from __future__ import annotations

import hmac
from datetime import date
from hashlib import sha1

from kameng_gateways.calling import LONGEST_BILL
from kameng_gateways.reading import text
from kameng_gateways.wechat.calling import ask, download
from kameng_settlement.gateway_contract import (
    BillKind,
    BillNotReady,
    GatewayRefused,
    GatewayUnanswered,
    MerchantAccount,
)


async def bill(account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
    """See `kameng_settlement.gateway_contract.Gateway`."""
    target = (
        f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL"
        if kind is BillKind.TRADE
        else f"/v3/bill/fundflowbill?bill_date={day.isoformat()}&account_type=BASIC"
    )
    try:
        answer = await ask(account, target)
    except GatewayRefused as error:
        if error.reason == "NO_STATEMENT_EXIST":
            return None
        if error.reason == "STATEMENT_CREATING":
            raise BillNotReady("WeChat Pay is making the bill.", cure="Ask again in half an hour.") from error
        raise
    if text(answer.values, "hash_type") != "SHA1":
        raise GatewayUnanswered("WeChat Pay hashes its bills in a way that is not known.")
    file = await download(account, text(answer.values, "download_url"), LONGEST_BILL)
    if file.status != 200:
        raise GatewayUnanswered(f"WeChat Pay answered {file.status} instead of the bill.")
    # SHA-1 is WeChat Pay's choice; it comes in a signed answer, and finds what was cut off or altered on the way.
    found = sha1(file.body, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(found, text(answer.values, "hash_value").lower()):
        raise GatewayUnanswered("The bill is not the one that WeChat Pay signed for.", cure="Fetch it again.")
    return file.body
