"""The executor of one server on the loop of asyncio (do): the same as the blocking one, but awaited.

Each class is derived from its blocking twin and redefines only what waits, in the same words: a test strips ``async``
and ``await`` from them and compares.
"""
