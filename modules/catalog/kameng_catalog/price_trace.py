"""Why a price is what it is: steps that a program can read, and people in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from kameng.money import UnitPrice

_TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "LIST": {"zh-CN": "{tier} 价：{amount} {currency}", "en": "Price of {tier}: {amount} {currency}"},
        "SITE": {"zh-CN": "站点 {site} 的价格", "en": "By the prices of the site {site}"},
        "PERIOD": {"zh-CN": "自 {from} 起的价格", "en": "By the prices from {from} on"},
        "PERIOD_UNTIL": {
            "zh-CN": "{from} 至 {until} 期间的价格",
            "en": "By the prices from {from} until {until}",
        },
        "QUANTITY": {"zh-CN": "满 {from_quantity} 件的价格", "en": "From {from_quantity} pieces on"},
        "FLOOR": {
            "zh-CN": "不低于成本，提高到 {amount} {currency}",
            "en": "Raised to the cost, {amount} {currency}",
        },
    }
)


class PriceStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step to a price.

    Attributes:
        code: ``LIST``: whose list, and what stands there; ``SITE``, ``PERIOD``, ``PERIOD_UNTIL``, ``QUANTITY``: what part of
            the list it stands in; ``FLOOR``: it was raised to the cost. New ones may come.
        params: what the texts tell: ``tier``, ``amount`` and ``currency``, ``site``, ``from`` and ``until`` in ISO 8601,
            ``from_quantity``.
    """

    code: str
    params: Mapping[str, str]

    @property
    def texts(self) -> dict[str, str]:
        """The step in words, by locale."""
        return {locale: text.format_map(self.params) for locale, text in _TEXTS[self.code].items()}


def shown(units: int, currency: str) -> str:
    """A price in main units with two to four decimals."""
    whole, _, decimals = f"{UnitPrice(units, currency).amount:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def steps_to(
    *,
    units: int,
    currency: str,
    tier: str,
    from_quantity: int,
    site: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    floor: int | None,
) -> tuple[PriceStep, ...]:
    """The steps to a price, in the order in which they decide.

    Args:
        units, currency, tier, from_quantity, site, starts_at, ends_at: of the price that was found.
        floor: the cost that it was raised to; None if it was not.
    """
    steps = [
        PriceStep(code="LIST", params={"tier": tier, "amount": shown(units, currency), "currency": currency})
    ]
    if site:
        steps.append(PriceStep(code="SITE", params={"site": site}))
    if starts_at is not None and ends_at is not None:
        period = {"from": starts_at.isoformat(), "until": ends_at.isoformat()}
        steps.append(PriceStep(code="PERIOD_UNTIL", params=period))
    elif starts_at is not None:
        steps.append(PriceStep(code="PERIOD", params={"from": starts_at.isoformat()}))
    if from_quantity > 1:
        steps.append(PriceStep(code="QUANTITY", params={"from_quantity": str(from_quantity)}))
    if floor is not None:
        steps.append(PriceStep(code="FLOOR", params={"amount": shown(floor, currency), "currency": currency}))
    return tuple(steps)
