"""The log as JSON, one object a line, for programs that collect it.

A line of a request has no address, no name of a file and nothing of what was sent: time, level, id, route, status and
seconds. A line of another kind says what failed, and may name files of this server.
"""

import json
import logging
import time
from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("REQUEST")  # the id of the request that is being answered
requests = logging.getLogger("iph.requests")


class JsonLine(logging.Formatter):
    """``extra={"fields": {...}}`` of a record takes the place of its message."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"time": f"{moment}.{record.msecs:03.0f}Z", "level": record.levelname.lower()}
        if request := REQUEST.get(None):
            line["request"] = request
        line |= getattr(record, "fields", None) or {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLine}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["lines"]},
    "loggers": {requests.name: {"level": "INFO"}},
}
"""For ``logging.config.dictConfig``, and for uvicorn, which hands it to its worker processes."""
