"""Kill -9 in the middle of publishing and updating, 50 times.

Each client writes down what was acknowledged to it, after the answer and not before. After each
kill the server is started again and held against the ledger: an acknowledged thing that is missing
is a failure, a thing that nobody was promised may be there or not.
"""
import glob
import os
import random
import shutil
import sqlite3
import sys
import threading

from lapel_test import *

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "harness"))
import lost_sync

KILLS = int(os.environ.get("KILLS", "50"))
MIN_BUSY = KILLS * 4 // 5
FLEET = 3
T = Cases()
KEY = Key()
HOME = folder()
CUT = os.environ.get("CUT")  # the shim that forgets what was not synced; tests/powerloss/
KEEP = os.path.join(HOME, "keep")
ENV = {}
if CUT:
    os.mkdir(KEEP)
    ENV = {"LD_PRELOAD": CUT, "LOST_SYNC_ROOT": os.path.join(HOME, "data"), "LOST_SYNC_KEEP": KEEP}
os.umask(0o077)
os.mkdir(os.path.join(HOME, "data"))
# Far ahead of the clock, which could else make good for a number that was lost.
with open(os.path.join(HOME, "data", "statement-number"), "w") as f:
    f.write("4000000000000\n")
S = Server(HOME, KEY, env=ENV)
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
RANDOM = random.Random(SEED)


class Ledger:
    """What the server promised. Every write is under the lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = {}     # device: token
        self.payloads = set()
        self.releases = {}   # id: (number, digest, sha256 of the payload)
        self.started = {}    # release: rollout
        self.state = {}      # release: last state that was acknowledged
        self.asked = {}      # release: state that was asked for, perhaps in vain
        self.offers = set()  # (device, release's digest)
        self.installed = set()
        self.runs = {}       # device: (number, digest), whatever the server knows of it
        self.gone = set()    # devices that were to be erased
        self.erased = set()  # and were
        self.statement = 0   # the highest number that a device saw


L = Ledger()
outstanding = 0
answered = 0
outstanding_lock = threading.Condition()
stop = threading.Event()
number = 0


def ask(call, *args, **kw):
    """One request; None when the server went away under it."""
    global outstanding, answered
    with outstanding_lock:
        outstanding += 1
    try:
        answer = call(*args, **kw)
        with outstanding_lock:
            answered += 1
            outstanding_lock.notify()
        return answer
    except (OSError, http.client.HTTPException):
        return None
    finally:
        with outstanding_lock:
            outstanding -= 1


def erase(name):
    with L.lock:
        del L.tokens[name]  # from here on it may be there or not
        L.gone.add(name)
    a = ask(S.api, "DELETE", "products/lamp/devices/" + name)
    if a is not None and a.status == 204:
        with L.lock:
            L.erased.add(name)


def operator():
    """Adds devices, publishes, rolls out, halts and resumes, as fast as it may."""
    global number
    rng = random.Random(SEED + number)
    while not stop.is_set():
        number += 1
        n = number
        a = ask(S.api, "POST", "products/lamp/devices", {"id": "d%d" % n})
        if a is not None and a.status == 201:
            with L.lock:
                L.tokens["d%d" % n] = a.json()["token"]
            if n % 5 == 0:
                erase("d%d" % n)
        image = os.urandom(rng.choice((100, 5000, 300000)))
        a = ask(S.upload, image)
        if a is None or a.status != 201:
            continue
        with L.lock:
            L.payloads.add(sha256(image))
        doc, digest = envelope(manifest(16 * n, image), KEY)
        a = ask(S.publish, doc)
        if a is None or a.status != 201:
            continue
        release = a.json()["id"]
        with L.lock:
            L.releases[release] = (16 * n, digest, sha256(image))
        a = ask(S.api, "POST", "rollouts", {"release": release})
        if a is None or a.status != 201:
            continue
        rollout = a.json()["id"]
        a = ask(S.verb, rollout, "start")
        if a is None or a.status != 200:
            continue
        with L.lock:
            L.started[release] = rollout
            L.state[release] = "open"
        if rng.random() < 0.4:
            for verb, state in (("halt", "halted"), ("resume", "open"))[:rng.choice((1, 2))]:
                with L.lock:
                    L.asked[release] = state
                a = ask(S.verb, rollout, verb)
                if a is None or a.status != 200:
                    break
                with L.lock:
                    L.state[release] = state
                    L.asked.pop(release)


def statement_number(answer):
    """Of the statement in an answer; 0: it has none."""
    doc = answer.cbor().get(6)
    return 0 if doc is None else cbor2.loads(cbor2.loads(doc).value[2])[4]


def fleet(k):
    """One of the threads that check in for devices of their own, fetch, and confirm."""
    rng = random.Random(SEED + k)
    while not stop.is_set():
        with L.lock:
            names = [n for n in L.tokens if int(n[1:]) % FLEET == k]
        if not names:
            stop.wait(0.002)
            continue
        name = rng.choice(names)
        token = L.tokens.get(name, "E" * 43)
        a = ask(S.check_in, token, "lamp", name, *L.runs.get(name, (0, None)), more={15: b"12345678"})
        if a is not None and a.status == 200:
            with L.lock:
                L.statement = max(L.statement, statement_number(a))
        if a is None or a.status != 200 or a.verdict() != 1:
            continue
        verdict = a.cbor()[1][0]
        with L.lock:
            L.offers.add((name, verdict[6]))
        a = ask(S.device, "GET", "manifests/" + verdict[6].hex(), token)
        if a is None or a.status != 200 or rng.random() < 0.5:
            continue
        L.runs[name] = (verdict[5], verdict[6])
        a = ask(S.check_in, token, "lamp", name, *L.runs[name])
        if a is not None and a.status == 200:
            with L.lock:
                L.installed.add((name, verdict[6]))


def audit(round_):
    """Everything that was acknowledged is there."""
    lost = []
    with L.lock:
        recent = sorted(L.tokens.items())[-5:]
    states = {}
    after = ""
    while after is not None:
        page = S.api("GET", "products/lamp/releases?limit=1000" + after).json()
        if "releases" not in page:
            T.check("round %d: what was acknowledged is lost" % round_, False, page)
            return False
        states.update({r["id"]: r for r in page["releases"]})
        after = "&after=" + page["next"] if page["next"] else None
    for name, token in recent:
        a = S.check_in(token, "lamp", name, *L.runs.get(name, (0, None)), more={15: b"12345678"})
        if a.status != 200:
            lost.append("token of " + name)
        elif 0 < statement_number(a) <= L.statement:
            lost.append("statement number %d, after %d" % (statement_number(a), L.statement))
    for name in L.erased:
        if S.api("GET", "products/lamp/devices/" + name).status != 404:
            lost.append("the erasing of " + name)
    for digest in L.payloads:
        if S.api("HEAD", "payloads/" + digest.hex()).status != 200:
            lost.append("payload " + digest.hex())
    for release, (n, digest, _) in L.releases.items():
        r = states.get(release)
        if r is None or r["sequence"] != str(n) or r["digest"] != digest.hex():
            lost.append("release %d" % release)
    for release, state in L.state.items():
        if release not in states:
            continue
        allowed = {state, L.asked.get(release, state)}
        if states[release]["state"] not in allowed or not states[release]["offered"]:
            lost.append("release %d is %s, want %s" % (release, states[release]["state"], allowed))
        else:
            L.state[release] = states[release]["state"]
    L.asked.clear()
    T.equal("round %d: nothing is lost" % round_, lost, [])
    bad = [p for p in glob.glob(os.path.join(S.data, "artifacts", "??", "*"))
           if sha256(open(p, "rb").read()).hex() != os.path.basename(p)]
    T.equal("round %d: no half payload" % round_, bad, [])
    return not lost


def last_audit():
    """Once at the end, from the rows: offers, outcomes, the database itself."""
    S.stop()
    db = sqlite3.connect(os.path.join(S.data, "lapel.db"))
    T.equal("the database is sound", db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    rows = {(n, d): s for n, d, s in db.execute(
        "SELECT d.name, r.digest, w.state FROM work w JOIN device d ON d.id = w.device"
        " JOIN release r ON r.id = w.release")}
    kept = {o for o in L.offers | L.installed if o[0] not in L.gone}
    T.equal("every offer is on record", [o for o in L.offers & kept if o not in rows], [])
    T.equal("every success is on record", [o for o in L.installed & kept if rows.get(o) != 3], [])
    names = {n for n, in db.execute("SELECT name FROM device")}
    T.equal("every device is there", [n for n in L.tokens if n not in names], [])
    db.close()


def main():
    S.bootstrap()
    S.make_product()
    in_flight = 0
    for round_ in range(KILLS):
        stop.clear()
        threads = [threading.Thread(target=operator)]
        threads += [threading.Thread(target=fleet, args=(k,)) for k in range(FLEET)]
        for t in threads:
            t.start()
        with outstanding_lock:
            enough = answered + RANDOM.randint(5, 60)
            outstanding_lock.wait_for(lambda: answered >= enough and outstanding > 0, 10)
            in_flight += outstanding > 0
        S.process.kill()
        stop.set()
        S.process.wait()
        for t in threads:
            t.join()
        if CUT:
            lost_sync.lose_power(KEEP, S.data)
        S.start(ENV)
        if not audit(round_):
            return
    T.check("kills with a request in flight", in_flight >= MIN_BUSY,
            "%d of %d" % (in_flight, KILLS))
    T.check("statements were seen, and devices erased", L.statement > 4000000000000 and L.erased,
            (L.statement, len(L.erased)))
    T.check("work was done", len(L.installed) > KILLS // 5 and len(L.releases) > KILLS // 5,
            (len(L.installed), len(L.releases)))
    last_audit()
    print("seed %d: %d kills, %d in flight; %d devices, %d payloads, %d releases, %d offers, %d"
          " installed" % (SEED, KILLS, in_flight, len(L.tokens), len(L.payloads), len(L.releases),
                          len(L.offers), len(L.installed)))


try:
    main()
finally:
    S.kill()
    if T.failed:
        print("seed %d" % SEED)
        print(S.log_text())
    shutil.rmtree(HOME)
T.end()
