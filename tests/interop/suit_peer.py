#!/usr/bin/python3
"""Another reader of SUIT envelopes, written from the drafts over cbor2 and cryptography alone.

    suit_peer.py check ENVELOPE PUBLIC.pem...
    suit_peer.py case  ENVELOPE CASE.json DEVICE.json

check  structure (CDDL of draft-ietf-suit-manifest-37 and -trust-domains-11, as far as our templates
       use it), deterministic encoding at every level, digest over the wrapped manifest, the signature
       of each key, digests of severed elements; integrated dependencies likewise
case   executes the manifest on a device described in JSON, and writes what must come out as a case
       for suit-cases: trace, contents afterwards, what was invoked

DEVICE.json: {"vendor", "class": hex, "slot": 0 or 1, "files": {uri: path}, "before": {component id
in hex: path}, "keys": [names], "procedures": [...], "sequence": N, "kek": hex or "ecdh": path of a
private key, for encrypted payloads}. Exit 0: all was as it must be.
"""
import hashlib
import json
import sys

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

SEVERABLE = {15: "dependency-resolution", 16: "payload-fetch", 18: "candidate-verification", 20: "install", 23: "text"}
SECTIONS = {7: "validate", 8: "load", 9: "invoke", **{k: v for k, v in SEVERABLE.items() if k != 23}}
CONDITIONS = {1: "vendor-identifier", 2: "class-identifier", 3: "image-match", 5: "component-slot",
              7: "dependency-integrity"}
DIRECTIVES = {11: "process-dependency", 21: "fetch", 22: "copy", 23: "invoke"}
PARAMETERS = {1: bytes, 2: bytes, 3: bytes, 5: int, 14: int, 19: bytes, 21: str, 22: int, 27: int}
PROCEDURES = {"update": [15, 16, 18, 20, 7], "invoke": [7, 8, 9]}


def fail(what):
    raise SystemExit(f"FAIL suit_peer: {what}")


def must(held, what):
    if not held:
        fail(what)


def ordered(item):
    """Map keys ascending by encoded bytes, shorter first, at every level of one document."""
    if isinstance(item, dict):
        keys = [cbor2.dumps(k, canonical=True) for k in item]
        must(keys == sorted(keys, key=lambda k: (len(k), k)), f"keys out of order: {list(item)}")
        return all(ordered(v) for v in item.values())
    if isinstance(item, (list, tuple)):
        return all(ordered(v) for v in item)
    if isinstance(item, cbor2.CBORTag):
        return ordered(item.value)
    return True


def load(data, what):
    """One item, and its only encoding."""
    item = cbor2.loads(data)
    ordered(item)
    must(cbor2.dumps(item) == data, f"{what}: not the deterministic encoding")
    return item


def is_id(item):
    return isinstance(item, (list, tuple)) and len(item) > 0 and all(isinstance(s, bytes) for s in item)


def check_digest(item, data, what):
    must(isinstance(item, list) and len(item) == 2 and item[0] == -16, f"{what}: no SHA-256 digest")
    must(item[1] == hashlib.sha256(data).digest(), f"{what}: another digest")


# --- structure -----------------------------------------------------------------------------------


def check_parameters(item):
    must(isinstance(item, dict) and item, "parameters: no map")
    for key, value in item.items():
        must(key in PARAMETERS and type(value) is PARAMETERS[key], f"parameter {key}: {value!r}")
        must(key not in (1, 2) or len(value) == 16, "an identifier that is no UUID")
        must(key not in (5, 14, 22) or value >= 0, f"parameter {key} is negative")
    if 3 in item:
        digest = load(item[3], "image-digest")
        must(digest[0] == -16 and len(digest[1]) == 32, "image-digest")


def check_sequence(data, shared, components, depth=0):
    items = load(data, "a sequence")
    must(isinstance(items, list) and items and len(items) % 2 == 0, "a sequence that is no pairs")
    must(depth < 5, "sequences nested too deep")
    for code, argument in zip(items[::2], items[1::2]):
        if code == 12:
            indices = range(components) if argument is True else argument if isinstance(argument, list) else [argument]
            must(len(indices) > 0 and all(isinstance(i, int) and 0 <= i < components for i in indices), "an index")
        elif code == 15:
            must(isinstance(argument, list) and len(argument) >= 2, "try-each with one alternative")
            for alternative in argument:
                check_sequence(alternative, shared, components, depth + 1)
        elif code == 20:
            check_parameters(argument)
        elif code in CONDITIONS or code in DIRECTIVES:
            must(not (shared and code in DIRECTIVES), f"{DIRECTIVES.get(code)} in the shared sequence")
            must(isinstance(argument, int) and 0 <= argument <= 15, "a reporting policy")
        else:
            fail(f"command {code}")


def check_common(data):
    common = load(data, "suit-common")
    must(set(common) <= {1, 2, 4} and 2 in common and 4 in common, "suit-common: keys")
    must(common[2] and all(is_id(c) for c in common[2]), "suit-components")
    must(len({cbor2.dumps(c) for c in common[2]}) == len(common[2]), "a component named twice")
    for index, about in common.get(1, {}).items():
        must(0 <= index < len(common[2]), "a dependency without a component")
        must(set(about) <= {1} and all(is_id(v) for v in about.values()), "dependency metadata")
    check_sequence(common[4], True, len(common[2]))
    head = load(common[4], "shared")
    must(1 in head[::2] and 2 in head[::2], "no vendor and class condition")
    return common


def check_text(data, components):
    for tag, language in load(data, "suit-text").items():
        must(isinstance(tag, str) and isinstance(language, dict), "a language")
        for key, value in language.items():
            if isinstance(key, tuple):
                must(list(key) in components and all(isinstance(v, str) for v in value.values()), "text of a component")
            else:
                must(key in (1, 2, -1, -2, -3, -4), f"text key {key}")


def check_manifest(manifest, envelope):
    must(manifest.get(1) == 1, "manifest version")
    must(isinstance(manifest.get(2), int) and manifest[2] >= 0, "sequence number")
    must(set(manifest) <= {1, 2, 3, 5, *SECTIONS, *SEVERABLE}, "manifest keys")
    must(5 not in manifest or is_id(manifest[5]), "manifest component id")
    common = check_common(manifest[3])
    for key in set(envelope) & set(SEVERABLE):
        must(isinstance(manifest.get(key), list), f"{SEVERABLE[key]}: severed and not declared")
    for key, value in manifest.items():
        if isinstance(value, list) and key in SEVERABLE and key in envelope:
            check_digest(value, cbor2.dumps(envelope[key]), SEVERABLE[key])
        data = envelope.get(key) if isinstance(value, list) else value
        if key in SECTIONS and data is not None:
            check_sequence(data, False, len(common[2]))
        elif key == 23 and data is not None:
            check_text(data, common[2])
    return common


def open_envelope(data):
    envelope = load(data, "the envelope")
    must(isinstance(envelope, cbor2.CBORTag) and envelope.tag == 107, "no tag 107")
    envelope = envelope.value
    must({2, 3} <= set(envelope), "no wrapper or manifest")
    must(all(isinstance(v, bytes) for v in envelope.values()), "an element that is no byte string")
    must(all(k in (2, 3) or k in SEVERABLE for k in envelope if isinstance(k, int)), "envelope keys")
    return envelope


def verified(block, digest, key):
    cose = load(block, "COSE")
    must(cose.tag == 18 and len(cose.value) == 4, "no COSE_Sign1")
    protected, _, payload, signature = cose.value
    must(load(protected, "protected") in ({1: -9}, {1: -7}), "algorithm")
    must(payload is None and len(signature) == 64, "attached, or no P-256 signature")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(r, s), cbor2.dumps(["Signature1", protected, b"", digest]),
                   ec.ECDSA(hashes.SHA256()))
        return True
    except Exception:  # InvalidSignature; a key of another curve likewise
        return False


def check(data, keys):
    """The envelope and manifest as maps; `keys` must have signed each, or none are asked for."""
    envelope = open_envelope(data)
    wrapper = load(envelope[2], "the wrapper")
    check_digest(load(wrapper[0], "the digest"), cbor2.dumps(envelope[3]), "the manifest")
    for key in keys:
        must(any(verified(block, wrapper[0], key) for block in wrapper[1:]), "a key has not signed")
    manifest = load(envelope[3], "the manifest")
    check_manifest(manifest, envelope)
    for payload in (v for k, v in envelope.items() if isinstance(k, str)):
        if payload[:2] == b"\xd8\x6b":
            check(payload, [])
    return envelope, manifest


# --- decrypting (draft-ietf-suit-firmware-encryption-24, RFC 9053) ---------------------------------


def content_key(recipient, device):
    """The wrapped content key, opened with what the device has."""
    protected, unprotected, wrapped = recipient
    alg = load(protected, "recipient")[1] if protected else unprotected[1]
    if alg == -3:
        return aes_key_unwrap(bytes.fromhex(device["kek"]), wrapped)
    must(alg == -29, "recipient: an algorithm")
    private = serialization.load_pem_private_key(open(device["ecdh"], "rb").read(), None)
    ephemeral = load(protected, "recipient").get(-1) or unprotected[-1]
    must(ephemeral[1] == 2 and ephemeral[-1] == 1, "ephemeral key: P-256")
    y = ephemeral[-3]
    if isinstance(y, bytes):
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(ephemeral[-2], "big"), int.from_bytes(y, "big"),
                                              ec.SECP256R1()).public_key()
    else:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes([2 + y]) + ephemeral[-2])
    context = cbor2.dumps([-3, [None, None, None], [None, None, None], [128, protected, b"SUIT Payload Encryption"]])
    key = HKDF(hashes.SHA256(), 16, None, context).derive(private.exchange(ec.ECDH(), point))
    return aes_key_unwrap(key, wrapped)


def decrypt(info, ciphertext, device):
    cose = load(info, "encryption-info")
    must(cose.tag == 96 and len(cose.value) == 4, "no COSE_Encrypt")
    protected, unprotected, detached, recipients = cose.value
    must(detached is None and len(recipients) == 1, "encryption-info: payload, recipients")
    header = load(protected, "protected") if protected else unprotected
    key, iv = content_key(recipients[0], device), unprotected[5]
    if header[1] == 1:
        return aead.AESGCM(key).decrypt(iv, ciphertext, cbor2.dumps(["Encrypt", protected, b""]))
    must(header[1] == -65534 and len(iv) == 16 and not protected, "encryption-info: an algorithm")
    cipher = Cipher(algorithms.AES(key), modes.CTR(iv)).decryptor()
    return cipher.update(ciphertext) + cipher.finalize()


# --- executing -----------------------------------------------------------------------------------


class Condition(Exception):
    """A condition does not hold."""


class Run:
    """One manifest on a device."""

    def __init__(self, device, data, indent=""):
        self.device, self.indent = device, indent
        self.envelope, self.manifest = check(data, [])
        self.common = load(self.manifest[3], "common")
        self.ids = [cbor2.dumps(c).hex() for c in self.common[2]]
        self.digest = load(load(self.envelope[2], "wrapper")[0], "digest")[1]

    def say(self, line):
        self.device.trace.append(self.indent + line)

    def section(self, key):
        value = self.manifest.get(key)
        if value is None:
            return
        self.say(f"section {SECTIONS[key]}")
        self.parameters = [{} for _ in self.ids]
        self.at = [0]
        self.sequence(self.common[4])
        self.at = [0]
        self.sequence(self.envelope[key] if isinstance(value, list) else value)

    def sequence(self, data):
        items = load(data, "a sequence")
        for code, argument in zip(items[::2], items[1::2]):
            if code == 12:
                self.at = list(range(len(self.ids))) if argument is True else \
                    argument if isinstance(argument, list) else [argument]
                continue
            for i in list(self.at):
                self.command(code, argument, i)

    def command(self, code, argument, i):
        if code == 20:
            self.parameters[i].update(argument)
        elif code == 15:
            self.try_each(argument, i)
        elif code in CONDITIONS:
            held, more = self.condition(code, i)
            self.say(f"{CONDITIONS[code]} {i} {'ok' if held else 'fail'}{more}")
            if not held:
                raise Condition(CONDITIONS[code])
        elif code == 11:
            self.process(i)
        else:
            self.say(f"{DIRECTIVES[code]} {i} ok {self.directive(code, i)}")

    def try_each(self, alternatives, i):
        saved = self.at
        for alternative in alternatives:
            self.at = [i]
            try:
                self.sequence(alternative)
                self.at = saved
                return
            except Condition:
                pass
        raise Condition("try-each")

    def condition(self, code, i):
        p, stored = self.parameters[i], self.device.components.get(self.ids[i])
        if code == 1:
            return p[1] == self.device.vendor, ""
        if code == 2:
            return p[2] == self.device.class_, ""
        if code == 5:
            return p[5] == self.device.slot, f" slot={p[5]}"
        wanted = load(p[3], "digest")[1]
        if code == 7:
            return Run(self.device, stored).digest == wanted, ""
        return stored is not None and hashlib.sha256(stored).digest() == wanted and \
            (14 not in p or len(stored) == p[14]), ""

    def directive(self, code, i):
        p = self.parameters[i]
        if code == 21:
            body = self.envelope.get(p[21]) or self.device.payloads[p[21]]
            must(14 not in p or len(body) <= p[14], "fetched more than image-size")
            self.device.components[self.ids[i]] = body
            return f"uri={p[21]} size={len(body)}"
        if code == 22:
            body = self.device.components[self.ids[p[22]]]
            self.device.components[self.ids[i]] = decrypt(p[19], body, self.device.about) if 19 in p else body
            return f"source={p[22]}"
        self.device.invoked.append(self.ids[i])
        return "args="

    def process(self, i):
        self.say(f"process-dependency {i} begin")
        Run(self.device, self.device.components[self.ids[i]], self.indent + "  ").section(self.device.section)
        self.say(f"process-dependency {i} end")


class Device:
    """What DEVICE.json describes."""

    def __init__(self, about):
        self.about = about
        self.vendor, self.class_ = bytes.fromhex(about["vendor"]), bytes.fromhex(about["class"])
        self.slot = about.get("slot", 0)
        self.payloads = {uri: open(path, "rb").read() for uri, path in about.get("files", {}).items()}
        self.components = {c: open(path, "rb").read() for c, path in about.get("before", {}).items()}
        self.trace, self.invoked, self.section = [], [], None

    def run(self, data):
        for procedure in self.about["procedures"]:
            self.trace.append(f"procedure {procedure}")
            run = Run(self, data)
            for self.section in PROCEDURES[procedure]:
                run.section(self.section)

    def case(self, name, run):
        before = {c: open(path, "rb").read().hex() for c, path in self.about.get("before", {}).items()}
        keys = {"device_kek_hex": self.about["kek"]} if "kek" in self.about else \
            {"device_ecdh_private_key": self.about["ecdh"]} if "ecdh" in self.about else {}
        return {**keys, "id": name, "file": f"{name}.suit", "trusted_keys": self.about["keys"],
                "procedures": self.about["procedures"],
                "device": {"vendor_ids": [self.about["vendor"]], "class_ids": [self.about["class"]],
                           "device_ids": [], "current_sequence": self.about.get("sequence", 0),
                           "slots": {c: self.slot for c in run.ids}},
                "uris": {uri: body.hex() for uri, body in self.payloads.items()},
                "components_before": before,
                "expect": {"level": "must", "result": "ok", "reason": None, "trace": self.trace,
                           "components_after": {c: b.hex() for c, b in self.components.items()},
                           "invoked": self.invoked}}


def main(verb, path, *rest):
    data = open(path, "rb").read()
    if verb == "check":
        keys = [serialization.load_pem_public_key(open(p, "rb").read()) for p in rest]
        must(keys, "no key")
        check(data, keys)
        return
    device = Device(json.load(open(rest[1])))
    device.run(data)
    name = rest[0].rsplit("/", 1)[-1][:-len(".json")]
    json.dump(device.case(name, Run(device, data)), open(rest[0], "w"), indent=1)


main(*sys.argv[1:])
