"""Section ``[fulfilment]`` of ``kameng.toml``."""

import msgspec


class FulfilmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How orders are committed.

    Attributes:
        batch_linger_ms: milliseconds that an order waits for others to be committed with.
        batch_size: the most orders of one transaction.
        batch_writers: transactions that one process commits at the same time.
    """

    batch_linger_ms: float = 1.5
    batch_size: int = 64
    batch_writers: int = 2
