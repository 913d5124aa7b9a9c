"""HTTP to gateways: the engine's guarded caller, opened by the environment, and told in the words of gateways."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from kameng.outgoing import AddressForbidden, Answer, Caller, Guard, NameUnknown, NotSent, Unanswered
from kameng_settlement.gateway_contract import (
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayUnanswered,
    MerchantAccount,
)

LONGEST_ANSWER: Final = 1024 * 1024
"""Bytes of an answer. What is longer is as good as no answer."""

LONGEST_BILL: Final = 512 * 1024 * 1024
"""Bytes of a bill."""

LOOPBACK: Final = "KAMENG_GATEWAYS_LOOPBACK"
"""The environment variable which, set to 1, lets accounts name this very machine, by plain http too: for simulators."""

PRIVATE_HOSTS: Final = "KAMENG_GATEWAYS_PRIVATE_HOSTS"
"""The environment variable with the names, separated by commas, of hosts that may have private addresses."""

CA_FILE: Final = "KAMENG_GATEWAYS_CA_FILE"
"""The environment variable with the file of certificates that gateways' are checked against instead of the public ones."""

HttpAnswer = Answer


async def call(
    account: MerchantAccount,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    longest: int = LONGEST_ANSWER,
) -> HttpAnswer:
    """One request within the account's time.

    Args:
        account: whose call it is.
        method: ``GET`` or ``POST``.
        url: where to.
        headers: beside the usual ones, by lower-case name.
        body: as it is sent.
        longest: how many bytes of an answer are read.

    Raises:
        GatewayNotReached: nothing was sent.
        GatewayUnanswered: something was, and no whole answer came.
    """
    try:
        return await Caller(_guard(), account.timeout_seconds, longest).request(
            method, url, headers=headers, body=body
        )
    except NameUnknown as error:
        raise GatewayNotReached(
            "The name of the gateway's host is unknown.", cure="Check the DNS."
        ) from error
    except AddressForbidden as error:
        raise GatewayNotReached(
            "The gateway's address is not one that may be called, or leads to one that is not.", cure=_OPEN
        ) from error
    except NotSent as error:
        raise GatewayNotReached(error.message, cure=error.cure) from error
    except Unanswered as error:
        raise GatewayUnanswered(error.message, cure=error.cure) from error


def check_url(url: str) -> None:
    """Whether an address is one that may be called, as far as it can be told without looking it up.

    Raises:
        GatewayMisconfigured: it is not.
    """
    try:
        _guard().check(url)
    except AddressForbidden as error:
        raise GatewayMisconfigured(
            "The account's address is not one that may be called.", cure=_OPEN
        ) from error


_OPEN: Final = f"Use a public one that begins with https://. An operator can open hosts by {PRIVATE_HOSTS}."


def _guard() -> Guard:
    return Guard(
        private_hosts=tuple(name for name in os.environ.get(PRIVATE_HOSTS, "").split(",") if name),
        loopback=os.environ.get(LOOPBACK) == "1",
        ca_file=os.environ.get(CA_FILE, ""),
    )
