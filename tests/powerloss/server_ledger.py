"""What clients of lapeld were told, kept outside of it, and the loop that fills the book.

A request stands in `doubt` from before it is sent until its answer is whole. What was acknowledged
must be there after any cut; what was in doubt may be there or not, but not by half.
"""
import hashlib
import http.client
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
from lapel_test import *  # noqa: E402,F403

# The states a rollout may be in after this verb; a wave without soak is complete at once.
AFTER = {"create": {"draft"}, "start": {"running", "complete"}, "pause": {"held"},
         "resume": {"running", "complete"}, "halt": {"halted"}, "abort": {"aborted"}}


class Gone(Exception):
    """The server is gone: the request that was in flight has no answer."""


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.payloads = {}   # sha256 in hex: size
        self.releases = {}   # id: (sequence, digest in hex)
        self.rollouts = {}   # id: states it may be in
        self.devices = {}    # id: token
        self.confirmed = {}  # device: (sequence, digest in hex)
        self.reports = {}    # device: attempt in hex
        self.images = {}     # manifest digest: (sequence, image), acknowledged or not
        self.number = 0

    def size(self):
        return sum(len(x) for x in (self.payloads, self.releases, self.rollouts, self.devices,
                                    self.confirmed, self.reports))


class Loop:
    """Publishers and devices at work on one server until it is gone."""

    def __init__(self, server, ledger, key, seed):
        self.server, self.ledger, self.key = server, ledger, key
        self.seed = seed
        self.flying = 0  # requests without a whole answer
        self.lost = 0    # those whose answer never came
        self.asked = 0
        self.stray = []  # answers nobody expected
        self.threads = []

    def ask(self, call, *args, **kw):
        L = self.ledger
        with L.lock:
            self.flying += 1
            self.asked += 1
        try:
            return call(*args, **kw)
        except (OSError, http.client.HTTPException) as e:
            with L.lock:
                # Refused: the server was gone before this one began.
                self.lost += not isinstance(e, ConnectionRefusedError)
            raise Gone()
        finally:
            with L.lock:
                self.flying -= 1

    def good(self, answer, *wanted, no=()):
        """Is it an acknowledgement? Busy and `no` are not, and anything else is a mistake."""
        if answer.status in wanted:
            return True
        if answer.status != 503 and answer.status not in no:
            self.stray.append((answer.status, answer.body[:200]))
        return False

    def verb(self, rollout, verb):
        L = self.ledger
        with L.lock:
            before = L.rollouts.get(rollout, set())
            L.rollouts[rollout] = before | AFTER[verb]
        answer = self.ask(self.server.verb, rollout, verb)
        # The other publisher's release may have a higher number and be out already.
        done = self.good(answer, 200, no=(409,) if verb == "start" else ())
        with L.lock:
            L.rollouts[rollout] = AFTER[verb] if done else before
        return done

    def publish(self, random_):
        S, L = self.server, self.ledger
        image = random_.randbytes(random_.randrange(1000, 120000))
        name = sha256(image).hex()
        if not self.good(self.ask(S.upload, image), 200, 201):
            return
        with L.lock:
            L.payloads[name] = len(image)
            L.number += 16
            number = L.number
        doc, digest = envelope(manifest(number, image), self.key)
        with L.lock:
            L.images[digest] = (number, image)
        answer = self.ask(S.publish, doc)
        if not self.good(answer, 201, no=(409,)):
            return
        release = answer.json()["id"]
        with L.lock:
            L.releases[release] = (number, digest.hex())
        answer = self.ask(S.api, "POST", "rollouts", {"release": release})
        if not self.good(answer, 201):
            return
        rollout = answer.json()["id"]
        with L.lock:
            L.rollouts[rollout] = AFTER["create"]
        if not self.verb(rollout, "start"):
            return
        for verb in random_.choice([[], [], ["pause"], ["pause", "resume"], ["halt"],
                                    ["halt", "resume"], ["abort"]]):
            self.verb(rollout, verb)

    def device(self, random_):
        S, L = self.server, self.ledger
        name = "d%012x" % random_.getrandbits(48)
        answer = self.ask(S.api, "POST", "products/lamp/devices", {"id": name})
        if not self.good(answer, 201):
            return
        token = answer.json()["token"]
        with L.lock:
            L.devices[name] = token
        answer = self.ask(S.check_in, token, "lamp", name)
        if not self.good(answer, 200) or answer.verdict() != 1:
            return
        digest = answer.cbor()[1][0][6]
        with L.lock:
            number, image = L.images[digest]
        # 410: halted meanwhile.
        sent = self.ask(S.device, "GET", "payloads/" + sha256(image).hex(), token)
        if not self.good(sent, 200, no=(404, 410)):
            return
        if sent.body != image:
            self.stray.append((200, b"other bytes than those of the name"))
        if random_.random() < 0.3:
            attempt = random_.randbytes(8)
            doc = cbor2.dumps({0: 1, 1: "lamp", 2: name,
                               3: {1: attempt, 2: 7, 3: 8, 4: -1, 5: 4096, 6: number, 7: digest}})
            if self.good(self.ask(S.device, "POST", "reports", token, doc), 204):
                with L.lock:
                    L.reports[name] = attempt.hex()
        else:
            if self.good(self.ask(S.check_in, token, "lamp", name, number, digest), 200):
                with L.lock:
                    L.confirmed[name] = (number, digest.hex())

    def run(self, job, seed):
        random_ = random.Random(seed)
        try:
            while True:
                job(random_)
        except Gone:
            pass
        except Exception as e:  # a bug of the test must not look like a cut
            self.stray.append((0, repr(e)))

    def start(self):
        for n, job in enumerate((self.publish, self.publish, self.device, self.device)):
            thread = threading.Thread(target=self.run, args=(job, self.seed * 8 + n))
            thread.start()
            self.threads.append(thread)

    def join(self):
        for thread in self.threads:
            thread.join()


def pages(server, path, noun):
    rows, after = [], None
    while True:
        answer = server.api("GET", "%s?limit=1000%s" % (path, "&after=" + after if after else ""))
        value = answer.json()
        rows += value[noun]
        after = value.get("next")
        if after is None:
            return rows


def check_files(server, problems):
    """No half artifact: a file's name is the digest of its bytes. No process is needed for this."""
    top = os.path.join(server.data, "artifacts")
    for sub in os.listdir(top):
        if len(sub) != 2:
            continue
        for name in os.listdir(os.path.join(top, sub)):
            with open(os.path.join(top, sub, name), "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != name:
                    problems.append("half an artifact: " + name)


def check_database(server, problems):
    """On a copy, so that the server's own recovery is not done for it."""
    copy = tempfile.mkdtemp(prefix="lapel-check-")
    for name in os.listdir(server.data):
        if ".db" in name and not name.endswith("-shm"):
            shutil.copy(os.path.join(server.data, name), copy)
    names = [n for n in os.listdir(copy) if n.endswith(".db")]
    if len(names) != 1:
        problems.append("databases: %r" % names)
    for name in names:
        try:
            db = sqlite3.connect(os.path.join(copy, name))
            rows = db.execute("PRAGMA integrity_check").fetchall()
            if rows != [("ok",)]:
                problems.append("integrity: %r" % rows[:3])
            db.close()
        except sqlite3.DatabaseError as e:
            problems.append("the database does not open: %s" % e)
    shutil.rmtree(copy)


def check_ledger(server, ledger, problems, since=None):
    """All that was acknowledged is there. `since` spares devices that were looked at before."""
    releases = {r["id"]: r for r in pages(server, "products/lamp/releases", "releases")}
    for id_, (number, digest) in ledger.releases.items():
        r = releases.get(id_)
        if r is None or (r["sequence"], r["digest"]) != (str(number), digest):
            problems.append("release %d is lost" % id_)
    rollouts = {r["id"]: r["state"] for r in pages(server, "rollouts", "rollouts")}
    for id_, states in ledger.rollouts.items():
        if rollouts.get(id_) not in states:
            problems.append("rollout %d is %s, not one of %s" % (id_, rollouts.get(id_), states))
        elif rollouts[id_] not in AFTER["start"]:
            ledger.rollouts[id_] = {rollouts[id_]}
    devices = {d["id"] for d in pages(server, "products/lamp/devices", "devices")}
    for name in ledger.devices:
        if name not in devices:
            problems.append("device %s is lost" % name)
    seen = since if since is not None else set()
    for name, (number, digest) in ledger.confirmed.items():
        if ("c", name) in seen:
            continue
        d = server.api("GET", "products/lamp/devices/" + name).json()
        if [(r["sequence"], r["digest"], r["state"]) for r in d.get("running", [])] != \
                [(str(number), digest, "confirmed")]:
            problems.append("confirmation of %s is lost: %r" % (name, d.get("running")))
        seen.add(("c", name))
    for name, attempt in ledger.reports.items():
        if ("r", name) in seen:
            continue
        last = server.api("GET", "products/lamp/devices/" + name).json().get("last_attempt") or {}
        if last.get("attempt") != attempt:
            problems.append("report of %s is lost: %r" % (name, last))
        seen.add(("r", name))
    for name, size in ledger.payloads.items():
        if ("p", name) in seen:
            continue
        answer = server.api("GET", "payloads/" + name)
        path = os.path.join(server.data, "artifacts", name[:2], name)
        if answer.status != 200 or answer.json()["size"] != str(size):
            problems.append("payload %s is lost: %d" % (name, answer.status))
        elif not os.path.exists(path) or os.path.getsize(path) != size:
            problems.append("payload %s has a row and no bytes" % name)
        seen.add(("p", name))


def check_visible(server, token, images, problems):
    """The device "watcher" gets whole bytes, or none: 404 or 410. How often whole?"""
    answer = server.check_in(token, "lamp", "watcher")
    if answer.status != 200:
        problems.append("a device of before is refused: %d" % answer.status)
        return 0
    whole = 0
    for _, image in images:
        sent = server.device("GET", "payloads/" + sha256(image).hex(), token)
        if sent.status == 200 and sent.body == image:
            whole += 1
        elif sent.status not in (404, 410):
            problems.append("payload: %d, %d of %d bytes"
                            % (sent.status, len(sent.body), len(image)))
    return whole
