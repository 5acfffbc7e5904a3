"""``GET /api/v1/farm``: the farm at work, for a page that shows it live."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from web.farm import farm
from web.farm_view import farm_view
from web.problems import problems
from web.schemas import FarmView

api = APIBlueprint("farm", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="Farm")])


@api.get("/farm", summary="See the farm at work", responses={200: FarmView, **problems(401, 503)})
def get_farm() -> Response:
    """Workers, queues and open jobs now; and counters of all web processes, which only grow until these are restarted.

    Ask twice: what the counters grew by, over the difference of `time`, is the rate of requests, the spread of their
    latency and the share of texts that the cache knew.
    """
    response = jsonify(farm_view(farm()))
    response.headers["Cache-Control"] = "no-store"
    return response
