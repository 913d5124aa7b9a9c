"""How variants are delivered, as both schemas show it."""

from enum import Enum

import strawberry


@strawberry.enum(description="How a paid line is delivered.")
class DeliveryKind(Enum):
    """How a paid line is delivered."""

    INSTANT = strawberry.enum_value("instant", description="From stock, at once.")
    MANUAL = strawberry.enum_value("manual", description="By the staff.")
    SUPPLIER = strawberry.enum_value("supplier", description="By a supplier.")
