"""What is known of guests, and what a few orders bring along beside their lines."""

from piccolo.columns import UUID, Bytea, ForeignKey, Timestamptz, Varchar
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_fulfilment.tables import OrderTable


class ContactTable(Table, tablename="fulfilment_contact"):
    """How a guest who ordered is reached: sealed, and blind indexes by which he is found.

    ``contact_mark`` is equal for equal contacts and ``address_mark`` for equal network addresses; they serve the limits on
    unpaid orders, which count until ``open_until``. ``lookup_mark`` stands for number and contact together, ``secret_mark``
    for number and secret. ``sealed_secret`` is the secret itself, for mail to its owner; orders of the time when secrets were
    made by a signing key have none. ``locale`` is the language that the order was placed in.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=False,
        unique=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    kind = Varchar(length=5, null=False, default=None)
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)
    contact_mark = Bytea(null=False, default=None)
    address_mark = Bytea(null=True, default=None)
    lookup_mark = Bytea(null=False, default=None, unique=True)
    secret_mark = Bytea(null=False, default=None, unique=True)
    open_until = Timestamptz(null=False, default=None)
    sealed_secret = Bytea(null=True, default=None)
    locale = Varchar(length=10, null=False, default="zh-CN")

    fulfilment_contact_kind = Check("kind in ('email', 'phone')")


class ParticularsTable(Table, tablename="fulfilment_particulars"):
    """What a buyer wrote to an order and what he wants on its invoice, sealed together."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=False,
        unique=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    sealed = Bytea(null=False, default=None)
    data_key = UUID(null=False, default=None)


class ClaimTable(Table, tablename="fulfilment_claim"):
    """A guest's order that a member took into his account: whose it was, and under which key it had been placed."""

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(
        OrderTable,
        null=False,
        index=False,
        unique=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    guest = UUID(null=False, default=None, unique=True)
    idempotency_key = Varchar(length=128, null=False, default=None)
    member = UUID(null=False, default=None)
    at = Timestamptz(null=False, default=None)


TABLES = [ContactTable, ParticularsTable, ClaimTable]

INDEXES = (
    Index(
        "fulfilment_contact_unpaid",
        "create index fulfilment_contact_unpaid on fulfilment_contact (contact_mark, open_until)",
    ),
    Index(
        "fulfilment_contact_address",
        """create index fulfilment_contact_address on fulfilment_contact (address_mark, open_until)
           where address_mark is not null""",
    ),
)
