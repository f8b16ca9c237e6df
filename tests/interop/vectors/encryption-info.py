#!/usr/bin/python3
"""Makes the cases in encryption-info/: payloads encrypted by cbor2 and cryptography, not by us.

The keys are digests of their names, so the files come out the same.
"""
import hashlib
import json
import os

import cbor2
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOLDER = os.path.join(os.path.dirname(__file__), "encryption-info")
A128GCM, A128KW, ECDH_ES_A128KW, A128CTR = 1, -3, -29, -65534


def secret(name, n=16):
    return hashlib.sha256(b"lapel vector " + name.encode()).digest()[:n]


def private(name):
    return ec.derive_private_key(int.from_bytes(secret(name, 32), "big"), ec.SECP256R1())


def by_kw(name, kid, cek):
    unprotected = {1: A128KW} if kid is None else {1: A128KW, 4: kid}
    return [b"", unprotected, keywrap.aes_key_wrap(secret(name), cek)]


def by_ecdh(name, kid, cek, salt=None, label_order=1):
    protected = cbor2.dumps({1: ECDH_ES_A128KW})
    ephemeral = private("ephemeral for " + name)
    shared = ephemeral.exchange(ec.ECDH(), private(name).public_key())
    context = cbor2.dumps([A128KW, [None] * 3, [None] * 3,
                           [128, protected, b"SUIT Payload Encryption"]])
    kek = HKDF(hashes.SHA256(), 16, salt, context).derive(shared)
    point = ephemeral.public_key().public_numbers()
    unprotected = {-1: {1: 2, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}}
    if kid is not None:
        unprotected[4] = kid
    if salt is not None:
        unprotected[-20] = salt
    items = list(unprotected.items())[::label_order]
    return [protected, dict(items), keywrap.aes_key_wrap(kek, cek)]


def content(alg, cek, plain):
    if alg == A128CTR:
        iv = secret("iv")
        encryptor = Cipher(algorithms.AES(cek), modes.CTR(iv)).encryptor()
        return b"", {1: alg, 5: iv}, encryptor.update(plain) + encryptor.finalize()
    iv, protected = secret("iv", 12), cbor2.dumps({1: alg})
    aad = cbor2.dumps(["Encrypt", protected, b""])
    return protected, {5: iv}, AESGCM(cek).encrypt(iv, plain, aad)


def write(name, said, alg, recipients, **key):
    cek = secret("content key")
    plain = (b"What the lamp runs, %d bytes of it. " % len(name)) * 20
    protected, unprotected, sealed = content(alg, cek, plain)
    info = cbor2.CBORTag(96, [protected, unprotected, None, [make(cek) for make in recipients]])
    for what, data in (("info", cbor2.dumps(info)), ("payload", sealed)):
        with open(os.path.join(FOLDER, "%s.%s" % (name, what)), "wb") as f:
            f.write(data)
    case = {"id": "encryption-info/" + name, "kind": "encryption-info", "features": said,
            "encoding": "draft-ietf-suit-firmware-encryption-24",
            "info": name + ".info", "ciphertext": name + ".payload",
            **key, "expect": {"plaintext": plain.hex()}}
    with open(os.path.join(FOLDER, name + ".json"), "w") as f:
        json.dump(case, f, indent=1)
        f.write("\n")


KW = {"kek": secret("device").hex()}
ECDH = {"ecdh_private_d": secret("device", 32).hex()}
os.makedirs(FOLDER, exist_ok=True)
for short, alg in (("ctr", A128CTR), ("gcm", A128GCM)):
    write("kw-" + short, "A128KW", alg, [lambda cek: by_kw("device", b"kid", cek)], **KW)
    write("ecdh-" + short, "ECDH-ES+A128KW", alg, [lambda cek: by_ecdh("device", b"kid", cek)], **ECDH)
write("salt", "ECDH with a salt, labels in another order, no kid", A128CTR,
      [lambda cek: by_ecdh("device", None, cek, b"a salt", -1)], **ECDH)
write("several", "the fourth of five recipients", A128GCM,
      [lambda cek: by_kw("another", b"a", cek), lambda cek: by_ecdh("another", b"b", cek),
       lambda cek: by_kw("a third", None, cek), lambda cek: by_ecdh("device", b"c", cek),
       lambda cek: by_ecdh("device", b"c", cek)], **ECDH)
