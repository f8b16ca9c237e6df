"""A rollout that is left by evidence halts itself, says why, and can be read again."""
from lapel_test import *

T = Cases()
KEY = Key()
S = Server(folder(), KEY, "public_url=https://updates.example")
IMAGE = os.urandom(20000)
NAMES = ["lamp-%02d" % i for i in range(80)]
DIGEST_MISMATCH, NETWORK, HEALTH = 8, 1, 13


def attempt(n, class_, number, digest):
    """The end of an attempt: id, stage, class, sequence, digest (SPEC, "Attempt")."""
    return {1: n.to_bytes(8, "big"), 2: 7, 3: class_, 6: number, 7: digest}


def first_wave(rollout):
    """Everybody checks in; those who got the offer."""
    got = [n for n in NAMES if S.check_in(TOKEN[n], "lamp", n, more={4: "A"}).verdict() == 1]
    members = S.api("GET", "rollouts/%d" % rollout).json()["waves"][0]["members"]
    T.equal("the wave got its offers, nobody else did", len(got), members)
    return got


def decisions(rollout):
    return S.api("GET", "rollouts/%d/decisions" % rollout).json()["decisions"]


def explain(name):
    return S.api("GET", "products/lamp/devices/%s/explain" % name).json()["releases"][0]


def refusals(release):
    for name, value, field in (
            ("a preset that there isn't", {"preset": "brave"}, "preset"),
            ("preset and waves", {"preset": "auto", "waves": [{"share": 1}]}, "preset"),
            ("a gate that there isn't", {"waves": [{"share": 1, "gate": "hope"}]}, "waves[0].gate")):
        answer = S.api("POST", "rollouts", dict(value, release=release))
        T.equal(name, (answer.status, answer.json().get("field")), (400, field))


def harmful(rollout, digest):
    got = first_wave(rollout)
    outsider = explain(next(n for n in NAMES if n not in got))
    T.equal("who gets it", (explain(got[0])["verdict"], explain(got[0])["because"]),
            ("offer", "it is offered"))
    T.equal("who does not, and when that may change",
            (outsider["because"], outsider["may_change_at"] is not None),
            ("no wave that is open holds the device", True))
    T.equal("no decision before the first cell is over, or it waits",
            [d["verdict"] for d in decisions(rollout) if d["verdict"] != "wait"], [])
    for i, n in enumerate(got[:20]):
        class_ = NETWORK if i < 5 else HEALTH if i == 5 else DIGEST_MISMATCH
        S.check_in(TOKEN[n], "lamp", n, attempt=attempt(i + 1, class_, 32, digest), more={4: "A"})
    state = S.wait("rollouts/%d" % rollout, lambda v: v["state"] == "halted")["state"]
    T.equal("it halts by itself", state, "halted")
    newest = S.wait("rollouts/%d/decisions" % rollout, lambda v: (
        v["decisions"][0]["counts"]["failed"] == 14))["decisions"][0]
    last = next(d for d in decisions(rollout) if d["verdict"] == "halt")
    T.equal("failures and reverts, without the network's",
            (newest["counts"]["failed"], newest["counts"]["reverted"]), (14, 1))
    T.equal("the revision is suspected", [x["revision"] for x in newest["suspects"]], ["A"])
    printed = S.lapel("rollout", "show", "--decisions", str(rollout)).stdout
    T.check("with the command that would spare them",
            "      lapel hold add lamp --where hw_revision='A' --release %d --reason 'suspected in rollout"
            " %d'\n" % (RELEASE, rollout) in printed, printed)
    T.check("a hundred to one and more", last["harmful"] >= 2, last)
    T.equal("why", last["loudest"], "more explicit failures than are tolerated")
    T.equal("every decision replays", [d["replays"] for d in decisions(rollout) if not d["replays"]],
            [])
    audit = [a for a in S.api("GET", "audit").json()["audit"] if a["act"] == "evidence.halt"]
    T.equal("the audit has it once", [(a["who"], "explicit failures" in a["detail"]) for a in audit],
            [("lapeld", True)])
    told = explain(got[30])
    T.equal("it is explained before it is said",
            (told["verdict"], told["because"]),
            ("withdraw", "it is stopped, and the device was offered it"))
    T.equal("those in flight are told", S.check_in(TOKEN[got[30]], "lamp", got[30]).verdict(), 3)
    T.equal("no payload any more",
            S.device("GET", "payloads/" + sha256(IMAGE).hex(), TOKEN[got[31]]).status, 410)


def preset(release):
    rollout = S.api("POST", "rollouts", {"release": release, "preset": "auto"}).json()
    T.equal("a preset's gates", [w["gate"] for w in rollout["waves"]], ["evidence"] * 5)
    T.equal("and shares", [w["share"] for w in rollout["waves"]], [0.001, 0.005, 0.05, 0.98, 1.0])
    T.check("no soak under an hour", min(w["soak_s"] for w in rollout["waves"]) >= 3600)
    T.equal("nothing decided in a draft", decisions(rollout["id"]), [])
    S.verb(rollout["id"], "start")
    T.equal("it waits for its soak",
            S.api("GET", "rollouts/%d" % rollout["id"]).json()["next"]["waiting_for"], "soak")


S.bootstrap()
T.equal("product", S.make_product(poll_s=30).status, 201)
TOKEN = S.add_devices(NAMES)
RELEASE, DIGEST = S.release(32, IMAGE, KEY)
refusals(RELEASE)
ROLLOUT, STARTED = S.roll_out(RELEASE, [{"devices": 60, "soak_s": 3600, "gate": "evidence"},
                                        {"share": 1}])
T.equal("started", STARTED.status, 200)
harmful(ROLLOUT, DIGEST)
NEXT, _ = S.release(48, IMAGE + b"2", KEY)
preset(NEXT)
T.equal("it stops in order", S.stop(), 0)
T.end()
