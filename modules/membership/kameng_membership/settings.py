"""Membership's section of ``kameng.toml``."""

from typing import Annotated

import msgspec


class MembershipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[membership]``.

    Limits are written like ``10/minute;100/day``; all parts must hold.

    Attributes:
        registration: whether visitors may register.
        logins_per_account: tries to log in to one account, from anywhere.
        logins_per_address: tries to log in from one network address.
        registrations_per_address: registrations from one network address.
        invitation_hours: how long an invitation of staff can be accepted.
        first_administrator_hours: how long the link for the first administrator works.
        resets_per_account: requests for a link to set a new password, for one e-mail address.
        resets_per_address: the same from one network address.
        resets_tried_per_address: tries to use such a link from one network address.
        reset_minutes: how long such a link works.
        reset_page: the front end's page that it leads to, with ``token`` as a parameter; empty: ``/reset-password`` of the shop.
        data_exports: how many copies of its data a member may ask for.
        tier_cache_seconds: how long a process may show prices of a member's former level; 0: never. An order
            is always priced at the level of the moment.
    """

    registration: bool = True
    logins_per_account: str = "10/minute;60/hour"
    logins_per_address: str = "30/minute;600/hour"
    registrations_per_address: str = "20/minute;300/day"
    invitation_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 30)] = 72
    first_administrator_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 30)] = 24
    resets_per_account: str = "3/hour;10/day"
    resets_per_address: str = "10/minute;50/hour"
    resets_tried_per_address: str = "20/minute;100/hour"
    reset_minutes: Annotated[int, msgspec.Meta(ge=5, le=24 * 60)] = 60
    reset_page: str = ""
    data_exports: str = "3/day"
    tier_cache_seconds: Annotated[float, msgspec.Meta(ge=0, le=300)] = 5.0
