"""Another implementation's word over an envelope: digest over the wrapped manifest, signature.

    cli_suit.py ENVELOPE PUBLIC.pem
"""
import hashlib
import sys

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

envelope = cbor2.load(open(sys.argv[1], "rb"))
assert envelope.tag == 107, "the tag"
envelope = envelope.value
wrapper = cbor2.loads(envelope[2])
digest = cbor2.loads(wrapper[0])
assert digest[0] == -16, "SHA-256"
assert digest[1] == hashlib.sha256(cbor2.dumps(envelope[3])).digest(), "digest of the manifest"
manifest = cbor2.loads(envelope[3])
assert manifest[1] == 1 and manifest[2] == 16, "version and number"
text = manifest[23]
assert text[1] == hashlib.sha256(cbor2.dumps(envelope[23])).digest(), "digest of the text"
assert len(wrapper) == 2, "one signature"
cose = cbor2.loads(wrapper[1])
assert cose.tag == 18, "COSE_Sign1"
protected, _, payload, signature = cose.value
assert cbor2.loads(protected) == {1: -9}, "ESP256"
assert payload is None, "detached"
signed = cbor2.dumps(["Signature1", protected, b"", wrapper[0]])
key = serialization.load_pem_public_key(open(sys.argv[2], "rb").read())
r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
