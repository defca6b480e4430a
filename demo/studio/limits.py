"""What one visitor may take of a server that all of them share; the numbers are those of ``demo.settings``."""

from pathlib import Path

from demo.places import Places
from demo.rate_limit import RateLimit
from demo.settings import Settings
from demo.studio.session_store import SessionStore
from demo.studio.temporary_space import TemporarySpace
from demo.work_queue import WorkQueue


class Limits:
    """``requests``: how often a client may ask; ``uploads``: how many files may be on their way; ``space``: for how
    much there is room; ``page``, ``api``, ``mcp``: where the heavy work of each kind of caller is done."""

    def __init__(self, settings: Settings, store: SessionStore, cache: Path) -> None:
        """cache: where Gradio keeps the files of the API and MCP."""
        self.requests = RateLimit(settings.requests_per_second, settings.requests_at_once)
        self.uploads = Places(settings.uploads, settings.uploads_per_client)
        self.space = TemporarySpace(settings, store, cache)
        self.page = WorkQueue(
            "studio-page",
            settings.page_at_once,
            settings.page_events,
            settings.page_events_per_client,
            settings.page_seconds,
        )
        self.api = WorkQueue(
            "studio-api", settings.api_at_once, settings.api_calls, settings.api_calls_per_client, settings.api_seconds
        )
        self.mcp = WorkQueue(
            "studio-mcp", settings.mcp_at_once, settings.mcp_calls, settings.mcp_calls_per_client, settings.mcp_seconds
        )

    def close(self) -> None:
        """Drop the work that waits."""
        for queue in (self.page, self.api, self.mcp):
            queue.close()
