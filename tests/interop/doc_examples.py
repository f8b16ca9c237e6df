#!/usr/bin/python3
"""The worked examples of manifests/SPEC.md, made a second time by another CBOR and crypto library.

    doc_examples.py          compare manifests/examples/*.hex with what is made here; verify signatures
    doc_examples.py --write  write them anew (signatures change, the rest must not)

Closes with `N passed, N failed`.
"""
import hashlib
import os
import sys
import textwrap
import uuid

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "manifests", "examples")
AUDIENCE = "updates.lamp.example"

VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, "lamp.example")
CLASS = uuid.uuid5(VENDOR, "LX-100")
SPACE = {1: VENDOR.bytes, 2: CLASS.bytes}
RADIO = {1: VENDOR.bytes, 2: CLASS.bytes, 3: cbor2.dumps([b"radio"])}


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def key(name):
    """Example keys have no secret: everybody can derive them from their names."""
    number = int.from_bytes(sha256("lapel example key " + name), "big")
    return ec.derive_private_key(number, ec.SECP256R1())


def point(name):
    return key(name).public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def encode(value):
    """Core deterministic encoding; the maps here are written in ascending order."""
    return cbor2.dumps(value, canonical=False)


PROTECTED = encode({1: -9})


def sig_structure(aad, payload):
    return encode(["Signature1", PROTECTED, aad, payload])


def sign1(name, aad, payload, attached):
    r, s = decode_dss_signature(key(name).sign(sig_structure(aad, payload), ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return encode(cbor2.CBORTag(18, [PROTECTED, {4: name.encode()}, payload if attached else None, signature]))


def verifies(name, aad, payload, document):
    r, s = document.value[3][:32], document.value[3][32:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    try:
        key(name).public_key().verify(der, sig_structure(aad, payload), ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


RUNNING_1 = {**SPACE, 4: 16, 5: sha256("manifest 16"), 6: 1}
ATTEMPT = {1: bytes(range(8)), 2: 7, 3: 8, 4: -116, 5: 65536, 6: 32, 7: sha256("manifest 32")}
EVENTS = [{1: 2, 2: 3, 3: 3600}, {1: 6, 2: 1, 3: 59}]
FAULT = {1: 1, 2: 0x08001234, 3: 16, 4: b"watchdog"}
CAPABILITY = {1: [1, 2, 3, 12, 14, 15, 20, 21, 32], 2: [1, 2, 3, 5, 14, 21, 27], 3: [-9, -7, -16], 4: 4096, 5: 2,
              6: 1048576, 7: "lapel 0.1.0"}

CHECKIN_MINIMAL = {0: 1, 1: "lamp", 2: "lamp-000017", 3: "LX-100", 5: [RUNNING_1]}
CHECKIN_FULL = {
    0: 1, 1: "lamp", 2: "lamp-000017", 3: "LX-100", 4: "B2",
    5: [{**SPACE, 4: 16, 5: sha256("manifest 16"), 6: 3}, {**RADIO, 4: 0, 6: 1}],
    6: {**ATTEMPT, 8: b"\x80"}, 7: 1, 8: 4, 9: 212, 10: CAPABILITY, 12: EVENTS, 13: FAULT,
    14: {1: 1, 2: 2, 3: 1, 4: 7200, 5: 3, 6: True}, 15: bytes(range(16)), 16: 77, 17: "hub-3", 18: -210,
    19: "beta", 20: point("device"), 21: b"attested", 22: True, 23: "de-AT"}
CHECKIN_DIGEST = {0: 1, 1: "lamp", 2: "lamp-000017", 3: "LX-100", 5: [RUNNING_1], 7: 1,
                  11: hashlib.sha256(encode(CAPABILITY)).digest()}
CHECKIN_SIGNED = {**CHECKIN_MINIMAL, 16: 78}

STATEMENT = {
    0: 1, **SPACE, 4: 9, 5: 48,
    6: [{1: 32, 2: sha256("manifest 32"), 3: 4},
        {1: 48, 2: sha256("manifest 48"), 3: 1, 4: bytes(range(16)), 5: 0x1fffffffffffffff}],
    7: 1790000000, 8: 60, 9: 604800, 10: 21600, 11: [{1: "LX-100", 2: 203112}, {1: "LX-200", 2: 203306}],
    12: bytes(range(16)), 13: sha256("log"), 14: 1234}

ANSWER_NOTHING = {0: 1, 2: 21600}
ANSWER_OFFER = {0: 1, 1: [{**SPACE, 4: 1, 5: 48, 6: sha256("manifest 48"), 7: 517}], 2: 21600, 3: 203112,
                4: "https://lamp.example/support/LX-100", 5: 2}

ROLE_ROOT_1 = {1: 1, 2: [{1: 1, 2: point("root-1"), 3: b"root-1"}, {1: 1, 2: point("root-2"), 3: b"root-2"}], 3: 2}
ROLE_ROOT_2 = {1: 1, 2: [{1: 1, 2: point("root-2"), 3: b"root-2"}, {1: 1, 2: point("root-3"), 3: b"root-3"}], 3: 1}
ROLE_RELEASE = {1: 2, 2: [{1: 1, 2: point("release"), 3: b"release"}], 3: 1, 4: VENDOR.bytes, 5: CLASS.bytes}
ROLE_ONLINE = {1: 3, 2: [{1: 1, 2: point("online"), 3: b"online"}], 3: 1}
ANCHORS = [{1: 2, 2: sha256("server key"), 3: 1}, {1: 2, 2: sha256("next server key"), 3: 2}]
URLS = ["https://updates.lamp.example", "https://updates2.lamp.example"]
TRUST_1 = {0: 1, 1: 1, 2: [ROLE_ROOT_1, ROLE_RELEASE, ROLE_ONLINE], 3: ANCHORS, 4: URLS, 5: 1780000000}
TRUST_2 = {0: 1, 1: 2, 2: [ROLE_ROOT_2, ROLE_RELEASE, ROLE_ONLINE], 3: ANCHORS, 4: URLS, 5: 1790000000}

RECEIPT = {0: 1, 1: "lamp", 2: "lamp-000017", 3: [1, 2, 3, 4, 5], 4: 1790000000, 5: 1792592000, 6: bytes(range(16))}

PLAIN = {
    "checkin-minimal": ("a device that has nothing to tell", CHECKIN_MINIMAL),
    "checkin-full": ("every key but capability-digest", CHECKIN_FULL),
    "checkin-digest": ("the capability by its digest", CHECKIN_DIGEST),
    "capability": ("the capability that checkin-digest names", CAPABILITY),
    "answer-nothing": ("nothing to do", ANSWER_NOTHING),
    "answer-offer": ("an offer, support end, a newer trust set", ANSWER_OFFER),
    "answer-full": ("every key", {
        0: 1, 1: [{**SPACE, 4: 3, 5: 32, 6: sha256("manifest 32")}, {**RADIO, 4: 2}], 2: 3600, 3: 203112,
        4: "https://lamp.example/support/LX-100", 5: 2, 6: b"statement", 7: bytes(range(16)),
        8: "A" * 42 + "_", 9: True, 10: 1790000000}),
    "report": ("an attempt that ended at image-match", {
        0: 1, 1: "lamp", 2: "lamp-000017", 3: ATTEMPT, 4: EVENTS, 5: FAULT, 6: b"\x80", 7: bytes(range(8)),
        8: SPACE, 9: 79}),
    "statement": ("payload: one release withdrawn, one open to an eighth", STATEMENT),
    "trust-1": ("payload of the first set", TRUST_1),
    "trust-2": ("payload of the second: root-1 left, root-3 came, one of two is enough", TRUST_2),
    "receipt": ("payload: all of a device was erased", RECEIPT),
}

# name: (what, payload, external_aad, signers)
SIGNED = {
    "checkin-signed": ("signed by the key `device`", CHECKIN_SIGNED,
                       b"lapel/checkin/1\0" + AUDIENCE.encode(), ["device"]),
    "statement-signed": ("signed by the key `online`", STATEMENT, b"lapel/statement/1", ["online"]),
    "receipt-signed": ("signed by the key `online`", RECEIPT, b"lapel/receipt/1", ["online"]),
    "trust-1-signed": ("signed by root-1 and root-2", TRUST_1, b"lapel/trust/1", ["root-1", "root-2"]),
    "trust-2-signed": ("signed by root-1 and root-2 for set 1, root-2 counts for set 2 too", TRUST_2,
                       b"lapel/trust/1", ["root-1", "root-2"]),
}


def sign(name):
    _, value, aad, signers = SIGNED[name]
    payload = encode(value)
    if name.startswith("trust-"):
        return encode({0: 1, 1: payload, 2: [sign1(s, aad, payload, False) for s in signers]})
    return sign1(signers[0], aad, payload, True)


def signed_ok(name, document):
    _, value, aad, signers = SIGNED[name]
    payload = encode(value)
    top = cbor2.loads(document)
    if name.startswith("trust-"):
        blocks = [cbor2.loads(b) for b in top[2]]
        return (top[1] == payload and len(blocks) == len(signers) and
                all(b.value[2] is None and verifies(s, aad, payload, b) for s, b in zip(signers, blocks)))
    return top.value[2] == payload and verifies(signers[0], aad, payload, top)


def path(name):
    return os.path.join(FOLDER, name + ".hex")


def write(name, what, document):
    with open(path(name), "w", encoding="ascii") as f:
        f.write(f"# {what}\n" + "\n".join(textwrap.wrap(document.hex(), 80)) + "\n")


def load(name):
    with open(path(name), encoding="ascii") as f:
        return bytes.fromhex("".join(line.strip() for line in f if not line.startswith("#")))


def main():
    if "--write" in sys.argv[1:]:
        for name, (what, value) in PLAIN.items():
            write(name, what, encode(value))
        for name, row in SIGNED.items():
            write(name, row[0], sign(name))
    passed, failed = 0, 0
    results = [(name, load(name) == encode(row[1])) for name, row in PLAIN.items()]
    results += [(name, signed_ok(name, load(name))) for name in SIGNED]
    known = {name + ".hex" for name in list(PLAIN) + list(SIGNED)}
    results += [(name, False) for name in os.listdir(FOLDER) if name.endswith(".hex") and name not in known]
    for name, ok in results:
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            print(f"FAIL {name}: differs from what is made here, or a signature does not fit")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
