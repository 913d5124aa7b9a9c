"""Prometheus metrics of events and tasks."""

from prometheus_client import Counter, Gauge, Histogram

BACKLOG = Gauge(
    "kameng_events_backlog",
    "Events not relayed, deliveries owed and dead letters; counted up to 100,000 by the active relay.",
    ["state"],
    multiprocess_mode="mostrecent",
)
TASKS_BACKLOG = Gauge(
    "kameng_tasks_backlog",
    "Tasks by state; counted up to 100,000 by the active relay.",
    ["state"],
    multiprocess_mode="mostrecent",
)
RELAYED = Counter("kameng_events_relayed_total", "Events that got their deliveries.")
DELIVERIES = Counter(
    "kameng_events_deliveries_total",
    "Deliveries by handler and result: done, failed, dead.",
    ["handler", "result"],
)
LAG = Histogram(
    "kameng_events_lag_seconds",
    "From an event's transaction to its handling.",
    ["handler"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
)
LEADING = Gauge(
    "kameng_relay_leading", "Whether this process has the active relay.", multiprocess_mode="livesum"
)
TASKS = Counter(
    "kameng_tasks_total", "Runs of tasks by result: done, failed, dead, returned.", ["task", "result"]
)
TASK_SECONDS = Histogram(
    "kameng_task_seconds",
    "How long runs of tasks take.",
    ["task"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600, 14400),
)
