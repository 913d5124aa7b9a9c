"""What lists are filtered by that no list is kept of: one of several values, a range of numbers, and what is in stock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

Parameter: TypeAlias = Callable[[Any], str]
"""Takes a value into a statement and says what stands for it there."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Products that have at least one of some search terms."""

    terms: tuple[str, ...]

    def sql(self, parameter: Parameter) -> str:
        """As a condition on a product ``q``; served by the search index."""
        return f"q.search_terms && {parameter(list(self.terms))}::text[]"


@dataclass(frozen=True, slots=True)
class Between:
    """Products that state a number in a range.

    Attributes:
        code: the attribute's.
        lowest, highest: the ends, which belong to it; None: open.
    """

    code: str
    lowest: Decimal | None
    highest: Decimal | None

    def sql(self, parameter: Parameter) -> str:
        """As a condition on a product ``q``."""
        ends = ((">=", self.lowest), ("<=", self.highest))
        inside = " and ".join(
            # A text of a definition that was another kind before is no number, and in no range.
            f"case when stated.value ~ '^-?[0-9]+([.][0-9]+)?$' then stated.value::numeric {sign} {parameter(end)}::numeric end"
            for sign, end in ends
            if end is not None
        )
        values = f"jsonb_array_elements_text(q.attributes -> {parameter(self.code)}::text) stated (value)"
        return f"exists (select from {values} where {inside or 'true'})"


@dataclass(frozen=True, slots=True)
class InStock:
    """Products of which a piece can be bought now.

    Attributes:
        time_zone: whose days decide whether a card is still valid.
    """

    time_zone: str

    def sql(self, parameter: Parameter) -> str:
        """As a condition on a product ``q``: one step in an index for each of its variants, until one has a piece."""
        return f"""exists (
            select from catalog_variant v where v.product = q.id and v.status = 'published' and case v.stock_kind
                when 'unlimited' then true
                when 'card' then exists (
                    select from catalog_free_card free where free.variant = v.id and (free.expires_on is null
                        or free.expires_on >= (now() at time zone {parameter(self.time_zone)}::text)::date)
                )
                else exists (select from catalog_stock_counter left_ where left_.variant = v.id and left_.on_hand > 0)
            end
        )"""


Condition: TypeAlias = AnyOf | Between | InStock
"""What products are looked at for, one by one."""
