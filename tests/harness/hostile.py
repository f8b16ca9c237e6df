#!/usr/bin/python3
"""A lying update server: offers one envelope to whoever checks in, whatever it is worth.

    hostile.py CERT KEY VENDOR_ID CLASS_ID ENVELOPE [PAYLOAD]

Prints its port on the first line, then one line for each request. For tests on loopback.
"""

import hashlib
import http.server
import ssl
import sys


def head(major, value):
    """The head of a CBOR item in shortest form."""
    if value < 24:
        return bytes([major << 5 | value])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | extra]) + value.to_bytes(size, "big")
    raise ValueError(value)


def encode(item):
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(encode(i) for i in item)
    return head(5, len(item)) + b"".join(encode(k) + encode(v) for k, v in item.items())


def read_head(data, at):
    """(major, value, position behind the head)"""
    major, low = data[at] >> 5, data[at] & 31
    if low < 24:
        return major, low, at + 1
    size = 1 << (low - 24)
    return major, int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def skip(data, at):
    major, value, at = read_head(data, at)
    if major in (2, 3):
        return at + value
    if major == 6:
        return skip(data, at)
    for _ in range(value * (2 if major == 5 else 1) if major in (4, 5) else 0):
        at = skip(data, at)
    return at


def members(data, at):
    """Offsets of the values of a map with integer keys below 24."""
    _, pairs, at = read_head(data, at)
    found = {}
    for _ in range(pairs):
        major, key, after = read_head(data, at)
        value = after if major in (0, 1) else skip(data, at)
        if major == 0:
            found[key] = value
        at = skip(data, value)
    return found


def describe(envelope):
    """(sequence number, SUIT manifest digest) of an envelope, believed or not."""
    start = read_head(envelope, 0)[2] if envelope[0] >> 5 == 6 else 0
    wrapped = members(envelope, start)[3]
    end = skip(envelope, wrapped)
    manifest = read_head(envelope, wrapped)[2]
    sequence = read_head(envelope, members(envelope, manifest)[2])[1]
    return sequence, hashlib.sha256(envelope[wrapped:end]).digest()


def main():
    cert, key, vendor, device_class, path = sys.argv[1:6]
    with open(path, "rb") as f:
        envelope = f.read()
    payload = b""
    if len(sys.argv) > 6:
        with open(sys.argv[6], "rb") as f:
            payload = f.read()
    sequence, digest = describe(envelope)
    answer = encode(
        {
            0: 1,
            1: [
                {
                    1: bytes.fromhex(vendor.replace("-", "")),
                    2: bytes.fromhex(device_class.replace("-", "")),
                    4: 1,
                    5: sequence,
                    6: digest,
                    7: len(envelope),
                }
            ],
            2: 30,
        }
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/v1/checkin":
                self.reply(answer, "application/cbor")
            else:
                self.send_response(204)
                self.end_headers()

        def do_GET(self):
            body = payload if self.path.startswith("/v1/payloads/") else envelope
            self.reply(body, "application/octet-stream")

        def log_message(self, form, *args):
            print(self.command, self.path, flush=True)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
