#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The data of an HTTPS record in hex, as dnspython writes it."""
import base64

import dns.rdata

# RFC 9460 says nothing of what is inside: any bytes will do.
ECH = base64.b64encode(b"\0\4keys").decode()
print(dns.rdata.from_text("IN", "HTTPS", f'1 . alpn="h2,h3" ipv4hint=127.78.0.13 ech="{ECH}"').to_wire().hex())
