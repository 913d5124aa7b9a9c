"""Prometheus metrics: what every deployment wants to see of its web processes."""

from __future__ import annotations

import os
from typing import Any

from litestar import Response, get
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("kameng_http_requests_total", "HTTP requests by route and status.", ["route", "status"])
SECONDS = Histogram(
    "kameng_http_request_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
UNDER_WAY = Gauge(
    "kameng_http_requests_under_way", "Requests being answered now.", multiprocess_mode="livesum"
)
OPERATIONS = Counter("kameng_graphql_operations_total", "GraphQL operations.", ["schema", "kind", "result"])
FALLBACKS = Counter(
    "kameng_graphql_fallbacks_total", "Documents that were not compiled, by reason.", ["schema", "reason"]
)


def exposition() -> bytes:
    """All metrics in Prometheus's text format; of all processes, where ``PROMETHEUS_MULTIPROC_DIR`` is set."""
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library does not annotate it
    return generate_latest(registry)


def metrics_handlers() -> list[Any]:
    """The route ``/metrics``; a deployment lets only its monitoring reach it."""

    @get("/metrics", include_in_schema=False, sync_to_thread=True)
    def metrics() -> Response[bytes]:
        """Metrics in Prometheus's text format."""
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    return [metrics]
