"""Settlement's part of the schemas' roots, put together from its rooms."""

import strawberry

from kameng_settlement.admin import SettlementAdminMutation, SettlementAdminQuery
from kameng_settlement.payments.graphql.admin import PaymentsAdminMutation, PaymentsAdminQuery
from kameng_settlement.payments.graphql.loading import LoadingAdminMutation, LoadingAdminQuery
from kameng_settlement.payments.graphql.office import DeskMutation
from kameng_settlement.payments.graphql.refund_verdicts import RefundVerdictMutation, RefundVerdictQuery
from kameng_settlement.payments.graphql.shop import PaymentsMutation, PaymentsQuery, PaymentsSubscription
from kameng_settlement.reconciliation.graphql.admin import (
    ReconciliationAdminMutation,
    ReconciliationAdminQuery,
)
from kameng_settlement.reconciliation.graphql.fetches import BillFetchQuery


@strawberry.type
class AdminQuery(
    SettlementAdminQuery,
    PaymentsAdminQuery,
    RefundVerdictQuery,
    LoadingAdminQuery,
    ReconciliationAdminQuery,
    BillFetchQuery,
):
    """Queries of the staff."""


@strawberry.type
class AdminMutation(
    SettlementAdminMutation,
    PaymentsAdminMutation,
    RefundVerdictMutation,
    DeskMutation,
    LoadingAdminMutation,
    ReconciliationAdminMutation,
):
    """Mutations of the staff."""


@strawberry.type
class ShopQuery(PaymentsQuery):
    """Queries of the shop."""


@strawberry.type
class ShopMutation(PaymentsMutation):
    """Mutations of the shop."""


@strawberry.type
class ShopSubscription(PaymentsSubscription):
    """Subscriptions of the shop."""
