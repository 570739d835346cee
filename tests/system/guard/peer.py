#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""peer.py LOG: what the other side got, whatever anybody says of it. TCP and UDP on all addresses; a line of JSON per
datagram, and per connection when it has ended: how many bytes came, which, and whether it ended by FIN or by reset."""
import json
import select
import socket
import sys

log = open(sys.argv[1], "w", encoding="ascii", buffering=1)


def tell(**what):
    log.write(json.dumps(what) + "\n")


def name(address):
    return address[0].removeprefix("::ffff:")


tcp = socket.socket(socket.AF_INET6)
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
tcp.bind(("::", 0))
tcp.listen(1024)
port = tcp.getsockname()[1]
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.bind(("::", port))
poll = select.poll()
poll.register(tcp, select.POLLIN)
poll.register(udp, select.POLLIN)
open_now = {}
print("ready", port, flush=True)
while True:
    for fd, _ in poll.poll():
        if fd == tcp.fileno():
            sock, _ = tcp.accept()
            open_now[sock.fileno()] = [sock, name(sock.getsockname()), b""]
            poll.register(sock, select.POLLIN)
        elif fd == udp.fileno():
            tell(proto="udp", text=udp.recv(2048).decode())
        else:
            entry = open_now[fd]
            end = "fin"
            try:
                more = entry[0].recv(65536)
            except ConnectionResetError:
                more, end = b"", "reset"
            if more:
                entry[2] += more
                if b"?" in more:  # whoever asks hears that it came
                    entry[0].sendall(b"!")
                continue
            poll.unregister(fd)
            tell(proto="tcp", to=entry[1], text=entry[2].decode()[:64], bytes=len(entry[2]), end=end)
            entry[0].close()
            del open_now[fd]
