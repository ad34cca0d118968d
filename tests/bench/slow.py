"""A slow network: what the server replies arrives a while later, however much of it there is."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit


@contextlib.contextmanager
def behind(url: str, seconds: float) -> Iterator[str]:
    """Have the server at *url* answer *seconds* later at the URL that is given."""
    parts = urlsplit(url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if parts.scheme == "unix":
            answers, questions = await asyncio.open_unix_connection(parts.path)
        else:
            answers, questions = await asyncio.open_connection(parts.hostname, parts.port)

        async def answered() -> None:
            while data := await answers.read(1 << 20):
                # In the order they come: what is due at one time is called in the order of the calls.
                loop.call_later(seconds, writer.write, data)

        with contextlib.closing(writer), contextlib.closing(questions):
            task = asyncio.ensure_future(answered())
            while data := await reader.read(1 << 20):
                questions.write(data)
                await questions.drain()
            task.cancel()

    async def opened() -> asyncio.Server:
        return await asyncio.start_server(served, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(opened(), loop).result()
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(("redis", f"127.0.0.1:{port}", parts.path if parts.scheme != "unix" else "", parts.query, ""))
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
