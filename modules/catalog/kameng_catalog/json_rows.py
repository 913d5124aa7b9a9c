"""Rows as one JSON parameter, for statements that read them by ``jsonb_to_recordset``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson


def json_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as JSON; ids that the database gave are a UUID class of the driver's own."""
    return orjson.dumps(rows, default=str).decode()
