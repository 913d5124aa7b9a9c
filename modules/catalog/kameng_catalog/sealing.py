"""What binds a card's sealed secret to its place, and what finds the same card twice."""

from uuid import UUID

DOMAIN = "catalog.card"
"""The domain of blind indexes of cards, and the first part of the scope of their data keys."""


def scope_of(batch: UUID) -> str:
    """What the data keys of a batch are for."""
    return f"{DOMAIN}:{batch}"


def fingerprint_of(number: str, secret: str) -> bytes:
    """What two entries of the same card have in common: number and secret, as they stand in the file.

    The number counts, since a brand whose secrets are short (nine digits, say) gives two cards the same one.
    """
    return f"{number}\x1f{secret}".encode()


def sealed_for(variant: UUID, blind_index: bytes) -> bytes:
    """The associated data of a sealed secret: moved to another variant or card, it does not open."""
    return variant.bytes + blind_index
