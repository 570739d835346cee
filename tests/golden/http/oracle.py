#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Writes the golden responses and what Python's http.client, gzip and zlib make of them:
#   oracle.py OUTPUT-FOLDER
# NAME.resp: "METHOD\n", then the bytes of the response up to the connection's end.
# NAME.txt: "STATUS BYTES SHA256 CONTENT-TYPE" of the decoded content.
import gzip
import hashlib
import http.client
import io
import pathlib
import random
import sys
import zlib

rng = random.Random(20261123)
words = [bytes(rng.choice(b'abcdefghij') for _ in range(rng.randint(2, 9))) for _ in range(400)]
long_text = b' '.join(rng.choice(words) for _ in range(1200))


def chunked(body, sizes, extension=b'', trailers=b''):
    out, at = b'', 0
    for size in sizes:
        piece = body[at:at + size]
        if piece:
            out += b'%x%s\r\n%s\r\n' % (len(piece), extension, piece)
        at += size
    rest = body[at:]
    if rest:
        out += b'%X\r\n%s\r\n' % (len(rest), rest)
    return out + b'0\r\n' + trailers + b'\r\n'


def head(status, *fields):
    return b'HTTP/1.1 ' + status + b'\r\n' + b''.join(f + b'\r\n' for f in fields) + b'\r\n'


def length(body):
    return b'Content-Length: %d' % len(body)


raw = zlib.compressobj(wbits=-15)
raw_text = raw.compress(long_text) + raw.flush()
gz = gzip.compress(long_text, mtime=0)
two = gzip.compress(b'one', mtime=0) + gzip.compress(b'two', mtime=0)
te = b'Transfer-Encoding: chunked'
cases = {
    'length': ('GET', head(b'200 OK', b'Content-Type: text/plain', length(b'hello')) + b'hello'),
    'empty': ('GET', head(b'200 OK', b'Content-Length: 0')),
    'no_reason': ('GET', b'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'),
    'close': ('GET', head(b'200 OK', b'Connection: close') + long_text),
    'http10': ('GET', b'HTTP/1.0 404 Not Found\r\nContent-Type: a/b\r\n\r\ngone'),
    'chunks': ('POST', head(b'201 Created', te) + chunked(long_text, [1, 2, 3, 3000, 1, 70])),
    'chunk_ext': ('GET', head(b'200 OK', te) + chunked(b'abcdef', [3], b';a="b";c=d', b'X-Sum: 1\r\nContent-Type: no/no\r\n')),
    'chunk_zeros': ('GET', head(b'200 OK', te) + b'0000000a\r\n0123456789\r\n000\r\n\r\n'),
    'head': ('HEAD', head(b'200 OK', b'Content-Type: a/b', b'Content-Length: 1000')),
    'no_content': ('GET', head(b'204 No Content')),
    'not_modified': ('GET', head(b'304 Not Modified', b'Content-Length: 10')),
    'continue': ('POST', b'HTTP/1.1 100 Continue\r\n\r\n' + head(b'200 OK', b'Content-Length: 2') + b'ok'),
    'gzip': ('GET', head(b'200 OK', b'Content-Encoding: gzip', length(gz)) + gz),
    'gzip_members': ('GET', head(b'200 OK', b'content-encoding: GZIP', te) + chunked(two, [7, 3])),
    'deflate': ('GET', head(b'200 OK', b'Content-Encoding: deflate', te) + chunked(zlib.compress(long_text), [1, 1, 1, 900])),
    'deflate_raw': ('GET', head(b'200 OK', b'Content-Encoding: deflate') + raw_text),
    'spaces': ('GET', head(b'200 OK', b'Content-Type: \t a/b \t ', b'CONTENT-LENGTH:   3  ') + b'abc'),
    'folded': ('GET', head(b'200 OK', b'X: a\r\n b', b'Content-Length: 3') + b'abc'),
}


class Wire:
    def __init__(self, data):
        self.data = data

    def makefile(self, mode):
        return io.BytesIO(self.data)


def decoded(response):
    body = response.read()
    coding = (response.getheader('content-encoding') or '').lower()
    if coding == 'gzip':
        return gzip.decompress(body)
    if coding == 'deflate':
        return zlib.decompress(body, wbits=15 if body[:1] == b'\x78' else -15)
    return body


out = pathlib.Path(sys.argv[1])
for name, (method, data) in cases.items():
    response = http.client.HTTPResponse(Wire(data), method=method)
    response.begin()
    body = decoded(response)
    kind = (response.getheader('content-type') or '-').strip()
    (out / f'{name}.resp').write_bytes(method.encode() + b'\n' + data)
    (out / f'{name}.txt').write_text(f'{response.status} {len(body)} {hashlib.sha256(body).hexdigest()} {kind}\n')
