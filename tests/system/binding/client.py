#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests with paths that occur once: /t/NAME-LETTERS.

client.py blocking NAME COUNT       eight threads, a new connection every five requests
client.py asyncio NAME COUNT        twenty tasks in one thread, a new connection every ten requests
client.py late NAME COUNT FIFO      four connections, one request on each; then "ready", and COUNT more requests when the
                                    FIFO is opened for writing
client.py s_client NAME COUNT OPENSSL    through that s_client, a new connection every twenty requests, two at a time
client.py urls NAME COUNT           prints their addresses
"""
import asyncio
import http.client
import os
import ssl
import subprocess
import sys
import threading

HOST = "server.test"


def path(name, i):
    letters = ""
    for _ in range(4):
        letters += chr(ord("a") + i % 26)
        i //= 26
    return f"/t/{name}-{letters}" + "x" * (len(letters) + ord(letters[0]) % 7)


def get(connection, name, i):
    connection.request("POST" if i % 3 else "GET", path(name, i), bytes(i % 3 * 700))
    reply = connection.getresponse()
    assert reply.status == 200 and reply.read()


def connect():
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    return http.client.HTTPSConnection(HOST, context=context)


def blocking(name, count):
    def run(first):
        for n, i in enumerate(range(first, count, 8)):
            if n % 5 == 0:
                connection = connect()
            get(connection, name, i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def task(context, name, count, first):
    for n, i in enumerate(range(first, count, 20)):
        if n % 10 == 0:
            reader, writer = await asyncio.open_connection(HOST, 443, ssl=context)
        writer.write(f"GET {path(name, i)} HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r")[0]))


async def tasks(name, count):
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    await asyncio.gather(*(task(context, name, count, i) for i in range(20)))


def late(name, count, fifo):
    connections = [connect() for _ in range(4)]
    for i, connection in enumerate(connections):
        get(connection, "before-" + name, i)
    print("ready 0", flush=True)
    with open(fifo, encoding="ascii"):
        pass
    for i in range(count):
        get(connections[i % 4], name, i)


def s_client(name, count, openssl):
    command = [openssl, "s_client", "-quiet", "-no_ign_eof", "-CAfile", os.environ["CA_FILE"], "-servername", HOST,
               "-connect", HOST + ":443"]
    for first in range(0, count, 20):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as s:
            for i in range(first, min(first + 20, count), 2):
                s.stdin.write(b"".join(f"GET {path(name, n)} HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode() for n in (i, i + 1)))
                s.stdin.flush()
                for _ in range(2):
                    head = b"".join(iter(s.stdout.readline, b"\r\n")).decode().lower()
                    s.stdout.read(int(head.split("content-length: ")[1].split("\r")[0]))


def urls(name, count):
    for i in range(count):
        print(f"https://{HOST}{path(name, i)}")


mode, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
if mode == "asyncio":
    asyncio.run(tasks(name, count))
else:
    {"blocking": blocking, "late": late, "s_client": s_client, "urls": urls}[mode](name, count, *sys.argv[4:])
