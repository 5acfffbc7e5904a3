"""Texts posted over HTTP come back with their entities."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.breaks import sentences as sentence_ranges
from tests.support.farm import Farm
from tests.support.sentences import sentences

EXAMPLE = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"
EXPECTED = [
    ("阿里巴巴集团", "ORG", 0, 6, "yellow"),
    ("马云", "PER", 9, 11, "red"),
    ("杭州", "LOC", 12, 14, "cyan"),
    ("中国人工智能学会", "ORG", 18, 26, "yellow"),
]


def spans(result: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(entity["start"], entity["end"], entity["type"]) for entity in result["entities"]]


def test_the_blocking_call(farm: Farm) -> None:
    answer = farm.post("/ner", {"text": EXAMPLE})
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    keys = ("text", "type", "start_offset", "end_offset", "color")
    assert [tuple(entity[key] for key in keys) for entity in body["data"]] == EXPECTED
    assert all(0.5 < entity["score"] <= 1 for entity in body["data"])


def test_a_job_is_accepted_then_polled(farm: Farm) -> None:
    answer = farm.post("/api/v1/jobs", {"text": EXAMPLE + "第一次。"})
    assert answer.status_code == 202
    assert answer.headers["Retry-After"]
    job = farm.ended(answer.headers["Location"].rsplit("/", 1)[-1])
    assert job["status"] == "succeeded"
    assert job["progress"] == {"done": 1, "total": 1}
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    (result,) = job["results"]
    assert spans(result)[:4] == [(start, end, kind) for _, kind, start, end, _ in EXPECTED]
    assert result["counts"] == {"ORG": 2, "PER": 1, "LOC": 1}
    assert result["model"].startswith("raner-mini-news@")


def test_waiting_sees_the_end(farm: Farm) -> None:
    answer = farm.post("/api/v1/jobs", {"text": EXAMPLE + "等一下。"}, params={"wait": 30})
    assert answer.status_code == 200
    assert answer.json()["status"] == "succeeded"


def test_two_hundred_sentences_twice_the_second_time_from_the_cache(farm: Farm) -> None:
    texts = sentences(200)
    first = farm.ended(farm.submit(texts=texts))
    assert first["status"] == "succeeded"
    assert len(first["results"]) == 200
    assert sum(len(result["entities"]) for result in first["results"]) > 50
    for text, result in zip(texts, first["results"], strict=True):
        assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in result["entities"])

    answer = farm.post("/api/v1/jobs", {"texts": texts})
    assert answer.status_code == 200
    second = answer.json()
    assert all(result["cached"] for result in second["results"])
    assert [spans(result) for result in second["results"]] == [spans(result) for result in first["results"]]


def test_a_text_gives_the_same_alone_and_among_others(farm: Farm) -> None:
    texts = [f"{sentence}（{number}）" for number, sentence in enumerate(sentences(20))]
    together = farm.ended(farm.submit(texts=texts))["results"]
    # With another end, so that the cache does not answer for the engine.
    alone = [farm.ended(farm.submit(texts=[text, "。"]))["results"][0] for text in texts[:5]]
    assert [result["cached"] for result in alone] == [True] * 5
    fresh = farm.ended(farm.submit(texts=[text + "。" for text in texts]))["results"]
    reversed_ = farm.ended(farm.submit(texts=[text + "。" for text in reversed(texts)]))["results"]
    assert [spans(result) for result in fresh] == [spans(result) for result in reversed(reversed_)]
    assert len(together) == 20


def test_a_long_text_is_cut_and_put_together(farm: Farm) -> None:
    text = "".join(sentences(200)) * 3
    job = farm.ended(farm.submit(text=text))
    assert job["status"] == "succeeded"
    assert job["progress"]["total"] > 3
    (result,) = job["results"]
    ends = 0
    for entity in result["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
        assert entity["start"] >= ends
        ends = entity["end"]
    assert ends > len(text) * 0.9
    assert farm.post("/api/v1/jobs", {"text": text}).json()["results"] == [{**result, "cached": True}]


def test_a_long_text_gives_what_its_sentences_give(farm: Farm) -> None:
    parts = [text for text in sentences(200) if text.endswith("。") and len(list(sentence_ranges(text))) == 1]
    assert sum(map(len, parts)) > 3000
    alone = farm.ended(farm.submit(texts=parts))["results"]
    expected, offset = [], 0
    for part, result in zip(parts, alone, strict=True):
        expected += [(e["start"] + offset, e["end"] + offset, e["type"], e["score"]) for e in result["entities"]]
        offset += len(part)
    (result,) = farm.ended(farm.submit(text="".join(parts)))["results"]
    assert [(e["start"], e["end"], e["type"], e["score"]) for e in result["entities"]] == expected


def test_a_million_characters(farm: Farm) -> None:
    article = "".join(sentences(200)) + "😀𠮷\n"
    text = (article * (1_000_000 // len(article) + 1))[:1_000_000]
    job = farm.ended(farm.submit(text=text), within=600)
    assert job["status"] == "succeeded"
    (result,) = job["results"]
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in result["entities"])
    # Article after article gives the same, wherever it was cut; the first begins a text, the last ends in mid-sentence.
    articles: list[list[tuple[object, ...]]] = [[] for _ in range(len(text) // len(article) + 1)]
    for entity in result["entities"]:
        number, start = divmod(entity["start"], len(article))
        articles[number].append((start, entity["text"], entity["type"], entity["score"]))
    assert all(found == articles[1] for found in articles[2:-1])
    assert len(articles[1]) > 50

    one_more = farm.post("/api/v1/jobs", {"text": text + "。"})
    assert one_more.status_code == 413
    assert "1000001 characters, at most 1000000" in one_more.json()["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\t　\r\n",
        "。",
        "\x00",
        "👨‍👩‍👧马云👍🏽在杭州🇨🇳",
        "𠮷野家在東京",
        "Jose\u0301 García 在北京",
        "ＡＢＣ公司在上海１２３号",
        "a" * 5000,
        "[SEP]马云[CLS]在杭州",
        "<script>alert(1)</script>马云",
        "\u202e马云\u200b在\ufeff杭州",
        "\ud800马云在杭州\udfff",
        "\U0010ffff",
    ],
)
def test_any_text_ends_well_with_right_offsets(farm: Farm, text: str) -> None:
    for unit in ("codepoint", "utf16"):
        # `json.dumps` escapes lone surrogates, which `requests` would refuse.
        answer = farm.http.post(
            f"{farm.url}/api/v1/jobs?wait=30",
            data=json.dumps({"text": text, "offsets": unit}),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        for entity in json.loads(answer.content)["results"][0]["entities"]:
            if unit == "codepoint":
                assert text[entity["start"] : entity["end"]] == entity["text"]
            else:
                units = text.encode("utf-16-le", "surrogatepass")
                found = units[2 * entity["start"] : 2 * entity["end"]].decode("utf-16-le", "surrogatepass")
                assert found == entity["text"]


def test_only_the_types_asked_for(farm: Farm) -> None:
    (result,) = farm.ended(farm.submit(text=EXAMPLE, types=["PER", "LOC"]))["results"]
    assert result["counts"] == {"PER": 1, "LOC": 1}


def test_many_callers_at_once_each_get_their_own(farm: Farm) -> None:
    texts = [f"{sentence}第{number}号。" for number, sentence in enumerate(sentences(60))]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda text: farm.post("/ner", {"text": text}), texts))
    for text, answer in zip(texts, answers, strict=True):
        assert answer.status_code == 200
        assert all(text[e["start_offset"] : e["end_offset"]] == e["text"] for e in answer.json()["data"])


def test_the_farm_says_what_it_serves(farm: Farm) -> None:
    (model,) = farm.get("/api/v1/models").json()["models"]
    assert model["name"] == "raner-mini-news"
    assert model["types"] == ["LOC", "ORG", "PER"]
    assert (model["state"], model["workers"], model["default"]) == ("ready", 2, True)


def test_metrics_tell_what_was_done(farm: Farm) -> None:
    farm.post("/ner", {"text": EXAMPLE})
    metrics = farm.get("/metrics").text
    assert 'raner_http_requests_total{method="POST",route="/ner",status="200"}' in metrics
    assert 'raner_workers{model="raner-mini-news"} 2.0' in metrics
    assert 'raner_queue_pieces{model="raner-mini-news"} 0.0' in metrics
