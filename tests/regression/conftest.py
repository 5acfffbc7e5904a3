"""What the tests of findings share."""

from tests.workers.conftest import plain_logs, process, rule, soon

__all__ = ["plain_logs", "process", "rule", "soon"]
