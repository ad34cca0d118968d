"""What an EXEC let go of, and what another session makes: neither is taken for granted."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import groups, products
from tests.tools.backends import Backend, Real
from uowredis import Conflict, Rejected, Session, SessionError


def test_a_later_read_does_not_hide_that_an_exec_let_go(real: Real) -> None:
    """After a refused EXEC nothing is watched; one more read under watch does not bring the others back."""
    product = products(real.database())
    bread, client = product(stock=1, visits=7), real.client()
    with Session(product.database, watch_reads=True) as session:
        bread.stock.set(int(bread.stock.get()) + 1)
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(Rejected):
                session.commit()
        finally:
            client.config_set("maxmemory", 0)
        assert "7" == bread.visits.get()
        client.set(bread.stock.key, 100)
        with pytest.raises(Conflict) as caught:
            session.commit()
        assert ("Product <1>.stock",) == caught.value.fields
        session.rollback()
    assert "100" == bread.stock.get()


@pytest.mark.parametrize(
    "use",
    [
        lambda model, new: list(model.collection(friend=new)),
        lambda model, new: model(new),
        lambda model, new: model.exists(pk=new),
        lambda model, new: model.get(friend=new),
        lambda model, new: new.pk.get(),
        lambda model, new: list(new.befriended()),
        lambda model, new: model(name="other", friend=new),
    ],
    ids=["collection", "by pk", "exists", "get", "its pk", "related collection", "constructor"],
)
def test_a_new_object_is_refused_in_another_session(server: Backend, use: Callable[[Any, Any], Any]) -> None:
    """It is known by no primary key yet, and the session that makes it goes on as if nobody had asked."""
    model = groups(server.database()).person
    with Session(model.database) as session:
        boss = model(name="boss")
        minion = model(name="minion", friend=boss)
        failures: list[Exception] = []

        def meddle() -> None:
            with Session(model.database) as other:
                try:
                    use(model, boss)
                except SessionError as error:
                    failures.append(error)
                other.rollback()

        thread = threading.Thread(target=meddle)
        thread.start()
        thread.join()
        assert ["open elsewhere"] == [text for error in failures for text in ("open elsewhere",) if text in str(error)]
        session.commit()
    assert minion.friend.get() == boss.pk.get() == "1"
    assert ["2"] == list(boss.befriended())
