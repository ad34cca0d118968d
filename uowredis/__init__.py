"""An object mapper for Redis whose writes are a unit of work."""

from importlib import import_module as _import
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from typing import TYPE_CHECKING

from uowredis.commands.commands import Create, Delete, Read, Write
from uowredis.database import RedisDatabase
from uowredis.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    CommitError,
    Conflict,
    CrossPlace,
    DeclarationChanged,
    DoesNotExist,
    ImplementationError,
    IndexNotReady,
    NotCommitted,
    NotReplicated,
    OutcomeUnknown,
    PartiallyApplied,
    PendingWrites,
    PlanTooLarge,
    Rejected,
    ReplyLost,
    RestrictedError,
    SessionError,
    TooManyGuards,
    UncommittedWrites,
    UniquenessError,
    Unreachable,
    UnreadableValue,
    UowError,
)
from uowredis.fields import (
    AutoPKField,
    HashField,
    InstanceHashField,
    ListField,
    PKField,
    SetField,
    SortedSetField,
    StringField,
)
from uowredis.model.facts import FieldFacts
from uowredis.model.redis_model import RedisModel
from uowredis.plan.plan import Plan
from uowredis.plan.steps import Step
from uowredis.plan.token import Token
from uowredis.session.pending import Pending
from uowredis.session.pipeline import Pipeline
from uowredis.session.session import Session
from uowredis.values import Codec, DateTime, Json

if TYPE_CHECKING:
    from uowredis.maintenance import check, rebuild, repair
    from uowredis.maintenance.rename import rename

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "AutoPKField",
    "Codec",
    "CommitError",
    "Conflict",
    "Create",
    "CrossPlace",
    "DateTime",
    "DeclarationChanged",
    "Delete",
    "DoesNotExist",
    "FieldFacts",
    "HashField",
    "ImplementationError",
    "IndexNotReady",
    "InstanceHashField",
    "Json",
    "ListField",
    "NotCommitted",
    "NotReplicated",
    "OutcomeUnknown",
    "PKField",
    "PartiallyApplied",
    "Pending",
    "PendingWrites",
    "Pipeline",
    "Plan",
    "PlanTooLarge",
    "Read",
    "RedisDatabase",
    "RedisModel",
    "Rejected",
    "ReplyLost",
    "RestrictedError",
    "Session",
    "SessionError",
    "SetField",
    "SortedSetField",
    "Step",
    "StringField",
    "Token",
    "TooManyGuards",
    "UncommittedWrites",
    "UniquenessError",
    "Unreachable",
    "UnreadableValue",
    "UowError",
    "Write",
    "check",
    "rebuild",
    "rename",
    "repair",
]

try:
    #: The version, as ``pyproject.toml`` says it.
    __version__ = _version("uowredis")
except PackageNotFoundError:
    __version__ = "unknown: not installed"

#: What few processes use, and where it is: it is imported when it is asked for.
_LATER = {
    "check": "uowredis.maintenance",
    "rebuild": "uowredis.maintenance",
    "rename": "uowredis.maintenance.rename",
    "repair": "uowredis.maintenance",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_import(_LATER[name]), name)
    found.__module__ = __name__
    return found


# What users import stands in reprs, tracebacks and pickles where they import it from, wherever it is written.
for _each in [globals()[name] for name in __all__ if name not in _LATER]:
    if not (isinstance(_each, type) and issubclass(_each, UowError)):
        _each.__module__ = __name__
del _each
