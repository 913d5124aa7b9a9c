"""Tables of membership: members and their levels, staff and their roles."""

from piccolo.columns import JSONB, UUID, Boolean, ForeignKey, OnDelete, OnUpdate, SmallInt, Text, Timestamptz
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class Level(Table, tablename="membership_level"):
    """A level of members; its code is the price tier that they buy at."""

    id = UUID(primary_key=True, default=None)
    code = Text(null=False, default=None, unique=True)
    title_zh = Text(null=False, default=None)
    title_en = Text(null=False, default=None)
    position = SmallInt(null=False, default=None)
    created_at = Timestamptz(null=False)

    membership_level_code_plain = Check("code ~ '^[a-z][a-z0-9_-]{0,31}$'")


class Member(Table, tablename="membership_member"):
    """Somebody who buys. Only what a purchase needs is kept about a person."""

    id = UUID(primary_key=True, default=None)
    email = Text(null=False, default=None, unique=True)
    password_hash = Text(null=False, default=None)
    display_name = Text(null=False, default="")
    level: ForeignKey[Level] = ForeignKey(
        Level,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    locale = Text(null=False, default="zh-CN")
    state = Text(null=False, default="active")
    created_at = Timestamptz(null=False)

    membership_member_email_plain = Check("email ~ '^[!-?A-~]+@[-.a-z0-9]+$' and email !~ '[A-Z]'")
    membership_member_name_sized = Check("length(display_name) <= 100")
    membership_member_state_known = Check("state in ('active', 'blocked', 'erased')")


class StaffMember(Table, tablename="membership_staff"):
    """Somebody who runs the shop. Whoever was invited has no password until the invitation is accepted.

    The founder is the first administrator; there is one, and a unique index sees to it.
    """

    id = UUID(primary_key=True, default=None)
    email = Text(null=False, default=None, unique=True)
    password_hash = Text(null=True, default=None)
    name = Text(null=False, default=None)
    state = Text(null=False, default=None)
    founder = Boolean(null=False, default=False)
    created_at = Timestamptz(null=False)

    membership_staff_email_plain = Check("email ~ '^[!-?A-~]+@[-.a-z0-9]+$' and email !~ '[A-Z]'")
    membership_staff_name_sized = Check("length(name) between 1 and 100")
    membership_staff_state_known = Check("state in ('invited', 'active', 'disabled')")
    membership_staff_password_set = Check("state <> 'active' or password_hash is not null")


class Role(Table, tablename="membership_role"):
    """A set of permissions with a name; ``*`` is all of them."""

    id = UUID(primary_key=True, default=None)
    name = Text(null=False, default=None, unique=True)
    title_zh = Text(null=False, default=None)
    title_en = Text(null=False, default=None)
    permissions = JSONB(null=False, default="[]")
    created_at = Timestamptz(null=False)

    membership_role_name_plain = Check("name ~ '^[a-z][a-z0-9_-]{0,31}$'")
    membership_role_permissions_list = Check("jsonb_typeof(permissions) = 'array'")


class StaffRole(Table, tablename="membership_staff_role"):
    """That somebody of the staff has a role."""

    id = UUID(primary_key=True, default=None)
    staff: ForeignKey[StaffMember] = ForeignKey(
        StaffMember,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    role: ForeignKey[Role] = ForeignKey(
        Role,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )

    membership_staff_role_once = Unique(["staff", "role"])


INDEXES: tuple[Index, ...] = (
    Index(
        "membership_member_email_prefix",
        "create index membership_member_email_prefix on membership_member (email text_pattern_ops)",
    ),
    Index(
        "membership_staff_one_founder",
        "create unique index membership_staff_one_founder on membership_staff (founder) where founder",
    ),
)
"""An index for searching members by the beginning of their address, and the one that admits one founder."""
