"""Settings of an account with WeChat Pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from kameng_gateways.calling import check_url
from kameng_gateways.keys import private_key, public_key
from kameng_settlement.gateway_contract import GatewayMisconfigured, MerchantAccount

API_KEY_BYTES: Final = 32
"""Length of the APIv3 key."""


class WeChatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account. The account's merchant is its ``mchid``.

    Attributes:
        app_id: of the official account, mini-program or app that the merchant is bound to.
        private_key: of the merchant's API certificate, in PEM or bare base64.
        certificate_serial: the serial number of that certificate.
        api_v3_key: the APIv3 key, 32 characters; it opens what notifications enclose.
        platform_keys: what WeChat Pay signs with, by serial number or ``PUB_KEY_ID_…``: a public key or a certificate in
            PEM. Answers and notifications under any other serial number are refused, and nothing is fetched for them. While keys
            change hands, put both here.
        api_url: where the interface is.
    """

    app_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    private_key: str
    certificate_serial: Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{1,64}$")]
    api_v3_key: str
    platform_keys: Mapping[str, str]
    api_url: str = "https://api.mch.weixin.qq.com"

    def __repr__(self) -> str:
        return f"WeChatSettings(app_id={self.app_id!r})"


def settings_of(account: MerchantAccount) -> WeChatSettings:
    """The account's settings.

    Raises:
        GatewayMisconfigured: they are another gateway's.
    """
    if not isinstance(account.settings, WeChatSettings):
        raise GatewayMisconfigured("These settings are not WeChat Pay's.", cure="Save the account again.")
    return account.settings


def check_settings(account: MerchantAccount) -> None:
    """Whether an account's settings can work.

    Raises:
        GatewayMisconfigured: they cannot.
    """
    settings = settings_of(account)
    private_key(settings.private_key)
    if len(settings.api_v3_key.encode()) != API_KEY_BYTES:
        raise GatewayMisconfigured(
            f"The APIv3 key has {API_KEY_BYTES} characters.",
            cure="Set one in the merchant platform, and copy it.",
        )
    if not settings.platform_keys:
        raise GatewayMisconfigured(
            "No key of WeChat Pay is known, so nothing of it could be verified.",
            cure="Put the public key of WeChat Pay under its PUB_KEY_ID, or its certificate under its serial number.",
        )
    for text in settings.platform_keys.values():
        public_key(text)
    check_url(settings.api_url)
