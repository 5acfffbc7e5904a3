"""What schemathesis finds fault with and should not: documented exceptions, each as narrow as it can be told."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Whether a failure is to be reported."""
    exceptions = (_is_unknown_type, _is_used_key, _is_cancelled_job)
    return not any(is_exception(failure, response) for is_exception in exceptions)


def _is_unknown_type(failure: Any, response: Any) -> bool:
    """A model's types are known once a worker has loaded it, so the document cannot list them; others are 422."""
    return (
        isinstance(failure, RejectedPositiveData)
        and response.status_code == 422
        and " does not know " in response.json()["detail"]
    )


def _is_used_key(failure: Any, response: Any) -> bool:
    """An Idempotency-Key belongs to the request that came with it first, which no document can tell of another."""
    return (
        isinstance(failure, RejectedPositiveData)
        and response.status_code == 422
        and response.json()["title"] == "Idempotency key reused"
    )


def _is_cancelled_job(failure: Any, response: Any) -> bool:
    """DELETE cancels a job. Its record stays for a while, and says so."""
    return isinstance(failure, UseAfterFree) and response.status_code in (200, 409) and "cancelled" in response.text
