"""``POST /ner``: the blocking call. What the cache does not know runs through the same queue as every job."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from shared.errors import Busy, JobFailed, WaitTimeout
from shared.formats import TextResult
from shared.jobs import JobStatus
from shared.keys import NER_TTL
from shared.settings import settings
from web.addresses import public
from web.colours import colour
from web.farm import farm
from web.job_view import results_view
from web.problems import problems
from web.schemas import Money, NerAnswer, NerRequest
from web.submission import Submission, submission
from web.waiting import may_wait

api = APIBlueprint("ner", __name__, abp_tags=[Tag(name="Blocking call")])


@api.post(
    "/ner",
    summary="Recognise one text and wait",
    responses={200: NerAnswer, **problems(400, 401, 408, 413, 415, 422, 500, 503, 504)},
)
def post_ner(body: NerRequest) -> Response:
    """The text's entities. Past the time limit: 504, with the address of the job, which goes on."""
    request = submission(farm(), [body.text], body.model, body.types, body.offsets, body.markup)
    results = request.results() if request.answered else _recognised(request)
    (result,) = results_view(request.texts, results, request.types, request.offsets)
    data = [
        {
            "text": entity["text"],
            "type": entity["type"],
            "start_offset": entity["start"],
            "end_offset": entity["end"],
            "score": entity["score"],
            "color": colour(entity["type"]),
            **{name: entity[name] for name in Money.model_fields if name in entity},
        }
        for entity in result["entities"]
    ]
    return jsonify(success=True, data=data)


def _recognised(request: Submission) -> list[TextResult]:
    with may_wait(settings().ner_timeout) as seconds:
        if not seconds:
            raise Busy("as many requests wait as may; try again, or submit a job and ask for it later")
        job, results = request.enqueue(farm(), wait=seconds, ttl=min(NER_TTL, settings().job_ttl))
    if not job.status.ended:
        address = public(f"/api/v1/jobs/{job.id}")
        raise WaitTimeout(
            f"not done within {settings().ner_timeout:g} s; the job goes on: ask for it at {address}",
            job.id,
        )
    if job.status is not JobStatus.SUCCEEDED:
        raise JobFailed(job.error or f"the job was {job.status}", job.id)
    if (error := results[0].error) is not None:
        raise JobFailed(error, job.id)
    return results
