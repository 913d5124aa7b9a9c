"""Settings of an account with Alipay."""

from __future__ import annotations

from typing import Annotated

import msgspec

from kameng_gateways.calling import check_url
from kameng_gateways.keys import private_key, public_key
from kameng_settlement.gateway_contract import GatewayMisconfigured, MerchantAccount


class AlipaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account. The account's merchant is its ``seller_id`` (PID, ``2088…``).

    Attributes:
        app_id: of the application that the merchant signed up.
        private_key: of the application, in PEM or bare base64; RSA2.
        alipay_public_key: Alipay's key for this application, not the application's own public key.
        api_url: where the interface is.
    """

    app_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{8,32}$")]
    private_key: str
    alipay_public_key: str
    api_url: str = "https://openapi.alipay.com/gateway.do"

    def __repr__(self) -> str:
        return f"AlipaySettings(app_id={self.app_id!r})"


def settings_of(account: MerchantAccount) -> AlipaySettings:
    """The account's settings.

    Raises:
        GatewayMisconfigured: they are another gateway's.
    """
    if not isinstance(account.settings, AlipaySettings):
        raise GatewayMisconfigured("These settings are not Alipay's.", cure="Save the account again.")
    return account.settings


def check_settings(account: MerchantAccount) -> None:
    """Whether an account's settings can work.

    Raises:
        GatewayMisconfigured: they cannot.
    """
    settings = settings_of(account)
    own = private_key(settings.private_key).public_key()
    if public_key(settings.alipay_public_key).public_numbers() == own.public_numbers():
        raise GatewayMisconfigured(
            "This is the application's own public key, with which nothing of Alipay's can be verified.",
            cure="Copy the key that the page calls Alipay's public key (支付宝公钥).",
        )
    check_url(settings.api_url)
