"""A lending library as a web service: models, what goes in and out as JSON, and the service."""
