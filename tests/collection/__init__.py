"""Tests of collections: lazy queries, standard and extended, outside sessions and over pending writes."""
