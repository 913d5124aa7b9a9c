"""What carts refuse, with its codes."""

from kameng.errors import Conflict, Refusal


class CartFull(Refusal):
    """The cart holds as many different variants as one order may."""

    code = "CART_FULL"


class CartEmpty(Refusal):
    """There is nothing in the cart to order."""

    code = "CART_EMPTY"


class CartChanged(Conflict):
    """The cart was changed or ordered from elsewhere while it was being ordered."""

    code = "CART_CHANGED"
