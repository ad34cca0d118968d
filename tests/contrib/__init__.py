"""Pipelines and relations."""
