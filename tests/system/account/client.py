#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""client.py HOST: keep-alive connections, blocking with small reads and asyncio, with bodies of all sizes."""
import asyncio
import http.client
import os
import ssl
import sys

SIZES = [(0, 0), (1, 1), (100, 1200), (16383, 16384), (16384, 16385), (70000, 300000), (512, 40000), (300000, 17)]
context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
host = sys.argv[1]


def blocking(read):
    connection = http.client.HTTPSConnection(host, context=context)
    for out, back in SIZES:
        connection.request("POST", f"/n/{back}", bytes(out))
        reply = connection.getresponse()
        left = back
        while left:
            left -= len(reply.read(min(read, left)))
        reply.read()
    connection.close()


async def streams():
    reader, writer = await asyncio.open_connection(host, 443, ssl=context)
    for out, back in SIZES:
        writer.write(f"POST /n/{back} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {out}\r\n\r\n".encode() + bytes(out))
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(back)
    writer.close()
    await writer.wait_closed()


for read in (1 << 20, 16384, 1000):
    blocking(read)
asyncio.run(streams())
