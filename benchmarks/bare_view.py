"""What the cache's benchmark compares with: a Flask application whose one view does one Redis GET, and nothing else."""

from __future__ import annotations

from flask import Flask, Response
from redis import Redis

from shared.redis_client import redis_url

# Where the value lies that it answers.
KEY = "raner:benchmark:value"


def create_app() -> Flask:
    """The application, over the farm's Redis."""
    app = Flask(__name__, static_folder=None)
    redis = Redis.from_url(redis_url())

    # POST, since that is what the load generator sends; the body is empty and never read.
    @app.post("/value")
    def value() -> Response:
        return Response(redis.get(KEY), mimetype="application/json")

    return app
