"""Structured logs: key and value, for people on a terminal or as one JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from kameng.settings import EngineSettings

_MASKED = frozenset({"password", "secret", "token", "cookie", "authorization", "api_key", "card"})


def _mask(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A secret that a careless call hands over is not written."""
    for key in event:
        if key.lower() in _MASKED:
            event[key] = "***"
    return event


def _json(event: dict[str, Any], default: Any = None, **_rest: Any) -> str:
    return orjson.dumps(event, default=default or str).decode()


def configure_logs(settings: EngineSettings, process: str) -> None:
    """Set the process's logging up, that of libraries included.

    Args:
        settings: format and level.
        process: the process's name, such as ``web``; each line carries it.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _mask,
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    level = logging.getLevelName(settings.log_level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for talkative in ("httpx", "httpcore", "asyncio", "dramatiq"):
        logging.getLogger(talkative).setLevel(max(level, logging.WARNING))
    structlog.contextvars.bind_contextvars(process=process)
