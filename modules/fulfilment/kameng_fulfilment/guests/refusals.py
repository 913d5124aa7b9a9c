"""What is refused of guests' orders, with its codes."""

from kameng.errors import Conflict, Forbidden


class OrderClaimed(Conflict):
    """The order is in a member's account, where alone it is shown now."""

    code = "ORDER_CLAIMED"


class OrderSecretNeeded(Forbidden):
    """This is done by whoever has the order's secret; its number and its contact are not enough."""

    code = "ORDER_SECRET_NEEDED"


def order_claimed() -> OrderClaimed:
    """The refusal of an order that is in an account."""
    return OrderClaimed(
        "This order is in an account now, which alone shows it.", cure="Log in to that account."
    )


def secret_needed() -> OrderSecretNeeded:
    """The refusal of somebody who has shown number and contact alone."""
    return OrderSecretNeeded(
        "Number and contact do not suffice for this.",
        cure="Open the order with its secret: it came with the order, and `sendOrderLink` mails it again.",
    )
