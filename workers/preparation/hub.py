"""Fetching a model from ModelScope's hub."""

from __future__ import annotations

from pathlib import Path

from shared.errors import SourceUnreachable
from workers.backends import quiet  # noqa: F401
from workers.preparation.progress import say
from workers.preparation.source import RELEVANT_FILES, Source

# Seconds that the hub has to take a connection and to begin its answer. ModelScope's own client tries for over 20.
CONNECT_TIMEOUT = 5


def fetch(source: Source) -> Path:
    """Fetch a hub model's files into ModelScope's cache, as far as they are not there yet. Returns their folder.

    Where the hub does not answer, a revision that the cache holds from an earlier time will do.

    Raises:
        SourceUnreachable: the hub does not answer and the cache has no such revision, or the hub has no such model.
    """
    # Imported here because it takes a second, in which the hub may not be needed after all.
    import requests
    from modelscope_hub.config import HubConfig
    from modelscope_hub.errors import CacheError, HubError

    endpoint = str(HubConfig().endpoint)
    try:
        requests.head(endpoint, timeout=CONNECT_TIMEOUT)
    except requests.RequestException as error:
        silence = f"{endpoint} does not answer ({_reason(error)})"
        try:
            folder = _snapshot(source, cached=True)
        except CacheError:
            raise SourceUnreachable(
                f"{source.location} at revision {source.revision} cannot be fetched: {silence}, and there is neither "
                "a folder nor a cached model of that name; check the network, or give a folder that holds the model"
            ) from error
        say(f"{silence}; taking {source} from ModelScope's cache as it is")
        return folder
    try:
        return _snapshot(source, cached=False)
    except requests.HTTPError as error:
        # How ModelScope says that the model is not there, or not for everybody.
        raise SourceUnreachable(
            f"{endpoint} does not give {source.location} at revision {source.revision}: {_first_line(error)}; "
            "check the id and the revision"
        ) from error
    except (requests.RequestException, HubError) as error:
        raise SourceUnreachable(
            f"fetching {source.location} at revision {source.revision} from {endpoint} failed: {_reason(error)}"
        ) from error


def _snapshot(source: Source, *, cached: bool) -> Path:
    from modelscope.hub.snapshot_download import snapshot_download

    folder = snapshot_download(
        source.location, revision=source.revision, allow_patterns=list(RELEVANT_FILES), local_files_only=cached
    )
    return Path(folder)


def _reason(error: BaseException) -> str:
    """The innermost error: what lies around it only repeats the address."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].strip() or type(error).__name__
