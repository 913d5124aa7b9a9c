"""The one place that knows whether polars is there."""

from __future__ import annotations

from importlib.util import find_spec

from kameng.errors import UnavailableError


def require_polars() -> None:
    """Make sure that bills can be read and compared here.

    Raises:
        UnavailableError: the extra is not installed.
    """
    if find_spec("polars") is None:
        raise UnavailableError(
            "Reconciliation needs polars, which is not installed.",
            cure="Install it: pip install 'kameng-settlement[reconcile]'.",
        )
