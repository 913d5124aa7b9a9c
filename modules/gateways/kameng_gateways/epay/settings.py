"""Settings of accounts with an epay."""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

from kameng_gateways.calling import check_url
from kameng_gateways.keys import private_key, public_key
from kameng_settlement.gateway_contract import GatewayMisconfigured, MerchantAccount

SHORTEST_KEY: Final = 16
"""Characters of a merchant's key of version 1."""


class EpaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account of version 1. The account's merchant is its ``pid``.

    Attributes:
        url: where the epay is, such as ``https://pay.example.com``.
        key: the merchant's key.
        key_prefix: what stands before the key in the signed text: nothing at most servers, ``&key=`` at some.
    """

    url: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    key: str
    key_prefix: Annotated[str, msgspec.Meta(max_length=16)] = ""

    def __repr__(self) -> str:
        return f"EpaySettings(url={self.url!r})"


class EpaySettingsV2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account of version 2. The account's merchant is its ``pid``.

    Attributes:
        url: where the epay is, such as ``https://pay.example.com``.
        private_key: the merchant's, in PEM or bare base64.
        platform_key: the epay's public key. It is the same for all its merchants, so ``pid`` is what tells them apart.
    """

    url: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    private_key: str
    platform_key: str

    def __repr__(self) -> str:
        return f"EpaySettingsV2(url={self.url!r})"


S = TypeVar("S", EpaySettings, EpaySettingsV2)


def settings_of(account: MerchantAccount, shape: type[S]) -> S:
    """The account's settings.

    Raises:
        GatewayMisconfigured: they are another gateway's.
    """
    if not isinstance(account.settings, shape):
        raise GatewayMisconfigured("These settings are not this epay's.", cure="Save the account again.")
    return account.settings


def address(settings: EpaySettings | EpaySettingsV2, path: str) -> str:
    """An address at the epay."""
    return f"{settings.url.rstrip('/')}/{path}"


def check_v1(account: MerchantAccount) -> None:
    """Whether an account's settings can work.

    Raises:
        GatewayMisconfigured: they cannot.
    """
    settings = settings_of(account, EpaySettings)
    if len(settings.key) < SHORTEST_KEY:
        raise GatewayMisconfigured(
            f"The merchant's key has {SHORTEST_KEY} characters at least.",
            cure="Copy it from the epay's back office.",
        )
    check_url(settings.url)


def check_v2(account: MerchantAccount) -> None:
    """Whether an account's settings can work.

    Raises:
        GatewayMisconfigured: they cannot.
    """
    settings = settings_of(account, EpaySettingsV2)
    own = private_key(settings.private_key).public_key()
    if public_key(settings.platform_key).public_numbers() == own.public_numbers():
        raise GatewayMisconfigured(
            "This is the merchant's own public key, with which nothing of the epay's can be verified.",
            cure="Copy the key that the epay calls the platform's public key (平台公钥).",
        )
    check_url(settings.url)
