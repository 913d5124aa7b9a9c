"""Saved views of the staff."""

from piccolo.columns import UUID, Text, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table


class SavedViewTable(Table, tablename="fulfilment_saved_view"):
    """A list as one person narrowed it down: what follows the question mark of its page's address.

    ``list`` names the page, such as ``orders``. Nobody but ``staff`` sees it.
    """

    id = UUID(primary_key=True, default=None)
    staff = UUID(null=False, default=None)
    list = Varchar(length=40, null=False, default=None)
    name = Text(null=False, default=None)
    query = Text(null=False, default="")
    created_at = Timestamptz(null=False, default=None)

    fulfilment_saved_view_once = Unique(["staff", "list", "name"])
    fulfilment_saved_view_named = Check("length(name) between 1 and 60")
    fulfilment_saved_view_short = Check("length(query) <= 1000")


TABLES = [SavedViewTable]
