"""Trust sets on a running server: each rule once, made by another CBOR library than the server's."""
from lapel_test import *

T = Cases()
ROOTS = [Key() for _ in range(4)]
RELEASE, NEXT_RELEASE, ONLINE, ANCHOR = Key(), Key(), Key(), Key()
HOME = folder()
S = Server(HOME, ANCHOR)


def key(k):
    return {1: 1, 2: k.point()}


def trust_set(version, roots, threshold, release, release_threshold=1, vendor=VENDOR, more=None):
    roles = [{1: 1, 2: [key(k) for k in roots], 3: threshold},
             {1: 2, 2: [key(k) for k in release], 3: release_threshold}]
    if vendor is not None:
        roles[1][4] = vendor.bytes
    roles.append({1: 3, 2: [key(ONLINE)], 3: 1})
    doc = {0: 1, 1: version, 2: roles, 4: ["https://updates.example"]}
    doc.update(more or {})
    return cbor2.dumps({k: doc[k] for k in sorted(doc)})


def document(payload, signers):
    protected = cbor2.dumps({1: -9})
    to_sign = cbor2.dumps(["Signature1", protected, b"lapel/trust/1", payload])
    signatures = [cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, k.sign(to_sign)]))
                  for k in signers]
    return cbor2.dumps({0: 1, 1: payload, 2: signatures})


def publish(doc, token=None):
    return S.api("POST", "trust", body=doc, type_="application/cbor", token=token)


def refused(name, doc, status, field, token=None):
    answer = publish(doc, token)
    T.equal(name + ": status", answer.status, status)
    T.equal(name + ": field", answer.json().get("field"), field)


def told():
    answer = S.check_in(DEVICE, "lamp", "d1")
    return answer.cbor().get(5) if answer.status == 200 else answer.status


def fetch(version):
    return S.device("GET", "trust/" + str(version))


def release(number, image, *keys):
    S.upload(image)
    doc, digest = envelope(manifest(number, image), *keys)
    return S.publish(doc), digest


S.bootstrap()
S.make_product()
DEVICE = S.add_devices(["d1"])["d1"]
PUBLISHER = S.api("POST", "tokens", {"name": "ci", "role": "publisher"}).json()["token"]
SCOPED = S.api("POST", "tokens", {"name": "lamp-ci", "role": "publisher",
                                  "products": ["lamp"]}).json()["token"]

# --- Before there is one ---
T.equal("no set: devices hear nothing of it", told(), None)
T.equal("no set: 404", fetch(1).status, 404)
T.equal("no set: an empty list", S.api("GET", "trust").json(), {"trust": [], "next": None})

ONE = document(trust_set(1, ROOTS[:2], 2, [RELEASE]), ROOTS[:2])
refused("the root threshold is not reached", document(trust_set(1, ROOTS[:2], 2, [RELEASE]), ROOTS[:1]),
        422, "trust.signatures")
refused("one root twice is one", document(trust_set(1, ROOTS[:2], 2, [RELEASE]), [ROOTS[0]] * 2),
        422, "trust.signatures")
refused("the first is no version 2", document(trust_set(2, ROOTS[:2], 2, [RELEASE]), ROOTS[:2]),
        409, "trust.version")
refused("the first needs an admin", ONE, 403, "role", PUBLISHER)
refused("nothing", b"", 400, "body")
refused("no CBOR", b"\xff\xff", 400, "body")
refused("an envelope", b"\xd8\x6b\xa0", 400, "body")
T.equal("too large", publish(b"\0" * 5000).status, 413)
TEST_KEY = bytes.fromhex("048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
                         "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896")
WITH_TEST_KEY = cbor2.loads(trust_set(1, ROOTS[:2], 2, [RELEASE]))
WITH_TEST_KEY[2][1][2].append({1: 1, 2: TEST_KEY})
refused("a key that everybody has", document(cbor2.dumps(WITH_TEST_KEY), ROOTS[:2]), 422,
        "trust.roles")
T.equal("nothing of it was kept", fetch(1).status, 404)

# --- The first ---
BEFORE, BEFORE_DIGEST = release(16, b"by an anchor", ANCHOR)
T.equal("before: an anchor signs", BEFORE.status, 201)
answer = publish(ONE)
T.equal("the first", answer.status, 201)
T.equal("the first: what it says", [(r["role"], r["threshold"], len(r["keys"]))
                                    for r in answer.json()["roles"]],
        [("root", 2, 2), ("release", 1, 1), ("online", 1, 1)])
T.equal("the very same again", publish(ONE).status, 200)
T.equal("devices hear of it", told(), 1)
answer = fetch(1)
T.equal("served to anybody", (answer.status, answer.body), (200, ONE))
T.equal("its ETag", answer.headers.get("etag"), '"%s"' % sha256(ONE).hex())
T.check("it never changes", "immutable" in answer.headers.get("cache-control", ""))
T.equal("its type", answer.headers.get("content-type"), "application/cbor")
for other in ("0", "01", "2", "-1", "x", "4294967297", "99999999999", "1x"):
    T.equal("no version " + other, fetch(other).status, 404)
T.equal("a revoked token is no hindrance",
        S.device("GET", "trust/1", "A" * 43).status, 200)

# --- Who may sign now ---
T.equal("an anchor no longer", release(32, b"new", ANCHOR)[0].status, 422)
T.equal("the release key", release(32, b"new", RELEASE)[0].status, 201)
T.equal("the online key never", release(48, b"other", ONLINE)[0].status, 422)
T.equal("a root key never", release(48, b"other", ROOTS[0])[0].status, 422)

# --- The next ---
TWO = trust_set(2, ROOTS[1:3], 2, [NEXT_RELEASE])
refused("only the new root", document(TWO, ROOTS[2:3] + ROOTS[1:2]), 422, "trust.signatures")
refused("only the old root", document(TWO, ROOTS[:2]), 422, "trust.signatures")
refused("one step left out", document(trust_set(3, ROOTS[:2], 2, [RELEASE]), ROOTS[:2]), 409,
        "trust.version")
refused("another first", document(trust_set(1, ROOTS[:2], 2, [NEXT_RELEASE]), ROOTS[:2]), 409,
        "trust.version")
refused("a token of one product", document(TWO, ROOTS[:3]), 403, "product", SCOPED)
T.equal("a publisher may", publish(document(TWO, ROOTS[:3]), PUBLISHER).status, 201)
T.equal("devices hear of the newest", told(), 2)
T.equal("the old one stays", fetch(1).body, ONE)
T.equal("a revoked key signs nothing new", release(48, b"later", RELEASE)[0].status, 422)
T.equal("the new key does", release(48, b"later", NEXT_RELEASE)[0].status, 201)

# --- What a device behind still needs is signed again ---
again, digest = release(16, b"by an anchor", NEXT_RELEASE)
T.equal("signed again: the same release", (again.status, digest), (200, BEFORE_DIGEST))
T.equal("signed again: by the key of today", again.json()["key_id"], NEXT_RELEASE.id())
T.equal("signed again: by the old key it is refused", release(16, b"by an anchor", ANCHOR)[0].status,
        422)

# --- Two who sign together; then nobody for this vendor ---
THREE = trust_set(3, ROOTS[1:3], 2, [RELEASE, NEXT_RELEASE], 2)
T.equal("two must sign", publish(document(THREE, ROOTS[1:3])).status, 201)
T.equal("one of two", release(64, b"two", NEXT_RELEASE)[0].status, 422)
T.equal("two of two", release(64, b"two", RELEASE, NEXT_RELEASE)[0].status, 201)
FOUR = trust_set(4, ROOTS[1:3], 2, [RELEASE], vendor=uuid.uuid4())
T.equal("nobody for this vendor", publish(document(FOUR, ROOTS[1:3])).status, 201)
T.equal("still told of", told(), 4)
T.equal("no anchor steps in", release(80, b"none", ANCHOR)[0].status, 422)
T.equal("no release key of another vendor", release(80, b"none", RELEASE)[0].status, 422)

# --- It lasts ---
S.kill()
S.start()
T.equal("after a kill: all four", [fetch(n).status for n in range(1, 6)], [200] * 4 + [404])
T.equal("after a kill: told of", told(), 4)
T.equal("listed in order", [t["version"] for t in S.api("GET", "trust").json()["trust"]],
        [1, 2, 3, 4])
page = S.api("GET", "trust?limit=3").json()
T.equal("by pages", ([t["version"] for t in page["trust"]], page["next"]), ([1, 2, 3], "3"))
T.equal("the operator gets the document", S.api("GET", "trust/1").body, ONE)
AUDIT = [(a["act"], a["target"]) for a in S.api("GET", "audit?limit=1000").json()["audit"]]
T.equal("each is in the audit", [t for a, t in AUDIT if a == "trust.publish"],
        ["trust/1", "trust/2", "trust/3", "trust/4"])
T.equal("so is what was signed again", [a for a, t in AUDIT if a == "release.resign"],
        ["release.resign"])
S.stop()
T.end()
