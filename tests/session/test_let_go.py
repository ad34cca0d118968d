"""What an EXEC let go of, and what another session makes: neither is taken for granted."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.backends import Backend, Real
from uowredis import Conflict, InstanceHashField, RedisModel, Rejected, Session, SessionError, StringField
from uowredis.contrib import related


def test_a_later_read_does_not_hide_that_an_exec_let_go(real: Real) -> None:
    """After a refused EXEC nothing is watched; one more read under watch does not bring the others back."""

    class Account(RedisModel):
        database = real.database()
        balance = StringField()
        note = StringField()

    account, client = Account(balance=1, note="x"), real.client()
    with Session(Account.database, watch_reads=True) as session:
        account.balance.set(int(account.balance.get()) + 1)
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(Rejected):
                session.commit()
        finally:
            client.config_set("maxmemory", 0)
        assert "x" == account.note.get()
        client.set(account.balance.key, 100)
        with pytest.raises(Conflict) as caught:
            session.commit()
        assert ("Account <1>.balance",) == caught.value.fields
        session.rollback()
    assert "100" == account.balance.get()


def _declared(server: Backend) -> Any:
    class Person(related.RelatedModel):
        database = server.database()
        name = InstanceHashField()
        boss = related.FKStringField("self", related_name="minions")

    return Person


@pytest.mark.parametrize(
    "use",
    [
        lambda model, new: list(model.collection(boss=new)),
        lambda model, new: model(new),
        lambda model, new: model.exists(pk=new),
        lambda model, new: model.get(boss=new),
        lambda model, new: new.pk.get(),
        lambda model, new: list(new.minions()),
        lambda model, new: model(name="other", boss=new),
    ],
    ids=["collection", "by pk", "exists", "get", "its pk", "related collection", "constructor"],
)
def test_a_new_object_is_refused_in_another_session(server: Backend, use: Callable[[Any, Any], Any]) -> None:
    """It is known by no primary key yet, and the session that makes it goes on as if nobody had asked."""
    model = _declared(server)
    with Session(model.database) as session:
        boss = model(name="boss")
        minion = model(name="minion", boss=boss)
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
    assert minion.boss.get() == boss.pk.get() == "1"
    assert ["2"] == list(boss.minions())
