"""What a stranger can cost: no disk, little reading, no place of a real device, no memory."""
import re
import shutil
import socket
import threading

from lapel_test import *

GIB, MIB = 1 << 30, 1 << 20
LIMIT_S = 30
# After a refusal 64 MiB are read, so that it arrives; more may lie in the sockets' buffers.
READ_MAX = 80 * MIB

T = Cases()
HOME = folder()
S = Server(HOME, Key(), "ballast=0", "limits.header_timeout=1s", "limits.body_timeout=1s",
           "limits.min_rate=1MiB", "device.connections=400")


def disk():
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, names in os.walk(S.data)
               for f in names if not f.endswith("-shm"))


def files():
    return sorted(os.path.join(d, f) for d, _, names in os.walk(S.data) for f in names)


def routes():
    text = subprocess.run([os.path.join(BUILD, "bin", "lapeld"), "--routes"], capture_output=True,
                          text=True, check=True).stdout
    for line in text.splitlines():
        method, path, who = line.split()[:3]
        path = re.sub(r"\{(sha256|digest)\}", "0" * 64, path)
        path = re.sub(r"\{(id|version)\}", "1", path).replace("{product}", "lamp")
        path = path.replace("{device}", "a1").replace("{model}", MODEL)
        yield method, path, ("device" if who == "device" else
                             "public" if path.startswith(("/support", "/.well")) else "operator")


def dial(listener):
    return socket.create_connection(("127.0.0.1", S.port[listener]), timeout=LIMIT_S)


def flood(listener, method, path, chunked, token=None):
    """Send 1 GiB whatever is answered. (bytes that were taken, status; 0: closed without one)"""
    block = b"\0" * 65536
    s = dial(listener)
    s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n%s%s\r\n\r\n" % (
        method, path, "Authorization: Bearer %s\r\n" % token if token else "",
        "Transfer-Encoding: chunked" if chunked else "Content-Length: %d" % GIB)).encode())
    if chunked:
        block = b"10000\r\n" + block + b"\r\n"
    sent = 0
    try:
        while sent < GIB:
            sent += s.send(block)
    except OSError:
        pass
    got = b""
    try:
        got = s.recv(4096)
    except OSError:
        pass
    s.close()
    return sent, int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0


def floods():
    before, size = files(), disk()
    jobs = [(r, chunked) for r in routes() for chunked in (False, True)]
    results = []
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not jobs:
                    return
                (method, path, listener), chunked = jobs.pop()
            sent, status = flood(listener, method, path, chunked, "A" * 43 if chunked else None)
            with lock:
                results.append(("1 GiB to %s %s%s" % (method, path, ", chunked" if chunked else ""),
                                sent, status))

    workers = [threading.Thread(target=work) for _ in range(16)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for name, sent, status in results:
        T.check(name + ": is not read", sent < READ_MAX, sent)
        T.check(name + ": is refused", status == 0 or 400 <= status < 500, status)
    answered = sum(status != 0 for _, _, status in results)
    T.equal("no file of it", files(), before)
    T.check("no byte of it", disk() - size < MIB, disk() - size)
    T.check("refusals arrived", answered > len(results) // 2, answered)
    print("%d floods of 1 GiB, %d saw the refusal, at most %d KiB taken"
          % (len(results), answered, max(sent for _, sent, _ in results) // 1024))


def drip(name, listener, head, byte):
    """Never silent, never whole: the server must end it, at its total deadline."""
    s = dial(listener)
    s.sendall(head)
    sent, end, ended = 0, time.monotonic() + LIMIT_S, False
    s.settimeout(0.02)
    while not ended and time.monotonic() < end:
        try:
            ended = s.recv(4096) == b""
        except socket.timeout:
            pass
        except OSError:
            ended = True
        if not ended:
            try:
                s.sendall(byte)
                sent += 1
            except OSError:
                ended = True
    s.close()
    T.check(name + ": is ended", ended, "still open after %d s" % LIMIT_S)
    T.check(name + ": was dripping", sent >= 10, sent)


def drips(token):
    for listener in ("device", "operator", "public"):
        drip("a header that drips, " + listener, listener, b"GET /x HTTP/1.1\r\nHost: x\r\nX-A: ", b"a")
        drip("header lines that drip, " + listener, listener, b"GET /x HTTP/1.1\r\nHost: x\r\n", b"X: a\r\n")
    for who in (token, None):
        head = ("POST /v1/checkin HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
                "Content-Length: 8000\r\n%s\r\n" % ("Authorization: Bearer %s\r\n" % who if who else ""))
        drip("a body that drips", "device", head.encode(), b"\0")
    head = ("PUT /api/v1/payloads/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
            "Content-Length: %d\r\nAuthorization: Bearer %s\r\n\r\n" % ("0" * 64, 2 * MIB, S.token))
    drip("an upload that drips", "operator", head.encode(), b"\0")
    end, tmp = time.monotonic() + LIMIT_S, os.path.join(S.data, "artifacts", "tmp")
    while os.listdir(tmp) and time.monotonic() < end:
        select.select([], [], [], 0.02)
    T.equal("nothing is left of it", os.listdir(tmp), [])


def idlers(token):
    idle = [dial("device") for _ in range(200)]
    answer = S.check_in(token, "lamp", "a1")
    T.equal("a device beside 200 idle connections", answer.status, 200)
    idle += [dial("device") for _ in range(300)]  # more than there is room for
    end, status = time.monotonic() + LIMIT_S, 0
    while status != 200 and time.monotonic() < end:
        try:
            status = S.check_in(token, "lamp", "a1").status
        except (OSError, http.client.HTTPException):
            select.select([], [], [], 0.05)
    T.equal("a device after 500 connections, where 400 are allowed", status, 200)
    for s in idle:
        s.close()


def anonymous_kib():
    with open("/proc/%d/status" % S.process.pid) as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])


class Zeros:
    """A body of zeros that nobody holds in memory; watches the server's meanwhile."""

    def __init__(self, size):
        self.left, self.most = size, 0

    def read(self, n=65536):
        n = min(n, self.left)
        self.left -= n
        if self.left % (4 * MIB) < 65536:
            self.most = max(self.most, anonymous_kib())
        return bytes(n)


def upload_memory():
    def put(size):
        digest = hashlib.sha256()
        for _ in range(size // MIB):
            digest.update(bytes(MIB))
        body = Zeros(size)
        answer = S.api("PUT", "payloads/" + digest.hexdigest(), body=body, type_="application/octet-stream",
                       headers={"Content-Length": str(size)})
        return answer.status, max(body.most, anonymous_kib())

    T.equal("1 MiB", put(MIB)[0], 201)
    before = anonymous_kib()
    status, most = put(256 * MIB)
    T.equal("256 MiB", status, 201)
    T.check("memory does not grow with it", most - before < 4096, "%d KiB more" % (most - before))
    print("RssAnon %d KiB before an upload of 256 MiB, at most %d KiB meanwhile" % (before, most))


S.bootstrap()
S.make_product()
TOKEN = S.add_devices(["a1"])["a1"]
idlers(TOKEN)
drips(TOKEN)
floods()
S.stop()
S.start()
S.options = ()
upload_memory()
T.equal("a device at the end", S.check_in(TOKEN, "lamp", "a1").status, 200)
T.equal("SIGTERM ends it", S.stop(), 0)
shutil.rmtree(HOME)
T.end()
