"""Several kinds of index as one (declare): what a field is declared with is what they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, TypeAlias

from uowredis.schema.index import Index, is_method


class MultiIndexes:
    """Several kinds of index that are declared as one; :meth:`compose` makes it.

    Attributes:
        parts: the kinds, in the order in which they are asked.
        transform: of a value before each of them sees it; see ``Index.transform``.
        key: stands in the keys of all of them, behind their own.
    """

    parts: ClassVar[tuple[type[Index | MultiIndexes], ...]] = ()
    transform: ClassVar[Callable[..., Any] | None] = None
    key: ClassVar[str | None] = None

    @classmethod
    def compose(
        cls,
        indexes: Sequence[type[Index | MultiIndexes]],
        *,
        name: str | None = None,
        key: str | None = None,
        transform: Callable[..., Any] | None = None,
    ) -> type[Self]:
        """Return a kind that is all of *indexes*.

        Args:
            indexes: kinds of index, or others that are several.
            name: of the class.
            key: to tell its keys from those of another one of the same kinds.
            transform: of each value before the parts see it.

        Raises:
            TypeError: for what is no kind of index, or none at all.
        """
        if not indexes or not all(
            isinstance(each, type) and issubclass(each, Index | MultiIndexes) for each in indexes
        ):
            raise TypeError(f"{cls.__name__}.compose() takes a list of kinds of index, not {indexes!r}")
        return cls._made(name or cls.__name__, {"parts": tuple(indexes)}).configure(key=key, transform=transform)

    @classmethod
    def configure(
        cls, *, name: str | None = None, key: str | None = None, transform: Callable[..., Any] | None = None
    ) -> type[Self]:
        """Return a subclass with another *key* or *transform*, as :meth:`compose` takes them; None leaves each.

        Raises:
            TypeError: same as ``Index.configure()``.
        """
        given: dict[str, Any] = {"key": key, "transform": transform}
        given = {word: value for word, value in given.items() if value is not None}
        Index.configure(**given)
        return cls._made(name or cls.__name__, given)

    @classmethod
    def _made(cls, name: str, attributes: dict[str, Any]) -> type[Self]:
        made: Any = type(name, (cls,), attributes | {"__module__": cls.__module__})
        return made  # type: ignore[no-any-return]  # a class that is made by a call

    @classmethod
    def flat(cls) -> tuple[type[Index], ...]:
        """Return the kinds that it is in the end."""
        kinds = [kind for part in cls.parts for kind in (part.flat() if issubclass(part, MultiIndexes) else (part,))]
        return tuple([cls._within(kind) for kind in kinds])

    @classmethod
    def _within(cls, kind: type[Index]) -> type[Index]:
        outer, inner = _function(cls), _function(kind)
        given: dict[str, Any] = {}
        if cls.key is not None:
            given["key"] = "-".join(filter(None, (kind.key, cls.key)))
        if outer is not None:
            given["transform"] = outer if inner is None else _both(outer, inner)
        return kind.configure(**given) if given else kind


#: What a field is declared with.
IndexKinds: TypeAlias = Sequence[type[Index | MultiIndexes]]


def _function(kind: type[Any]) -> Callable[..., Any] | None:
    given = inspect.getattr_static(kind, "transform")
    return given.__func__ if isinstance(given, staticmethod) else given


def _both(outer: Callable[..., Any], inner: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return *inner* of what *outer* gives, as a method of the index."""

    def transformed(index: Any, value: Any) -> Any:
        found = outer(index, value) if is_method(outer) else outer(value)
        if found is None:
            return None
        return inner(index, found) if is_method(inner) else inner(found)

    return transformed
