"""The facts that membership publishes."""

from kameng.events import Event


class MemberRegistered(Event, frozen=True, kw_only=True):
    """Somebody became a member.

    Attributes:
        member: its key.
    """

    name = "membership.member_registered"
    member: str


class MemberBlocked(Event, frozen=True, kw_only=True):
    """A member was shut out of the shop.

    Attributes:
        member: its key.
    """

    name = "membership.member_blocked"
    member: str


class MemberErased(Event, frozen=True, kw_only=True):
    """What the shop kept about a member was erased, and the account closed for good.

    Attributes:
        member: its key, which leads to nobody from now on.
    """

    name = "membership.member_erased"
    member: str
