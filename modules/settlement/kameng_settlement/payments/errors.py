"""What can be refused about payments."""

from kameng.errors import Conflict, Refusal


class GatewayUnknown(Refusal):
    """No installed package brings the gateway, or the account's settings do not fit it."""

    code = "GATEWAY_UNKNOWN"


class NoWayToPay(Refusal):
    """No account takes this payment: its currency, amount or site fits none, or the way to pay is not offered."""

    code = "NO_WAY_TO_PAY"


class GatewaysUnreachable(Refusal):
    """No gateway that takes this payment answers at the moment."""

    code = "GATEWAYS_UNREACHABLE"


class PaymentOver(Conflict):
    """The payment was paid, has expired or was closed."""

    code = "PAYMENT_OVER"


class NotRefundable(Refusal):
    """Nothing of the payment can go back by its gateway: it is not paid, or the gateway gives nothing back."""

    code = "NOT_REFUNDABLE"


class RefundExceedsPayment(Refusal):
    """More would go back than was paid."""

    code = "REFUND_EXCEEDS_PAYMENT"


class RefundNotOpen(Conflict):
    """The end of the refund is not for people to say: its gateway is still asked, or it was never sent."""

    code = "REFUND_NOT_OPEN"


class SamePerson(Refusal):
    """The second person to confirm is the first one."""

    code = "SAME_PERSON"


class ConfirmationDiffers(Conflict):
    """The second person saw another amount than the first."""

    code = "CONFIRMATION_DIFFERS"


class GiftCardUnknown(Refusal):
    """There is no such gift card, or it was redeemed, has expired or is void: the four are never told apart."""

    code = "GIFT_CARD_UNKNOWN"
