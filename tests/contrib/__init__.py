"""Pipelines, extended collections, relations."""
