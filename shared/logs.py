"""Structured logs of web and workers: one line an event, ids and figures, never a text."""

from __future__ import annotations

import logging
import sys

import structlog

from shared.settings import settings


def configure_logs() -> None:
    """Send structlog and the standard library's loggers to standard error, one readable line an event."""
    level = logging.getLevelNamesMapping()[settings().log_level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
