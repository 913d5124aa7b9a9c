"""Who did something, by name: what histories show beside a principal's key."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from kameng.auth.naming import StaffNames
from kameng.auth.principal import PrincipalKind
from kameng.graphql.context import Context


async def staff_name(context: Context, key: str | None) -> str | None:
    """The name of one of the staff, by a principal's key; one statement for all that a request asks for.

    Args:
        context: the request, whose principal may see the history that the key stands in.
        key: such as ``staff:0189…``; what is nobody of the staff has no name here.
    """
    kind, _, text = (key or "").partition(":")
    if kind != PrincipalKind.STAFF.value or context.kernel.services.find(StaffNames) is None:
        return None
    try:
        staff = UUID(text)
    except ValueError:
        return None
    return await context.loader(staff_name, _names).load(staff)


def _names(context: Context) -> DataLoader[UUID, str | None]:
    async def load(keys: list[UUID]) -> Sequence[str | None]:
        return await context.service(StaffNames).names(keys)

    return DataLoader(load)
