"""The benchmark: ``python -m tests.bench``; what it measures and how stands in ``tests/bench/__main__.py``."""
