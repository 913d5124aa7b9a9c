"""Fulfilment's part of the schemas' roots, put together from its rooms."""

import strawberry

from kameng_fulfilment.admin import FulfilmentAdminQuery
from kameng_fulfilment.admin_mutations import FulfilmentAdminMutation
from kameng_fulfilment.cart.graphql import CartMutation, CartQuery
from kameng_fulfilment.dossier.previewing import RefundPreviewQuery
from kameng_fulfilment.dossier.remedies import RemediesMutation
from kameng_fulfilment.finding.acting_graphql import SeveralOrdersMutation
from kameng_fulfilment.finding.graphql import OrdersMutation, OrdersQuery
from kameng_fulfilment.flash.admin import FlashSaleMutation, FlashSaleQuery
from kameng_fulfilment.guests.after import GuestOrderMutation
from kameng_fulfilment.guests.graphql import GuestMutation, GuestQuery
from kameng_fulfilment.guests.revealing import ParticularsMutation
from kameng_fulfilment.offering import OfferQuery
from kameng_fulfilment.online.graphql import OnlineMutation
from kameng_fulfilment.service_desk.graphql import ServiceDeskMutation, ServiceDeskQuery
from kameng_fulfilment.shop import FulfilmentMutation, FulfilmentQuery
from kameng_fulfilment.shop_after import AfterOrderMutation
from kameng_fulfilment.suppliers.graphql import SuppliersMutation
from kameng_fulfilment.suppliers.graphql_queries import SuppliersQuery
from kameng_fulfilment.views.graphql import ViewsMutation, ViewsQuery


@strawberry.type
class AdminQuery(
    OrdersQuery,
    FulfilmentAdminQuery,
    RefundPreviewQuery,
    ViewsQuery,
    FlashSaleQuery,
    ServiceDeskQuery,
    SuppliersQuery,
):
    """Queries of the staff."""


@strawberry.type
class AdminMutation(
    OrdersMutation,
    SeveralOrdersMutation,
    RemediesMutation,
    ViewsMutation,
    FulfilmentAdminMutation,
    FlashSaleMutation,
    ParticularsMutation,
    ServiceDeskMutation,
    SuppliersMutation,
):
    """Mutations of the staff."""


@strawberry.type
class ShopMutation(
    FulfilmentMutation, AfterOrderMutation, CartMutation, GuestMutation, GuestOrderMutation, OnlineMutation
):
    """Mutations of the shop."""


@strawberry.type
class ShopQuery(FulfilmentQuery, CartQuery, GuestQuery, OfferQuery):
    """Queries of the shop."""
