"""Every error the farm raises on purpose.

FarmError
├── SettingsError            a RANER_ variable holds what it may not
├── RequestError             the caller can mend it; web answers with its status
│   ├── InvalidRequest       422 the request is not what the call takes (400, 415: it cannot even be read)
│   │   └── EncodingNotTaken 415 its body is packed in a way that the farm does not unpack
│   ├── Unauthorised         401 an API key is needed
│   ├── JobNotFound          404 no such job, or it expired
│   ├── JobEnded             409 a terminal state never changes
│   ├── BodyTooSlow          408 the body did not arrive in its time
│   ├── TextTooLong          413 a text or the whole request is over its limit
│   ├── IdempotencyConflict  422 the key came with another request before
│   ├── JobFailed            500 the blocking call's job ended without a result
│   ├── JobTooLarge          413 the job could never be queued, however long the caller waited
│   ├── Unavailable          503 the farm cannot take the request now
│   │   ├── Busy             the web process has as much of this kind under way as may be
│   │   ├── QueueFull        as many pieces wait as may
│   │   ├── StoreFull        Redis holds as much as it may
│   │   └── ModelUnserved    no worker has held the model for some time
│   └── WaitTimeout          504 the blocking call's time is up; its job goes on
├── StoreUnavailable         503 Redis does not answer
├── UnreadableRecord         a record in Redis is of a release that this one cannot read
└── ModelError               a model cannot be prepared or loaded
    ├── SourceUnreachable    the hub does not answer, or has no such model
    ├── SourceIncomplete     a file that the model needs is missing or unreadable
    ├── UnsupportedModel     it is no transformer-CRF NER model
    └── QuantisationRefused  its INT8 form differs from FP32 by more than the limit
"""

from __future__ import annotations


class FarmError(Exception):
    """Base of every error the farm raises on purpose. Its text is a sentence that names what to change."""


class SettingsError(FarmError):
    """A ``RANER_`` variable holds what it may not."""


class RequestError(FarmError):
    """The caller can mend it.

    ``status`` is the HTTP status, ``title`` the problem's fixed short name, ``job_id`` the job it is about where the
    caller may want to ask for that.
    """

    status = 400
    title = "Bad request"
    job_id: str | None = None


class InvalidRequest(RequestError):
    """The request is not what the call takes."""

    status = 422
    title = "Invalid request"

    @classmethod
    def unreadable(cls, status: int, detail: str) -> InvalidRequest:
        """The error for a body that cannot even be read: 400, or 415 where it does not say that it is JSON."""
        error = cls(detail)
        error.status = status
        return error


class EncodingNotTaken(InvalidRequest):
    """The body is packed in a way that the farm does not unpack. ``taken`` are the encodings that it takes."""

    status = 415

    def __init__(self, detail: str, taken: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.taken = taken


class Unauthorised(RequestError):
    """The call needs a key that the request does not carry."""

    status = 401
    title = "API key needed"


class JobNotFound(RequestError):
    """There is no such job, or it ended longer ago than jobs are kept."""

    status = 404
    title = "Job not found"


class JobEnded(RequestError):
    """The job has ended already; a terminal state never changes."""

    status = 409
    title = "Job has ended"


class BodyTooSlow(RequestError):
    """The request's body did not arrive in its time."""

    status = 408
    title = "Request too slow"


class TextTooLong(RequestError):
    """A text, or the request as a whole, is larger than the farm takes."""

    status = 413
    title = "Text too long"


class IdempotencyConflict(RequestError):
    """The ``Idempotency-Key`` was used before with a different request."""

    status = 422
    title = "Idempotency key reused"


class JobFailed(RequestError):
    """The blocking call's job failed, or somebody cancelled it."""

    status = 500
    title = "Job failed"

    def __init__(self, detail: str, job_id: str) -> None:
        super().__init__(detail)
        self.job_id = job_id


class JobTooLarge(RequestError):
    """The job has more pieces, or more bytes of text, than the queue takes in all."""

    status = 413
    title = "Job too large"


class Unavailable(RequestError):
    """The farm cannot take the request now. ``retry_after`` is the seconds after which it may."""

    status = 503
    title = "Unavailable"

    def __init__(self, detail: str, retry_after: float = 5.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Busy(Unavailable):
    """The web process has as many requests of this kind under way as it may; try again."""

    title = "Busy"


class QueueFull(Unavailable):
    """As many pieces, or bytes of text, wait for the model as may; try again later."""

    title = "Queue full"


class StoreFull(Unavailable):
    """Redis holds as much as it may; try again later."""

    title = "Store full"


class ModelUnserved(Unavailable):
    """No worker process has held the model for some time."""

    title = "Model unserved"


class WaitTimeout(RequestError):
    """The blocking call's time is up; its job goes on and can be asked for."""

    status = 504
    title = "Still running"

    def __init__(self, detail: str, job_id: str) -> None:
        super().__init__(detail)
        self.job_id = job_id


class StoreUnavailable(FarmError):
    """Redis does not answer."""


class UnreadableRecord(FarmError):
    """A record in Redis is damaged, or of a release that this one cannot read."""


class ModelError(FarmError):
    """A model cannot be prepared or loaded."""


class SourceUnreachable(ModelError):
    """The hub does not answer, or has no model of that id and revision."""


class SourceIncomplete(ModelError):
    """A file that the model needs is missing or cannot be read."""


class UnsupportedModel(ModelError):
    """The source is no transformer-CRF model for named entity recognition."""


class QuantisationRefused(ModelError):
    """The INT8 form differs from FP32 in more of its entities than the limit allows."""
