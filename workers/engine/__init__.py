"""The recognition engine: strings in, entities out. No Redis, no Celery, no clock.

A text goes through :mod:`tokens` (what the network reads), :mod:`windows` (as much as it can read at once),
:mod:`tagger` (emissions of the network, best path by :mod:`viterbi`, :mod:`spans` of it) and :mod:`merge` (one list
from several windows). :mod:`recogniser` is the whole.
"""
