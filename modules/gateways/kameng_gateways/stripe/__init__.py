"""Stripe: cards, by a Checkout Session on Stripe's own page."""

from kameng_gateways.stripe.gateway import StripeGateway

gateway = StripeGateway()
"""Where the entry point ``stripe`` leads."""

__all__ = ["StripeGateway", "gateway"]
