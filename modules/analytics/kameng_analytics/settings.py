"""Section ``[analytics]`` of ``kameng.toml``."""

import msgspec


class AnalyticsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How figures are kept.

    Attributes:
        time_zone: the business time zone in which a day begins (IANA name).
        site_time_zones: those of sites that have another one, by their codes.
    """

    time_zone: str = "Asia/Shanghai"
    site_time_zones: dict[str, str] = {}
