"""RSA keys as gateways hand them out: PEM, bare base64, or a certificate; and signatures with SHA-256 and PKCS #1 v1.5."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from kameng_settlement.gateway_contract import GatewayMisconfigured

SHORTEST_KEY: Final = 2048
"""Bits of a key that is taken."""

_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"


@lru_cache(maxsize=64)
def private_key(text: str) -> RSAPrivateKey:
    """A private key from PEM or from the base64 of its DER (PKCS #8 or PKCS #1).

    Raises:
        GatewayMisconfigured: it is none, or too short.
    """
    try:
        if text.lstrip().startswith("-----BEGIN"):
            found = load_pem_private_key(text.strip().encode(), None)
        else:
            found = load_der_private_key(_bare(text), None)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise _unusable("our private key") from error
    if not isinstance(found, RSAPrivateKey) or found.key_size < SHORTEST_KEY:
        raise _unusable("our private key")
    return found


@lru_cache(maxsize=256)
def _public_key(text: str) -> tuple[RSAPublicKey, datetime | None, datetime | None]:
    found: object
    not_before = not_after = None
    try:
        if text.lstrip().startswith(_CERTIFICATE):
            certificate = x509.load_pem_x509_certificate(text.strip().encode())
            not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            found = certificate.public_key()
        elif text.lstrip().startswith("-----BEGIN"):
            found = load_pem_public_key(text.strip().encode())
        else:
            found = load_der_public_key(_bare(text))
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise _unusable("the gateway's public key") from error
    if not isinstance(found, RSAPublicKey) or found.key_size < SHORTEST_KEY:
        raise _unusable("the gateway's public key")
    return found, not_before, not_after


def public_key(text: str, now: datetime | None = None) -> RSAPublicKey:
    """A public key from PEM, from the base64 of its DER, or from a certificate that is valid now.

    Raises:
        GatewayMisconfigured: it is none, too short, or its certificate is not valid.
    """
    found, not_before, not_after = _public_key(text)
    now = now or datetime.now(UTC)
    if (not_before is not None and now < not_before) or (not_after is not None and now > not_after):
        raise GatewayMisconfigured(
            "The certificate of the gateway's key is not valid at this time.",
            cure="Put the current one beside it.",
        )
    return found


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """A signature in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def holds(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether a signature in base64 is one of the message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _bare(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def _unusable(what: str) -> GatewayMisconfigured:
    return GatewayMisconfigured(
        f"This is no RSA key of at least {SHORTEST_KEY} bits: {what}.",
        cure="Paste it as the gateway's back office shows it, in PEM or bare.",
    )
