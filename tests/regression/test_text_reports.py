"""What users of other systems reported of texts that people paste: entities with wrong edges, over cells, or lost.

Each report has its id, the issues that it is from, and a sentence on the symptom. The texts are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from shared.job_texts import JobTexts
from shared.markup.read import Markup, read
from shared.settings import BUNDLED_GENERIC_MODEL, BUNDLED_MODEL, BackendName, settings
from workers.engine.recogniser import Recogniser
from workers.loading import load
from workers.preparation.ensure import ensure_prepared

SUMMIT = "阿里巴巴集团创始人马云在杭州出席了由中国人工智能学会主办的技术峰会。"
IN_SUMMIT = "ORG:阿里巴巴集团 PER:马云 LOC:杭州 ORG:中国人工智能学会"
VISIT = "联合国秘书长古特雷斯昨天抵达日内瓦，会见了世界卫生组织总干事谭德塞。"
IN_VISIT = "ORG:联合国 PER:古特雷斯 LOC:日内瓦 ORG:世界卫生组织 PER:谭德塞"


@dataclass(frozen=True)
class Report:
    """A text with the entities that should be found in it, each as ``TYPE:text``.

    White space inside an entity is left out of ``entities``. The text of the report may have others ``beside`` them.
    """

    id: str
    source: str
    symptom: str
    text: str
    entities: str
    beside: bool = False
    model: Path = BUNDLED_MODEL


def around(before: str, behind: str) -> str:
    """The sentence of the summit with something before and behind the name of the person."""
    return SUMMIT.replace("马云", f"{before}马云{behind}")


REPORTS = [
    Report(
        "off-emoji",
        "label-studio#539, languagetool#842, Telethon#1004",
        "Offsets shift by one for each emoji before the entity.",
        f"😂👨\u200d👩\u200d👧\u200d👦🇨🇳{SUMMIT}",
        IN_SUMMIT,
    ),
    Report(
        "off-combining",
        "tokenizers#19, azure-docs#49115",
        "Letters with combining marks before the entity shift its offsets.",
        f"Cafe\u0301, nai\u0308ve。{VISIT}",
        IN_VISIT,
        beside=True,
    ),
    Report(
        "off-crlf",
        "brat#853, brat#1169, haystack#403, anafora#17",
        "Each CRLF is counted as one character.",
        f"快讯：\r\n\r\n{SUMMIT}\r\n{VISIT}\r\n",
        f"{IN_SUMMIT} {IN_VISIT}",
    ),
    Report(
        "off-leading-space",
        "tner#23, stanza#924",
        "Leading white space is dropped, so that offsets are too small.",
        " " * 10 + SUMMIT,
        IN_SUMMIT,
    ),
    Report(
        "off-double-space",
        "PaddleNLP#880, ltp#453",
        "Runs of spaces shift what follows.",
        f"快讯   今天   消息。{VISIT}",
        IN_VISIT,
    ),
    Report(
        "off-nul",
        "bert4keras#472",
        "The tokenizer removes NUL and U+FFFD, so that offsets shift.",
        f"快\0讯\ufffd：{SUMMIT}",
        IN_SUMMIT,
    ),
    Report(
        "off-fullwidth",
        "openmed#1547, ltp#107, jieba#769",
        "Full-width letters and digits shift offsets, or their entity is lost.",
        "ＡＢＣ１２３公司与微软公司在北京成立了研究院。",
        "ORG:ＡＢＣ１２３公司 ORG:微软公司 LOC:北京",
        beside=True,
    ),
    Report(
        "edge-space",
        "HanLP#675, spaCy#1717",
        "White space around names belongs to the entity.",
        "阿里巴巴集团创始人 马云 在 杭州 出席了由中国人工智能学会主办的技术峰会。",
        IN_SUMMIT,
    ),
    Report(
        "edge-tab",
        "HanLP#675",
        "Tabs around names belong to the entity.",
        "阿里巴巴集团创始人马云\t在\t杭州出席了由中国人工智能学会主办的技术峰会。",
        IN_SUMMIT,
    ),
    Report(
        "edge-ideographic",
        "HanLP#675",
        "Ideographic spaces around a name belong to the entity.",
        around("\u3000", "\u3000"),
        IN_SUMMIT,
    ),
    Report(
        "edge-nbsp",
        "HanLP#675, doccano#726",
        "No-break spaces around a name belong to the entity.",
        around("\xa0", "\xa0"),
        IN_SUMMIT,
    ),
    Report(
        "edge-zwsp",
        "languagetool#1986, syntok#18, UD docs#1010",
        "A zero-width space behind a name belongs to the entity.",
        around("\u200b", "\u200b"),
        IN_SUMMIT,
    ),
    Report(
        "edge-bom",
        "Pode#1604, superagent#1249",
        "The byte order mark of a pasted file becomes part of the first name.",
        "\ufeff马云在杭州出席了技术峰会。",
        "PER:马云 LOC:杭州",
    ),
    Report(
        "edge-nul", "opendataloader-pdf#207", "A NUL behind a name belongs to the entity.", around("", "\0"), IN_SUMMIT
    ),
    Report(
        "edge-fffd",
        "camel_tools#168",
        "A replacement character behind a name belongs to the entity.",
        around("\ufffd", "\ufffd"),
        IN_SUMMIT,
    ),
    Report(
        "edge-emoji",
        "label-studio-frontend#308",
        "An emoji behind a name becomes part of it.",
        around("🔥", "🔥"),
        IN_SUMMIT,
    ),
    Report(
        "edge-surrogate",
        "colibri#1589",
        "Half of an emoji, which a slice cut off, becomes part of the name.",
        around("", "\ud83d"),
        IN_SUMMIT,
    ),
    Report(
        "edge-only-white",
        "spaCy#1717, spaCy#2870, lac#106",
        "An entity consists of a line break.",
        "我们昨天在\r\n杭州\r\n见到了马云先生。",
        "LOC:杭州 PER:马云",
    ),
    Report(
        "edge-column",
        "spaCy#4792",
        "Names in a column keep the line break behind them.",
        "李娜\n王强\n张伟\n刘洋\n陈静",
        "PER:李娜 PER:王强 PER:张伟 PER:刘洋 PER:陈静",
    ),
    Report(
        "edge-column-2",
        "spaCy#4792",
        "Of two names in a column the second begins with the line break.",
        "雷军\n丁磊",
        "PER:雷军 PER:丁磊",
    ),
    Report(
        "edge-numbered",
        "PaddleNLP#4860",
        "Names of a numbered list begin with the space.",
        "1. 雷军\n2. 丁磊",
        "PER:雷军 PER:丁磊",
    ),
    Report(
        "edge-wrapped",
        "PaddleNLP#6231",
        "In wrapped lines the place begins with the line break.",
        "联合国秘书长古特雷斯昨天抵达\n日内瓦，会见了世界卫生组织总干事\n谭德塞。",
        IN_VISIT,
    ),
    Report(
        "edge-comma-list",
        "HanLP#675",
        "With another model, too, names between spaces have none at their edges.",
        "比亚迪公司 董事长 王传福 昨天 在 深圳 会见 记者。",
        "COMPANY:比亚迪公司 TITLE:董事长 PER:王传福 LOC:深圳",
        beside=True,
        model=BUNDLED_GENERIC_MODEL,
    ),
    Report(
        "cell-tsv",
        "doccano#34, label-studio#4409",
        "An entity runs from one row of a table into the next.",
        "姓名\t单位\t城市\n马云\t阿里巴巴集团\t杭州\n王传福\t比亚迪公司\t深圳\n",
        "PER:马云 ORG:阿里巴巴集团 LOC:杭州 PER:王传福 ORG:比亚迪公司 LOC:深圳",
    ),
    Report(
        "cell-csv",
        "doccano#1062",
        "An entity runs over the cells of comma-separated rows.",
        "姓名,单位,城市\r\n马云,阿里巴巴集团,杭州\r\n王传福,比亚迪公司,深圳\r\n",
        "PER:马云 ORG:阿里巴巴集团 LOC:杭州 PER:王传福 ORG:比亚迪公司 LOC:深圳",
    ),
    Report(
        "cell-csv-quoted",
        "universal-data-tool#32",
        "An entity runs over quoted cells.",
        '"马云","阿里巴巴集团","杭州"\r\n"王传福","比亚迪公司","深圳"\r\n',
        "PER:马云 ORG:阿里巴巴集团 LOC:杭州 PER:王传福 ORG:比亚迪公司 LOC:深圳",
    ),
    Report(
        "cell-md-table",
        "PaddleNLP#6029",
        "Names in the cells of a Markdown table are lost.",
        "| 姓名 | 单位 | 城市 |\n| --- | --- | --- |\n| 马云 | 阿里巴巴集团 | 杭州 |\n| 王传福 | 比亚迪公司 | 深圳 |\n",
        "PER:马云 ORG:阿里巴巴集团 LOC:杭州 PER:王传福 ORG:比亚迪公司 LOC:深圳",
    ),
    Report(
        "cell-names-column",
        "PaddleNLP#5968",
        "Two names of a column become one organisation.",
        "马化腾\n雷军\n刘强东",
        "PER:马化腾 PER:雷军 PER:刘强东",
    ),
    Report(
        "cell-form",
        "PaddleNLP#1952",
        "An entity runs over the lines of a form.",
        "甲方：阿里巴巴集团\n乙方：比亚迪公司\n地点：杭州\n联系人：李娜\n",
        "ORG:阿里巴巴集团 ORG:比亚迪公司 LOC:杭州 PER:李娜",
        beside=True,
    ),
    Report(
        "cell-srt",
        "mlx-qwen3-asr#15, SubPlz#30, subtitleedit#6465",
        "Subtitles cut lines in the middle of a sentence, and entities are lost.",
        "1\r\n00:00:01,000 --> 00:00:04,000\r\n阿里巴巴集团创始人马云\r\n\r\n"
        "2\r\n00:00:04,500 --> 00:00:07,000\r\n在杭州出席了由中国人工智能学会\r\n主办的技术峰会\r\n",
        IN_SUMMIT,
    ),
    Report(
        "cell-split-word",
        "PaddleNLP#6231",
        "A line break inside a name cuts the entity.",
        "阿里巴巴集团创始人马\n云在杭州出席了由中国人工\n智能学会主办的技术峰会。",
        IN_SUMMIT,
    ),
    Report(
        "cell-chat",
        "own",
        "An entity runs over the lines of a chat log.",
        "[2024-05-01 10:00:03] 张伟：我明天到北京\n[2024-05-01 10:01:10] 李娜：好的，我在上海\n",
        "PER:张伟 LOC:北京 PER:李娜 LOC:上海",
    ),
    Report(
        "spaced-A",
        "PaddleOCR#1885, sist2#443, PowerToys#20539",
        "OCR puts a space between all characters, and entities are lost or cut.",
        " ".join(SUMMIT),
        IN_SUMMIT,
    ),
    Report(
        "spaced-B",
        "raycast#9972, pot-desktop#551",
        "Entities of another sentence with a space between all characters are cut.",
        " ".join(VISIT),
        IN_VISIT,
    ),
    Report(
        "spaced-name",
        "PaddleFormers#1489, Kashgari#229",
        "Names of two characters are padded with U+3000, as in printed lists, and cut.",
        "出席人员：马\u3000云、李彦宏、雷\u3000军、王传福。",
        "PER:马云 PER:李彦宏 PER:雷军 PER:王传福",
    ),
    Report(
        "spaced-title",
        "PaddleOCR#1885",
        "The organisation in a spaced-out heading is cut.",
        " ".join("关于表彰上海市青年志愿者协会的决定"),
        "ORG:上海市青年志愿者协会",
    ),
    Report("q-curly", "HanLP#54", "The marks of “” are part of the name.", around("“", "”"), IN_SUMMIT),
    Report("q-corner", "HanLP#54", "The marks of 「」 are part of the name.", around("「", "」"), IN_SUMMIT),
    Report("q-paren", "HanLP#54", "The brackets of （） are part of the name.", around("（", "）"), IN_SUMMIT),
    Report("q-book", "HanLP#54", "The marks of 《》 are part of the name.", around("《", "》"), IN_SUMMIT),
    Report("q-hash", "HanLP#54", "The marks of ## are part of the name.", around("#", "#"), IN_SUMMIT),
    Report("q-lent", "CLUENER2020#35", "The brackets of 【】 are part of the person.", around("【", "】"), IN_SUMMIT),
    Report(
        "trad-A",
        "HanLP#206, HanLP#1829, jieba#915",
        "In traditional characters half of the entities are lost.",
        "阿里巴巴集團創始人馬雲在杭州出席了由中國人工智能學會主辦的技術峰會。",
        "ORG:阿里巴巴集團 PER:馬雲 LOC:杭州 ORG:中國人工智能學會",
    ),
    Report(
        "trad-names",
        "ckip-transformers#7",
        "Names with traditional characters outside of the vocabulary are lost.",
        "記者張韶涵、鄧紫棋和蕭敬騰從臺中到達廈門。",
        "PER:張韶涵 PER:鄧紫棋 PER:蕭敬騰 LOC:臺中 LOC:廈門",
    ),
    Report(
        "trad-simple-control",
        "HanLP#206",
        "Sentences in simplified characters are as before.",
        "台湾积体电路公司董事长刘德音在台北表示，将到美国设厂。记者张韶涵、邓紫棋和萧敬腾从台中到达厦门。",
        "ORG:台湾积体电路公司 PER:刘德音 LOC:台北 LOC:美国 PER:张韶涵 PER:邓紫棋 PER:萧敬腾 LOC:台中 LOC:厦门",
    ),
    Report(
        "kangxi",
        "PaddleNLP#4184, pdf_oxide#123, pdf2docx#152, paper-assistant#22",
        "Text copied from a PDF has radicals in the place of ideographs, and names are lost.",
        "⾼⽂⽣从⻓沙经⻄安到厦⻔，再到⻩⽯和⻘⽥。",
        "PER:⾼⽂⽣ LOC:⻓沙 LOC:⻄安 LOC:厦⻔ LOC:⻩⽯ LOC:⻘⽥",
    ),
    Report(
        "compat",
        "kanjigrid#12",
        "Names with compatibility ideographs are lost.",
        "\uf9e1明和\uf90a大中在沈阳会见了客人。",
        "PER:\uf9e1明 PER:\uf90a大中 LOC:沈阳",
    ),
    Report(
        "rare-1",
        "BERT-BiLSTM-CRF-NER#112, bert#65",
        "Names with rare characters are cut, or come out as [UNK].",
        "记者刘䶮和王龑、张𬀩昨天从北京抵达广州采访。",
        "PER:刘䶮 PER:王龑 PER:张𬀩 LOC:北京 LOC:广州",
    ),
    Report(
        "shy",
        "languagetool#2119",
        "Soft hyphens and word joiners cut an organisation.",
        "阿里巴巴集团创始人马云在杭州出席了由中国人工\xad智\u2060能学会主办的技术峰会。",
        "ORG:阿里巴巴集团 PER:马云 LOC:杭州 ORG:中国人工\xad智\u2060能学会",
    ),
    Report(
        "width-punct",
        "JioNLP#139",
        "With half-width punctuation entities are lost.",
        f"{SUMMIT}{VISIT}".replace("。", ". ").replace("，", ",").strip(),
        f"{IN_SUMMIT} {IN_VISIT}",
    ),
    Report(
        "html-nbsp",
        "knowledge-graph#215",
        "A character reference is found as a person, and belongs to the name beside it.",
        around("&nbsp;", "&nbsp;"),
        IN_SUMMIT,
    ),
    Report(
        "html-br",
        "spaCy#5838, apis-core#215",
        "A break belongs to the name before it.",
        "马云<br>在杭州",
        "PER:马云 LOC:杭州",
    ),
    Report(
        "mention",
        "Kashgari#229, Twice#46",
        "The @ of a mention is part of the name.",
        "@马云 在杭州",
        "PER:马云 LOC:杭州",
    ),
    Report(
        "html-a",
        "knowledge-graph#215",
        "A name inside a link is lost.",
        '<p><b>阿里巴巴集团</b>创始人<a href="https://example.com/mayun?id=1&x=2">马云</a>在'
        "<span class='loc'>杭州</span>出席。</p>",
        "ORG:阿里巴巴集团 PER:马云 LOC:杭州",
    ),
    Report(
        "html-td",
        "own",
        "A name in a cell is lost.",
        "<tr><td>马云</td><td>阿里巴巴集团</td><td>杭州</td></tr>",
        "PER:马云 ORG:阿里巴巴集团 LOC:杭州",
    ),
    Report(
        "md-link",
        "own",
        "A name that is a link is lost.",
        "[马云](https://example.com/a_b)在[杭州](https://example.com/c)出席了技术峰会。",
        "PER:马云 LOC:杭州",
    ),
    Report("md-bold", "own", "A bold name is lost.", "**马云**在**杭州**", "PER:马云 LOC:杭州"),
    Report(
        "generic-url",
        "ark-nlp#57",
        "The address of a link is found as a product.",
        '<a href="https://example.com/x?y=1">马云</a>在杭州',
        "PER:马云 LOC:杭州",
        model=BUNDLED_GENERIC_MODEL,
    ),
]


@cache
def recogniser(model: Path) -> Recogniser:
    """A bundled model, as it is served."""
    return load(ensure_prepared(str(model), BackendName.ONNX_INT8, settings().data_dir / "prepared", 0.05), 1)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.id)
def test_the_entities_of_a_report_are_found(report: Report) -> None:
    shown = read(report.text, Markup.AUTO)
    texts_of_job = JobTexts([report.text], {} if shown is None else {0: shown})
    (entities,) = recogniser(report.model).recognise([texts_of_job.as_read(0)])
    spans = [texts_of_job.span(0, entity.start, entity.end) for entity in entities]
    texts = [report.text[start:end] for start, end in spans]
    assert texts == [text.strip() for text in texts]
    found = [f"{entity.type}:{''.join(text.split())}" for entity, text in zip(entities, texts, strict=True)]
    wanted = report.entities.split()
    assert [each for each in found if not report.beside or each in wanted] == wanted
