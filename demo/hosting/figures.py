"""The figures of a running server, in Prometheus' data model; what memory, CPU and files the process takes, its client
library adds. Labels are words of our own, never a visitor's.
"""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 90)

REQUESTS = Counter("iph_requests", "Requests that were answered.", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "iph_request_seconds", "From a request's head to the end of its answer.", ["route"], buckets=SECONDS
)
ACTION_SECONDS = Histogram(
    "iph_action_seconds", "The work alone, without its wait for a turn.", ["action"], buckets=SECONDS
)
REFUSALS = Counter("iph_refusals", "What was turned away, by the reason.", ["reason"])
VOTES = Counter("iph_votes", "Answers of raters that were taken; one that came twice counts twice.")
SESSIONS = Gauge("iph_sessions", "Visitors whose work is kept.")
TEMPORARY_BYTES = Gauge("iph_temporary_bytes", "Disk that visitors' pictures take.")
QUEUE = Gauge("iph_queue", "Pieces of work that are done or wait.", ["caller"])


def refused(reason: str) -> None:
    """Count one that was turned away."""
    REFUSALS.labels(reason).inc()
