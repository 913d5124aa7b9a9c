"""Fulfilment's part of the schemas' roots, put together from its rooms."""

import strawberry

from kameng_fulfilment.admin import FulfilmentAdminQuery
from kameng_fulfilment.flash.admin import FlashSaleMutation, FlashSaleQuery


@strawberry.type
class AdminQuery(FulfilmentAdminQuery, FlashSaleQuery):
    """Queries of the staff."""


@strawberry.type
class AdminMutation(FlashSaleMutation):
    """Mutations of the staff."""
