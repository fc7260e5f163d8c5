"""A broker that costs next to nothing: one page for every chart, from a process of its own."""

from __future__ import annotations

import asyncio
import json

from benchmarks.pages import PAGE, document

TOKEN = {
    "return_code": 0,
    "return_msg": "ok",
    "token_type": "bearer",
    "token": "t",
    "expires_dt": "20991231235959",
}


def answer(body: bytes, *headers: str) -> bytes:
    """Return an HTTP answer with a JSON body."""
    described = ("Content-Type: application/json;charset=UTF-8", f"Content-Length: {len(body)}")
    return "\r\n".join(["HTTP/1.1 200 OK", *described, *headers, "", ""]).encode() + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    token = answer(json.dumps(TOKEN).encode())
    chart = answer(document(), "cont-yn: N", f"resp-cnt: {PAGE}")
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)
            writer.write(token if b"oauth2" in head.partition(b"\r\n")[0] else chart)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Listen on a free port and print it; serve until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
