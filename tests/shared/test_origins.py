"""Origins, as an operator lists them: what no browser would send is refused with what to give."""

from __future__ import annotations

import pytest

from shared.origins import check_origins


@pytest.mark.parametrize(
    "origins",
    [
        [],
        ["*"],
        ["https://app.example"],
        ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080"],
        ["https://xn--fiqs8s.example", "capacitor://localhost", "chrome-extension://abcdefgh"],
        ["https://app.example:8443", "https://my_app.example"],
    ],
)
def test_what_browsers_send_is_taken(origins: list[str]) -> None:
    check_origins(origins)


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("app.example", "has no scheme; give 'https://app.example'"),
        ("localhost:3000", "has no scheme; give 'https://localhost:3000', or http://"),
        ("//app.example", "no scheme"),
        ("https://app.example/", "give 'https://app.example'"),
        ("https://app.example/path", "give 'https://app.example'"),
        ("https://app.example?x", "give 'https://app.example'"),
        ("https://app.example#x", "give 'https://app.example'"),
        ("https://me:secret@app.example", "give 'https://app.example'"),
        ("https://App.Example", "give 'https://app.example'"),
        ("HTTPS://app.example", "give 'https://app.example'"),
        ("https://app.example:443", "give 'https://app.example'"),
        ("http://app.example:80", "give 'http://app.example'"),
        ("http://app.example:0080", "give 'http://app.example'"),
        ("https://中国.example", "give 'https://xn--fiqs8s.example'"),
        ("https://*.app.example", "is a pattern; list each origin, or give \\* alone"),
        ("null", "'null' is what browsers send for files"),
        ("https://", "is no origin"),
        ("https://app.example:port", "is no origin"),
        ("https://app.example:99999", "is no origin"),
        ("https://[::1", "is no origin"),
        ("https://two words", "is no origin"),
        ("https://a..b", "is no origin"),
        ("https://app.example;https://b.example", "is no origin"),
    ],
)
def test_what_they_do_not_send_is_refused(origin: str, says: str) -> None:
    for origins in ([origin], ["https://other.example", origin]):
        with pytest.raises(ValueError, match=says):
            check_origins(origins)


def test_every_origin_is_not_listed_beside_others() -> None:
    with pytest.raises(ValueError, match="give it alone, or leave it out"):
        check_origins(["*", "https://app.example"])
