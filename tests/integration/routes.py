"""Bad input on every route: a 4xx that names what is wrong, and no trace in the store.

Every route of `lapeld --routes` needs an entry in ROWS; a route without one fails. What is common
to all routes (no token, a body where none belongs, oversize, another type, no JSON) is made here.
"""
import re
import shutil
import socket
import sqlite3

from lapel_test import *

T = Cases()
KEY, HOME = Key(), folder()
S = Server(HOME, KEY, "ballast=0", "public_url=https://updates.example")
IMAGE = os.urandom(5000)
JSON, CBOR = "application/json", "application/cbor"
OCTETS, SUIT = "application/octet-stream", "application/suit-envelope+cose"
HEX = "0" * 64
LONG = "x" * 5000


def set_up():
    global DEVICE, DIGEST
    S.bootstrap()
    S.make_product()
    DEVICE = S.add_devices(["a1"])["a1"]
    release, DIGEST = S.release(16, IMAGE, KEY)
    rollout, _ = S.roll_out(release)
    S.check_in(DEVICE, "lamp", "a1")
    S.wait("rollouts/%d" % rollout, lambda v: v["state"] == "complete")
    S.api("POST", "rollouts", {"release": S.release(32, IMAGE + b"2", KEY)[0]})  # a draft


def verb_rows(*more):
    """A verb on one thing takes {}, no body or a reason."""
    return {"bodies": [("reason is a number", {"reason": 1}, 400, "reason"),
                       ("reason is long", {"reason": LONG}, 400, "reason"),
                       ("reason rings a bell", {"reason": "\a"}, 400, "reason"),
                       ("unknown", {"force": True}, 400, "force")] + list(more)}


def id_rows(prefix, suffix=""):
    return [(prefix + x + suffix, 404, "id") for x in
            ("0", "x", "-1", "1x", "2147483648", "99999999999999999999", "77")]


TRUST_SET = cbor2.dumps({0: 1, 1: 1, 2: [{1: 1, 2: [{1: 1, 2: KEY.point()}], 3: 1}]})
PAGES = [("?limit=0", 400, "limit"), ("?limit=x", 400, "limit"), ("?limit=1001", 400, "limit"),
         ("?limit=-1", 400, "limit")]
AFTER = [("?after=x", 400, "after"), ("?after=-1", 400, "after"), ("?after=2147483648", 400, "after")]
PRODUCT_404 = [("products/nobody", 404, "product")]
DIGESTS = ["abc", HEX[1:], HEX + "0", "G" * 64, "A" * 64]


def product_paths(suffix):
    return [("/api/v1/products/%s%s" % (p, suffix), 404, "product") for p in ("nobody", "Lamp", "x" * 64)]


def add(rows, prefix):
    return [(prefix + r[0],) + r[1:] for r in rows]


V1, API = "/v1/", "/api/v1/"
DEVICES = API + "products/lamp/devices"
# paths: (path, status, field); bodies: (what, JSON or bytes, status, field), sent to `at`.
ROWS = {
    "POST /v1/checkin": {"at": V1 + "checkin", "bodies": [
        ("empty", b"", 400, None), ("an array", b"\x80", 400, None), ("an empty map", b"\xa0", 400, None),
        ("cut", checkin("lamp", "a1")[:-1], 400, None), ("more after", checkin("lamp", "a1") + b"\0", 400, None),
        ("another device", checkin("lamp", "a2"), 400, None), ("another product", checkin("plug", "a1"), 400, None),
        ("version 2", checkin("lamp", "a1", more={0: 2}), 400, None),
        ("negative key", checkin("lamp", "a1", more={-1: 0}), 400, None),
        ("wrong type", checkin("lamp", "a1", more={3: 5}), 400, None),
        ("a long model", checkin("lamp", "a1", model=LONG), 400, None)]},
    "GET /v1/manifests/{digest}": {"at": V1 + "manifests/" + HEX, "paths":
        [(V1 + "manifests/" + d, 400, None) for d in DIGESTS] + [(V1 + "manifests/" + HEX, 404, None)]},
    "GET /v1/manifests/{digest}/text": {"at": V1 + "manifests/" + HEX + "/text", "paths":
        [(V1 + "manifests/%s/text" % d, 400, None) for d in DIGESTS] +
        [(V1 + "manifests/%s/text" % HEX, 404, None)]},
    "GET /v1/payloads/{digest}": {"at": V1 + "payloads/" + HEX, "paths":
        [(V1 + "payloads/" + d, 400, None) for d in DIGESTS] + [(V1 + "payloads/" + HEX, 404, None)]},
    "POST /v1/reports": {"at": V1 + "reports", "bodies": [
        ("empty", b"", 400, None), ("an array", b"\x80", 400, None), ("an empty map", b"\xa0", 400, None),
        ("no attempt", cbor2.dumps({0: 1, 1: "lamp", 2: "a1"}), 400, None),
        ("another device", cbor2.dumps({0: 1, 1: "lamp", 2: "a2", 3: {1: b"12345678", 2: 7, 3: 8}}), 400, None),
        ("a short attempt", cbor2.dumps({0: 1, 1: "lamp", 2: "a1", 3: {1: b"1", 2: 7, 3: 8}}), 400, None),
        ("wrong type", cbor2.dumps({0: 1, 1: "lamp", 2: "a1", 3: 1}), 400, None)]},
    "GET /v1/trust/{version}": {"at": V1 + "trust/1", "who": "nobody", "on": "device", "paths":
        [(V1 + "trust/" + v, 404, None) for v in ("x", "0", "-1", "99999999999999999999")]},

    "DELETE /v1/device": {"at": V1 + "device", "paths": [(V1 + "device", 400, None), (V1 + "device/", 404, None)]},

    "GET /api/v1/trust": {"at": API + "trust", "paths": add(PAGES, API + "trust")},
    "POST /api/v1/trust": {"at": API + "trust", "type": CBOR, "bodies": [
        ("empty", b"", 400, "body"), ("no CBOR", b"\xff\xff", 400, "body"),
        ("an array", b"\x80", 400, "body"), ("deep", b"\x81" * 2000, 400, "body"),
        ("an envelope", envelope(manifest(48, IMAGE), KEY)[0], 400, "body"),
        ("no signature", cbor2.dumps({0: 1, 1: TRUST_SET, 2: []}), 422, "trust.signatures")]},
    "GET /api/v1/trust/{version}": {"at": API + "trust/1", "paths":
        [(API + "trust/" + v, 404, "version") for v in ("1", "0", "01", "-1", "x", "4294967296")]},
    "POST /api/v1/bootstrap": {"at": API + "bootstrap", "who": "bootstrap", "bodies": []},
    "GET /api/v1/tokens": {"at": API + "tokens", "paths": add(PAGES + AFTER, API + "tokens")},
    "POST /api/v1/tokens": {"at": API + "tokens", "bodies": [
        ("missing name", {"role": "viewer"}, 400, "name"), ("missing role", {"name": "x"}, 400, "role"),
        ("name is a number", {"name": 1, "role": "viewer"}, 400, "name"),
        ("name is long", {"name": LONG, "role": "viewer"}, 400, "name"),
        ("role", {"name": "x", "role": "god"}, 400, "role"), ("role is long", {"name": "x", "role": LONG}, 400, "role"),
        ("products", {"name": "x", "role": "viewer", "products": "lamp"}, 400, "products"),
        ("a product", {"name": "x", "role": "viewer", "products": [1]}, 400, "products"),
        ("many products", {"name": "x", "role": "viewer", "products": ["lamp"] * 65}, 400, "products"),
        ("expires", {"name": "x", "role": "viewer", "expires_s": "1h"}, 400, "expires_s")]},
    "DELETE /api/v1/tokens/{id}": {"at": API + "tokens/1", "paths": id_rows(API + "tokens/")},
    "GET /api/v1/products": {"at": API + "products", "paths": add(PAGES, API + "products")},
    "PUT /api/v1/products/{product}": {"at": API + "products/lamp", "paths":
        [(API + "products/" + p, 400, "product") for p in ("Lamp", "-x", "x-", "a_b", "x" * 64, "%2e%2e")] +
        [(API + "products/a%00b", 404, None)],
        "bodies": [
        (k + " is " + what, {k: v}, 400, k) for k, what, v in [
            ("model", "a number", 1), ("model", "empty", ""), ("model", "long", LONG),
            ("vendor_name", "a list", []), ("vendor_name", "long", LONG), ("vendor_domain", "no domain", "-"),
            ("vendor_domain", "long", LONG), ("support_end", "a number", 2040), ("support_end", "no month", "2040-13"),
            ("rationale", "a number", 1), ("rationale", "long", LONG), ("shorten", "a word", "yes"),
            ("contact", "no address", "me"), ("contact", "long", "https://" + LONG), ("support_url", "in clear", "http://x"),
            ("allow_anonymous", "a number", 1), ("payload_in_clear", "a word", "no"), ("poll_s", "low", 1),
            ("poll_s", "a word", "60"), ("components", "empty", []), ("components", "a word", "main")]]},
    "GET /api/v1/products/{product}": {"at": API + "products/lamp", "paths": product_paths("")},
    "POST /api/v1/products/{product}/devices": {"at": DEVICES, "paths": product_paths("/devices"), "bodies": [
        ("missing", {}, 400, "id"), ("a number", {"id": 1}, 400, "id"), ("empty", {"id": ""}, 400, "id"),
        ("long", {"id": "x" * 65}, 400, "id"), ("bell", {"id": "\a"}, 400, "id"),
        ("digest", {"id": "x", "token_sha256": HEX[1:]}, 400, "token_sha256"),
        ("digest is a number", {"id": "x", "token_sha256": 1}, 400, "token_sha256"),
        ("none", [], 400, "body"), ("many", [{"id": str(i)} for i in range(1001)], 400, "body"),
        ("the last", [{"id": "x"}, 1], 400, "[1]"), ("twice", [{"id": "x"}, {"id": "x"}], 409, "[1].id")]},
    "GET /api/v1/products/{product}/devices": {"at": DEVICES, "paths": product_paths("/devices") +
        add(PAGES + [("?state=x", 400, "state")], DEVICES)},
    "GET /api/v1/products/{product}/devices/{device}": {"at": DEVICES + "/a1", "paths": product_paths("/devices/a1") +
        [(DEVICES + "/nobody", 404, "device"), (DEVICES + "/" + LONG[:900], 404, None)]},
    "GET /api/v1/products/{product}/devices/{device}/explain": {"at": DEVICES + "/a1/explain", "paths":
        product_paths("/devices/a1/explain") + [(DEVICES + "/nobody/explain", 404, "device")]},
    "POST /api/v1/products/{product}/devices/{device}/rotate": {"at": DEVICES + "/a1/rotate", "paths":
        product_paths("/devices/a1/rotate") + [(DEVICES + "/nobody/rotate", 404, "device")], "bodies": [
            ("digest", {"token_sha256": "00"}, 400, "token_sha256"),
            ("digest is a number", {"token_sha256": 5}, 400, "token_sha256"), ("unknown", {"id": "x"}, 400, "id")]},
    "POST /api/v1/products/{product}/devices/{device}/revoke": dict(verb_rows(), at=DEVICES + "/a1/revoke", paths=
        product_paths("/devices/a1/revoke") + [(DEVICES + "/nobody/revoke", 404, "device")]),
    "DELETE /api/v1/products/{product}/devices/{device}": {"at": DEVICES + "/a1", "paths":
        product_paths("/devices/a1") + [(DEVICES + "/nobody", 404, "device")]},
    "PUT /api/v1/payloads/{sha256}": {"at": API + "payloads/" + HEX, "paths":
        [(API + "payloads/" + d, 400, "sha256") for d in DIGESTS], "bodies": [
            ("empty", b"", 411, "Content-Length"), ("other bytes", b"x" * 100, 422, "sha256")]},
    "GET /api/v1/payloads/{sha256}": {"at": API + "payloads/" + HEX, "paths":
        [(API + "payloads/" + d, 400, "sha256") for d in DIGESTS] + [(API + "payloads/" + HEX, 404, None)]},
    "GET /api/v1/payloads/{sha256}/content": {"at": API + "payloads/" + HEX + "/content", "paths":
        [(API + "payloads/%s/content" % d, 400, "sha256") for d in DIGESTS] +
        [(API + "payloads/%s/content" % HEX, 404, None)]},
    "GET /api/v1/products/{product}/statement": {"at": API + "products/lamp/statement", "paths":
        product_paths("/statement") + [(API + "products/lamp/statement?component=" + v, s, "component") for v, s in
            (("", 400), ("x", 400), ("8", 400), ("00" * 65, 400), ("814161", 404))]},
    "GET /api/v1/channel": {"at": API + "channel"},
    "GET /api/v1/online-key": {"at": API + "online-key"},
    "POST /api/v1/products/{product}/releases": {"at": API + "products/lamp/releases", "paths":
        product_paths("/releases"), "bodies": [
            ("empty", b"", 400, "body"), ("no CBOR", b"\xff\xff", 400, "body"), ("an array", b"\x80", 400, "body"),
            ("deep", b"\x81" * 5000, 400, "body"),
            ("cut", envelope(manifest(48, IMAGE), KEY)[0][:-3], 400, "body"),
            ("another's key", envelope(manifest(48, IMAGE), Key())[0], 422, "envelope.authentication"),
            ("no payload", envelope(manifest(48, b"nowhere"), KEY)[0], 409, "payloads")]},
    "GET /api/v1/products/{product}/releases": {"at": API + "products/lamp/releases", "paths":
        product_paths("/releases") + add(PAGES + AFTER, API + "products/lamp/releases")},
    "GET /api/v1/releases/{id}": {"at": API + "releases/1", "paths": id_rows(API + "releases/")},
    "GET /api/v1/releases/{id}/envelope": {"at": API + "releases/1/envelope", "paths":
        id_rows(API + "releases/", "/envelope")},
    "POST /api/v1/releases/{id}/withdraw": dict(verb_rows(), at=API + "releases/1/withdraw",
                                                paths=id_rows(API + "releases/", "/withdraw")),
    "POST /api/v1/rollouts": {"at": API + "rollouts", "bodies": [
        ("missing", {}, 400, "release"), ("a word", {"release": "1"}, 400, "release"),
        ("unknown release", {"release": 77}, 400, "release"), ("large", {"release": 2 ** 40}, 400, "release"),
        ("waves", {"release": 1, "waves": 1}, 400, "waves"), ("no waves", {"release": 1, "waves": []}, 400, "waves"),
        ("many", {"release": 1, "waves": [{"share": 1}] * 17}, 400, "waves"),
        ("a wave", {"release": 1, "waves": ["all"]}, 400, "waves[0]"),
        ("share is a word", {"release": 1, "waves": [{"share": "all"}]}, 400, "waves[0].share"),
        ("share is large", {"release": 1, "waves": [{"share": 1e300}]}, 400, "waves[0].share"),
        ("devices", {"release": 1, "waves": [{"devices": 0}]}, 400, "waves[0].devices"),
        ("soak", {"release": 1, "waves": [{"share": 1, "soak_s": 1e9}]}, 400, "waves[0].soak_s"),
        ("gate", {"release": 1, "waves": [{"share": 1, "gate": 1}]}, 400, "waves[0].gate"),
        ("unknown", {"release": 1, "waves": [{"share": 1, "x": 1}]}, 400, "waves[0].x")]},
    "GET /api/v1/rollouts": {"at": API + "rollouts", "paths": add(
        PAGES + AFTER + [("?product=nobody", 404, "product")], API + "rollouts")},
    "GET /api/v1/rollouts/{id}": {"at": API + "rollouts/1", "paths": id_rows(API + "rollouts/")},
    "POST /api/v1/products/{product}/holds": {"at": API + "products/lamp/holds", "paths": product_paths("/holds"), "bodies": [
        (what, dict({"attribute": "hw_revision", "value": "B", "reason": "it reboots"}, **{k: v}), 400, k)
        for what, k, v in [
            ("attribute is a number", "attribute", 1), ("there is no such attribute", "attribute", "colour"),
            ("attribute is long", "attribute", LONG), ("value is empty", "value", ""), ("value is a number", "value", 1),
            ("value is long", "value", "x" * 33), ("value rings a bell", "value", "\a"), ("reason is empty", "reason", ""),
            ("reason is long", "reason", "x" * 256), ("reason is a list", "reason", []), ("release is zero", "release", 0),
            ("release is a word", "release", "1"), ("release is large", "release", 2 ** 40),
            ("release is nobody's", "release", 77), ("unknown", "x", 1)]] + [("missing", {}, 400, "attribute")]},
    "GET /api/v1/products/{product}/holds": {"at": API + "products/lamp/holds", "paths":
        product_paths("/holds") + add(PAGES + AFTER, API + "products/lamp/holds")},
    "DELETE /api/v1/holds/{id}": {"at": API + "holds/1", "paths": id_rows(API + "holds/")},
    "GET /api/v1/status": {"at": API + "status", "paths": []},
    "GET /api/v1/audit": {"at": API + "audit", "paths": add(PAGES + AFTER, API + "audit")},
    "GET /api/v1/site": {"at": API + "site", "paths": []},
    "GET /healthz": {"at": "/healthz", "who": "nobody"},
    "GET /readyz": {"at": "/readyz", "who": "nobody"},
    "GET /metrics": {"at": "/metrics"},
    "GET /support": {"at": "/support", "who": "nobody", "on": "public", "paths": [("/support/", 404, None)]},
    "GET /support/{model}": {"at": "/support/EL-100", "who": "nobody", "on": "public", "paths":
        [("/support/" + m, (400, 404), None) for m in ("nobody", "..", "%00", "%zz", "a%2f..", "x" * 900, "EL-100.xml")]},
    "GET /.well-known/security.txt": {"at": "/.well-known/security.txt", "who": "nobody", "on": "public",
                                      "paths": [("/.well-known/", 404, None)]},
}
ROWS["GET /api/v1/rollouts/{id}/decisions"] = {
    "at": API + "rollouts/1/decisions",
    "paths": add(PAGES + AFTER, API + "rollouts/1/decisions") + id_rows(API + "rollouts/", "/decisions")}
for _verb in ("start", "pause", "resume", "halt", "abort", "advance"):
    ROWS["POST /api/v1/rollouts/{id}/" + _verb] = dict(
        verb_rows(), at=API + "rollouts/2/" + _verb, paths=id_rows(API + "rollouts/", "/" + _verb))


def routes():
    """(method, path, who, limit) as the server lists them."""
    text = subprocess.run([os.path.join(BUILD, "bin", "lapeld"), "--routes"], capture_output=True,
                          text=True, check=True).stdout
    rows = []
    for line in text.splitlines():
        m = re.match(r"(\S+) +(\S+) +(\S+) +(\d+) ", line)
        rows.append((m[1], m[2], m[3], int(m[4])))
    return rows


def trace():
    """All that the store holds."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(S.data, "lapel.db"), uri=True)
    rows = list(db.iterdump())
    db.close()
    files = sorted(os.path.join(d, f) for d, _, names in
                   os.walk(os.path.join(S.data, "artifacts")) for f in names)
    return rows + files


def problem(name, answer, status, field, operator):
    """A 4xx with problem+json; the operator is told which field."""
    want = status if isinstance(status, tuple) else (status,)
    if not T.check(name + ": status", answer.status in want,
                   "%d, want %s: %r" % (answer.status, want, answer.body[:200])):
        return
    T.equal(name + ": type", answer.headers.get("content-type"), "application/problem+json")
    value = answer.json()
    T.equal(name + ": status in the body", value.get("status"), answer.status)
    T.check(name + ": title", value.get("title"), value)
    T.check(name + ": no Server header", "server" not in answer.headers, answer.headers)
    if operator and field is not None:
        T.equal(name + ": field", value.get("field"), field)


def announce(listener, method, path, token, type_, length):
    """A header that promises a body, and none of it."""
    c = http.client.HTTPConnection("127.0.0.1", S.port[listener], timeout=20)
    c.putrequest(method, path)
    c.putheader("Content-Length", str(length))
    c.putheader("Content-Type", type_)
    if token:
        c.putheader("Authorization", "Bearer " + token)
    c.endheaders()
    answer = Answer(c.getresponse())
    c.close()
    return answer


def one_route(method, path, who, limit):
    name = "%s %s" % (method, path)
    row = ROWS.get(name)
    if not T.check(name + ": has rows", row is not None, "add it to ROWS"):
        return
    device, nobody = who == "device", who == "nobody"
    listener = "device" if device else row.get("on", "operator")
    token = DEVICE if device else None if nobody else S.token
    type_ = (row.get("type", CBOR if device else SUIT if path.endswith("/releases") else
             OCTETS if "payloads" in path else JSON))
    at, operator = row["at"], listener == "operator"
    before = trace()

    def ask(what, path_, body, status, field, type__=type_, method_=method, token_=token):
        answer = S.ask(listener, method_, path_, body, token_, type__ if body else None)
        problem("%s, %s" % (name, what), answer, status, field, operator)

    if who == "bootstrap":
        # It was used: whatever comes, the token is no good.
        problem(name, S.ask(listener, method, at, b"{}", token, type_), (401, 410), None, True)
        problem(name, S.ask(listener, method, at, b"{}", "E" * 43, type_), 401, None, True)
    elif not nobody:
        ask("a stranger's token", at, None, (401, 429), None, token_="E" * 43)
        ask("half a token", at, None, (401, 429), None, token_="E")
        if not device:
            ask("no token", at, None, (401, 429), None, token_=None)
    ask("another method", at, None, 405, None, method_="PATCH")
    for bad, status, field in row.get("paths", []):
        ask(bad[-60:], bad, None, status, field)
    if limit == 0:
        ask("a body where none belongs", at, b"{}", 400, "body")
    else:
        problem(name + ", oversize", announce(listener, method, at, token, type_, limit + 1), 413, "body",
                operator)
        if who != "bootstrap":
            ask("another type", at, b"{}", 415, "Content-Type", "text/plain")
    if limit and type_ == JSON and who != "bootstrap":
        for what, body in (("no JSON", b"{"), ("no UTF-8", b'{"\xff":1}'), ("twice", b'{"a":1,"a":1}'),
                           ("NUL", b'{"a\\u0000":1}'), ("two values", b"{} {}"), ("a word", b'"x"'),
                           ("deep", b"[" * 5000)):
            ask(what, at, body, 400, "body")
        if not path.endswith("/devices"):
            ask("an array", at, b"[]", 400, "body")
        ask("unknown member", at, b'{"no-such-member":1}', 400,
            None if path.endswith(("/devices", "/tokens", "/rollouts", "/holds")) else "no-such-member")
    for what, body, status, field in row.get("bodies", []):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        ask(what, at, body, status, field)
    after = trace()
    T.check(name + ": no trace", after == before, sorted(set(after) ^ set(before))[:4])


def raw(listener, text):
    """The bytes of an answer, Date apart."""
    s = socket.create_connection(("127.0.0.1", S.port[listener]), timeout=20)
    s.sendall(text.encode())
    got = b""
    while True:
        part = s.recv(65536)
        if not part:
            break
        got += part
    s.close()
    return re.sub(rb"\r\nDate: [^\r]*", b"", got)


def same_bytes():
    """Who isn't known learns nothing: not what exists, not why."""
    revoked = S.add_devices(["gone"])["gone"]
    S.api("POST", "products/lamp/devices/gone/revoke")
    fresh = S.add_devices(["fresh"])["fresh"]  # has no grant
    things = {"manifests": (DIGEST.hex(), HEX), "payloads": (sha256(IMAGE).hex(), HEX)}

    def get(path, auth):
        return raw("device", "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n"
                   % (path, "Authorization: %s\r\n" % auth if auth else ""))

    strangers = ["Bearer " + "F" * 43, "Bearer x", "Basic eDp4", "Bearer " + revoked]
    answers = set()
    for auth in strangers:
        answers.add(raw("device", "POST /v1/checkin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        "Authorization: %s\r\nContent-Type: application/cbor\r\nContent-Length: 0\r\n\r\n" % auth))
        for noun, names in things.items():
            for n in names:
                answers.add(get(V1 + noun + "/" + n, auth))
    T.equal("a stranger's answers are the same bytes", len(answers), 1)
    T.check("they are 401", all(a.startswith(b"HTTP/1.1 401 ") for a in answers), answers)
    for noun, names in things.items():
        for who, auth in (("nobody", None), ("a device without a grant", "Bearer " + fresh)):
            got = {get(V1 + noun + "/" + n, auth) for n in names}
            T.check("%s: %s can't tell what exists" % (noun, who),
                    len(got) == 1 and all(b" 404 " in g[:20] or b" 401 " in g[:20] for g in got), got)
    T.equal("nor which paths there are", len({get("/v1/x", "Bearer x"), get("/v1/x", None),
                                              get("/api/v1/products", None)}), 1)


set_up()
listed = routes()
for route in listed:
    one_route(*route)
T.equal("no row is left over", sorted(set(ROWS) - {"%s %s" % r[:2] for r in listed}), [])
S.stop()
S.start()
same_bytes()
T.equal("the server lives", S.ask("operator", "GET", "/healthz").status, 200)
T.equal("SIGTERM ends it", S.stop(), 0)
shutil.rmtree(HOME)
print("%d routes" % len(listed))
T.end()
