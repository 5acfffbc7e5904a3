"""What the tests of findings share."""

from tests.workers.conftest import plain_logs

__all__ = ["plain_logs"]
