"""What a package that speaks a supplier's protocol is made of. Authors import it from `kameng_fulfilment.contract`.

A protocol is a `SupplierProtocol`, to which an entry point of the group ``kameng.suppliers`` leads. It turns the settings
of one account into a `Supplier`, which does nothing but talk: when to call, what an answer means for the order, what
is tried again and what a person has to see is the shop's business, and the same for all protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from kameng.errors import KamengError
from kameng.money import Money, UnitPrice
from kameng.outgoing import Answer

SUPPLIER_GROUP: Final = "kameng.suppliers"
"""The entry-point group in which protocols are found."""


class SupplierRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is ordered at a supplier.

    Attributes:
        reference: our name of the order, unique for ever; 32 characters of ``0-9a-f``.
        sku: what the supplier calls the goods.
        quantity: how many.
        answers: what the buyer filled in, by the names of the form's fields.
        at_most: what all of it may cost; send it along where the protocol can refuse a higher price.
        callback_url: where the supplier may tell of it.
    """

    reference: str
    sku: str
    quantity: int
    answers: Mapping[str, str]
    at_most: Money
    callback_url: str


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier has the order and is at it.

    Attributes:
        number: the supplier's own name of it.
        charged: what it took for all of it; None where it does not say. Never zero for "not said".
        note: a few words for people, without codes or secrets.
    """

    number: str = ""
    charged: Money | None = None
    note: str = ""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier has delivered.

    Attributes:
        texts: the codes, one for each piece; or messages, or nothing, where the delivery happened elsewhere.
        number, charged, note: see `Accepted`.
    """

    texts: tuple[str, ...] = ()
    number: str = ""
    charged: Money | None = None
    note: str = ""

    def __repr__(self) -> str:
        # Tracebacks and debuggers show values; this one shows itself to nobody who did not ask for it.
        return f"Delivered(texts=<{len(self.texts)}>, number={self.number!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("texts", len(self.texts)), ("number", self.number)]


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier will not deliver, for certain, and takes no money for it.

    Attributes:
        reason: why, for people.
    """

    reason: str = ""


class NotSent(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier has not got the order, for certain: there was no connection, or it said "not now" before it looked.

    Attributes:
        reason: why, for people.
        retry_after: seconds after which it may be tried again, if the supplier said so.
    """

    reason: str = ""
    retry_after: float | None = None


class NeverReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The supplier says itself that it knows no order of this reference. A page of a proxy between does not count."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever else: no answer, half an answer, an answer that says nothing certain. It is asked about again.

    Attributes:
        note: a few words for people, without codes or secrets.
        answered: whether the supplier did answer, so that it does not count as one that cannot be reached.
    """

    note: str = ""
    answered: bool = False


OrderAnswer: TypeAlias = Accepted | Delivered | Rejected | NotSent | Unknown
"""What can come of ordering."""

AskAnswer: TypeAlias = Accepted | Delivered | Rejected | NeverReceived | Unknown
"""What can come of asking."""

Outcome: TypeAlias = Accepted | Delivered | Rejected | NotSent | NeverReceived | Unknown
"""What can become known of an order."""


class SupplierNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a supplier told by itself.

    Attributes:
        reference: our name of the order.
        outcome: what it says; `Unknown` has it asked about at once, for suppliers whose word alone is not enough.
    """

    reference: str
    outcome: AskAnswer


class SupplierProduct(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a supplier has.

    Attributes:
        sku: what the supplier calls it.
        title: for people.
        cost: what a piece costs; None where it does not say.
        stock: how many there are; None where it does not say.
    """

    sku: str
    title: str = ""
    cost: UnitPrice | None = None
    stock: int | None = None


class CallNotSent(KamengError):
    """There was no connection: nothing of the request left."""

    code = "SUPPLIER_NOT_REACHED"


class CallUnanswered(KamengError):
    """The request was sent, or part of it, and no whole answer came: nobody knows what became of it."""

    code = "SUPPLIER_NO_ANSWER"


class CallbackRefused(KamengError):
    """What claims to come from the supplier does not: its signature, time or shape is wrong."""

    code = "SUPPLIER_CALLBACK_REFUSED"


HttpAnswer = Answer
"""A supplier's answer: its status, headers by lower-case name, and whole body."""


class SupplierHttp(Protocol):
    """Calls over HTTP, bounded in time and size, to addresses that a shop may call. Use it and nothing else."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """One request; redirects are not followed.

        Raises:
            CallNotSent: there was no connection.
            CallUnanswered: there was one, and no whole answer.
        """
        ...


class Supplier(Protocol):
    """One account with a supplier. Calls may raise `CallNotSent` and `CallUnanswered`; whatever else they raise, a time-out
    included, is taken for `Unknown`."""

    async def order(self, request: SupplierRequest) -> OrderAnswer:
        """Order. It is called once for each reference, and again only after `NotSent`."""
        ...

    async def ask(self, reference: str, number: str | None) -> AskAnswer:
        """What became of an order.

        Args:
            reference: our name of it.
            number: the supplier's, as far as it is known. A protocol that cannot find an order without it answers `Unknown`.
        """
        ...

    async def products(self) -> Sequence[SupplierProduct]:
        """What the supplier has, for people who choose from it."""
        ...

    async def balance(self) -> Sequence[Money]:
        """What is left in the account, in each currency."""
        ...

    async def read_news(self, headers: Mapping[str, str], body: bytes) -> SupplierNews:
        """Check and read a callback. It knows this account's secret and no other, and calls nobody.

        Args:
            headers: by lower-case name.
            body: as it came.

        Raises:
            CallbackRefused: it is not from this supplier, too old, or no callback.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierProtocol:
    """A protocol that suppliers speak.

    Attributes:
        name: stable, such as ``kameng-docking``.
        title_en, title_zh: what an operator reads.
        settings: the shape of an account's settings, a frozen msgspec struct that forbids unknown fields.
        secrets: fields of it that are never shown again.
        connect: makes the account from its settings; touches no network.
    """

    name: str
    title_en: str
    title_zh: str
    settings: type[msgspec.Struct]
    secrets: frozenset[str]
    connect: Callable[[Any, SupplierHttp], Supplier]
