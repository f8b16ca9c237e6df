"""Documents grow: the agent and lapeld with a proxy between them that adds keys to what they say.

Positive keys that nobody knows are skipped, on every level; a negative one refuses the document.
"""
import http.server
import re
import shutil
import threading
import urllib.request

from lapel_test import *

T = Cases()
HOME = folder()
BIN = os.path.abspath(os.path.join(BUILD, "bin"))
MAKER = os.path.join(HOME, "maker")
LIMIT_S = 30


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("FAIL %r: %s%s" % (command, done.stdout, done.stderr))
    return done.stdout


class Anchor:
    """The maker's key is a file of `lapel`."""

    def pem(self):
        with open(os.path.join(MAKER, "key.pub.pem"), "rb") as f:
            return f.read()


def grow(value, key, count):
    """The same with an unknown key in every map of whole-number keys. count: how many were added."""
    if isinstance(value, list):
        return [grow(v, key, count) for v in value]
    if not isinstance(value, dict) or not all(isinstance(k, int) for k in value):
        return value
    more = {k: grow(v, key, count) for k, v in value.items()}
    more[key] = ["grown", {1: b"\x01"}, 2 ** 40]
    count.append(key)
    # The order of RFC 8949, 4.2.1: by encoded key.
    return {k: more[k] for k in sorted(more, key=cbor2.dumps)}


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ask_key = answer_key = None
    depth = "all"
    added = {"ask": 0, "answer": 0}
    statuses = []

    def log_message(self, *_):
        pass

    def change(self, body, key, which):
        count = []
        value = cbor2.loads(body)
        if self.depth == "all":
            value = grow(value, key, count)
        else:  # only the innermost of a list of maps
            inner = 5 if which == "ask" else 1
            if value.get(inner):
                value[inner] = [grow(value[inner][0], key, count)] + value[inner][1:]
        Proxy.added[which] += len(count)
        return cbor2.dumps(value)

    def carry(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        checkin_ = self.path == "/v1/checkin"
        if checkin_ and Proxy.ask_key is not None:
            body = self.change(body, Proxy.ask_key, "ask")
        head = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
        connection = http.client.HTTPConnection("127.0.0.1", S.port["device"], timeout=LIMIT_S)
        connection.request(self.command, self.path, body or None, head)
        answer = connection.getresponse()
        data = answer.read()
        if checkin_:
            Proxy.statuses.append(answer.status)
            if answer.status == 200 and Proxy.answer_key is not None:
                data = self.change(data, Proxy.answer_key, "answer")
        self.send_response_only(answer.status)
        for k, v in answer.getheaders():
            if k.lower() not in ("content-length", "connection"):
                self.send_header(k, v)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    do_GET = do_POST = do_HEAD = carry


class Device:
    def __init__(self, name, token, port):
        self.home = os.path.join(HOME, name)
        os.makedirs(os.path.join(self.home, "state"))
        self.events = os.path.join(self.home, "events")
        self.conf = os.path.join(self.home, "conf")
        with open(os.open(os.path.join(self.home, "token"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(token + "\n")
        with open(self.conf, "w") as f:
            f.write("\n".join([
                "server = http://127.0.0.1:%d" % port, "clear_credentials = i-know", "allow_clear = yes",
                "product = lamp", "model = " + MODEL, "device_id = " + name,
                "token_file = %s/token" % self.home, "release_keys = %s/key.pub.pem" % MAKER,
                "vendor_domain = " + VENDOR_DOMAIN, "state_dir = %s/state" % self.home,
                "socket = %s/socket" % self.home, "event_log = " + self.events, "slot_size = 1M",
                "first_check = 50ms", "period = 30s", "reboot = exec", ""]))
        self.log = open(os.path.join(self.home, "log"), "wb")
        self.process = subprocess.Popen([BIN + "/lapel-agent", "--config", self.conf, "run"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def status(self):
        done = subprocess.run([BIN + "/lapel-agent", "--config", self.conf, "--json", "status"],
                              capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def seen(self):
        if not os.path.exists(self.events):
            return []
        with open(self.events) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def until(self, name, held):
        """Ask the agent to look for work until it holds."""
        end = time.monotonic() + LIMIT_S
        while not held():
            if time.monotonic() > end or self.process.poll() is not None:
                with open(os.path.join(self.home, "log"), errors="replace") as f:
                    return T.check(name, False, "%r %s" % (self.status(), f.read()[-600:]))
            self.process.send_signal(signal.SIGUSR1)
            select.select([], [], [], 0.1)
        return T.check(name, True)

    def runs(self, version):
        s = self.status()
        return s.get("running", {}).get("version") == version and s.get("state") == "ready"


def release(version, number):
    image = os.path.join(MAKER, "image")
    for name in ("unsigned", "out.suit"):
        if os.path.exists(os.path.join(MAKER, name)):
            os.unlink(os.path.join(MAKER, name))
    with open(image, "wb") as f:
        f.write(os.urandom(30000))
    with open(os.path.join(MAKER, "in.json"), "w") as f:
        json.dump({"vendor-domain": VENDOR_DOMAIN, "model": MODEL, "severity": "security",
                   "components": [{"id": ["main"], "payload": image}],
                   "text": {"en": {"version": version, "changes": "Some.", "risks-removed": "Some."}}}, f)
    run(BIN + "/lapel", "manifest", "create", MAKER + "/in.json", MAKER + "/unsigned", "--sequence",
        str(number))
    run(BIN + "/lapel", "manifest", "sign", MAKER + "/unsigned", MAKER + "/out.suit", "--key",
        MAKER + "/key.pem")
    with open(image, "rb") as f:
        S.upload(f.read())
    with open(MAKER + "/out.suit", "rb") as f:
        answer = S.publish(f.read())
    T.equal("published " + version, answer.status, 201)
    S.roll_out(answer.json()["id"])


def grown_documents():
    Proxy.ask_key = Proxy.answer_key = 4095
    DEVICE.until("unknown positive keys everywhere: the device updates", lambda: DEVICE.runs("1.0.0"))
    T.check("keys were added to check-ins", Proxy.added["ask"] >= 4, Proxy.added)
    T.check("and to answers", Proxy.added["answer"] >= 4, Proxy.added)
    T.check("every check-in was taken", set(Proxy.statuses) == {200}, Proxy.statuses)
    Proxy.ask_key = Proxy.answer_key = None
    shown = S.wait("products/lamp/devices/a1", lambda v: (v.get("work") or {}).get("state") == "installed")
    T.equal("and the server counts it", shown["work"]["state"], "installed")


def negative(which, depth, version, number):
    """Until the negative key goes, nothing happens; then it does."""
    name = "a negative key in the %s, %s" % (which, "every map" if depth == "all" else "the inner map")
    before, asked, added = DEVICE.status()["running"]["version"], len(Proxy.statuses), Proxy.added[which]
    told = len(DEVICE.seen())
    Proxy.depth = depth
    Proxy.ask_key, Proxy.answer_key = (-1, None) if which == "ask" else (None, -1)
    release(version, number)
    DEVICE.until(name + ": it was there, more than once", lambda: Proxy.added[which] >= added + 2 and len(Proxy.statuses) >= asked + 3)
    if which == "ask":  # one may have been on its way before
        T.equal(name + ": refused by the server", set(Proxy.statuses[asked + 1:]), {400})
    T.equal(name + ": nothing is installed", DEVICE.status()["running"]["version"], before)
    T.check(name + ": nothing is offered to the user",
            not [e for e in DEVICE.seen()[told:] if e["event"] in ("available", "disrupt", "installed")],
            DEVICE.seen()[told:])
    Proxy.ask_key = Proxy.answer_key = None
    DEVICE.until(name + ": without it the device updates", lambda: DEVICE.runs(version))


def page(type_):
    ask = urllib.request.Request("http://127.0.0.1:%d/support/%s" % (S.port["public"], MODEL),
                                 headers={"Accept": type_})
    with urllib.request.urlopen(ask, timeout=LIMIT_S) as answer:
        return answer.read().decode()


def support():
    status = DEVICE.status()
    html, value = page("text/html"), json.loads(page("application/json"))
    T.equal("the model on the page as JSON", value["model"], status["model"])
    T.check("the model on the page", re.search(r">[^<]*\b%s\b[^<]*<" % re.escape(status["model"]), html), html[:400])
    T.equal("the end of support", (value["security_updates_until"], status["support"]["end"]), ("2040-06", "2040-06"))
    T.check("by name on the page", "June 2040" in html, html[:400])
    T.equal("is not over", status["support"]["ended"], False)
    answer = S.make_product(support_end="2026-01", shorten=True, rationale="The chip is gone.")
    T.equal("a support end in the past", answer.status, 200)
    DEVICE.until("the user is told", lambda: [e for e in DEVICE.seen() if e["event"] == "support-ending"])
    DEVICE.until("status says ended", lambda: DEVICE.status()["support"].get("ended") is True)
    T.equal("which month", DEVICE.status()["support"]["end"], "2026-01")
    T.equal("the page too", json.loads(page("application/json"))["supported"], False)


os.mkdir(MAKER)
run(BIN + "/lapel", "key", "new", MAKER + "/key.pem")
S = Server(HOME, Anchor(), "ballast=0", "public_url=http://localhost")
S.bootstrap()
S.make_product()
proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
DEVICE = None
try:
    release("1.0.0", 16)
    Proxy.ask_key = Proxy.answer_key = 4095
    DEVICE = Device("a1", S.add_devices(["a1"])["a1"], proxy.server_address[1])
    grown_documents()
    negative("ask", "all", "2.0.0", 32)
    negative("ask", "inner", "3.0.0", 48)
    negative("answer", "all", "4.0.0", 64)
    negative("answer", "inner", "5.0.0", 80)
    support()
    print("keys added: %d to check-ins, %d to answers; %d check-ins"
          % (Proxy.added["ask"], Proxy.added["answer"], len(Proxy.statuses)))
finally:
    if DEVICE is not None:
        DEVICE.process.kill()
        DEVICE.process.wait()
    S.stop()
    shutil.rmtree(HOME)
T.end()
