"""Nonces that have been used, kept in Valkey for as long as a signature with them could still be accepted."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from kameng.auth.signing import TOLERANCE, Signature, SignatureInvalid
from kameng.errors import UnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Nonces:
    """The nonces of a deployment.

    Args:
        valkey: where they are kept. It must not evict them: give it ``maxmemory-policy noeviction``, its
            default.
        tolerance: the same as for `verify`, in seconds.
    """

    def __init__(self, valkey: Redis, tolerance: int = TOLERANCE) -> None:
        self._valkey = valkey
        # A time may be that much ahead of ours, and holds that much longer than its own second.
        self._seconds = 2 * tolerance + 2

    async def claim(self, signature: Signature) -> None:
        """Use a nonce up. Call it when the signature is verified, so that nobody else can use up another's.

        Raises:
            SignatureInvalid: a request with this nonce has been accepted before.
            UnavailableError: Valkey does not answer, so that cannot be known.
        """
        name = sha256(f"{signature.key}\n{signature.nonce}".encode()).hexdigest()
        try:
            fresh = await self._valkey.set(f"kameng:nonce:{name}", b"1", nx=True, ex=self._seconds)
        except (RedisError, OSError) as error:
            raise UnavailableError(
                "Signed requests cannot be accepted at the moment: Redis or Valkey does not answer.",
                cure="Send the request again in a moment, with a new nonce.",
            ) from error
        if not fresh:
            raise SignatureInvalid(
                "A request with this nonce has been accepted before.",
                cure="Sign each request, also a repeated one, with a new nonce.",
            )
