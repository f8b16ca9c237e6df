"""Devices of a hardware revision wait: no offer, what is in flight goes on, explain says why."""
import sqlite3

from lapel_test import *

T = Cases()
KEY = Key()
S = Server(folder(), KEY, "public_url=https://updates.example")
IMAGE = os.urandom(5000)
NAMES = ["a1", "a2", "b1", "b2", "b3", "none"]
REVISION = {"a1": "A", "a2": "A", "b1": "B", "b2": "B", "b3": "B"}
NOTHING, OFFER, WITHDRAW = 0, 1, 3
REASON = "revision B waits: its flash is slower"


def ask(name, **kw):
    more = {4: REVISION[name]} if name in REVISION else None
    return S.check_in(TOKEN[name], "lamp", name, more=more, **kw).verdict()


def explain(name):
    return S.api("GET", "products/lamp/devices/%s/explain" % name).json()["releases"][0]


def hold(**more):
    return S.api("POST", "products/lamp/holds",
                 dict({"attribute": "hw_revision", "value": "B", "reason": REASON}, **more))


def rows(name):
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(S.data, "lapel.db"), uri=True)
    n = db.execute("SELECT count(*) FROM work JOIN device ON device.id = work.device"
                   " WHERE device.name = ?", (name,)).fetchone()[0]
    db.close()
    return n


def keeps_back():
    T.equal("in flight before the hold", ask("b1"), OFFER)
    made = hold()
    T.equal("a hold is made", (made.status, made.json()["id"], made.json()["release"]),
            (201, 1, None))
    again = hold(reason="another")
    T.equal("not twice", (again.status, again.json()["field"]), (409, "value"))
    T.equal("its revision gets nothing", ask("b2"), NOTHING)
    T.equal("and leaves no row", rows("b2"), 0)
    T.equal("what is in flight goes on", ask("b1"), OFFER)
    T.equal("and has its payload", S.device("GET", "payloads/" + sha256(IMAGE).hex(), TOKEN["b1"]).status,
            200)
    T.equal("another revision is offered it", ask("a1"), OFFER)
    T.equal("so is one that says no revision", ask("none"), OFFER)


def from_memory():
    """A device whose row is gone behind the server's back is still told nothing."""
    T.equal("told, and its revision kept", ask("b3"), NOTHING)
    T.equal("told, and remembered", ask("b3"), NOTHING)
    db = sqlite3.connect(os.path.join(S.data, "lapel.db"), timeout=30)
    gone = db.execute("DELETE FROM device WHERE name = 'b3'").rowcount
    db.commit()
    db.close()
    T.equal("its row is gone", gone, 1)
    T.equal("the same again reads no row", ask("b3"), NOTHING)


def anonymous():
    T.equal("the product answers anybody", S.make_product(allow_anonymous=True, poll_s=30).status, 200)
    for revision, verdict in (("B", NOTHING), ("A", OFFER)):
        T.equal("nobody's device of revision " + revision,
                S.check_in(None, "lamp", None, more={4: revision}).verdict(), verdict)


def explains():
    told = explain("b2")
    T.equal("explain names hold and reason",
            (told["verdict"], told["because"], told["hold"]),
            ("nothing", "a hold keeps the device from it", {"id": 1, "reason": REASON}))
    T.equal("and none for the others", explain("a1")["hold"], None)
    T.check("the command line has the reason", REASON in S.lapel("device", "explain", "lamp", "b2").stdout)


def by_command(release):
    removed = S.lapel("hold", "remove", "1")
    T.equal("removed", (removed.returncode, removed.stdout), (0, "hold removed\n"))
    T.equal("it gets its offer", ask("b2"), OFFER)
    T.equal("removed again, nothing changes", S.api("DELETE", "holds/1").status, 204)
    added = S.lapel("hold", "add", "lamp", "--where", "hw_revision=A", "--reason", "it's new",
                  "--release", str(release), "--json")
    T.equal("of one release", json.loads(added.stdout)["release"], release)
    T.equal("a number is used once", json.loads(added.stdout)["id"], 2)
    T.equal("it is kept back", ask("a2"), NOTHING)
    listed = json.loads(S.lapel("hold", "list", "lamp", "--json").stdout)["holds"]
    T.equal("only what holds is listed", [(h["id"], h["value"], h["reason"]) for h in listed],
            [(2, "A", "it's new")])
    T.check("for people too", "hw_revision=A" in S.lapel("hold", "list", "lamp").stdout)
    newer, _ = S.release(48, IMAGE + b"2", KEY)
    S.roll_out(newer)
    T.equal("another release is not held", ask("a2"), OFFER)


def stands(rollout):
    T.equal("it outlives the server", (S.stop(), S.start()), (0, None))
    T.equal("and holds", explain_of("a1x", 32)["hold"]["id"], 2)
    S.verb(rollout, "halt")
    T.equal("a halt is a halt", ask("b1"), WITHDRAW)
    audit = [(a["who"], a["act"], a["target"]) for a in S.api("GET", "audit").json()["audit"]
             if a["act"].startswith("hold.")]
    T.equal("the audit has each once", audit, [
        ("root", "hold.add", "product/lamp/hold/1"), ("root", "hold.remove", "product/lamp/hold/1"),
        ("root", "hold.add", "product/lamp/hold/2")])


def explain_of(name, number):
    TOKEN.update(S.add_devices([name]))
    REVISION[name] = "A"
    ask(name)
    found = S.api("GET", "products/lamp/devices/%s/explain" % name).json()["releases"]
    return next(r for r in found if r["sequence"] == str(number))


def bounded():
    made = [hold(value="R%d" % i).status for i in range(63)]
    T.equal("63 more", set(made), {201})
    T.equal("65 are too many", hold(value="one more").status, 409)
    viewer = S.api("POST", "tokens", {"name": "v", "role": "viewer"}).json()["token"]
    T.equal("a viewer may look", S.api("GET", "products/lamp/holds?limit=2", token=viewer).json()["next"], "3")
    T.equal("but not act", S.api("DELETE", "holds/2", token=viewer).status, 403)


S.bootstrap()
T.equal("product", S.make_product(poll_s=30).status, 201)
TOKEN = S.add_devices(NAMES)
RELEASE, DIGEST = S.release(32, IMAGE, KEY)
ROLLOUT, _ = S.roll_out(RELEASE)
keeps_back()
from_memory()
anonymous()
explains()
by_command(RELEASE)
stands(ROLLOUT)
bounded()
T.equal("it stops in order", S.stop(), 0)
T.end()
