"""The lending library once more, on asyncio: fields for both faces, the service, a worker beside it, a load."""
