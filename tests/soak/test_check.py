from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.soak.check import judge, main, percentile, report
from tests.soak.history import History, Record, read

TEXTS = ["马云在杭州。", "王小明在北京。"]
ENTITIES = [[[0, 2, "PER", "马云", 0.9], [3, 5, "LOC", "杭州", 0.8]], [[0, 3, "PER", "王小明", 0.9]]]
BEGAN = 1_000_000.0


class Story:
    """A made-up history in which all is well, until a test adds to it."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        for number, (text, entities) in enumerate(zip(TEXTS, ENTITIES, strict=True)):
            self.add("text", number=number, text=text)
            self.add("found", digest=f"right-{number}", text=number, entities=entities)
            self.add("calm", text=number, digest=f"right-{number}")
        self.accepted("job-1", submission=1, key="key")
        self.accepted("job-1", submission=1, key="key")
        self.seen("job-1")
        self.seen("job-1")
        self.accepted("job-2", submission=2, texts=[0])
        self.seen("job-2", digests=["right-0"])
        self.accepted("job-3", submission=3, texts=[0])
        self.seen("job-3", "cancelled", digests=None)
        self.accepted("job-4", submission=4, texts=[0])
        self.seen("job-4", "failed", digests=None, error="it was too much")
        self.add("ner", text=0, digest="right-0")
        self.add("closed")

    def add(self, what: str, **fields: Any) -> None:
        self.records.append({"what": what, "at": BEGAN, **fields})

    def accepted(self, job: str, submission: int, key: str | None = None, texts: list[int] | None = None) -> None:
        self.add("accepted", id=job, submission=submission, kind="one", key=key, texts=texts or [0, 1])

    def seen(
        self, job: str, state: str = "succeeded", *, created: float = 0.0, finished: float = 1.0, **fields: Any
    ) -> None:
        usual = {"digests": ["right-0", "right-1"], "error": None}
        times = {"created": moment(created), "finished": moment(finished)}
        self.add("seen", id=job, state=state, **times, **usual | fields)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat()


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_history_in_which_all_is_well_passes(story: Story) -> None:
    verdict = judge(story.records)
    assert (verdict.lost, verdict.duplicated, verdict.wrong) == ([], [], [])
    assert verdict.states == {"succeeded": 2, "cancelled": 1, "failed": 1}
    assert (verdict.keys, verdict.ner, verdict.looked_again) == (1, 1, 1)
    assert verdict.status == 0
    assert "it was too much" in report(verdict)


def test_a_job_that_was_not_seen_to_end_is_lost(story: Story) -> None:
    story.accepted("job-5", submission=5)
    verdict = judge(story.records)
    assert verdict.lost == ["job job-5 (one): not seen to end"]
    assert verdict.status == 1


def test_a_job_that_the_farm_forgot_is_lost_even_if_it_had_ended(story: Story) -> None:
    story.add("gone", id="job-1")
    verdict = judge(story.records)
    assert verdict.lost == ["job job-1 (one): 404"]
    assert verdict.status == 1


def test_a_lost_job_comes_with_the_fault_that_followed(story: Story) -> None:
    story.accepted("job-5", submission=5)
    for kind, seconds in (("too-early", -1), ("redis-killed", 0.4), ("later", 3)):
        story.add("fault", kind=kind, target="redis", began=BEGAN + seconds)
    assert judge(story.records).lost == ["job job-5 (one): not seen to end; redis-killed 0.4 s after it was accepted"]


def test_two_jobs_for_one_key_are_duplicates(story: Story) -> None:
    story.accepted("job-5", submission=1, key="key")
    story.seen("job-5")
    verdict = judge(story.records)
    assert verdict.duplicated == ["key key: jobs job-1, job-5"]
    assert verdict.status == 1


def test_one_job_for_two_submissions_is_a_duplicate(story: Story) -> None:
    story.accepted("job-2", submission=9, texts=[0])
    assert judge(story.records).duplicated == ["job job-2: given to 2 submissions"]


@pytest.mark.parametrize("state", ["cancelled", "failed", "running"])
def test_a_terminal_state_that_changes_is_a_duplicate(story: Story, state: str) -> None:
    story.seen("job-2", state, digests=None)
    verdict = judge(story.records)
    assert verdict.duplicated == [f"job job-2: was succeeded, then {state}"]
    assert verdict.status == 1


def test_results_that_change_are_duplicates(story: Story) -> None:
    story.seen("job-1", digests=["right-0", "other"])
    assert judge(story.records).duplicated == ["job job-1: had 2 different results"]


def test_other_entities_than_the_calm_farms_are_wrong(story: Story) -> None:
    story.add("found", digest="other", text=0, entities=[[0, 2, "PER", "马云", 0.9], [3, 5, "ORG", "杭州", 0.8]])
    story.accepted("job-5", submission=5, texts=[0])
    story.seen("job-5", digests=["other"])
    verdict = judge(story.records)
    assert verdict.wrong == [
        "job job-5, text 0: lacks [(3, 5, 'LOC', '杭州', 0.8)], has [(3, 5, 'ORG', '杭州', 0.8)] instead"
    ]
    assert verdict.status == 1


def test_other_scores_are_wrong(story: Story) -> None:
    story.add("found", digest="other", text=1, entities=[[0, 3, "PER", "王小明", 0.1]])
    story.add("ner", text=1, digest="other")
    assert judge(story.records).wrong == ["/ner, text 1: other scores"]


def test_the_result_of_another_text_is_wrong(story: Story) -> None:
    story.accepted("job-5", submission=5)
    story.seen("job-5", digests=["right-1", "right-0"])
    assert len(judge(story.records).wrong) == 2


def test_a_text_without_a_calm_result_is_wrong(story: Story) -> None:
    story.accepted("job-5", submission=5, texts=[7])
    story.seen("job-5", digests=["right-0"])
    assert judge(story.records).wrong == ["job job-5, text 7: no result of a calm farm to compare with"]


def test_offsets_that_are_not_those_of_the_words_are_wrong_even_on_the_calm_farm(story: Story) -> None:
    story.add("found", digest="shifted", text=0, entities=[[1, 3, "PER", "马云", 0.9]])
    story.add("calm", text=0, digest="shifted")
    assert "text 0: PER '马云' is not what stands at 1:3" in judge(story.records).wrong


@pytest.mark.parametrize(("digests", "given"), [(None, "no"), (["right-0"], 1), (["right-0", "right-1", "x"], 3)])
def test_too_many_or_too_few_results_are_wrong(story: Story, digests: list[str] | None, given: object) -> None:
    story.accepted("job-5", submission=5)
    story.seen("job-5", digests=digests)
    assert judge(story.records).wrong == [f"job job-5: {given} results for 2 texts"]


def test_a_text_that_failed_in_a_job_that_succeeded_is_counted(story: Story) -> None:
    story.accepted("job-5", submission=5)
    story.seen("job-5", digests=["right-0", None])
    verdict = judge(story.records)
    assert (verdict.failed_texts, verdict.wrong) == (1, [])


def test_statuses_that_nothing_explains_are_pointed_out(story: Story) -> None:
    for status in (202, 503, 500):
        story.add("answer", route="POST jobs", status=status, seconds=0.1, error=None)
    verdict = judge(story.records)
    assert verdict.unexpected == {("POST jobs", 500): 1}
    assert "POST jobs  500: 1  UNEXPECTED" in report(verdict)


def test_recovery_counts_the_jobs_that_were_open_at_the_fault(story: Story) -> None:
    for number, (created, finished) in enumerate([(0, 9), (9, 11), (5, 30), (10.5, 12)], start=5):
        story.accepted(f"job-{number}", submission=number)
        story.seen(f"job-{number}", created=created, finished=finished)
    story.add("fault", kind="node-killed", target="node-1", began=BEGAN + 10)
    verdict = judge(story.records)
    assert verdict.recoveries["node-killed"] == pytest.approx([20, 1])
    assert verdict.faults == {"node-killed": 1}


def test_processes_that_ended_without_a_fault_are_told(story: Story) -> None:
    story.add("ended", process="node-1", status=1, meant=False)
    story.add("ended", process="node-1", status=-9, meant=True)
    assert judge(story.records).ended_alone == {("node-1", 1): 1}


def test_a_history_without_an_end_does_not_pass(story: Story) -> None:
    story.accepted("job-5", submission=5)  # it may have been open when the soak broke off
    verdict = judge([record for record in story.records if record["what"] != "closed"])
    assert verdict.status == 2
    assert verdict.lost == []
    assert "INCOMPLETE" in report(verdict)


def test_an_empty_history_does_not_pass() -> None:
    assert judge([]).status == 2
    assert report(judge([]))


def test_percentiles_are_values_that_occur() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, q) for q in (0, 50, 99, 100)] == [1, 50, 99, 100]


def test_it_judges_a_file(tmp_path: Path, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in story.records), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["check", str(path)])
    assert main() == 0


def test_entities_are_written_once_and_known_by_text(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with History(path) as history:
        first = history.found(0, ENTITIES[0])
        assert history.found(0, ENTITIES[0]) == first
        assert history.found(1, ENTITIES[0]) != first
    assert [(record["what"], record["text"]) for record in read(path)] == [("found", 0), ("found", 1)]
