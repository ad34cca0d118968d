"""The walks of tests/whole, on the asyncio face: the same bodies, whose models and sessions a host holds."""

from hypothesis import settings

#: What decides is the same on both faces, and is walked through on the blocking one.
FEW = settings(max_examples=max(1, settings.default.max_examples // 6))
