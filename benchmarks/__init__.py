"""How fast and how small the farm is, measured side by side in one run.

Each module of a benchmark has ``measure(options)``, which returns a :class:`benchmarks.report.Report`, and runs by
itself as ``python -m benchmarks.NAME``. Ratios are only between what was measured in the same run.
"""
