"""Money that nobody but people have seen counts once two different persons say so, and say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Conflict, InvalidInput
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.payments.errors import ConfirmationDiffers, SamePerson
from kameng_settlement.payments.statements import ADD_CONFIRMATION, CONFIRMATIONS

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST_REFERENCE = 120
"""Characters of what a transfer is called where it came in."""


class LedgerTwoPersons:
    """`kameng_settlement.contract.TwoPersons`.

    Args:
        kernel: whose confirmations.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db

    async def confirm(self, about: UUID, reference: str, amount: Money, person: UUID) -> bool:
        """See the contract."""
        if not 1 <= len(reference) <= LONGEST_REFERENCE or not reference.isprintable():
            raise InvalidInput(
                "A transfer needs the reference that it has at the bank.",
                cure=f"Give one of 1 to {LONGEST_REFERENCE} plain characters.",
                path=("input", "reference"),
            )
        if amount.minor <= 0:
            raise InvalidInput("A transfer is more than zero.", path=("input", "amount", "amount"))
        async with self._db.transaction():
            # Whoever comes first takes the place; who comes at the same moment waits for him, and then sees him.
            row = await self._db.fetchrow(
                ADD_CONFIRMATION, new_id(), about, reference, 1, person, amount.minor, amount.currency
            )
            if row is not None:
                return False
            first, *others = await self._db.fetch(CONFIRMATIONS, about, reference)
            if (first["amount_minor"], first["currency"]) != (amount.minor, amount.currency):
                raise ConfirmationDiffers(
                    "The person who confirmed first saw another amount.",
                    cure="Compare what came in; give this one a reference of its own if it is another transfer.",
                    path=("input", "amount", "amount"),
                )
            if others:
                return True
            if first["person"] == person:
                raise SamePerson(
                    "You confirmed this already; a second person is needed.",
                    cure="Ask a colleague to look at the account and to confirm the same.",
                )
            second = await self._db.fetchrow(
                ADD_CONFIRMATION, new_id(), about, reference, 2, person, amount.minor, amount.currency
            )
            if second is None and len(await self._db.fetch(CONFIRMATIONS, about, reference)) < 2:
                raise Conflict("This was confirmed and undone at the same moment.", cure="Try again.")
            return True
