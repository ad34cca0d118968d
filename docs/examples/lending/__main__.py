"""Borrow a book from a library inside this process: ``PYTHONPATH=docs/examples python -m lending``."""

from fastapi.testclient import TestClient

from lending.service import service
from uowredis import RedisDatabase

with RedisDatabase.embedded(outside="refuse") as db:
    client = TestClient(service(db))
    client.post("/books", json={"isbn": "3-16-148410-0", "title": "Don Quixote", "year": 1605})
    ann = client.post("/members", json={"name": "Ann", "email": "ann@example.org", "joined": "2026-01-02"}).json()
    loan = {"isbn": "3-16-148410-0", "member": ann["pk"], "due": "2026-02-02"}
    print(client.post("/loans", json=loan).json())
    print(client.post("/loans", json=loan).json())
