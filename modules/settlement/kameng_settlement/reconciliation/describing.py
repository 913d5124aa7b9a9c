"""Keeping the descriptions of CSVs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from kameng.errors import InvalidInput
from kameng_settlement.reconciliation.description import Description
from kameng_settlement.reconciliation.polars_extra import require_polars
from kameng_settlement.reconciliation.statements import SAVE_DESCRIPTION

if TYPE_CHECKING:
    from kameng.graphql import Context

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


async def describe_bill(context: Context, name: str, content: str) -> Description:
    """Keep a description, in place of one of the same name.

    Args:
        context: the staff member's request.
        name: of the format.
        content: the description as JSON; see `kameng_settlement.reconciliation.description.Description`.

    Raises:
        InvalidInput: no name that can be used, or no description that can.
    """
    require_polars()
    # Only where bills are at hand: polars is heavy.
    from kameng_settlement.reconciliation.bills.described import check_description
    from kameng_settlement.reconciliation.bills.formats import FORMATS

    if not _NAME.fullmatch(name) or name in FORMATS:
        raise InvalidInput(
            f"{name[:40]!r} is no name for a description.",
            cure="Take lower-case letters, digits and dashes, and none of the known formats' names.",
            path=("input", "name"),
        )
    try:
        description = check_description(msgspec.json.decode(content, type=Description))
    except msgspec.MsgspecError as error:
        raise InvalidInput(
            f"The description cannot be read: {error}.",
            cure="Write it as JSON with the documented fields.",
            path=("input", "description"),
        ) from error
    async with context.db.transaction():
        await context.db.execute(
            SAVE_DESCRIPTION, name, msgspec.json.encode(description).decode(), context.principal.key
        )
        await context.kernel.audit.record(
            "settlement.bill_described",
            principal=context.principal,
            subject=f"bill_description:{name}",
            details={"name": name},
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return description
