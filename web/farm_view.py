"""The farm at work, as the API shows it: what each model has to do, and how the web processes have answered so far."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

from web.farm import Farm
from web.metrics import SECONDS_BUCKETS, web_registry

# The calls that recognise; they take nothing but POST.
ROUTES = ("/ner", "/api/v1/jobs")


def farm_view(farm: Farm) -> dict[str, Any]:
    """The farm as :class:`web.schemas.FarmView`."""
    answered_within = dict.fromkeys((*SECONDS_BUCKETS, math.inf), 0)
    lookups = {"hit": 0, "miss": 0}
    for metric in web_registry().collect():
        for sample in metric.samples:
            labels, count = sample.labels, int(sample.value)
            if sample.name == "raner_http_request_seconds_bucket" and labels["route"] in ROUTES:
                answered_within[float(labels["le"])] += count
            elif sample.name == "raner_cache_lookups_total":
                lookups[labels["outcome"]] += count
    return {
        "models": [asdict(load) for load in farm.loads(farm.crews())],
        "requests": answered_within[math.inf],
        # JSON has no infinity.
        "request_seconds": [(None if bound == math.inf else bound, n) for bound, n in answered_within.items()],
        "cache": {"hits": lookups["hit"], "misses": lookups["miss"]},
        "time": time.time(),
    }
