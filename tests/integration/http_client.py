#!/usr/bin/python3
"""A client that misbehaves in ways curl can't. Prints one line; exit 0 when the server did as it
should. Every wait ends with the server's act, or fails after 30 seconds."""
import select
import socket
import ssl
import sys
import time

LIMIT_S = 30


def dial(port, ca=None):
    s = socket.create_connection(("127.0.0.1", int(port)), timeout=LIMIT_S)
    if ca:
        context = ssl.create_default_context(cafile=ca)
        s = context.wrap_socket(s, server_hostname="127.0.0.1")
    return s


def drip(s, head, byte):
    """Send head, then a byte every 20 ms, until the server closes. Never idle, never whole."""
    s.sendall(head)
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            if select.select([s], [], [], 0.02)[0] and s.recv(4096) == b"":
                return "closed"
            s.sendall(byte)
        except OSError:
            return "closed"
    return "still open"


def read_head(s):
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(1)
        if not more:
            break
        got += more
    return got


def read_reply(s):
    head = read_head(s)
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    body = b""
    while len(body) < length:
        more = s.recv(length - len(body))
        if not more:
            break
        body += more
    return head, body


def header_drip(port):
    return drip(dial(port), b"GET /hello HTTP/1.1\r\nHost: x\r\nX: ", b"a")


def second_header_drip(port):
    """A keep-alive connection's second request drips."""
    s = dial(port)
    s.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    read_reply(s)
    return drip(s, b"GET /hello HTTP/1.1\r\nHost: x\r\nX: ", b"a")


def body_drip(port):
    return drip(dial(port), b"PUT /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"a")


def silent(port):
    """Connect and say nothing; on a TLS port this is a handshake that never starts."""
    s = dial(port)
    return "closed" if s.recv(1) == b"" else "spoke"


def half_greeting(port):
    """Say hello in TLS, hear the answer, and never go on."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    s = dial(port)
    s.sendall(outgoing.read())
    heard = len(s.recv(65536))
    print("asked", flush=True)
    try:
        while True:
            n = len(s.recv(65536))
            if n == 0:
                break
            heard += n
    except ConnectionResetError:
        pass
    return "closed" if heard > 100 else f"heard {heard} bytes"


def stall(port, path):
    """Ask for a file and don't read it. The server must end it; the rest is thrown away."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(LIMIT_S)
    s.connect(("127.0.0.1", int(port)))
    s.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    s.recv(1)
    print("asked", flush=True)
    sys.stdin.readline()
    return "told"


def halt(port, operator, ca=None, path="/kill"):
    """Read a bit of a large file, have it halted, read on. How much comes after the halt?"""
    s = dial(port, ca)
    s.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
    read_head(s)
    before = len(s.recv(1000))
    o = dial(operator)
    o.sendall(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    read_reply(o)
    after = 0
    try:
        while True:
            n = len(s.recv(65536))
            if n == 0:
                break
            after += n
    except OSError:
        pass
    return "cut off" if before > 0 and after < 1 << 20 else f"{after} bytes after the halt"


def across(port, ca):
    """One connection, a request before and one after a line comes on standard input."""
    s = dial(port, ca)
    s.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    _, first = read_reply(s)
    print(first.decode().strip(), flush=True)
    sys.stdin.readline()
    s.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
    _, second = read_reply(s)
    return second.decode().strip()


def pipeline(port, count):
    """Requests that another thread answers, many at once on connections of their own."""
    all_of_them = [dial(port) for _ in range(int(count))]
    for s in all_of_them:
        s.sendall(b"POST /soon HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" * 3)
    good = 0
    for s in all_of_them:
        for _ in range(3):
            good += read_reply(s)[1] == b"soon\n"
    return f"{good} answers"


if __name__ == "__main__":
    print(globals()[sys.argv[1]](*sys.argv[2:]), flush=True)
