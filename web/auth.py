"""API keys: where ``RANER_API_KEYS`` is set, a call needs one of them."""

from __future__ import annotations

import hmac

from flask import request

from shared.errors import Unauthorised
from shared.settings import settings


def check_key() -> None:
    """Refuse a call without a key that is known.

    Raises:
        Unauthorised: keys are set, and the request carries none of them.
    """
    keys = settings().keys
    if not keys:
        return
    given = request.headers.get("X-API-Key", "") or _bearer(request.headers.get("Authorization", ""))
    # Every key is compared, in constant time, so that the answer's delay says nothing.
    if sum(hmac.compare_digest(given.encode(), key.encode()) for key in keys) == 0:
        raise Unauthorised("send one of the farm's keys in the header X-API-Key")


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
