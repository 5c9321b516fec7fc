"""One request, one line: logs as JSON with every control character escaped.

No bodies, no query strings (they hold coordinates and filters), no passwords. Names and ids from a path are cut, since
a path may carry the id of a camera.
"""

import json
import logging
import sys
import time
import traceback

from flask import Flask, Response, g, request
from flask_login import current_user

LOGGER = "wangge"


class JsonLines(logging.Formatter):
    """Each record one line of ASCII JSON: line breaks, ANSI codes and direction marks cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
        }
        line.update(getattr(record, "facts", {}))
        if record.exc_info:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=True, default=str)


def logger() -> logging.Logger:
    """The server's logger."""
    return logging.getLogger(LOGGER)


def open_log(stream=None, level: int = logging.INFO) -> None:
    """Send the server's log to `stream` (standard error when not given) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logger().handlers[:] = [handler]
    logger().setLevel(level)
    logger().propagate = False


def register(app: Flask) -> None:
    """Log each request after it was answered, and when it began for the milliseconds."""

    @app.before_request
    def start_watch() -> None:
        g.began = time.monotonic()

    @app.after_request
    def log_request(response: Response) -> Response:
        if request.endpoint == "static":
            return response
        signed_in = current_user and current_user.is_authenticated
        logger().info(
            "request",
            extra={
                "facts": {
                    "method": request.method,
                    # The rule, not the path: paths hold ids of single features.
                    "route": str(request.url_rule) if request.url_rule else "unknown",
                    "status": response.status_code,
                    "ms": round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1),
                    "account": current_user.viewer.name if signed_in else "",
                    "address": request.remote_addr or "",
                }
            },
        )
        return response
