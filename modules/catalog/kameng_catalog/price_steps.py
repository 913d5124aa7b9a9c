"""The steps to a price, as both schemas show them."""

from __future__ import annotations

import strawberry

from kameng_catalog.price_trace import PriceStep
from kameng_catalog.texts import text_in


@strawberry.type(name="PriceStep", description="A step to a price.")
class PriceStepShown:
    """A step to a price."""

    code: str = strawberry.field(
        description="`LIST`, `SITE`, `PERIOD`, `PERIOD_UNTIL`, `QUANTITY` or `FLOOR`; new ones may come."
    )
    params: list[PriceStepParam]
    text: str = strawberry.field(description="In the language of the request.")


@strawberry.type(description="What a step to a price tells.")
class PriceStepParam:
    """A name and its value."""

    name: str
    value: str


def step_shown(step: PriceStep, locale: str) -> PriceStepShown:
    """A step in one language."""
    return PriceStepShown(
        code=step.code,
        params=[PriceStepParam(name=name, value=value) for name, value in step.params.items()],
        text=text_in(step.texts, locale),
    )
