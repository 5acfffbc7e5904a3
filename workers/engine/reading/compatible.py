"""The model reads compatibility forms of letters, digits, ideographs and separators as the plain ones.

PDF files have radicals in the place of ideographs that look the same. Input methods write full-width letters and
digits. The plain forms are Unicode's compatibility decompositions (NFKC). For radicals without a decomposition they are
Unicode's property Equivalent_Unified_Ideograph (Unicode 15). Punctuation, circled numbers and signs stay as they are:
models have learnt them. ASCII's separators of files, groups and records are read as line breaks, and that of units as a
tab.
"""

from __future__ import annotations

import re
import unicodedata

from workers.engine.reading.view import View

_RADICALS = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹"
    "⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱"
    "⻲⻳"
)
_IDEOGRAPHS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑𫜹忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂"
    "肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜"
    "亀龟"
)
# Full-width digits and letters, Kangxi radicals, compatibility ideographs, ligatures, letters for formulas.
_DECOMPOSED = (
    range(0xFF10, 0xFF1A),
    range(0xFF21, 0xFF3B),
    range(0xFF41, 0xFF5B),
    range(0x2F00, 0x2FD6),
    range(0xF900, 0xFB00),
    range(0x2F800, 0x2FA20),
    range(0xFB00, 0xFB07),
    range(0x1D400, 0x1D800),
)
FORMS = {
    chr(point): form
    for points in _DECOMPOSED
    for point in points
    if (form := unicodedata.normalize("NFKC", chr(point))) != chr(point)
}
FORMS |= dict(zip(_RADICALS, _IDEOGRAPHS, strict=True))
FORMS |= {"\x1c": "\n", "\x1d": "\n", "\x1e": "\n", "\x1f": "\t"}

# Ranges rather than the characters themselves: a pattern of these takes ten times as long.
_MAY_HAVE_FORM = re.compile(
    "[\x1c-\x1f\u2e80-\u2ef3" + "".join(f"{chr(points.start)}-{chr(points.stop - 1)}" for points in _DECOMPOSED) + "]"
)


def in_plain_forms(view: View) -> View:
    """The view with letters, digits and ideographs in their plain forms."""
    return view.replaced(FORMS) if _MAY_HAVE_FORM.search(view.text) else view
