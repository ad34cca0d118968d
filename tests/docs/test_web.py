"""Requests of FastAPI and Flask through their own test clients: the ways of docs/web.md, and what was none."""

import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import flask
import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from tests.session.doors import Stock, data
from tests.tools.backends import Backend
from uowredis import Session, SessionError

STOCK = ":product:1:stock"


class Shop(Stock):
    """Bread, number 1, and an application whose endpoints sell it."""

    def __init__(self, server: Backend, outside: str = "refuse") -> None:
        super().__init__(server.database(outside=outside))
        with self.database.begin():
            self.bread = self.Product(name="bread", stock=100)
        self.app = FastAPI()
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def sell(self, wrong: str) -> str:
        """Sell one, and a half of another."""
        self.bread.visits.incr()
        left = self.bread.stock.get()
        self.bread.stock.set(int(left) - 1)
        if wrong == "http":
            raise HTTPException(404)
        if wrong == "error":
            raise ValueError
        return str(left)

    def post(self, wrong: str = "") -> int:
        """Return the status of a request."""
        status: int = self.client.post(f"/sell?wrong={wrong}").status_code
        return status

    async def asynchronous(self) -> AsyncIterator[Session]:
        """A dependency that is run in the task of the request."""
        with self.database.begin(watch_reads=True) as s:
            yield s

    def plain(self) -> Iterator[Session]:
        """A dependency of which each step is run in a worker thread."""
        with self.database.begin() as s:
            yield s


def asynchronous_endpoint(shop: Shop) -> None:
    """Say the endpoint as ``async def``, with a dependency that is one, too."""

    @shop.app.post("/sell")
    async def sell(s: Annotated[Session, Depends(shop.asynchronous, scope="function")], wrong: str = "") -> str:
        return shop.sell(wrong)


def plain_endpoint(shop: Shop) -> None:
    """Say it as ``def``, which is run in a worker thread and uses the session."""

    @shop.app.post("/sell")
    def sell(s: Annotated[Session, Depends(shop.asynchronous, scope="function")], wrong: str = "") -> str:
        with s.use():
            return shop.sell(wrong)


def decorated_endpoint(shop: Shop) -> None:
    """Say it without a dependency."""

    @shop.app.post("/sell")
    @shop.database.begin(watch_reads=True)
    def sell(wrong: str = "") -> str:
        return shop.sell(wrong)


def run_endpoint(shop: Shop) -> None:
    """Say it by run()."""

    @shop.app.post("/sell")
    def sell(wrong: str = "") -> str:
        return shop.database.run(lambda s: shop.sell(wrong))


RIGHT: list[Callable[[Shop], None]] = [asynchronous_endpoint, plain_endpoint, decorated_endpoint, run_endpoint]


@pytest.mark.parametrize("endpoint", RIGHT)
def test_a_request_is_one_unit_of_work(server: Backend, endpoint: Callable[[Shop], None]) -> None:
    """It is applied whole, and after an exception not at all, also after one that is the answer."""
    shop = Shop(server)
    endpoint(shop)
    assert 200 == shop.post()
    before = data(server)
    assert (b"99", b"1") == (server.client().get(STOCK), server.client().get(":product:1:visits"))
    assert [404, 500] == [shop.post("http"), shop.post("error")]
    assert before == data(server)
    assert shop.database.session is None


@pytest.mark.parametrize("endpoint", RIGHT)
def test_requests_at_the_same_time(server: Backend, endpoint: Callable[[Shop], None]) -> None:
    """Each that was answered well sold one, and no other sold any: none is lost, none is half there."""
    shop = Shop(server)
    endpoint(shop)
    start = threading.Barrier(4)

    def visitor() -> list[int]:
        start.wait()
        return [shop.post() for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for each in [pool.submit(visitor) for _ in range(4)] for status in each.result()]
    sold = statuses.count(200)
    assert sold >= 1
    assert {200, 500} >= set(statuses)
    assert [str(100 - sold).encode(), str(sold).encode()] == server.client().mget(STOCK, ":product:1:visits")


def lost_endpoint(shop: Shop) -> None:
    """Say it with a plain dependency that yields: the session is open where no endpoint looks."""

    @shop.app.post("/sell")
    def sell(s: Annotated[Session, Depends(shop.plain)], wrong: str = "") -> str:
        return shop.sell(wrong)


def test_a_plain_dependency_that_yields_says_that_it_is_none(server: Backend) -> None:
    """What was sent at once is told when the session is left, even though the endpoint went well."""
    shop = Shop(server, "send")
    lost_endpoint(shop)
    with pytest.raises(SessionError, match="in a context in which it was not open"):
        TestClient(shop.app).post("/sell")


@pytest.mark.parametrize("wrong", ["http", "error"])
def test_its_exceptions_are_not_masked(server: Backend, wrong: str) -> None:
    """What the endpoint raised is answered; a warning tells of the session."""
    shop = Shop(server, "send")
    lost_endpoint(shop)
    with pytest.warns(RuntimeWarning, match="in a context in which it was not open"):
        assert {"http": 404, "error": 500}[wrong] == shop.post(wrong)


def test_where_outside_is_refused_it_stores_nothing(server: Backend) -> None:
    """The first write is refused, before the session is left."""
    shop = Shop(server)
    lost_endpoint(shop)
    before = data(server)
    with pytest.raises(SessionError, match="Nothing was written"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TestClient(shop.app).post("/sell")
    assert before == data(server)


def test_a_plain_endpoint_of_an_asynchronous_dependency_is_refused_without_use(server: Backend) -> None:
    """It has the context, and is another thread."""
    shop = Shop(server, "send")

    @shop.app.post("/sell")
    def sell(s: Annotated[Session, Depends(shop.asynchronous)]) -> str:
        return shop.sell("")

    before = data(server)
    with pytest.raises(SessionError, match=r"another process, thread, task or greenlet.*with s.use\(\):"):
        TestClient(shop.app).post("/sell")
    assert before == data(server)


def test_a_commit_that_is_refused_is_answered(server: Backend) -> None:
    """With scope="function" the dependency is left before the response is sent."""
    shop = Shop(server)

    @shop.app.post("/sell")
    async def sell(s: Annotated[Session, Depends(shop.asynchronous, scope="function")]) -> str:
        shop.Product(name="bread")
        return "said"

    assert 500 == shop.post()


@pytest.mark.parametrize("by", ["block", "decorator", "run"])
def test_a_view_of_flask(server: Backend, by: str) -> None:
    """A request stays in one thread: whatever opens the session there, it is one unit of work."""
    shop = Shop(server)
    site = flask.Flask("site")

    def view() -> Any:
        left = shop.sell(flask.request.args.get("wrong", ""))
        return flask.abort(409) if "abort" in flask.request.args else left

    def block() -> Any:
        with shop.database.begin():
            return view()

    views = {"block": block, "decorator": shop.database.begin()(view)}
    site.add_url_rule("/sell", "sell", views.get(by, lambda: shop.database.run(lambda s: view())), methods=["POST"])
    browser = site.test_client()
    assert 200 == browser.post("/sell").status_code
    before = data(server)
    assert [409, 500] == [browser.post(f"/sell?{query}").status_code for query in ("abort=1", "wrong=error")]
    assert before == data(server)
    assert b"99" == server.client().get(STOCK)
