"""What a package that takes money in is made of: the protocol of a gateway, and the values that go to and fro.

A gateway is an object to which an entry point of the group ``kameng.gateways`` leads, named like the gateway. It does
nothing but talk: it turns a request into the gateway's own words and the gateway's words into an `Observation`. When to
call, which account to take, whether what was observed fits the payment, what is posted and what is tried again is
settlement's business, and the same for all gateways.

Three rules hold for every gateway:

- Nothing that it says moves money by itself. It reports what the gateway said and under which names, and settlement
  compares all of it with the payment. A value that the gateway did not say is None, never a guess.
- A notification is verified over the raw bytes, and refused where the secret or key to verify it with is empty.
- A call that may have arrived is `GatewayUnanswered`, never a failure. It is asked about and never sent anew under
  another number.
"""

from kameng_settlement.gateway_contract.errors import (
    BillNotReady,
    GatewayError,
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    GatewayUnsupported,
    NotificationRefused,
)
from kameng_settlement.gateway_contract.notifications import (
    Notification,
    NotificationAnswer,
    NotificationRequest,
)
from kameng_settlement.gateway_contract.protocol import GATEWAY_GROUP, Gateway, GatewayTitle
from kameng_settlement.gateway_contract.states import BillKind, Flow, PaymentStatus, RefundStatus
from kameng_settlement.gateway_contract.values import (
    Capabilities,
    MerchantAccount,
    Observation,
    PaymentRequest,
    RefundObservation,
    RefundRequest,
    Started,
)

__all__ = [
    "GATEWAY_GROUP",
    "BillKind",
    "BillNotReady",
    "Capabilities",
    "Flow",
    "Gateway",
    "GatewayError",
    "GatewayMisconfigured",
    "GatewayNotReached",
    "GatewayRefused",
    "GatewayTitle",
    "GatewayUnanswered",
    "GatewayUnsupported",
    "MerchantAccount",
    "Notification",
    "NotificationAnswer",
    "NotificationRefused",
    "NotificationRequest",
    "Observation",
    "PaymentRequest",
    "PaymentStatus",
    "RefundObservation",
    "RefundRequest",
    "RefundStatus",
    "Started",
]
