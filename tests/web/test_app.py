"""The application as a whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI

from shared.errors import SettingsError
from web.app import create_app


@pytest.mark.parametrize(
    "path", ["/healthz", "/api/v1/models", "/api/v1/jobs/nowhere", "/nowhere", "/docs/swagger", "/assets/js/main.js"]
)
def test_every_answer_is_hardened(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_an_answer_to_what_nobody_thought_of_is_hardened(app: OpenAPI) -> None:
    def broken() -> str:
        raise RuntimeError

    app.add_url_rule("/broken", view_func=broken)
    assert app.test_client().get("/broken").headers["X-Content-Type-Options"] == "nosniff"


def test_as_many_applications_can_be_made_as_are_wanted(app: OpenAPI, with_settings: Callable[..., None]) -> None:
    with_settings(api_keys="one")
    for each in (app, create_app()):
        assert each.test_client().get("/api/v1/models").status_code == 401
        assert each.test_client().get("/api/v1/models", headers={"X-API-Key": "one"}).status_code == 200


def test_a_setting_that_cannot_be_used_is_named_at_once(with_settings: Callable[..., None]) -> None:
    with_settings(ner_timeout="soon")
    with pytest.raises(SettingsError, match="RANER_NER_TIMEOUT"):
        create_app()
