"""Settlement's section of ``kameng.toml``."""

import msgspec


class SettlementSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[settlement]``.

    Attributes:
        currency: the currency of a wallet that is asked for without one, ISO 4217.
    """

    currency: str = "CNY"
