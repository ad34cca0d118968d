"""Each message that names a way out has a test here that provokes it and takes the way, as it is named."""

import importlib
import pkgutil

import tests.ways_out
from tests.tools.ways_out import TRIED, Message, all_messages, messages

for module in pkgutil.iter_modules(tests.ways_out.__path__):
    importlib.import_module(f"{tests.ways_out.__name__}.{module.name}")


def test_each_message_is_tried() -> None:
    """A new message without a test of its way out is found here."""
    assert 100 < len(all_messages())
    assert [] == [each for each in all_messages() if not any(each.is_meant(*meant) for meant in TRIED)]


def test_each_test_is_of_one_message() -> None:
    """Of one that is there."""
    assert [] == [meant for meant in TRIED if 1 != sum(each.is_meant(*meant) for each in all_messages())]


def test_messages_are_read_from_code() -> None:
    """Whole, with values left out; docstrings are none."""
    code = '''
def f(x):
    """Way out: none."""
    raise ValueError(f"{x!r} is no {x}. Way " f"out: {x}") if x else KeyError("a" " Way out: b")
'''
    assert [Message("", "{} is no {}. Way out: {}"), Message("", "a Way out: b")] == sorted(
        messages(code), key=lambda each: each.text, reverse=True
    )
