"""The models of the corpus, as several releases of a program declare them with redis-limpyd 2.1.2."""

import sys
from collections.abc import Callable
from typing import Any, ClassVar

from limpyd import fields
from limpyd.contrib.database import PipelineDatabase
from limpyd_extensions.related import (
    FKInstanceHashField,
    FKStringField,
    M2MListField,
    M2MSetField,
    M2MSortedSetField,
    RelatedModel,
)

PORT = int(sys.argv[1])


class Between:
    """Acts once in the middle of what limpyd does: what another thread or process might do there."""

    act: ClassVar[Callable[[], object] | None] = None

    @classmethod
    def now(cls) -> None:
        act, cls.act = cls.act, None
        if act is not None:
            act()


class CheckedNumber(fields.InstanceHashField):
    """Lets another act between the look whether a value is taken and its storing."""

    def check_uniqueness(self, value: Any) -> None:
        super().check_uniqueness(value)
        Between.now()


class UnlockedState(fields.StringField):
    """Lets another act between the change of the index and that of the value."""

    def _traverse_command(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "set":
            Between.now()
        return super()._traverse_command(name, *args, **kwargs)


def declared(name: str, on: PipelineDatabase, **declared: Any) -> Any:
    """Declare a model, as one release of a program does; what is None is left out."""
    given = {word: field for word, field in declared.items() if field is not None}
    return type(RelatedModel)(
        name, (RelatedModel,), {"database": on, "namespace": "store", "__module__": __name__} | given
    )


def shelves_of(on: PipelineDatabase) -> Any:
    """Declare shelves, which have chosen primary keys."""
    return declared(
        "Shelf",
        on,
        place=fields.PKField(),
        label=fields.StringField(unique=True),
        aisle=fields.InstanceHashField(indexable=True),
        note=fields.StringField(),
    )


def parts_of(on: PipelineDatabase, to: Any, **changed: Any) -> Any:
    """Declare parts, which have counted primary keys and refer to shelves; *changed* is declared otherwise."""
    latest = {
        "number": CheckedNumber(unique=True),
        "color": fields.InstanceHashField(indexable=True),
        "count": fields.InstanceHashField(indexable=True),
        "state": UnlockedState(indexable=True, lockable=False),
        "weight": fields.StringField(indexable=True),
        "tags": fields.SetField(indexable=True),
        "codes": fields.SetField(unique=True),
        "steps": fields.ListField(indexable=True),
        "ranks": fields.SortedSetField(indexable=True),
        "size": fields.HashField(indexable=True),
        "remark": fields.StringField(default="none"),
        "shelf": FKInstanceHashField(to, related_name="parts"),
        "former": FKStringField(to, related_name="former_parts"),
        "beside": M2MSetField("self", related_name="neighbours"),
        "past": M2MListField(to, related_name="past_parts"),
        "liked": M2MSortedSetField(to, related_name="liked_parts"),
    }
    return declared("Part", on, **latest | changed)


def another() -> PipelineDatabase:
    """Return a database of its own, for the models of one release."""
    return PipelineDatabase(host="127.0.0.1", port=PORT, db=0)
