"""``/api/v1/jobs``: the asynchronous job API."""

from __future__ import annotations

from flask import Response, jsonify, url_for
from flask_openapi3 import APIBlueprint, Tag

from shared.jobs import Job, OffsetUnit
from web.farm import farm
from web.job_view import job_view
from web.problems import problems
from web.schemas import JobPath, JobQuery, JobRequest, JobView, SubmitHeaders, WaitQuery
from web.submission import submit

# Seconds after which a client that polls should look again.
RETRY_AFTER = "1"

api = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", abp_tags=[Tag(name="Jobs")])


@api.post(
    "",
    summary="Submit one text or many",
    responses={200: JobView, 202: JobView, **problems(400, 401, 413, 415, 422, 503)},
)
def post_job(body: JobRequest, query: WaitQuery, header: SubmitHeaders) -> Response:
    """Accepts the texts as a job: 202 and the job's address, or 200 and the finished job.

    It is finished at once where the cache knew every text, or where `wait` was given and saw its end.
    """
    job_id = submit(farm(), body.all_texts, body.model, body.types, body.offsets, header.idempotency_key)
    job = farm().jobs.wait(job_id, query.wait)
    return _answer(job, pending_status=202)


@api.get("/<string:job_id>", summary="Ask for a job", responses={200: JobView, **problems(401, 404, 422, 503)})
def get_job(path: JobPath, query: JobQuery) -> Response:
    """The job's state and progress, and its results once it succeeded. `wait` holds the answer until it ends."""
    job = farm().jobs.wait(path.job_id, query.wait)
    return _answer(job, pending_status=200, unit=query.offsets, with_texts=query.texts)


@api.delete("/<string:job_id>", summary="Cancel a job", responses={200: JobView, **problems(401, 404, 409, 503)})
def delete_job(path: JobPath) -> Response:
    """Cancels a queued or running job; 409 where it has ended already."""
    return _answer(farm().jobs.cancel(path.job_id), pending_status=200)


def _answer(job: Job, pending_status: int, unit: OffsetUnit | None = None, with_texts: bool = False) -> Response:
    response = jsonify(job_view(farm(), job, unit or job.offsets, with_texts))
    if not job.status.ended:
        response.status_code = pending_status
        response.headers["Retry-After"] = RETRY_AFTER
    response.headers["Location"] = url_for("jobs.get_job", job_id=job.id)
    response.headers["Cache-Control"] = "no-store"
    return response
