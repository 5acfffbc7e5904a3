"""The page's style sheet: built from its source, readable, and no type told by its colour alone."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from shared.settings import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "web" / "styles"
PAGE = PROJECT_ROOT / "web" / "page"
BUILT = PAGE / "assets" / "page.css"
PARTIALS = sorted(SOURCE.glob("*.css"))

TYPES = ["per", "loc", "org", "company", "gov", "scene", "time", "money", "title", "product", "work", "game", "other"]
TEXT, PARTS = 4.5, 3.0  # WCAG 2.2, level AA: 1.4.3 for text, 1.4.11 for what is used

Colour = tuple[float, float, float]


def read(path: Path) -> str:
    """The file without its comments."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def palette(contrast: str) -> dict[str, Colour]:
    """The colours by name, as somebody sees them who asks for ``no-preference`` or ``more`` contrast."""
    usual, _, more = read(SOURCE / "tokens.css").partition("@media (prefers-contrast: more)")
    css = usual + more if contrast == "more" else usual
    found = dict(re.findall(r"--color-([\w-]+): #([0-9a-f]{6});", css))
    return {name: (int(value[:2], 16), int(value[2:4], 16), int(value[4:], 16)) for name, value in found.items()}


def role(colours: dict[str, Colour], prefix: str) -> dict[str, Colour]:
    """Those whose name begins with the role."""
    found = {name: value for name, value in colours.items() if name.split("-")[0] == prefix}
    assert found, prefix
    return found


def mix(colour: Colour, share: float, under: Colour) -> Colour:
    """What ``color-mix(in srgb, …)`` makes of a colour over another."""
    return tuple(share * a + (1 - share) * b for a, b in zip(colour, under, strict=True))  # type: ignore[return-value]


def luminance(colour: Colour) -> float:
    """WCAG's relative luminance."""
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_of(one: Colour, other: Colour) -> float:
    """WCAG's contrast ratio."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def too_weak(inks: dict[str, Colour], grounds: dict[str, Colour], least: float) -> list[str]:
    """The pairs with less contrast than that."""
    pairs = product(inks.items(), grounds.items())
    return [
        f"{ink} on {ground}: {contrast_of(a, b):.2f}" for (ink, a), (ground, b) in pairs if contrast_of(a, b) < least
    ]


def test_contrast_is_what_wcag_calls_it() -> None:
    assert contrast_of((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast_of((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.fixture(params=["no-preference", "more"])
def colours(request: pytest.FixtureRequest) -> dict[str, Colour]:
    """Both palettes."""
    return palette(request.param)


def test_text_can_be_read_on_every_surface(colours: dict[str, Colour]) -> None:
    inks = role(colours, "ink")
    del inks["ink-dark"]
    assert too_weak(inks, role(colours, "surface"), TEXT) == []


def test_dark_text_can_be_read_on_every_bright_fill(colours: dict[str, Colour]) -> None:
    # An entity that was jumped to is filled with its type's colour.
    fills = role(colours, "fill") | role(colours, "type")
    assert too_weak({"ink-dark": colours["ink-dark"]}, fills, TEXT) == []


def test_edges_focus_and_progress_can_be_seen_on_every_surface(colours: dict[str, Colour]) -> None:
    assert too_weak(role(colours, "line"), role(colours, "surface"), PARTS) == []


def test_an_entity_and_its_legend_can_be_read_over_their_tint(colours: dict[str, Colour]) -> None:
    css = "".join(map(read, PARTIALS))
    shares = [int(share) / 100 for share in re.findall(r"(?:--tint:|var\(--type\)) (\d+)%", css)]
    assert len(shares) >= 3
    ground = colours["surface-field"]
    for (name, colour), share in product(role(colours, "type").items(), shares):
        tinted = {f"{name} at {share:.0%}": mix(colour, share, ground)}
        assert too_weak({name: colour, "ink": colours["ink"]}, tinted, TEXT) == []


def test_every_colour_is_a_token() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(")
    for path in PARTIALS:
        if path.name != "tokens.css":
            assert literal.findall(read(path)) == [], path.name


def test_every_type_has_a_colour_and_an_underline_of_its_own() -> None:
    rules = re.findall(r"\.entity-(\w+) \{\s*--type: (.+);\s*--underline: (.+);\s*\}", read(SOURCE / "types.css"))
    assert [name for name, _, _ in rules] == TYPES
    assert [colour for _, colour, _ in rules] == [f"var(--color-type-{name})" for name in TYPES]
    underlines = [underline for _, _, underline in rules]
    assert len(set(underlines)) == len(underlines)
    assert all(re.fullmatch(r"underline (solid|dashed|dotted|double|wavy) \dpx", line) for line in underlines)
    hues = [palette("no-preference")[f"type-{name}"] for name in TYPES]
    assert len(set(hues)) == len(hues)


def test_the_built_file_has_every_type() -> None:
    css = BUILT.read_text(encoding="utf-8")
    assert [name for name in TYPES if f".entity-{name}{{" not in css] == []


def test_the_built_file_loads_nothing_and_is_small() -> None:
    css = BUILT.read_bytes()
    assert b"url(" not in css
    assert b"@import" not in css
    assert len(gzip.compress(css)) < 12_000


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (SOURCE / "package-lock.json").read_text(encoding="utf-8")


def test_the_committed_file_is_what_its_source_gives(tmp_path: Path) -> None:
    """In CI the compiler is installed for it; elsewhere the one that ``make styles`` installed is used."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not at hand")
    installed = SOURCE / "node_modules"
    in_ci = bool(os.environ.get("CI"))
    if not in_ci and not installed.is_dir():
        pytest.skip("make styles has not been run here")
    styles = tmp_path / "styles"
    shutil.copytree(SOURCE, styles, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "page" / "assets").mkdir(parents=True)
    shutil.copy(PAGE / "index.html", tmp_path / "page")
    if in_ci:
        subprocess.run([npm, "ci", "--silent"], cwd=styles, check=True, timeout=300)
    else:
        (styles / "node_modules").symlink_to(installed)
    subprocess.run([npm, "run", "--silent", "build"], cwd=styles, check=True, capture_output=True, timeout=120)
    rebuilt = (tmp_path / "page" / "assets" / "page.css").read_text(encoding="utf-8")
    assert rebuilt == BUILT.read_text(encoding="utf-8"), "run make styles"
