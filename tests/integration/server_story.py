"""The main job on the running server, and what it refuses."""
import http.client
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import threading
import time
import uuid

from lapel_test import *

T = Cases()
KEY, OTHER_KEY = Key(), Key()
HOME = folder()
S = Server(HOME, KEY, "public_url=https://updates.example")
IMAGE = [os.urandom(70000 + i) for i in range(6)]


def paged(path, noun, limit):
    """The ids of a list, page by page; no page is longer than the limit."""
    ids, more = [], ""
    for _ in range(100):
        page = S.api("GET", "%s?limit=%d%s" % (path, limit, more)).json()
        T.check("a page of %s" % noun, 0 < len(page[noun]) <= limit, page)
        ids += [entry["id"] for entry in page[noun]]
        if page["next"] is None:
            break
        more = "&after=" + page["next"]
    return ids


def problem(name, answer, status, field=None):
    T.equal(name + ": status", answer.status, status)
    T.equal(name + ": type", answer.headers.get("content-type"), "application/problem+json")
    if field is not None:
        T.equal(name + ": field", answer.json().get("field"), field)


def first_start():
    path = os.path.join(S.data, "bootstrap-token")
    T.equal("bootstrap token is the owner's alone", stat.S_IMODE(os.stat(path).st_mode), 0o600)
    problem("a stranger can't bootstrap", S.api("POST", "bootstrap", {}, token="A" * 43), 401)
    beside = subprocess.run([os.path.join(BUILD, "bin", "lapeld"), "--set", "data_dir=" + S.data,
                             "--bootstrap"], stdin=subprocess.DEVNULL, capture_output=True)
    T.check("no second token beside a running server",
            beside.returncode == 1 and b"in use by another lapeld" in beside.stderr, beside.stderr)
    answer, token = S.bootstrap()
    T.equal("bootstrap", answer.status, 201)
    T.check("the file is gone after use", not os.path.exists(path))
    problem("good for one use", S.api("POST", "bootstrap", {}, token=token), 410)
    problem("not a token of the interface", S.api("GET", "products", token=token), 401)


def products():
    T.equal("product made", S.make_product().status, 201)
    answer = S.make_product()
    T.equal("the same again", answer.status, 200)
    value = answer.json()
    T.equal("vendor id", value["vendor_id"], str(VENDOR))
    T.equal("class id", value["class_id"], str(CLASS))
    T.equal("one statement published", len(value["support_periods"]), 1)
    problem("shorter unasked", S.make_product(support_end="2039-06"), 409, "support_end")
    problem("shorter without why", S.make_product(support_end="2039-06", shorten=True), 400,
            "rationale")
    T.equal("shorter with why",
            S.make_product(support_end="2039-06", shorten=True, rationale="parts").status, 200)
    T.equal("longer again", S.make_product(support_end="2040-06").status, 200)
    T.equal("all stay published",
            [p["end"] for p in S.api("GET", "products/lamp").json()["support_periods"]],
            ["2040-06", "2039-06", "2040-06"])
    problem("under five years without why", S.make_product("plug", model="EP", support_end="2027-01"),
            400, "rationale")
    T.equal("nothing was kept of it", S.api("GET", "products/plug").status, 404)


def bad_json():
    url = "products/lamp"
    rows = [
        ("no JSON", b"{", 400, "body"),
        ("an array", b"[]", 400, "body"),
        ("twice", b'{"model":"a","model":"b"}', 400, "body"),
        ("unknown", b'{"modell":"a"}', 400, "modell"),
        ("wrong type", b'{"model":1}', 400, "model"),
        ("empty", b'{"model":""}', 400, "model"),
        ("too long", b'{"model":"' + b"x" * 65 + b'"}', 400, "model"),
        ("control character", b'{"model":"a\\nb"}', 400, "model"),
        ("no month", b'{"support_end":"2040"}', 400, "support_end"),
        ("13th month", b'{"support_end":"2040-13"}', 400, "support_end"),
        ("a domain", b'{"vendor_domain":"Example.com"}', 400, "vendor_domain"),
        ("a contact", b'{"contact":"javascript:x"}', 400, "contact"),
        ("a URL", b'{"support_url":"http://x"}', 400, "support_url"),
        ("poll", b'{"poll_s":29}', 400, "poll_s"),
        ("fraction", b'{"poll_s":60.5}', 400, "poll_s"),
        ("bool", b'{"allow_anonymous":"yes"}', 400, "allow_anonymous"),
        ("components", b'{"components":[]}', 400, "components"),
    ]
    before = S.api("GET", "audit?limit=1000").json()["audit"]
    for name, body, status, field in rows:
        problem("product: " + name,
                S.api("PUT", url, body=body, type_="application/json"), status, field)
    problem("product: media type", S.api("PUT", url, body=b"{}", type_="text/plain"), 415)
    problem("product: oversize", S.api("PUT", url, body=b" " * 70000, type_="application/json"), 413)
    problem("product: name", S.api("PUT", "products/Lamp", {}), 400, "product")
    problem("no such path", S.api("GET", "nothing"), 404)
    problem("no such method", S.api("DELETE", "products"), 405)
    problem("limit", S.api("GET", "products?limit=0"), 400, "limit")
    rows = [
        ("none", {}, "release"), ("text", {"release": "1"}, "release"),
        ("unknown release", {"release": 99}, "release"),
        ("share 0", {"release": 1, "waves": [{"share": 0}]}, "waves[0].share"),
        ("share 1.5", {"release": 1, "waves": [{"share": 1.5}]}, "waves[0].share"),
        ("neither", {"release": 1, "waves": [{}]}, "waves[0].share"),
        ("falling", {"release": 1, "waves": [{"share": 0.5}, {"share": 0.1}]}, "waves[1].share"),
        ("falling past devices",
         {"release": 1, "waves": [{"share": 0.5}, {"devices": 2}, {"share": 0.1}]}, "waves[2].share"),
        ("gate", {"release": 1, "waves": [{"share": 1, "gate": "no"}]}, "waves[0].gate"),
        ("soak", {"release": 1, "waves": [{"share": 1, "soak_s": -1}]}, "waves[0].soak_s"),
        ("no waves", {"release": 1, "waves": []}, "waves"),
        ("a wave", {"release": 1, "waves": [1]}, "waves[0]"),
    ]
    for name, value, field in rows:
        problem("rollout: " + name, S.api("POST", "rollouts", value), 400, field)
    rows = [
        ("no name", {"role": "viewer"}, "name"), ("role", {"name": "x", "role": "god"}, "role"),
        ("products", {"name": "x", "role": "viewer", "products": []}, "products"),
        ("scoped admin", {"name": "x", "role": "admin", "products": ["lamp"]}, "products"),
        ("expires", {"name": "x", "role": "viewer", "expires_s": 1}, "expires_s"),
    ]
    for name, value, field in rows:
        problem("token: " + name, S.api("POST", "tokens", value), 400, field)
    rows = [
        ("no id", {}, "id"), ("a number", {"id": 1}, "id"), ("too long", {"id": "x" * 65}, "id"),
        ("digest", {"id": "x", "token_sha256": "00"}, "token_sha256"),
        ("in an array", [{"id": "x"}, {}], "[1].id"), ("an empty array", [], "body"),
        ("unknown", {"id": "x", "name": "y"}, "name"),
    ]
    for name, value, field in rows:
        problem("device: " + name, S.api("POST", "products/lamp/devices", value), 400, field)
    T.equal("nothing of it left a trace", S.api("GET", "audit?limit=1000").json()["audit"], before)


def roles():
    tokens = {}
    for role in ("viewer", "publisher", "operator"):
        tokens[role] = S.api("POST", "tokens", {"name": role, "role": role}).json()["token"]
    rows = [
        ("GET", "products", None, (200, 200, 200)),
        ("GET", "audit", None, (403, 403, 403)),
        ("GET", "tokens", None, (403, 403, 403)),
        ("PUT", "products/lamp", {}, (403, 403, 200)),
        ("GET", "payloads/" + "0" * 64, None, (403, 404, 404)),
        ("POST", "rollouts", {}, (403, 403, 400)),
    ]
    for method, path, value, want in rows:
        got = tuple(S.api(method, path, value, token=tokens[r]).status
                    for r in ("viewer", "publisher", "operator"))
        T.equal("roles: %s %s" % (method, path), got, want)
    made = S.api("POST", "tokens", {"name": "scoped", "role": "operator", "products": ["other"]})
    scoped = made.json()
    problem("out of scope", S.api("GET", "products/lamp", token=scoped["token"]), 403, "product")
    T.equal("not listed", S.api("GET", "products", token=scoped["token"]).json()["products"], [])
    for name in ("lamp", "nothing"):
        problem("rollouts of %s out of scope" % name,
                S.api("GET", "rollouts?product=" + name, token=scoped["token"]), 403, "product")
    T.equal("revoked", S.api("DELETE", "tokens/%d" % scoped["id"]).status, 204)
    first = S.api("GET", "products", token=scoped["token"])
    second = S.api("GET", "products", token="B" * 43)
    third = S.api("GET", "products", token="short")
    T.equal("401 is the same bytes", {first.body, second.body, third.body}, {first.body})
    T.equal("401", (first.status, second.status, third.status), (401, 401, 401))
    T.equal("the last admin stays", S.api("DELETE", "tokens/1").status, 409)


def devices():
    global TOKEN
    TOKEN = S.add_devices(["a%d" % i for i in range(10)])
    T.equal("ten tokens", len(set(TOKEN.values())), 10)
    problem("once", S.api("POST", "products/lamp/devices", [{"id": "b"}, {"id": "a1"}]), 409,
            "[1].id")
    T.equal("all or none", S.api("GET", "products/lamp/devices/b").status, 404)
    T.equal("one object", set(S.api("POST", "products/lamp/devices", {"id": "b"}).json()),
            {"id", "token"})
    own = "C" * 43
    T.equal("the maker's own token",
            S.api("POST", "products/lamp/devices",
                  {"id": "own", "token_sha256": sha256(own.encode()).hex()}).json(), {"id": "own"})
    T.equal("is good", S.check_in(own, "lamp", "own").status, 200)
    name = "ä/b c%"
    S.api("POST", "products/lamp/devices", {"id": name})
    T.equal("any name", S.api("GET", "products/lamp/devices/" + quote(name)).json().get("id"), name)
    T.equal("forgotten", S.api("DELETE", "products/lamp/devices/" + quote(name)).status, 204)
    T.equal("and gone", S.api("DELETE", "products/lamp/devices/" + quote(name)).status, 404)
    T.equal("pages", paged("products/lamp/devices", "devices", 5),
            sorted(["a%d" % i for i in range(10)] + ["b", "own"]))
    old = TOKEN["a9"]
    new = S.api("POST", "products/lamp/devices/a9/rotate", {}).json()["token"]
    T.equal("the old one is still good", S.check_in(old, "lamp", "a9").status, 200)
    T.equal("the new one too", S.check_in(new, "lamp", "a9").status, 200)
    T.equal("then the old one is not", S.check_in(old, "lamp", "a9").status, 401)
    T.equal("the new one stays", S.check_in(new, "lamp", "a9").status, 200)
    TOKEN["a9"] = new
    for _ in range(4):  # a device that asks again before it is answered must not lose both
        new = S.api("POST", "products/lamp/devices/a9/rotate", {}).json()["token"]
        several = [threading.Thread(target=S.check_in, args=(new, "lamp", "a9")) for _ in range(8)]
        for thread in several:
            thread.start()
        for thread in several:
            thread.join()
        T.equal("the new one, eight times at once", S.check_in(new, "lamp", "a9").status, 200)
        T.equal("one token is left", S.api("GET", "products/lamp/devices/a9").json()["tokens"], 1)
    TOKEN["a9"] = new
    b = S.api("POST", "products/lamp/devices/b/rotate").json()["token"]
    T.equal("in use", S.check_in(b, "lamp", "b").status, 200)
    T.equal("revoked", S.api("POST", "products/lamp/devices/b/revoke").status, 204)
    T.equal("at once", S.check_in(b, "lamp", "b").status, 401)


def uploads():
    image = IMAGE[0]
    url = "payloads/" + sha256(image).hex()
    T.equal("not here", S.api("HEAD", url).status, 404)
    problem("other bytes", S.upload(IMAGE[1], sha256(image).hex()), 422, "sha256")
    T.equal("nothing kept", S.api("HEAD", url).status, 404)
    T.equal("no file either", os.listdir(os.path.join(S.data, "artifacts", "tmp")), [])
    problem("no digest", S.upload(image, "abc"), 400, "sha256")
    problem("no token", S.api("PUT", url, body=image, token="A" * 43,
                              type_="application/octet-stream"), 401)
    T.equal("stored", S.upload(image).status, 201)
    T.equal("again", S.upload(image).status, 200)
    T.equal("here", S.api("HEAD", url).status, 200)


def publishing():
    image = IMAGE[0]

    def refused(name, status, field, doc):
        problem("publish: " + name, S.publish(doc), status, field)

    good = envelope(manifest(16, image), KEY)[0]
    other = uuid.uuid4()
    refused("garbage", 400, "body", b"\xa1\x01")
    refused("empty", 400, "body", b"")
    refused("truncated", 400, "body", good[:-1])
    refused("trailing", 400, "body", good + b"\x00")
    refused("wrong key", 422, "envelope.authentication", envelope(manifest(16, image), OTHER_KEY)[0])
    refused("other digest", 422, "envelope.authentication",
            envelope(manifest(16, image), KEY, digest=b"\x01" * 32)[0])
    refused("flipped", 422, "envelope.authentication", good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
    refused("vendor", 422, "envelope.vendor", envelope(manifest(16, image, vendor=other), KEY)[0])
    refused("class", 422, "envelope.class", envelope(manifest(16, image, class_=other), KEY)[0])
    refused("no vendor condition", 422, "envelope.vendor",
            envelope(manifest(16, image, conditions=(2, 15)), KEY)[0])
    refused("no class condition", 422, "envelope.class",
            envelope(manifest(16, image, conditions=(1, 15)), KEY)[0])
    refused("size", 422, "envelope.components.size",
            envelope(manifest(16, image, size=len(image) + 1), KEY)[0])
    refused("digest", 422, "envelope.components.digest",
            envelope(manifest(16, image, digest=b"\x02" * 32), KEY)[0])
    refused("absolute URI", 422, "envelope.components.uri",
            envelope(manifest(16, image, uri="https://x/" + "0" * 64), KEY)[0])
    refused("integrated, missing", 422, "envelope.components.uri",
            envelope(manifest(16, image, uri="#image"), KEY)[0])
    refused("payload not here", 409, "payloads", envelope(manifest(16, IMAGE[1]), KEY)[0])
    refused("number over 2^63-1", 422, "envelope.sequence",
            envelope(manifest(2 ** 63, image), KEY)[0])
    T.equal("none was stored", S.api("GET", "products/lamp/releases").json()["releases"], [])
    answer = S.publish(good)
    T.equal("published", answer.status, 201)
    value = answer.json()
    T.equal("number is text", value["sequence"], "16")
    T.equal("severity", value["severity"], "security")
    T.equal("payloads", value["payloads"],
            [{"sha256": sha256(image).hex(), "size": str(len(image))}])
    T.equal("the same again", S.publish(good).status, 200)
    T.equal("another signature of the same", S.publish(envelope(manifest(16, image), KEY)[0]).status,
            200)
    T.equal("one release", len(S.api("GET", "products/lamp/releases").json()["releases"]), 1)
    audit = S.api("GET", "audit?limit=1000").json()["audit"]
    T.equal("audited", [a["act"] for a in audit].count("release.resign"), 1)
    T.equal("audit pages", paged("audit", "audit", 2), [a["id"] for a in audit])
    T.check("are several", len(audit) > 4, audit)
    refused("same number, other digest", 409, "envelope.sequence",
            envelope(manifest(16, image, priority=400), KEY)[0])
    problem("the model is fixed now", S.make_product(model="EL-200"), 409, "model")
    T.equal("a small integrated payload",
            S.publish(envelope(manifest(17, b"tiny", uri="#image"), KEY,
                               integrated={"#image": b"tiny"})[0]).status, 201)
    T.equal("release pages", len(paged("products/lamp/releases", "releases", 1)), 2)
    refused("an integrated one of another size", 422, "envelope.components.size",
            envelope(manifest(18, b"tiny", uri="#image", size=5), KEY,
                     integrated={"#image": b"tiny"})[0])
    refused("an integrated one that differs", 422, "envelope.components.digest",
            envelope(manifest(18, b"tiny", uri="#image"), KEY, integrated={"#image": b"tinY"})[0])


def two_slots():
    """One image for each slot: a device may ask for either, so both must be here and granted."""
    images = [os.urandom(3000), os.urandom(4000)]

    def alternatives(uris, digests):
        shared = [20, {1: VENDOR.bytes, 2: CLASS.bytes}, 1, 15, 2, 15, 15, [
            sequence(20, {5: i}, 5, 15,
                     20, {3: cbor2.dumps([-16, digests[i]]), 14: len(images[i])})
            for i in (0, 1)]]
        fetch = [15, [sequence(20, {5: i}, 5, 15, 20, {21: uris[i]}) for i in (0, 1)], 21, 15, 3, 15]
        m = {1: 1, 2: 20, 3: cbor2.dumps({2: [[b"\x00"]], 4: sequence(*shared)}),
             7: sequence(3, 15), 20: sequence(*fetch)}
        return envelope(cbor2.dumps(m), KEY)[0]

    digests = [sha256(i) for i in images]
    uris = ["../payloads/" + d.hex() for d in digests]
    S.upload(images[1])
    problem("two slots: one is missing", S.publish(alternatives(uris, digests)), 409, "payloads")
    S.upload(images[0])
    problem("two slots: no digest for one",
            S.publish(alternatives(uris, [digests[1], digests[1]])), 422)
    problem("two slots: an absolute URI for one",
            S.publish(alternatives(["https://x/" + digests[0].hex(), uris[1]], digests)), 422)
    answer = S.publish(alternatives(uris, digests))
    T.equal("two slots", answer.status, 201)
    T.equal("two payloads", sorted(p["sha256"] for p in answer.json()["payloads"]),
            sorted(d.hex() for d in digests))


def main_job():
    """Two waves: offered, fetched, confirmed; the second wave after an approval."""
    release, digest = S.release(32, IMAGE[2], KEY)
    T.equal("before the start: nothing", S.check_in(TOKEN["a0"], "lamp", "a0").verdict(), 0)
    rollout, answer = S.roll_out(release, [{"devices": 3, "gate": "manual"}, {"share": 1}])
    T.equal("started", answer.status, 200)
    T.equal("running", answer.json()["state"], "running")
    T.equal("three members", answer.json()["waves"][0]["members"], 3)
    T.equal("waits for a person", answer.json()["next"]["waiting_for"], "approval")
    answers = {n: S.check_in(t, "lamp", n) for n, t in TOKEN.items()}
    first = [n for n, a in answers.items() if a.verdict() == 1]
    # "own" and "a9" are members too, perhaps outside of TOKEN.
    T.check("as many are offered it", 0 < len(first) <= 3, first)
    T.equal("stays so", [n for n, t in TOKEN.items() if S.check_in(t, "lamp", n).verdict() == 1],
            first)
    verdict = answers[first[0]].cbor()[1][0]
    T.equal("number", verdict[5], 32)
    T.equal("digest", verdict[6], digest)
    T.equal("support end", answers[first[0]].cbor()[3], 204006)
    T.equal("support page", answers[first[0]].cbor()[4], "https://updates.example/support/EL-100")
    T.check("next poll", 54 <= answers[first[0]].cbor()[2] <= 66)
    outsider = next(n for n in TOKEN if n not in first)
    payload = "payloads/" + sha256(IMAGE[2]).hex()
    envelope_ = "manifests/" + digest.hex()
    T.equal("no grant, no manifest", S.device("GET", envelope_, TOKEN[outsider]).status, 404)
    T.equal("no grant, no payload", S.device("GET", payload, TOKEN[outsider]).status, 404)
    T.equal("no token, no payload", S.device("GET", payload).status, 404)
    token = TOKEN[first[0]]
    sent = S.device("GET", envelope_, token)
    T.equal("manifest", sent.status, 200)
    T.equal("as large as said", len(sent.body), verdict[7])
    T.equal("its tag", sent.headers["etag"], '"%s"' % sha256(sent.body).hex())
    T.equal("payload", S.device("GET", payload, token).body == IMAGE[2], True)
    part = S.device("GET", payload, token, headers={"Range": "bytes=1000-1999"})
    T.equal("a part", (part.status, part.body == IMAGE[2][1000:2000]), (206, True))
    shown = S.wait("products/lamp/devices/" + first[0], lambda v: v["work"]["state"] == "fetching")
    T.equal("fetching", shown["work"]["state"], "fetching")
    trial = S.check_in(token, "lamp", first[0], 32, digest, 2)
    T.equal("on trial: nothing", trial.verdict(), 0)
    T.equal("a trial is no success",
            S.api("GET", "rollouts/%d" % rollout).json()["counts"]["installed"], 0)
    T.equal("confirmed: nothing", S.check_in(token, "lamp", first[0], 32, digest).verdict(), 0)
    T.equal("is success", S.api("GET", "rollouts/%d" % rollout).json()["counts"]["installed"], 1)
    T.equal("the gate is a person's", S.check_in(TOKEN[outsider], "lamp", outsider).verdict(), 0)
    T.equal("approved", S.verb(rollout, "advance").status, 200)
    problem("no gate is left", S.verb(rollout, "advance"), 409)
    T.equal("everybody now", S.check_in(TOKEN[outsider], "lamp", outsider).verdict(), 1)
    for name, token in TOKEN.items():
        S.check_in(token, "lamp", name, 32, digest)
    S.wait("rollouts/%d" % rollout, lambda v: v["state"] == "complete")
    value = S.api("GET", "rollouts/%d" % rollout).json()
    T.equal("complete", value["state"], "complete")
    T.equal("installed on those who asked for it", value["counts"]["installed"], len(first) + 1)
    problem("lower than one that was offered",
            S.publish(envelope(manifest(31, IMAGE[0]), KEY)[0]), 409, "envelope.sequence")
    return digest


def stopping(digest):
    """Hold, halt, resume, abort, as devices see them."""
    S.upload(IMAGE[3])
    release, fresh = S.release(48, IMAGE[3], KEY)
    rollout, _ = S.roll_out(release)
    busy, idle = TOKEN["a1"], TOKEN["a2"]
    payload = "payloads/" + sha256(IMAGE[3]).hex()
    T.equal("offered", S.check_in(busy, "lamp", "a1", 32, digest).verdict(), 1)
    T.equal("paused", S.verb(rollout, "pause").json()["state"], "held")
    T.equal("what is in flight goes on", S.check_in(busy, "lamp", "a1", 32, digest).verdict(), 1)
    T.equal("payload too", S.device("GET", payload, busy).status, 200)
    T.equal("others wait", S.check_in(idle, "lamp", "a2", 32, digest).verdict(), 2)
    T.equal("resumed", S.verb(rollout, "resume").json()["state"] in ("running", "complete"), True)
    T.equal("offered again", S.check_in(idle, "lamp", "a2", 32, digest).verdict(), 1)
    T.equal("halted", S.verb(rollout, "halt", {"reason": "smoke"}).json()["state"], "halted")
    T.equal("again is fine", S.verb(rollout, "halt").status, 200)
    T.equal("no payload", S.device("GET", payload, busy).status, 410)
    part = S.device("GET", payload, busy, headers={"Range": "bytes=0-9"})
    T.equal("no part either", part.status, 410)
    T.equal("no manifest", S.device("GET", "manifests/" + fresh.hex(), busy).status, 410)
    for name, token in (("a1", busy), ("a2", idle)):
        answer = S.check_in(token, "lamp", name, 32, digest)
        T.equal(name + " is told to stop", answer.verdict(), 3)
        T.equal("which", answer.cbor()[1][0][6], fresh)
        T.equal("told again", S.check_in(token, "lamp", name, 32, digest).verdict(), 3)
    T.equal("nobody new", S.check_in(TOKEN["a3"], "lamp", "a3", 32, digest).verdict(), 0)
    T.equal("counted", S.api("GET", "rollouts/%d" % rollout).json()["counts"]["cancelled"], 2)
    S.verb(rollout, "resume")
    T.equal("resumed: the same number again",
            S.check_in(busy, "lamp", "a1", 32, digest).verdict(), 1)
    attempt = {1: b"12345678", 2: 7, 3: 8, 4: -1, 5: 4096, 6: 48, 7: fresh}
    S.check_in(busy, "lamp", "a1", 32, digest, attempt=attempt)
    counts = S.api("GET", "rollouts/%d" % rollout).json()["counts"]
    T.equal("a failure is counted", (counts["failed"], counts["cancelled"]), (1, 1))
    report = cbor2.dumps({0: 1, 1: "lamp", 2: "a1", 3: attempt})
    T.equal("the same by report", S.device("POST", "reports", busy, report).status, 204)
    T.equal("and again", S.device("POST", "reports", busy, report).status, 204)
    T.equal("is counted once",
            S.api("GET", "rollouts/%d" % rollout).json()["counts"]["failed"], 1)
    last = S.api("GET", "products/lamp/devices/a1").json()["last_attempt"]
    T.equal("shown", (last["stage"], last["class"], last["offset"]),
            ("image-match", "digest-mismatch", "4096"))
    later = dict(attempt)
    later[1], later[2] = b"abcdefgh", 5
    for doc in (later, attempt):
        S.device("POST", "reports", busy, cbor2.dumps({0: 1, 1: "lamp", 2: "a1", 3: doc}))
    last = S.api("GET", "products/lamp/devices/a1").json()["last_attempt"]
    T.equal("an old one that comes late changes nothing", last["attempt"], b"abcdefgh".hex())
    T.equal("aborted", S.verb(rollout, "abort").json()["state"], "aborted")
    problem("for good", S.verb(rollout, "resume"), 409)
    T.equal("withdrawn", S.api("GET", "releases/%d" % release).json()["state"], "withdrawn")
    T.equal("no payload any more", S.device("GET", payload, busy).status, 410)
    release, fresh = S.release(64, IMAGE[4], KEY)
    S.roll_out(release)
    answer = S.check_in(idle, "lamp", "a2", 32, digest)
    T.equal("a mended one is offered", (answer.verdict(), answer.cbor()[1][0][6]), (1, fresh))
    return fresh


def device_border(digest):
    token = TOKEN["a5"]
    T.equal("no body", S.device("POST", "checkin", token).status, 400)
    T.equal("garbage", S.device("POST", "checkin", token, b"\xff").status, 400)
    T.equal("another's name", S.check_in(token, "lamp", "a6").status, 400)
    T.equal("another product", S.check_in(token, "plug", "a5").status, 400)
    T.equal("other type", S.device("POST", "checkin", token, b"\xa0", "text/plain").status, 415)
    T.equal("oversize", S.device("POST", "checkin", token, b"\xa0" * 9000).status, 413)
    first = S.check_in("D" * 43, "lamp", "a5")
    second = S.check_in("x", "lamp", "a5")
    third = S.device("POST", "checkin", None, checkin("lamp", None))
    fourth = S.device("POST", "checkin", None, checkin("nobody", None))
    T.equal("strangers", [a.status for a in (first, second, third, fourth)], [401] * 4)
    T.equal("are told the same", {a.body for a in (first, second, third, fourth)}, {first.body})
    T.equal("an unknown key is skipped",
            S.check_in(token, "lamp", "a5", 64, digest, more={99: "x"}).status, 200)
    T.equal("a negative one is refused",
            S.check_in(token, "lamp", "a5", 64, digest, more={-1: "x"}).status, 400)
    T.equal("the interface of operators isn't here", S.device("GET", "products", token).status, 404)
    S.make_product(allow_anonymous=True)
    answer = S.device("POST", "checkin", None, checkin("lamp", None, 32, b"\x07" * 32))
    T.equal("anonymous, where allowed", (answer.status, answer.verdict()), (200, 1))
    T.equal("has a grant of the class",
            S.device("GET", "payloads/" + sha256(IMAGE[4]).hex()).body == IMAGE[4], True)
    S.make_product(allow_anonymous=False)
    T.equal("and no longer", S.device("GET", "payloads/" + sha256(IMAGE[4]).hex()).status, 404)
    quiet = [S.check_in(token, "lamp", "a5", 64, digest) for _ in range(3)]
    T.equal("nothing, thrice", [(a.status, a.verdict()) for a in quiet], [(200, 0)] * 3)


def text_and_size():
    """An envelope that is too large for some devices is sent without its text."""
    words = cbor2.dumps({"en": {2: "x" * 3000}})
    body = cbor2.loads(manifest(80, IMAGE[5]))
    body[23] = [-16, sha256(cbor2.dumps(words))]
    body = cbor2.dumps({k: body[k] for k in sorted(body)})
    S.upload(IMAGE[5])
    doc, digest = envelope(body, KEY, text=words)
    answer = S.publish(doc)
    if not T.equal("published with text", answer.status, 201):
        print(answer.body)
        return
    S.roll_out(answer.json()["id"])
    token = TOKEN["a7"]
    verdict = S.check_in(token, "lamp", "a7", 64, b"\x01" * 32).cbor()[1][0]
    sent = S.device("GET", "manifests/" + digest.hex(), token)
    T.equal("as large as said", len(sent.body), verdict[7])
    T.check("which is less", len(sent.body) < len(doc) - 3000)
    T.equal("without text", set(cbor2.loads(sent.body).value), {2, 3})
    T.equal("the text by itself",
            S.device("GET", "manifests/%s/text" % digest.hex(), token).body == words, True)
    problem("published again without its text", S.publish(envelope(body, KEY)[0]), 409,
            "envelope.text")
    T.equal("whole for the maker",
            S.api("GET", "releases/%d/envelope" % answer.json()["id"]).body == doc, True)


def pages():
    page = S.ask("public", "GET", "/support/EL-100")
    T.equal("page", page.status, 200)
    T.check("says when", b"June 2040" in page.body)
    T.equal("is HTML", page.headers["content-type"], "text/html; charset=utf-8")
    data = S.ask("public", "GET", "/support/EL-100", headers={"Accept": "application/json"}).json()
    T.equal("model", data["model"], MODEL)
    T.equal("month", data["security_updates_until"], "2040-06")
    T.equal("OpenEoX", data["openeox"]["end_of_security_support"], "2040-06-30T23:59:59Z")
    T.equal("by name", S.ask("public", "GET", "/support/EL-100.json").json(), data)
    T.equal("no such model", S.ask("public", "GET", "/support/none").status, 404)
    T.check("index", b"/support/EL-100" in S.ask("public", "GET", "/support").body)
    text = S.ask("public", "GET", "/.well-known/security.txt").body.decode()
    T.check("security.txt", "Contact: mailto:security@example.com\n" in text and "Expires: 20" in text)
    S.make_product("evil", model="<b>&\"'", vendor_name="<script>alert(1)</script>")
    page = S.ask("public", "GET", "/support/" + quote("<b>&\"'"))
    T.check("escaped", page.status == 200 and b"<script>" not in page.body and b"<b>" not in page.body)
    site = S.api("GET", "site").json()["pages"]
    paths = [p["path"] for p in site]
    T.check("site", "support/EL-100/index.html" in paths and ".well-known/security.txt" in paths)
    T.check("relative", all(not p.startswith("/") and ".." not in p for p in paths))
    T.equal("no operator interface here", S.ask("public", "GET", "/api/v1/status").status, 404)


def operator_rest():
    T.equal("health", S.ask("operator", "GET", "/healthz").body, b"ok\n")
    T.equal("ready", S.ask("operator", "GET", "/readyz").status, 200)
    status = S.api("GET", "status").json()
    T.equal("status", (status["products"], status["devices"]), (2, 12))
    T.check("metrics", b"lapel_devices 12" in S.ask("operator", "GET", "/metrics", token=S.token).body)
    rows = S.api("GET", "audit?limit=1000").json()["audit"]
    before = b"\0" * 32
    good = True
    for i, row in enumerate(rows):
        at = int(round(__import__("datetime").datetime.fromisoformat(
            row["at"].replace("Z", "+00:00")).timestamp() * 1000))
        text = b"%d,%d,%d," % (row["id"], at, row["token"] or 0)
        for name in ("who", "act", "target", "detail"):
            value = row[name].encode()
            text += b"%d:%s," % (len(value), value)
        before = sha256(before + text)
        good = good and row["id"] == i + 1 and row["hash"] == before.hex()
    T.check("the audit is a chain", good and len(rows) > 20)
    T.equal("no device is named in it", [r["target"] for r in rows if re.search(r"/device/(?!\d+$)", r["target"])], [])
    answer = S.ask("operator", "GET", "/api/v1/status", token=S.token)
    T.check("no Server header", "server" not in answer.headers)


def documented():
    """API.md names every route, with its method; and no other."""
    with open("server/API.md") as f:
        text = f.read()
    rows = set()
    for line in re.findall(r"^\| (`.*?) \|", text, re.M):
        for methods, path in re.findall(r"`((?:[A-Z]+`, `)*[A-Z]+) (/[^`]*)`", line):
            rows |= {(m, path) for m in methods.split("`, `")}
    out = subprocess.run([os.path.join(BUILD, "bin", "lapeld"), "--routes"], stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    table = {tuple(line.split()[:2]) for line in out.splitlines()
             if re.match(r"(GET|POST|PUT|DELETE) +/", line)}
    table = {(m, p.replace("/payloads/{digest}", "/payloads/{sha256}")) for m, p in table}
    T.equal("routes that API.md lacks", [r for r in table if r not in rows and
                                         ("HEAD", r[1]) not in rows], [])
    T.equal("routes that only API.md has", [r for r in rows if r not in table and
                                            r[0] != "HEAD" and not r[1].endswith(".json")], [])


def cut_off():
    """A halt ends the reply that is under way."""
    image = os.urandom(32 << 20)
    release, digest = S.release(96, image, KEY)
    rollout, _ = S.roll_out(release)
    token = TOKEN["a4"]
    T.equal("offered", S.check_in(token, "lamp", "a4", 64, b"\x01" * 32).verdict(), 1)
    s = socket.create_connection(("127.0.0.1", S.port["device"]), timeout=30)
    s.sendall(b"GET /v1/payloads/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
              % (sha256(image).hex().encode(), token.encode()))
    got = len(s.recv(65536))
    T.equal("halted", S.verb(rollout, "halt").status, 200)
    more = b"x"
    while more and got < len(image):
        try:
            more = s.recv(1 << 20)
        except ConnectionResetError:
            break
        got += len(more)
    T.check("no more than what the kernel had", got < 8 << 20, got)
    S.verb(rollout, "abort")


def strangers():
    """Guessing becomes slow; nobody who has a good token is kept out by it."""
    got = [S.check_in("E" * 43, "lamp", "a0") for _ in range(60)]
    T.check("some are told to wait", got[-1].status == 429 and int(got[-1].headers["retry-after"]) > 0,
            got[-1].status)
    T.equal("a device is not", S.check_in(TOKEN["a0"], "lamp", "a0").status, 200)
    T.equal("an operator is not", S.api("GET", "products").status, 200)


def stopped_together():
    """An offer and a halt in one transaction: the offer does not go out after the halt."""
    release, _ = S.release(4000, IMAGE[1], KEY)
    rollout, _ = S.roll_out(release)
    got = {}

    def waits(n):
        end = time.monotonic() + 30
        text = b"lapel_pending %d\n" % n
        while text not in S.ask("operator", "GET", "/metrics", token=S.token).body:
            if time.monotonic() > end:
                return T.check("%d changes wait" % n, False)
        return True

    def check_in(name):
        try:
            got[name] = S.check_in(TOKEN[name], "lamp", name, 1, b"\0" * 32).verdict()
        except (http.client.HTTPException, OSError):
            got[name] = "cut off"

    lock = sqlite3.connect(os.path.join(S.data, "lapel.db"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # the first waits for this, the others for the first
    threads = []
    for i, (run, argument) in enumerate(((check_in, "a1"), (check_in, "a2"),
                                         (lambda r: S.verb(r, "halt"), rollout))):
        threads.append(threading.Thread(target=run, args=(argument,)))
        threads[-1].start()
        waits(i + 1)
    lock.execute("ROLLBACK")
    lock.close()
    for thread in threads:
        thread.join()
    T.equal("decided with the halt, so not sent", got["a2"], "cut off")
    T.equal("then told to stop", S.check_in(TOKEN["a2"], "lamp", "a2", 1, b"\0" * 32).verdict(), 3)
    S.verb(rollout, "abort")


def small_fleet():
    """A wave that holds all of a small fleet does not let in who is added while it is watched."""
    S.make_product("few", model="EF")
    doc, _ = envelope(manifest(16, IMAGE[0], class_=uuid.uuid5(VENDOR, "EF")), KEY)
    release = S.publish(doc, "few").json()["id"]
    S.add_devices(["only"], "few")
    for name, wave in (("10 %", {"share": 0.1}), ("90 %", {"share": 0.9}), ("3", {"devices": 3})):
        wave["gate"] = "manual"
        rollout, answer = S.roll_out(release, [wave, {"share": 1}])
        wave = answer.json()["waves"][0]
        T.equal(name + ": its one device", wave["members"], 1)
        T.check(name + ": not everybody", int(wave["threshold"]) < 2**64 - 1, wave["threshold"])
        S.verb(rollout, "abort")
        problem("no second rollout of a release", S.api("POST", "rollouts", {"release": release}), 409,
                "release")
        number = 17 + rollout
        doc, _ = envelope(manifest(number, IMAGE[0], class_=uuid.uuid5(VENDOR, "EF")), KEY)
        release = S.publish(doc, "few").json()["id"]
    rollout = S.api("POST", "rollouts", {"release": release}).json()["id"]
    T.equal("a draft that is halted says so", S.verb(rollout, "halt").json()["state"], "halted")
    problem("and does not start", S.verb(rollout, "start"), 409)
    T.equal("until it is resumed", S.verb(rollout, "resume").json()["state"], "draft")


def full_disk():
    """A halt works when nothing else can be written."""
    home = folder()
    data = os.path.join(home, "data")
    os.mkdir(data)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", data],
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("SKIP full disk: no file system can be mounted here")
        shutil.rmtree(home)
        return
    s = Server(home, KEY, "ballast=1048576")
    try:
        s.bootstrap()
        s.make_product()
        token = s.add_devices(["a"])["a"]
        release, _ = s.release(16, os.urandom(100000), KEY)
        rollout, _ = s.roll_out(release)
        T.equal("offered", s.check_in(token, "lamp", "a").verdict(), 1)
        problem("an upload that does not fit", s.upload(os.urandom(7 << 20)), 507)
        T.equal("leaves nothing", os.listdir(os.path.join(s.data, "artifacts", "tmp")), [])
        for name, piece in (("a", 4096), ("b", 1)):
            try:
                with open(os.path.join(data, "filler-" + name), "wb", 0) as f:
                    while True:
                        f.write(b"x" * piece)
            except OSError:
                pass
        status = 201
        for i in range(2000):  # until the log has used what it had
            if status == 201:
                status = s.api("POST", "products/lamp/devices", {"id": "x%d" % i}).status
        T.equal("a full disk is said", status, 507)
        T.equal("the halt works", s.verb(rollout, "halt").json()["state"], "halted")
        T.equal("the device is told", s.check_in(token, "lamp", "a").verdict(), 3)
    finally:
        s.kill()
        s.log.close()
        subprocess.run(["umount", data], check=True)
        shutil.rmtree(home)


def restart(digest):
    """Killed and started again: nothing that was acknowledged is missing."""
    before = S.api("GET", "rollouts?limit=100").json()
    S.kill()
    S.start()
    T.equal("rollouts after kill -9", S.api("GET", "rollouts?limit=100").json(), before)
    T.equal("tokens are good", S.check_in(TOKEN["a8"], "lamp", "a8", 64, digest).status, 200)
    T.equal("no new bootstrap", os.path.exists(os.path.join(S.data, "bootstrap-token")), False)
    T.equal("stops on SIGTERM", S.stop(), 0)
    S.start()
    T.equal("and again", S.api("GET", "rollouts?limit=100").json()["rollouts"][0]["id"],
            before["rollouts"][0]["id"])


try:
    first_start()
    products()
    bad_json()
    roles()
    devices()
    uploads()
    publishing()
    two_slots()
    installed = main_job()
    newest = stopping(installed)
    device_border(newest)
    text_and_size()
    pages()
    operator_rest()
    documented()
    cut_off()
    strangers()
    stopped_together()
    small_fleet()
    full_disk()
    restart(newest)
finally:
    S.kill()
    if T.failed:
        print(S.log_text())
    shutil.rmtree(HOME)
T.end()
