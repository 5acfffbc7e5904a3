"""What the tests of findings share."""

from tests.web.conftest import app, client
from tests.workers.conftest import plain_logs, process, rule, soon

__all__ = ["app", "client", "plain_logs", "process", "rule", "soon"]
