"""What the service desk keeps beside the lines themselves: deadlines, and who works on what."""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_fulfilment.tables import OrderLineTable


class ServiceTable(Table, tablename="fulfilment_service"):
    """A line that the staff deliver, from its payment on.

    Whether something is owed stands in the line; here stand the deadline, whether it was told that it has passed, and
    whose turn it is: nobody else's until ``claimed_until``. ``closed_at`` takes it out of the queue.
    """

    line = ForeignKey(
        OrderLineTable,
        primary_key=True,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    due_by = Timestamptz(null=False, default=None)
    overdue_at = Timestamptz(null=True, default=None, help_text="When it was told that the deadline passed.")
    claimed_by = Text(null=True, default=None, help_text="The principal's key, such as staff:0189….")
    claimed_until = Timestamptz(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)

    fulfilment_service_claim = Check("(claimed_by is null) = (claimed_until is null)")


class ServiceTimeTable(Table, tablename="fulfilment_service_time"):
    """How soon lines of a variant are to be delivered by the staff, where that is not as the settings say."""

    variant = UUID(primary_key=True, default=None)
    minutes = Integer(null=False, default=None)

    fulfilment_service_time_minutes = Check("minutes between 1 and 525600")


TABLES = [ServiceTable, ServiceTimeTable]

INDEXES = (
    Index(
        "fulfilment_service_queue",
        "create index fulfilment_service_queue on fulfilment_service (due_by, line) where closed_at is null",
    ),
    Index(
        "fulfilment_service_late",
        """create index fulfilment_service_late on fulfilment_service (due_by)
           where closed_at is null and overdue_at is null""",
    ),
    Index(
        "fulfilment_line_served",
        """create index fulfilment_line_served on fulfilment_order_line (due_at, id)
           where due_at is not null and delivery = 'manual'""",
    ),
)
