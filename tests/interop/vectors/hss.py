#!/usr/bin/python3
"""Makes the cases of hss.txt that aren't out of an RFC, with pyhsslms (pip install pyhsslms).

    python3 tests/interop/vectors/hss.py >made.txt

Trees of height 5 are whole. A tree of 10 to 25 is too large to compute here and needn't be: one
one-time key, a path of arbitrary nodes, and the root that they lead to are a valid signature of a
valid public key. Keys come from a counter, so that the file comes out the same.
"""
import hashlib

import pyhsslms.pyhsslms as lms

COUNTER = 0


def number_bytes(n):
    """Bytes that are different for each call and the same in each run."""
    global COUNTER
    COUNTER += 1
    return hashlib.sha512(b"lapel hss vector %d" % COUNTER).digest()[:n]


lms.randBytes = number_bytes


def u32(v):
    return v.to_bytes(4, "big")


def show(name, key, message, signature):
    print(name, key.hex(), message.hex(), signature.hex(), sep="\n", end="\n\n")


def tall(tree_type, ots_type, height, n, leaf):
    """One signature of a tall tree, and its LMS public key."""
    ident, seed = number_bytes(16), number_bytes(n)
    one = lms.LmotsPrivateKey(ident, u32(leaf), seed, u32(ots_type))
    path = [number_bytes(n) for _ in range(height)]
    number = (1 << height) + leaf

    def digest(*parts):
        return hashlib.sha256(ident + b"".join(parts)).digest()[:n]

    node = digest(u32(number), b"\x82\x82", one.publicKey().K)
    for other in path:
        both = other + node if number % 2 else node + other
        number //= 2
        node = digest(u32(number), b"\x83\x83", both)

    def sign(message):
        return u32(leaf) + one.sign(message) + u32(tree_type) + b"".join(path)

    return u32(tree_type) + u32(ots_type) + ident + node, sign


def chain(name, trees):
    """An HSS signature over trees, each (public key, sign)."""
    message = b"a lamp"
    signature = u32(len(trees) - 1)
    for (_, sign), (below, _) in zip(trees, trees[1:]):
        signature += sign(below) + below
    signature += trees[-1][1](message)
    show(name, u32(len(trees)) + trees[0][0], message, signature)


def small(tree_type, ots_type, n):
    """A whole tree of height 5 by pyhsslms itself."""
    key = lms.LmsPrivateKey(lms_type=u32(tree_type), lmots_type=u32(ots_type), SEED=number_bytes(n))
    for _ in range(tree_type + ots_type):
        key.sign(b"another")  # not always the first leaf
    return key.publicKey().serialize(), key.sign


for w in range(1, 5):
    chain("SHA-256, 32 bytes, height 5, width %d" % (1 << w - 1), [small(5, w, 32)])
    chain("SHA-256, 24 bytes, height 5, width %d" % (1 << w - 1), [small(10, w + 4, 24)])
for h in range(1, 5):
    height = 5 * h + 5
    chain("SHA-256, 32 bytes, height %d" % height, [tall(5 + h, 4, height, 32, (1 << height) - 2)])
    chain("SHA-256, 24 bytes, height %d" % height, [tall(10 + h, 8, height, 24, 1 << height - 1)])
chain("three levels of three kinds", [tall(9, 3, 25, 32, 77), small(10, 8, 24), small(5, 4, 32)])
chain("eight levels", [tall(10 + i % 5, 8, 5 * (i % 5) + 5, 24, i) for i in range(8)])
