"""Every setting of the farm, read from the environment in this one place."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.cpus import usable_cpus
from shared.errors import SettingsError
from shared.origins import check_origins
from shared.prefix import check_prefix, is_prefix
from shared.secret_files import SecretFiles

# What a header carries as it is, and a list separated by commas too.
KEY = re.compile(r"[!-+\--~]+")
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MIB = 2**20  # bytes
KEY_PREFIX = re.compile(r"[A-Za-z0-9:_-]{1,64}")
PROJECT_ROOT = Path(__file__).resolve().parent.parent
BUNDLED_MODEL = PROJECT_ROOT / "models" / "raner-mini-news"
# The same with more entity types.
BUNDLED_GENERIC_MODEL = PROJECT_ROOT / "models" / "raner-mini-generic"


class BackendName(StrEnum):
    """What runs the network."""

    ONNX_INT8 = "onnx-int8"  # ONNX Runtime, quantised weights: fastest on a CPU
    ONNX_FP32 = "onnx-fp32"  # ONNX Runtime, the weights as they were trained
    PYTORCH = "pytorch"  # PyTorch, on CUDA where there is one
    MODELSCOPE = "modelscope"  # ModelScope's own pipeline: the reference, slow


class Settings(BaseSettings):
    """The farm's settings. Each field is the environment variable ``RANER_<FIELD>``.

    An empty variable counts as unset, so that compose files can pass through what is not there.
    """

    model_config = SettingsConfigDict(env_prefix="RANER_", env_ignore_empty=True, extra="ignore", frozen=True)

    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="The Redis of the farm. Unset: `make run` starts a private one.",
    )
    redis_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password of that Redis, if the address has none.",
    )
    redis_ca: str = Field(
        default="",
        description="File with the certificate of the authority (PEM) that a Redis with `rediss://` is verified by. "
        "Unset: the machine's authorities.",
    )
    cache_url: SecretStr = Field(
        default=SecretStr(""),
        description="A Redis for the result cache alone, which may evict. Unset: the cache is in the farm's Redis.",
    )
    key_prefix: str = Field(
        default="raner",
        description="What the names of all keys in Redis begin with. Farms that share a Redis need different ones.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the web server and Flower listen on.")
    published_host: str = Field(
        default="",
        description="Address of the machine on which the ports of a container are published. Unset: `RANER_HOST`.",
    )
    open: bool = Field(
        default=False,
        description="Whether the farm starts without API keys where other machines can reach it.",
    )
    port: int = Field(default=8000, ge=1, le=65535, description="Port of the web server.")
    flower_port: int = Field(default=5555, ge=1, le=65535, description="Port of Flower.")
    flower_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password of Flower, for the user `farm`. Without one, only this machine can reach Flower.",
    )
    data_dir: Path = Field(
        default=PROJECT_ROOT / "var",
        description="Folder for prepared models and the private Redis's data.",
    )
    web_processes: int = Field(default=2, ge=1, description="Web server processes.")
    web_connections: int = Field(
        default=1000,
        ge=1,
        description="Clients that each web server process serves at a time, those that wait included.",
    )
    workers: int = Field(
        default_factory=usable_cpus,
        ge=1,
        description="Worker processes for each model. Default: the cores, or the container's share of them.",
    )
    threads: int = Field(default=1, ge=1, description="Engine threads of a worker process.")
    models: str = Field(
        default=",".join(f"{folder.name}={folder}" for folder in (BUNDLED_MODEL, BUNDLED_GENERIC_MODEL)),
        description="Models served, as `name=source` separated by commas. A source is a folder or a ModelScope id, "
        "with `@revision` if wanted. Default: the bundled models.",
    )
    default_model: str = Field(
        default="",
        description="The model used where a request names none. Default: the first of `RANER_MODELS`.",
    )
    backend: BackendName = Field(
        default=BackendName.ONNX_INT8,
        description="What runs the network: `onnx-int8`, `onnx-fp32`, `pytorch` or `modelscope`.",
    )
    int8_limit: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Largest share of entities in which a model's INT8 form may differ from its FP32 form.",
    )
    cache_ttl: int = Field(default=86_400, ge=0, description="Seconds that a result stays in the cache; 0: no cache.")
    job_ttl: int = Field(default=3_600, ge=1, description="Seconds that a job is kept after it ended.")
    ner_timeout: float = Field(
        default=30.0, gt=0, le=300, description="Seconds that `POST /ner` waits before it answers 504."
    )
    piece_timeout: float = Field(
        default=30.0,
        ge=5,
        le=600,
        description="Seconds that the recognition of one text, or of one part of a long text, may take. "
        "A text that takes longer ends in an error.",
    )
    worker_memory_mb: int = Field(
        default=4096,
        ge=256,
        description="MiB of memory of its own that a worker process may take. A text that needs more ends in an error.",
    )
    max_text_chars: int = Field(default=1_000_000, ge=1, description="Largest number of characters of one text.")
    max_texts: int = Field(default=1_000, ge=1, description="Largest number of texts in one job.")
    max_queue: int = Field(
        default=100_000, ge=1, description="Pieces of a model's open jobs beyond which a job is refused (503)."
    )
    max_queue_mb: int = Field(
        default=256, ge=1, description="MiB of text of a model's open jobs beyond which a job is refused (503)."
    )
    max_store_mb: int = Field(
        default=1024,
        ge=1,
        description="Megabytes of memory in use by Redis beyond which a job is refused (503). "
        "So it is at 80 % of Redis's own maxmemory.",
    )
    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys separated by commas; where set, each API call needs one in `X-API-Key`. Default: open, and "
        "only this machine can reach the farm.",
    )
    url_prefix: str = Field(
        default="",
        description="Path under which a reverse proxy serves the farm, such as `/raner`. The proxy may pass it on or "
        "take it off.",
    )
    trust_forwarded_prefix: bool = Field(
        default=False,
        description="Whether the proxy's header `X-Forwarded-Prefix` says the path instead. Only for a farm that none "
        "but the proxy can reach.",
    )
    flower_url: str = Field(
        default="",
        description="Where the page's link to Flower leads, such as `/raner/flower`; Flower is served under that path. "
        "Default: the page's host, at `RANER_FLOWER_PORT`.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may call the API from a browser (CORS), as `https://app.example` separated by "
        "commas; `*`: every one. Default: the farm's own page only.",
    )
    log_level: str = Field(default="INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        *_sources: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where the values come from, the first that has one: arguments, environment, files of secrets."""
        return (named["init_settings"], named["env_settings"], SecretFiles(settings_cls))

    @field_validator("redis_ca")
    @classmethod
    def _existing_file(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @field_validator("api_keys")
    @classmethod
    def _keys_of_a_header(cls, value: SecretStr) -> SecretStr:
        written = value.get_secret_value()
        keys = _listed(written)
        if written and not keys:
            raise ValueError("it names no key; give keys separated by commas, or unset it")
        for place, key in enumerate(keys, 1):
            if not KEY.fullmatch(key):
                raise ValueError(f"no header can carry key {place}; give letters, digits and ASCII's marks, no spaces")
        return value

    @field_validator("key_prefix")
    @classmethod
    def _plain_prefix(cls, value: str) -> str:
        if not KEY_PREFIX.fullmatch(value):
            raise ValueError("give at most 64 letters, digits, - _ and :")
        return value

    @field_validator("url_prefix")
    @classmethod
    def _usable_prefix(cls, value: str) -> str:
        check_prefix(value)
        return value

    @field_validator("flower_url")
    @classmethod
    def _link(cls, value: str) -> str:
        path = urlsplit(value).path if value.startswith(("http://", "https://")) else value
        if value and path.strip("/") and not is_prefix(path.rstrip("/")):
            raise ValueError(f"{value!r} is no address; give a path such as /raner/flower, or one with https://")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _known_origins(cls, value: str) -> str:
        check_origins(_listed(value))
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("give DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @model_validator(mode="after")
    def _models_are_named(self) -> Settings:
        if not self.sources:
            raise ValueError("RANER_MODELS names no model; give name=source, or unset it for the bundled model")
        if self.default_model and self.default_model not in self.sources:
            served = ", ".join(self.sources)
            raise ValueError(f"RANER_DEFAULT_MODEL {self.default_model!r} is not among RANER_MODELS: {served}")
        return self

    @model_validator(mode="after")
    def _password_has_a_redis(self) -> Settings:
        # `make run` would start a Redis of its own, which knows no password.
        if self.redis_password and not self.redis_url:
            raise ValueError(
                "RANER_REDIS_PASSWORD is set and RANER_REDIS_URL is not; set it too, or unset the password"
            )
        return self

    @cached_property
    def sources(self) -> dict[str, str]:
        """Source of each served model by its name, in the order given.

        Raises:
            ValueError: an entry is no ``name=source``, or a name comes twice.
        """
        sources: dict[str, str] = {}
        for entry in _listed(self.models):
            name, _, source = (piece.strip() for piece in entry.partition("="))
            if not source or not MODEL_NAME.fullmatch(name):
                raise ValueError(
                    f"RANER_MODELS entry {entry!r} must read name=source, the name lower-case letters, digits, - and _"
                )
            if name in sources:
                raise ValueError(f"RANER_MODELS names {name!r} twice")
            sources[name] = source
        return sources

    @property
    def default(self) -> str:
        """Name of the model used where a request names none."""
        return self.default_model or next(iter(self.sources))

    @cached_property
    def keys(self) -> frozenset[str]:
        """The API keys that are accepted; empty where the API is open."""
        return frozenset(_listed(self.api_keys.get_secret_value()))

    @property
    def flower_path(self) -> str:
        """The path under which Flower is served, without slashes at its ends; empty: the root."""
        return urlsplit(self.flower_url).path.strip("/")

    @cached_property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may call the API; empty where no other may."""
        return frozenset(_listed(self.cors_origins))

    @property
    def max_body_bytes(self) -> int:
        """Largest request body.

        It holds a text of the largest size with every character escaped (``\\ud83d\\ude00``), and what many texts of
        usual sizes take; but no more than the texts that a job may have, and a little for the rest of the request.
        """
        largest_text = 12 * self.max_text_chars
        return min(max(15 * MIB, largest_text), largest_text * self.max_texts) + MIB


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from its environment once.

    Raises:
        SettingsError: a variable holds what it may not; the message names it and says what to give.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(map(_explain, error.errors()))) from None


def _listed(value: str) -> list[str]:
    """The parts of a value that lists some, separated by commas."""
    return [part for part in (part.strip() for part in value.split(",")) if part]


def _explain(error: Any) -> str:
    if not error["loc"]:
        return str(error["ctx"]["error"])
    return f"RANER_{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
