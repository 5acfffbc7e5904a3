"""The prefix of a reverse proxy's, as an operator gives it."""

from __future__ import annotations

import pytest

from shared.prefix import OWN, check_prefix, is_prefix
from web.app import create_app


@pytest.mark.parametrize("prefix", ["", "/raner", "/tools/ner", "/a.b-c_d~e/2", "/.well-known/x", "/..."])
def test_a_path_is_taken(prefix: str) -> None:
    check_prefix(prefix)


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("raner", "give '/raner'"),
        ("/raner/", "give '/raner'"),
        ("//raner", "give '/raner'"),
        ("tools//ner/", "give '/tools/ner'"),
        ("https://example.org/raner", "give '/raner'"),
        ("/", "leave it out"),
        ("https://example.org/", "leave it out"),
        ("/two words", "give a path such as /raner"),
        ("/人名", "give a path such as /raner"),
        ("/a%20b", "give a path such as /raner"),
        ("/a/../b", "give a path such as /raner"),
        ("/.", "give a path such as /raner"),
        ("/raner\n", "give a path such as /raner"),
        ('/"><script>', "give a path such as /raner"),
        ("/" + "a" * 200, "give a path such as /raner"),
        ("/api", "the farm has addresses of its own under /api; give another prefix"),
        ("/jobs/of/ours", "the farm has addresses of its own under /jobs"),
    ],
)
def test_anything_else_is_refused_with_what_to_give(prefix: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_prefix(prefix)


def test_the_farms_own_addresses_are_known() -> None:
    rules = create_app().url_map.iter_rules()
    assert {rule.rule.split("/")[1] for rule in rules} - {""} == set(OWN)


def test_an_address_of_another_host_is_no_prefix() -> None:
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "/a//b", "", "/"):
        assert not is_prefix(path)
