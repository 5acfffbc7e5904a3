"""What requests and answers look like, as pydantic models; the OpenAPI document is made of them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.errors import TextTooLong
from shared.jobs import JobStatus, OffsetUnit
from shared.markup.read import Markup
from shared.settings import settings

MAX_WAIT = 30.0
# Errors that an answer names. The cost of a refusal is bounded by it, whatever was sent.
MOST_ERRORS = 20


class _Parameters(BaseModel):
    """Query or headers of a request.

    flask-openapi3 asks for the plain schema with each request, to tell lists from single values; making it takes longer
    than all the rest of the validation.
    """

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON schema; the plain one is made once."""
        return super().model_json_schema(*args, **kwargs) if args or kwargs else _plain_schema(cls)


@cache
def _plain_schema(parameters: type[_Parameters]) -> dict[str, Any]:
    return super(_Parameters, parameters).model_json_schema()


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Choice(_Request):
    """What every recognition request can choose."""

    model: str | None = Field(None, description="A served model's name; see `GET /api/v1/models`. Default: the farm's.")
    types: list[str] | None = Field(
        None,
        min_length=1,
        max_length=100,
        fail_fast=True,
        description="Entity types wanted. Default: all.",
        examples=[["PER", "ORG"]],
    )
    offsets: OffsetUnit = Field(
        OffsetUnit.CODEPOINT,
        description="What `start` and `end` count: Unicode code points (Python), or UTF-16 code units (JavaScript).",
    )

    markup: Markup = Field(
        Markup.AUTO,
        description="What a text is read as. `auto`: as HTML, XML or Markdown where it clearly is one of them, else as "
        "it stands. `none`: as it stands. `html`: as HTML or XML. `markdown`: as Markdown, which may hold HTML. "
        "Whatever it is, `start` and `end` count in the text as it was sent.",
    )

    @model_validator(mode="before")
    @classmethod
    def _few_unknown_fields(cls, fields: Any) -> Any:
        """Each unknown field is an error; drop those that no answer would name."""
        if not isinstance(fields, dict):
            return fields
        known = {name: value for name, value in fields.items() if name in cls.model_fields}
        unknown = [name for name in fields if name not in cls.model_fields]
        return known | dict.fromkeys(unknown[:MOST_ERRORS])

    @field_validator("model")
    @classmethod
    def _model_is_served(cls, model: str | None) -> str | None:
        if model is not None and model not in settings().sources:
            raise ValueError(f"this farm serves no such model; choose one of {', '.join(settings().sources)}")
        return model


class JobRequest(_Choice):
    """One text or many to recognise."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["text"], "properties": {"text": {"type": "string"}}},
                {"required": ["texts"], "properties": {"texts": {"type": "array"}}},
            ]
        }
    )

    text: str | None = Field(None, description="One text.", examples=["马云在杭州出席了技术峰会。"])
    texts: list[str] | None = Field(None, min_length=1, fail_fast=True, description="Many texts.")

    @field_validator("texts", mode="before")
    @classmethod
    def _few_texts(cls, texts: Any) -> Any:
        """Count the texts before anything looks at them.

        Raises:
            TextTooLong: there are more than a job may have. It is no ValueError, so it ends the validation.
        """
        if isinstance(texts, list) and len(texts) > settings().max_texts:
            raise TextTooLong(f"texts: {len(texts)} given, a job may have {settings().max_texts}; send several jobs")
        return texts

    @model_validator(mode="after")
    def _one_of(self) -> JobRequest:
        if (self.text is None) == (self.texts is None):
            raise ValueError("give either text, a string, or texts, a list of strings")
        return self

    @property
    def all_texts(self) -> list[str]:
        """The texts, however they were given."""
        return [self.text] if self.text is not None else list(self.texts or [])


class NerRequest(_Choice):
    """One text to recognise while the caller waits."""

    text: str = Field(description="The text.", examples=["马云在杭州出席了技术峰会。"])


class WaitQuery(_Parameters):
    """How long the caller waits for the end."""

    wait: float = Field(0, ge=0, le=MAX_WAIT, description="Seconds to wait for the job's end before answering.")


class JobQuery(WaitQuery):
    """How a job is to be shown."""

    texts: bool = Field(False, description="Whether the job comes with its `texts`, as they were sent.")
    offsets: OffsetUnit | None = Field(
        None, description="What `start` and `end` count. Default: what was asked for when the job was submitted."
    )


class SubmitHeaders(_Parameters):
    """Headers of a submission."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        None,
        alias="Idempotency-Key",
        description="A key of the caller's own: the same request with it makes one job, however often it is sent.",
    )


class JobPath(BaseModel):
    """Address of a job."""

    # Only in the document: to longer ids the answer is 404 as well, or the server's 414.
    job_id: str = Field(description="The job's id.", json_schema_extra={"maxLength": 64})


_DECIMAL = r"^[0-9]+(\.[0-9]*[1-9])?$"


class Money(BaseModel):
    """What an amount of money that a rule found is worth. Other entities have none of these fields."""

    value: str | None = Field(
        None,
        description="How much, as an exact decimal in whole units of the currency: 3.5亿元 is 350000000, 五角 is 0.5. "
        "Absent for a range, and if the text does not say how much (几百元).",
        examples=["350000000"],
        pattern=_DECIMAL,
    )
    low: str | None = Field(
        None, description="The lower end of a range (3-5万元), or of at least so much (3000余元).", pattern=_DECIMAL
    )
    high: str | None = Field(None, description="The upper end of a range.", pattern=_DECIMAL)
    currency: str | None = Field(
        None,
        description="ISO 4217 code. Absent if the word may mean several currencies (比索). A bare 元 is CNY, $ is USD.",
        examples=["CNY"],
        pattern="^[A-Z]{3}$",
    )


class FoundEntity(Money):
    """One named entity: `text[start:end]` of the text that was sent."""

    text: str
    type: str = Field(examples=["PER"])
    start: int
    end: int
    score: float = Field(ge=0, le=1)
    source: str = Field(description="What found it: the `model`, or a `rule` beside it.", examples=["model"])


class Result(BaseModel):
    """What was found in one text."""

    entities: list[FoundEntity]
    counts: dict[str, int] = Field(description="Entities by type.", examples=[{"PER": 1}])
    model: str = Field(description="`name@version` of the model that answered.")
    cached: bool = Field(description="Whether the result cache answered.")
    error: str | None = Field(
        None, description="Why this text could not be recognised; there only if it could not. It has no entities then."
    )


class Progress(BaseModel):
    """Pieces of the job; many short texts share one, a long text is cut into several."""

    done: int
    total: int


class JobView(BaseModel):
    """A job."""

    id: str
    status: JobStatus
    model: str
    offsets: OffsetUnit = Field(description="What `start` and `end` of the results count.")
    progress: Progress
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    texts: list[str] | None = Field(
        None, description="The texts as they were sent, if they were asked for. Those of a cancelled job are deleted."
    )
    results: list[Result] | None = Field(None, description="One for each text, in order; there once the job succeeded.")
    error: str | None = Field(None, description="Why the job failed, or the first of its texts that did.")


class NerEntity(Money):
    """One named entity, in the blocking call's shape."""

    text: str
    type: str
    start_offset: int
    end_offset: int
    score: float
    color: str


class NerAnswer(BaseModel):
    """Answer of the blocking call."""

    success: bool = True
    data: list[NerEntity]


class ModelView(BaseModel):
    """A model that can be asked for."""

    name: str
    version: str | None = Field(description="Null until a worker has loaded it once.")
    types: list[str] | None
    backend: str | None
    state: str = Field(description="`ready`: a live worker holds it; `unavailable`: none does.")
    workers: int = Field(description="Live worker processes that hold it.")
    default: bool


class ModelsView(BaseModel):
    """The served models."""

    models: list[ModelView]


class LoadView(BaseModel):
    """What a model has to do just now, and who does it."""

    name: str
    workers: int = Field(description="Live worker processes that hold it.")
    queue: int = Field(description="Pieces of open jobs that are not done.")
    open_jobs: int = Field(description="Jobs that have not ended.")


class CacheLookups(BaseModel):
    """Texts that were looked up in the result cache."""

    hits: int
    misses: int


class FarmView(BaseModel):
    """The farm at work. `requests`, `request_seconds` and `cache` are counters of all web processes."""

    models: list[LoadView]
    requests: int = Field(description="Answers of `/ner` and `/api/v1/jobs`, whatever their status.")
    request_seconds: list[tuple[float | None, int]] = Field(
        description="How many of these answers took at most so many seconds: pairs of an upper bound, null for the "
        "last that has none, and a count that includes those of all lower bounds.",
        examples=[[[0.1, 7], [1, 9], [None, 10]]],
    )
    cache: CacheLookups
    time: float = Field(description="When this was so: seconds since the epoch.")


class HealthView(BaseModel):
    """Health of the web process, or readiness of the farm."""

    status: str
    checks: dict[str, str] | None = None
