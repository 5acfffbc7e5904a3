"""``/api/v1/jobs``: the asynchronous job API."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi3 import APIBlueprint, Tag

from shared.job_texts import JobTexts
from shared.jobs import Job, JobStatus
from web.addresses import public
from web.farm import farm
from web.job_view import job_view
from web.problems import problems
from web.schemas import JobPath, JobQuery, JobRequest, JobView, SubmitHeaders, WaitQuery
from web.submission import submission
from web.waiting import may_wait

# Seconds after which a client that polls should look again.
RETRY_AFTER = "1"

api = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", abp_tags=[Tag(name="Jobs")])


@api.post(
    "",
    summary="Submit one text or many",
    responses={200: JobView, 202: JobView, **problems(400, 401, 408, 413, 415, 422, 503)},
)
def post_job(body: JobRequest, query: WaitQuery, header: SubmitHeaders) -> Response:
    """Accepts the texts as a job: 202 and the job's address, or 200 and the finished job.

    It is finished at once where the cache knew every text, or where `wait` was given and saw its end.
    """
    asked = submission(farm(), body.all_texts, body.model, body.types, body.offsets, body.markup)
    with may_wait(query.wait) as seconds:
        job, results = asked.enqueue(farm(), header.idempotency_key, seconds)
    return _answer(job, job_view(job, asked.texts, results, job.offsets), pending_status=202)


@api.get("/<string:job_id>", summary="Ask for a job", responses={200: JobView, **problems(401, 404, 422, 503)})
def get_job(path: JobPath, query: JobQuery) -> Response:
    """The job's state and progress, and its results once it succeeded. `wait` holds the answer until it ends."""
    with may_wait(query.wait) as seconds:
        job = farm().ends.wait(path.job_id, seconds)
    succeeded = job.status is JobStatus.SUCCEEDED
    # The texts of a cancelled job are deleted.
    with_texts = query.texts and job.status is not JobStatus.CANCELLED
    view = job_view(
        job,
        texts=farm().jobs.texts(job.id) if with_texts or succeeded else JobTexts([]),
        results=farm().jobs.results(job.id) if succeeded else [],
        unit=query.offsets or job.offsets,
        with_texts=with_texts,
    )
    return _answer(job, view, pending_status=200)


@api.delete("/<string:job_id>", summary="Cancel a job", responses={200: JobView, **problems(401, 404, 409, 503)})
def delete_job(path: JobPath) -> Response:
    """Cancels a queued or running job; 409 where it has ended already."""
    job = farm().jobs.cancel(path.job_id)
    farm().recent.forget(job.id)
    return _answer(job, job_view(job, JobTexts([]), [], job.offsets), pending_status=200)


def _answer(job: Job, view: dict[str, Any], pending_status: int) -> Response:
    response = jsonify(view)
    if not job.status.ended:
        response.status_code = pending_status
        response.headers["Retry-After"] = RETRY_AFTER
    response.headers["Location"] = public(f"{api.url_prefix}/{job.id}")
    response.headers["Cache-Control"] = "no-store"
    return response
