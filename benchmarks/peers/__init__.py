"""Other ways to serve the same engine, as their own documentation shows it: the farm's peers, to compare it with.

What they need beyond requirements-dev.txt is in benchmarks/peers-requirements.txt; nothing else imports it.
"""
