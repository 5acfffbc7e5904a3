"""The Flask application."""

from __future__ import annotations

from typing import Any

from flask import Response, has_request_context, jsonify, request
from flask_openapi3 import Info, OpenAPI

from shared.logs import configure_logs
from shared.settings import settings
from web import api_farm, api_health, api_jobs, api_models, api_ner, compression, cors, docs, metrics, page, problems
from web.auth import check_key
from web.body import FarmRequest
from web.headers import SECURITY_HEADERS
from web.json_body import CompactJSONProvider, check_body
from web.prefix import UnderPrefix
from web.query import QueryCheck

VERSION = "1.0.0"
DESCRIPTION = """Named entity recognition for Chinese text with RaNER models.

Submit a job and poll or wait for it (`/api/v1/jobs`), or make the blocking call (`/ner`). Offsets count Unicode code
points of the text exactly as it was sent, the end exclusive; `offsets=utf16` counts UTF-16 code units instead. Errors
are `application/problem+json` (RFC 9457) and say what to change. A body may be packed: `Content-Encoding: gzip` or
`deflate`; its limits hold for what it unpacks to.
"""

# What any call may be answered: by the server itself to a header that is none, a long address, long headers (400, 414,
# 431), and to a query that the call does not know (422).
REFUSALS = (400, 414, 422, 431)
GUARDED = (api_jobs, api_ner, api_models, api_farm)
# Here and not in create_app: the blueprints are the modules' own, whatever number of applications is made of them.
for _module in GUARDED:
    _module.api.before_request(check_body)
GUARDED_NAMES = {module.api.name for module in GUARDED}


class Application(OpenAPI):
    """The application, with a document that says of each call what it answers and no more."""

    def generate_spec_json(self) -> None:
        """Write the OpenAPI document.

        flask-openapi3 adds a 422 of its own, a JSON list, to every call that declares none. All 422 here are problems,
        and any call may answer one, since it refuses a query that it does not know.
        """
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for methods in self.spec_json["paths"].values():
            for operation in methods.values():
                responses = operation["responses"]
                if problems.PROBLEM_JSON not in responses["422"]["content"]:
                    del responses["422"]
                for status, response in problems.problems(*REFUSALS).items():
                    responses.setdefault(str(status), response)
        for schema in ("JobRequest", "NerRequest"):
            fields = self.spec_json["components"]["schemas"][schema]["properties"]
            fields["model"]["anyOf"][0]["enum"] = list(settings().sources)
            # A worker says which they are, once it has loaded the model. So they cannot stand in this document.
            fields["types"]["x-note"] = "each is one of the model's types, see `GET /api/v1/models`; others are 422"
            if "texts" in fields:
                fields["texts"]["anyOf"][0]["maxItems"] = settings().max_texts

    @property
    def api_doc(self) -> dict[str, Any]:
        """The OpenAPI document, which says what all its paths are under."""
        document: dict[str, Any] = super().api_doc
        under = request.script_root if has_request_context() else ""
        return document | {"servers": [{"url": under}]} if under else document


def create_app() -> OpenAPI:
    """The application; reads the settings, opens no connection.

    Raises:
        SettingsError: a setting holds what it may not.
    """
    configure_logs()
    app = Application(
        "web",
        info=Info(title="RaNER Farm", version=VERSION, description=DESCRIPTION),
        doc_prefix="/docs",
        security_schemes={"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        openapi_extensions={"security": [{"key": []}]} if settings().keys else {},
        validation_error_callback=problems.validation_problem,
        validation_error_model=problems.Problem,
        static_folder=None,
    )
    app.request_class = FarmRequest
    # Else //ner is redirected to an address with a host in it, which a proxy's clients may not reach.
    app.url_map.merge_slashes = False
    app.json = CompactJSONProvider(app)
    metrics.register(app)
    cors.register(app)
    compression.register(app)
    problems.register(app)
    for module in (*GUARDED, api_health):
        app.register_api(module.api)

    page.register(app)
    docs.register(app)
    app.add_url_rule("/openapi.json", "openapi", lambda: jsonify(app.api_doc))

    if settings().url_prefix or settings().trust_forwarded_prefix:
        app.wsgi_app = UnderPrefix(  # type: ignore[method-assign]
            app.wsgi_app, settings().url_prefix, settings().trust_forwarded_prefix
        )

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.extend(SECURITY_HEADERS)
        return response

    # Now, and not at the first request for it: two threads would write it at once.
    app.generate_spec_json()
    query_check = QueryCheck(app, app.spec_json)

    @app.before_request
    def check_address() -> Response | None:
        # The key first: whoever has none learns nothing else. The body is checked after both, since it may be long.
        # OPTIONS only tells the methods, and browsers send no key with it.
        if request.blueprint in GUARDED_NAMES and request.method != "OPTIONS":
            check_key()
        return query_check.refuse()

    return app
