# SPDX-License-Identifier: Apache-2.0
"""What becomes of a text on its way out, each made by somebody else's code. name -> (function of bytes, the forms that may be
named). `wrap` puts the text into something else first, so that it is a part of what is packed."""
import base64
import gzip
import json
import re
import subprocess
import textwrap
import urllib.parse
import zlib

BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"


def text_of(b):
    return b.decode()


def varint(n):
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def otlp_protobuf(b):
    """ExportTraceServiceRequest, resource_spans, scope_spans, a span with an attribute."""
    value = field(9, field(1, b"gen_ai.prompt") + field(2, field(1, b)))
    span = field(1, bytes(range(16))) + field(2, bytes(range(8))) + field(5, b"chat gpt-4o") + value
    return field(1, field(2, field(2, span)))


def otlp_json(b):
    attribute = {"key": "gen_ai.prompt", "value": {"stringValue": text_of(b)}}
    span = {"traceId": "5b8aa5a2d2c872e8321cf37308d69df2", "spanId": "051581bf3cb55c13", "name": "chat", "attributes": [attribute]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def dumped(b, **how):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text_of(b)}], "n": 1}, **how).encode()


def twice(b):
    return json.dumps({"event": "span", "payload": json.dumps({"prompt": text_of(b), "at": 1}), "id": 7}).encode()


def dotnet(b):
    """As System.Text.Json writes it: what HTML or JavaScript has use for, and all beyond ASCII, as \\u."""
    body = json.dumps(text_of(b))
    return b'{"prompt":"' + re.sub(r"[<>&'+`]", lambda m: f"\\u{ord(m[0]):04X}", body[1:-1]).replace('\\"', "\\u0022").encode() + b'"}'


def multipart(content, kind=b"application/octet-stream", extra=b""):
    return (b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--' + BOUNDARY +
            b'\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nContent-Type: ' + kind + extra + b"\r\n\r\n" + content +
            b"\r\n--" + BOUNDARY + b"--\r\n")


def raw_deflate(b):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(b) + z.flush()


def zstd(b):
    return subprocess.run(["zstd", "-q", "-c"], input=b, capture_output=True, check=True).stdout


def gzip_program(b):
    return subprocess.run(["gzip", "-c", "-n"], input=b, capture_output=True, check=True).stdout


def b64(b):
    return base64.b64encode(b)


def in_json(b, **how):
    return json.dumps({"kind": "blob", "data": b.decode("ascii"), "encoding": "x"}, **how).encode()


def forms(node):
    def br(b):
        return node.make("br", b)

    def of(*names):
        return set(names)

    plain, js = of("plain"), of("json")
    return {
        "as it is": (lambda b: b, plain | js),
        "JSON": (dumped, js),
        "JSON, UTF-8": (lambda b: dumped(b, ensure_ascii=False), js),
        "JSON by node": (lambda b: b'{"t":' + node.make("json", b) + b"}", js),
        "JSON in JSON": (twice, js),
        "JSON in JSON in JSON": (lambda b: dumped(twice(b)), js),
        "JSON as .NET writes it": (dotnet, js),
        "JSON lines": (lambda b: b'{"a":1}\n' + dumped(b) + b"\n", js),
        "events": (lambda b: b"event: a\ndata: " + dumped(b) + b"\n\n", plain),
        "CRLF": (lambda b: b.replace(b"\n", b"\r\n"), plain | js),
        "wrapped anew": (lambda b: "\n".join(textwrap.wrap(text_of(b), 60, break_long_words=False)).encode(), plain | js),
        "quoted": (lambda b: re.sub(rb"(?m)^", b"> ", b), plain | js),
        "in upper case": (lambda b: re.sub(rb"[a-z]+", lambda m: m[0].upper(), b), plain | js),
        "percent": (lambda b: urllib.parse.quote(text_of(b)).encode(), of("percent", "json", "plain")),
        "a form": (lambda b: urllib.parse.urlencode({"a": 1, "q": text_of(b), "z": "~"}).encode(), of("percent", "plain")),
        "JSON in a form": (lambda b: urllib.parse.urlencode({"q": dumped(b).decode()}).encode(), of("percent", "plain")),
        "a form in a form": (lambda b: urllib.parse.urlencode({"u": "?" + urllib.parse.urlencode({"q": text_of(b)})}).encode(), of("percent", "plain")),
        "OTLP protobuf": (otlp_protobuf, plain),
        "OTLP JSON": (otlp_json, js),
        "multipart": (multipart, plain),
        "base64": (b64, of("base64")),
        "base64 in lines": (base64.encodebytes, of("base64")),
        "base64 in lines of 64, CRLF, indented": (lambda b: b"data:\r\n  " + b"\r\n  ".join(re.findall(rb".{1,64}", b64(b))), of("base64")),
        "base64url without padding": (lambda b: base64.urlsafe_b64encode(b).rstrip(b"="), of("base64")),
        "base64 in JSON": (lambda b: in_json(b64(b)), of("base64")),
        "base64 in lines in JSON": (lambda b: in_json(base64.encodebytes(b)), of("base64")),
        "base64 in JSON in JSON": (lambda b: json.dumps({"p": in_json(base64.encodebytes(b)).decode()}).encode(), of("base64")),
        "base64 in JSON, strokes escaped": (lambda b: in_json(b64(b)).replace(b"/", b"\\/"), of("base64")),
        "base64 in a form": (lambda b: urllib.parse.urlencode({"d": b64(b)}).encode(), of("base64")),
        "base64 behind a path": (lambda b: b"/v1/upload/" + base64.urlsafe_b64encode(b), of("base64")),
        "a token of three parts": (lambda b: b"eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(dumped(b)).rstrip(b"=") + b".c2ln", of("base64")),
        "base64 of base64": (lambda b: b64(b64(b)), of("base64+base64")),
        "gzip": (gzip.compress, of("gzip")),
        "gzip by its program": (gzip_program, of("gzip")),
        "two gzip members": (lambda b: gzip.compress(b"{}") + gzip.compress(b), of("gzip")),
        "zlib": (zlib.compress, of("deflate")),
        "raw deflate": (raw_deflate, of("deflate")),
        "zstd": (zstd, of("zstd")),
        "br": (br, of("br")),
        "gzip of JSON": (lambda b: gzip.compress(dumped(b)), of("gzip")),
        "gzip in a message with a length before it": (lambda b: b"\x01" + len(gzip.compress(b)).to_bytes(4, "big") + gzip.compress(b), of("gzip")),
        "gzip in multipart": (lambda b: multipart(gzip.compress(b)), of("gzip")),
        "zstd in multipart": (lambda b: multipart(zstd(b)), of("zstd")),
        "zlib in multipart": (lambda b: multipart(zlib.compress(b)), of("deflate")),
        "br in multipart": (lambda b: multipart(br(b)), of("br")),
        "base64 in multipart": (lambda b: multipart(base64.encodebytes(b), extra=b"\r\nContent-Transfer-Encoding: base64"), of("base64")),
        "gzip in base64 in JSON": (lambda b: in_json(b64(gzip.compress(b))), of("base64+gzip")),
        "zlib in base64 in JSON": (lambda b: in_json(b64(zlib.compress(b))), of("base64+deflate")),
        "raw deflate in base64": (lambda b: b64(raw_deflate(b)), of("base64+deflate")),
        "zstd in base64 in JSON": (lambda b: in_json(b64(zstd(b))), of("base64+zstd")),
        "br in base64url": (lambda b: base64.urlsafe_b64encode(br(b)), of("base64+br")),
        "base64 of JSON in gzip": (lambda b: gzip.compress(in_json(b64(dumped(b)))), of("gzip+base64")),
        "gzip of gzip": (lambda b: gzip.compress(gzip.compress(b)), of("gzip+gzip")),
        "gzip in base64 in JSON in gzip in base64": (lambda b: b64(gzip.compress(in_json(b64(gzip.compress(dumped(b)))))), of("base64+gzip+base64+gzip")),
    }
