"""Tests of collections: lazy queries, outside sessions and over pending writes."""
