#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""reset.py CERT KEY TRUTH COUNT: the server of capture/traffic.py, but it resets each connection after its first answer
has arrived."""
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "capture"))
import traffic  # noqa: E402

cert, key, truth, count = sys.argv[1:]
ctx, note, listener = traffic.context(cert, key), traffic.notes(truth), socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for _ in range(int(count)):
    conn, peer = listener.accept()
    side = traffic.Side(ctx, conn)
    side.drive(side.tls.do_handshake)
    n, m, _how = struct.unpack(">III", side.read(12))
    side.read(n)
    side.write(random.Random(m).randbytes(m))
    side.read(12)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()
    note(f"tls {peer[1]} {side.n_in} {side.h_in.hexdigest()} {side.n_out} {side.h_out.hexdigest()} "
         f"{side.raw_in} {side.raw_out} reset")
