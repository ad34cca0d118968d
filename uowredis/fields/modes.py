"""The two faces of the library, as types (declare).

A command is said in the same words on both faces; what comes back is the reply (``Sync``) or something to await
(``Async``). The marker is a type parameter only: nothing at run time asks which face it is on.
"""


class Sync:
    """The blocking face: a command answers with its reply."""


class Async:
    """The asyncio face: a command answers with something to await."""


def one_class(cls: type, _: object) -> type:
    """Answer ``cls[...]`` at run time: both faces and all values are one class.

    Not as ``Generic`` does it: Python 3.11 knows no defaults of type variables.
    """
    return cls
