"""What the scores of the bundled models are taken on."""

from __future__ import annotations

from training.corpus import Sentence, Span
from training.evaluate import AS_IT_IS, FORMED_SENTENCES, formed
from training.forms import FORMS

SENTENCES = [Sentence(f"马云在杭州说了{number}", (Span(0, 2, "PER"), Span(3, 5, "LOC"))) for number in range(300)]


def test_each_form_is_of_the_same_sentences() -> None:
    of_form = dict(formed(SENTENCES))
    assert list(of_form) == [AS_IT_IS, *FORMS]
    plain = of_form[AS_IT_IS]
    assert len(plain) == FORMED_SENTENCES
    assert all(list(of_form[name]) == form(plain) for name, form in FORMS.items())
    assert dict(formed(SENTENCES)) == of_form


def test_of_few_sentences_all_are_in_forms() -> None:
    assert sorted(dict(formed(SENTENCES[:3]))[AS_IT_IS]) == SENTENCES[:3]
