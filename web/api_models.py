"""``GET /api/v1/models``: what can be asked for."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from shared import registry
from shared.settings import settings
from web.farm import farm
from web.problems import problems
from web.schemas import ModelsView

api = APIBlueprint("models", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="Models")])


@api.get("/models", summary="List the served models", responses={200: ModelsView, **problems(401, 503)})
def get_models() -> Response:
    """Each served model: its name, version, types, and whether a worker holds it now."""
    known = registry.models(farm().redis)
    crews = registry.crews(farm().redis, list(settings().sources))
    views = []
    for name in settings().sources:
        info = known.get(name)
        workers = len(crews[name].workers)
        views.append(
            {
                "name": name,
                "version": info.version if info else None,
                "types": list(info.types) if info else None,
                "backend": info.backend if info else None,
                "state": "ready" if workers else "unavailable",
                "workers": workers,
                "default": name == settings().default,
            }
        )
    return jsonify(models=views)
