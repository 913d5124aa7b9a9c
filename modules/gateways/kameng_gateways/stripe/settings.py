"""Settings of an account with Stripe."""

from __future__ import annotations

import msgspec

from kameng_gateways.calling import check_url
from kameng_settlement.gateway_contract import GatewayMisconfigured, MerchantAccount


class StripeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account. The account's merchant is its ``acct_…``.

    Attributes:
        secret_key: ``sk_…`` or a restricted key ``rk_…`` that may write Checkout Sessions and refunds and read payments,
            charges and balance transactions.
        webhook_secret: ``whsec_…`` of the endpoint whose address is the account's.
        old_webhook_secret: the one before, while it is being rolled.
        live: whether real money moves. What is told of the other mode is refused.
        api_url: where the interface is.
    """

    secret_key: str
    webhook_secret: str
    old_webhook_secret: str | None = None
    live: bool = True
    api_url: str = "https://api.stripe.com"

    def __repr__(self) -> str:
        return f"StripeSettings(live={self.live})"


def settings_of(account: MerchantAccount) -> StripeSettings:
    """The account's settings.

    Raises:
        GatewayMisconfigured: they are another gateway's.
    """
    if not isinstance(account.settings, StripeSettings):
        raise GatewayMisconfigured("These settings are not Stripe's.", cure="Save the account again.")
    return account.settings


def check_settings(account: MerchantAccount) -> None:
    """Whether an account's settings can work.

    Raises:
        GatewayMisconfigured: they cannot.
    """
    settings = settings_of(account)
    mode = "live" if settings.live else "test"
    if not settings.secret_key.startswith((f"sk_{mode}_", f"rk_{mode}_")):
        raise GatewayMisconfigured(
            f"The secret key is none of the {mode} mode.", cure="Copy it from Stripe's developers' page."
        )
    if len(settings.webhook_secret) < 16:
        raise GatewayMisconfigured(
            "Without the endpoint's secret nothing of Stripe could be verified.",
            cure="Make a webhook endpoint at Stripe with the account's address, and copy its whsec_… secret.",
        )
    check_url(settings.api_url)
