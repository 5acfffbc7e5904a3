"""From a text to its marked entities, on the article's example, and everything that can be done with the result."""

from __future__ import annotations

import colorsys
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL
from tests.browser.farm_page import ENTITIES, SENTENCE, FarmPage
from tests.support.farm import Farm

# Degrees of the colour circle.
HUES = {"PER": range(340, 361), "LOC": range(170, 201), "ORG": range(45, 66)}


def result_of(farm: Farm, text: str, **options: Any) -> dict[str, Any]:
    """What the API says of a text."""
    (result,) = farm.ended(farm.submit(text=text, offsets="utf16", **options))["results"]
    found: dict[str, Any] = result
    return found


def current(farm_page: FarmPage) -> str | None:
    """Index of the entity that was jumped to."""
    mark = farm_page.page.locator("#output mark.entity-current")
    expect(mark).to_have_count(1)
    expect(mark).to_be_in_viewport()
    return mark.get_attribute("data-index")


def test_the_four_entities_of_the_articles_sentence_light_up(farm_page: FarmPage) -> None:
    farm_page.text.fill(SENTENCE)
    expect(farm_page.run_button).to_have_text("🚀 开始侦测")
    farm_page.run_button.click()
    farm_page.expect_result()
    expect(farm_page.status).to_contain_text("4")
    assert farm_page.output_text == SENTENCE
    assert [mark.entity for mark in farm_page.shown_marks] == ENTITIES
    assert farm_page.input_text == SENTENCE


def test_each_type_has_its_colour_its_label_and_its_underline(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE)
    underlines = set()
    for kind, hues in HUES.items():
        mark = farm_page.page.locator(f"#output mark.entity-{kind.lower()}").first
        colour = [float(part) for part in re.findall(r"[\d.]+", farm_page.style(mark, "color")["color"])]
        assert round(colorsys.rgb_to_hls(*(part / 255 for part in colour))[0] * 360) in hues, (kind, colour)
        assert farm_page.style(mark, "content", pseudo="::after")["content"] == f'"{kind}"'
        line = farm_page.style(mark, "text-decoration-line", "text-decoration-style", "text-decoration-thickness")
        assert line["text-decoration-line"].startswith("underline")
        underlines.add(tuple(line.values()))
    assert len(underlines) == len(HUES)


def test_legend_and_statistics_count_what_is_marked(farm_page: FarmPage, farm: Farm) -> None:
    farm_page.run(SENTENCE)
    result = result_of(farm, SENTENCE)
    assert farm_page.legend_counts == result["counts"] == {"PER": 1, "LOC": 1, "ORG": 2}
    expect(farm_page.legend_of("PER")).to_contain_text("人名")
    expect(farm_page.statistic("total")).to_have_text("4")
    expect(farm_page.statistic("distinct")).to_have_text("4")
    expect(farm_page.statistic("characters")).to_have_text(str(len(SENTENCE)))
    expect(farm_page.statistic("model")).to_have_text(result["model"])
    for name in ("time", "speed"):
        expect(farm_page.statistic(name)).to_contain_text(re.compile(r"\d"))


def test_the_second_run_says_that_the_cache_answered(farm_page: FarmPage) -> None:
    text = "王小明第一次在北京大学读书。"
    farm_page.run(text)
    expect(farm_page.statistic("cached")).to_have_text("否")
    farm_page.run(text)
    expect(farm_page.statistic("cached")).to_have_text("是")


def test_ctrl_and_enter_run_the_text(farm_page: FarmPage) -> None:
    farm_page.text.fill(SENTENCE)
    farm_page.text.press("Control+Enter")
    farm_page.expect_result()
    assert [mark.entity for mark in farm_page.shown_marks] == ENTITIES


def test_line_breaks_and_characters_beyond_the_basic_plane_shift_nothing(farm_page: FarmPage, farm: Farm) -> None:
    text = f"😀𠮷野家\n\n{SENTENCE}\n  👨‍👩‍👧\t𪚥 马云，杭州。\n"
    farm_page.run(text)
    assert farm_page.output_text == text
    expected = [(e["text"], e["type"], e["start"], e["end"]) for e in result_of(farm, text)["entities"]]
    assert [mark.entity for mark in farm_page.shown_marks] == expected
    assert {"马云", "杭州"} <= {entity[0] for entity in expected}
    # A line break is seen as one.
    assert farm_page.style(farm_page.output.locator(".block").first, "white-space")["white-space"] == "pre-wrap"


def test_an_empty_text_is_said_to_be_empty(farm_page: FarmPage) -> None:
    farm_page.paste(" \n ")
    farm_page.run_button.click()
    expect(farm_page.problem).to_contain_text("还没有文本")
    assert farm_page.input_text == " \n "


def test_a_text_without_entities_is_a_result_too(farm_page: FarmPage) -> None:
    farm_page.run("嗯。")
    assert (farm_page.output_text, farm_page.all_marks) == ("嗯。", [])
    expect(farm_page.statistic("total")).to_have_text("0")


def test_another_model_finds_other_types(farm_page: FarmPage, farm: Farm) -> None:
    text = "董事长王小明说，公司去年盈利3.5亿元。"
    model = farm_page.page.locator("#model")
    expect(model.locator("option")).to_have_count(2)
    expect(model).to_have_value(BUNDLED_MODEL.name)
    model.select_option(BUNDLED_GENERIC_MODEL.name)
    farm_page.run(text)
    result = result_of(farm, text, model=BUNDLED_GENERIC_MODEL.name)
    expect(farm_page.statistic("model")).to_have_text(result["model"])
    assert ("3.5亿元", "MONEY") in {(mark.text, mark.type) for mark in farm_page.shown_marks}
    assert farm_page.legend_counts == result["counts"]
    farm_page.page.get_by_text("3.5亿元").and_(farm_page.marks).hover()
    expect(farm_page.details).to_contain_text("规则")
    expect(farm_page.details).to_contain_text("350000000 CNY")
    # The choice is kept.
    farm_page.open("/")
    expect(model).to_have_value(BUNDLED_GENERIC_MODEL.name)


def test_each_sample_is_a_text_with_entities(farm_page: FarmPage) -> None:
    sample = farm_page.page.locator("#sample")
    values = [value for value in sample.locator("option").evaluate_all("(all) => all.map((one) => one.value)") if value]
    assert len(values) >= 6
    seen = set()
    for value in values:
        sample.select_option(value)
        text = farm_page.input_text
        farm_page.run_button.click()
        expect(farm_page.output).to_have_text(text)
        farm_page.expect_result()
        assert farm_page.shown_marks, text
        seen.add(text)
    assert len(seen) == len(values)
    assert SENTENCE in seen


def test_a_permalink_shows_the_same_in_another_browser(
    farm_page: FarmPage, new_context: Callable[..., BrowserContext]
) -> None:
    farm_page.run(SENTENCE)
    permalink = farm_page.page.locator("#permalink").get_attribute("href")
    assert permalink is not None
    assert re.fullmatch(r"/jobs/\w+", permalink)
    assert farm_page.page.url == farm_page.url + permalink
    other = FarmPage(new_context().new_page(), farm_page.url).open(permalink)
    other.expect_result()
    assert other.output_text == other.input_text == SENTENCE
    assert other.all_marks == farm_page.all_marks
    for name in ("total", "distinct", "characters", "model", "cached"):
        assert other.statistic(name).text_content() == farm_page.statistic(name).text_content()


def test_a_job_of_many_texts_shows_each(farm_page: FarmPage, farm: Farm) -> None:
    texts = [SENTENCE, "王小明在北京大学读书。"]
    job_id = farm.submit(texts=texts)
    farm.ended(job_id)
    farm_page.open(f"/jobs/{job_id}")
    farm_page.expect_result()
    assert farm_page.output_text == texts[0]
    farm_page.page.locator("#which").select_option("1")
    expect(farm_page.output).to_have_text(texts[1])
    assert {mark.text for mark in farm_page.shown_marks} == {"王小明", "北京大学"}


def test_back_and_forward_go_through_the_runs(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE)
    farm_page.run("王小明在北京大学读书。")
    farm_page.page.go_back()
    expect(farm_page.output).to_have_text(SENTENCE)
    farm_page.expect_result()
    farm_page.page.go_forward()
    expect(farm_page.output).to_have_text("王小明在北京大学读书。")
    farm_page.expect_result()


def test_the_history_has_the_run_until_it_is_cleared(farm_page: FarmPage) -> None:
    expect(farm_page.history).to_have_count(0)
    farm_page.run(SENTENCE)
    address = farm_page.page.url
    farm_page.run("王小明在北京大学读书。")
    farm_page.open("/")
    expect(farm_page.history).to_have_count(2)
    expect(farm_page.history.first).to_contain_text("王小明在北京大学读书。")
    expect(farm_page.history.last.locator(".history-snippet")).to_contain_text(SENTENCE[:20])
    farm_page.history.last.click()
    farm_page.expect_result()
    assert farm_page.page.url == address
    assert farm_page.output_text == SENTENCE
    farm_page.page.locator("#clear-history").click()
    expect(farm_page.history).to_have_count(0)
    farm_page.open("/")
    expect(farm_page.history).to_have_count(0)


def test_the_page_speaks_both_languages(farm_page: FarmPage) -> None:
    html, switch = farm_page.page.locator("html"), farm_page.page.locator("#language")
    expect(html).to_have_attribute("lang", "zh-CN")
    farm_page.run(SENTENCE)
    chinese = re.compile(r"[\u4e00-\u9fff]")
    switch.click()
    expect(html).to_have_attribute("lang", "en")
    expect(farm_page.run_button).to_have_text(re.compile("^🚀 [A-Z]"))
    expect(switch).to_have_text("中文")
    for place in ("#legend", "#statistics", "#gauges", "#status", "#history-title", "#entities-title", ".exports"):
        expect(farm_page.page.locator(place)).not_to_have_text(chinese)
    assert [mark.entity for mark in farm_page.shown_marks] == ENTITIES
    farm_page.open("/")
    expect(html).to_have_attribute("lang", "en")
    switch.click()
    expect(html).to_have_attribute("lang", "zh-CN")
    expect(farm_page.run_button).to_have_text("🚀 开始侦测")


@pytest.mark.browser_context_args(locale="de-DE")
def test_a_browser_that_speaks_no_chinese_gets_english(farm_page: FarmPage) -> None:
    expect(farm_page.page.locator("html")).to_have_attribute("lang", "en")
    expect(farm_page.run_button).to_have_text(re.compile("^🚀 [A-Z]"))


def test_the_legend_switches_types_off_and_on(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE)
    switch = farm_page.legend_of("ORG")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert [mark.text for mark in farm_page.shown_marks] == ["马云", "杭州"]
    assert farm_page.output_text == SENTENCE
    off = farm_page.page.locator("#output mark.entity-org").first
    assert farm_page.style(off, "text-decoration-line")["text-decoration-line"] == "none"
    assert farm_page.style(off, "content", pseudo="::after")["content"] in ("none", "normal")
    expect(farm_page.statistic("total")).to_have_text("2")
    expect(farm_page.entities).to_have_count(2)
    # It stays off for the next text.
    farm_page.run(SENTENCE + SENTENCE)
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert Counter(mark.text for mark in farm_page.shown_marks) == {"马云": 2, "杭州": 2}
    switch.click()
    assert len(farm_page.shown_marks) == 8


def test_the_threshold_hides_what_is_less_sure(farm_page: FarmPage, farm: Farm) -> None:
    farm_page.run(SENTENCE)
    entities = result_of(farm, SENTENCE)["entities"]
    # The lowest that hides one, and not all of them.
    percent = int(100 * min(entity["score"] for entity in entities)) + 1
    sure = [entity["text"] for entity in entities if entity["score"] * 100 >= percent]
    assert 0 < len(sure) < len(entities)
    farm_page.set_threshold(percent)
    expect(farm_page.page.locator("#threshold-value")).to_have_text(f"{percent}%")
    assert [mark.text for mark in farm_page.shown_marks] == sure
    expect(farm_page.statistic("total")).to_have_text(str(len(sure)))
    assert sum(farm_page.legend_counts.values()) == len(sure)
    farm_page.set_threshold(0)
    assert len(farm_page.shown_marks) == 4


def test_the_entity_list_counts_and_jumps_through_occurrences(farm_page: FarmPage) -> None:
    farm_page.run("\n".join([SENTENCE] * 12 + ["王小明在北京大学读书。"] + [SENTENCE] * 12))
    expect(farm_page.entities).to_have_count(6)
    row = farm_page.row_of("马云")
    expect(row.locator(".entity-count")).to_contain_text("24")
    expect(row.locator(".entity-type")).to_have_text("PER")
    places = [str(index) for index, mark in enumerate(farm_page.all_marks) if mark.text == "马云"]
    for number, place in enumerate([*places, places[0]]):
        row.click()
        expect(row.locator(".entity-position")).to_have_text(f"{number % 24 + 1}/24")
        assert current(farm_page) == place
    farm_page.row_of("王小明").click()
    assert farm_page.all_marks[int(current(farm_page) or -1)].text == "王小明"


def test_a_name_that_a_line_break_cuts_is_listed_with_the_others_of_its_kind(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE + SENTENCE.replace("人工智能", "人工\n智能"))
    expect(farm_page.entities).to_have_count(4)
    expect(farm_page.row_of("中国人工智能学会").locator(".entity-count")).to_contain_text("2")


def test_the_entity_list_can_be_searched(farm_page: FarmPage) -> None:
    farm_page.run(SENTENCE)
    farm_page.page.locator("#entity-search").fill("云")
    expect(farm_page.entities.locator(".entity-text")).to_have_text(["马云"])
    farm_page.page.locator("#entity-search").fill("")
    expect(farm_page.entities).to_have_count(4)


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_hover_and_focus_show_what_is_known_of_an_entity(farm_page: FarmPage, farm: Farm, how: str) -> None:
    farm_page.run(SENTENCE)
    entity = result_of(farm, SENTENCE)["entities"][1]
    expect(farm_page.details).to_be_hidden()
    if how == "hover":
        farm_page.marks.nth(1).hover()
    else:
        farm_page.output.focus()
        farm_page.page.keyboard.press("ArrowRight")
        farm_page.page.keyboard.press("ArrowRight")
        expect(farm_page.marks.nth(1)).to_be_focused()
    expect(farm_page.details).to_be_visible()
    expect(farm_page.details).to_be_in_viewport(ratio=1)
    for words in ("PER", "人名", f"{entity['score'] * 100:.1f}%", "9–11", "模型"):
        expect(farm_page.details).to_contain_text(words)
    if how == "hover":
        farm_page.page.mouse.move(5, 5)
    else:
        farm_page.text.focus()
    expect(farm_page.details).to_be_hidden()


def test_the_farms_panel_lives(farm_page: FarmPage) -> None:
    gauges = farm_page.page.locator("#gauges .gauge")
    expect(gauges).to_have_count(5)
    expect(farm_page.page.locator("#gauges [data-name=workers] dd")).to_have_text("2")
    expect(farm_page.page.locator("#gauges [data-name=queue] dd")).to_have_text("0")
    farm_page.run(SENTENCE)
    expect(farm_page.page.locator("#gauges [data-name=rate] dd")).to_contain_text(re.compile("[1-9]"))
    expect(farm_page.page.locator("#gauges [data-name=latency] dd")).to_contain_text(re.compile(r"\d"))
    expect(farm_page.page.locator("#gauges [data-name=cache] dd")).to_contain_text("%")
    expect(farm_page.page.locator("#sparkline polyline.sparkline-line")).to_have_attribute(
        "points", re.compile(r"\d,\d")
    )


def test_the_links_lead_to_the_api_and_to_flower(farm_page: FarmPage, farm: Farm) -> None:
    expect(farm_page.page.locator("#link-api")).to_have_attribute("href", f"{farm.url}/docs")
    assert farm.get("/docs").status_code == 200
    expect(farm_page.page.locator("#link-flower")).to_have_attribute("href", f"{farm.flower_url}/")
