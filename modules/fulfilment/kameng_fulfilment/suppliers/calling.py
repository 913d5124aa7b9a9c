"""HTTP to suppliers: the engine's guarded caller, opened by the settings, and told in the words of suppliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kameng.errors import TransactionError
from kameng.outgoing import Caller, Guard, NotSent, Unanswered
from kameng.webhooks.destination import Resolve, look_up
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.supplier_contract import CallNotSent, CallUnanswered, HttpAnswer

LONGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer. What is longer is as good as no answer."""


class Calls:
    """`kameng_fulfilment.contract.SupplierHttp` for one account.

    Args:
        settings: which addresses may be called.
        seconds: how long a call may take, from the look-up of the name to the end of the answer.
        in_transaction: tells whether the caller is inside a transaction, where nobody is called.
        resolve: looks names up.
    """

    def __init__(
        self,
        settings: FulfilmentSettings,
        seconds: float,
        in_transaction: Callable[[], bool],
        resolve: Resolve = look_up,
    ) -> None:
        guard = Guard(
            private_hosts=settings.supplier_private_hosts,
            loopback=settings.supplier_loopback,
            ca_file=settings.supplier_ca_file,
        )
        self._caller = Caller(guard, seconds, LONGEST_ANSWER, resolve)
        self._in_transaction = in_transaction

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """See the contract.

        Raises:
            TransactionError: locks would be held for as long as the supplier likes.
        """
        if self._in_transaction():
            raise TransactionError(
                "A supplier was to be called inside a transaction.", cure="Commit first, then call."
            )
        try:
            return await self._caller.request(method, url, headers=headers, body=body)
        except NotSent as error:
            raise CallNotSent(error.message, cure=error.cure) from error
        except Unanswered as error:
            raise CallUnanswered(error.message, cure=error.cure) from error
