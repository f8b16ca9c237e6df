"""What tests in Python need: a lapeld of their own, an operator, devices, envelopes.

The CBOR and the signatures are made by other libraries than the server's, so that a mistake that
both ends share would show.
"""
import base64
import hashlib
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

BUILD = os.environ.get("BUILD", "build")
VENDOR_DOMAIN, MODEL = "example.com", "EL-100"
VENDOR = uuid.uuid5(uuid.NAMESPACE_DNS, VENDOR_DOMAIN)
CLASS = uuid.uuid5(VENDOR, MODEL)


class Cases:
    """Counts cases; prints a line for each that fails."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, held, got=""):
        if held:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL %s: %s" % (name, got))
        return held

    def equal(self, name, got, want):
        return self.check(name, got == want, "%r, want %r" % (got, want))

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        sys.exit(1 if self.failed or not self.passed else 0)


class Key:
    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def point(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    def id(self):
        return sha256(self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hex()

    def sign(self, message):
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sha256(data):
    return hashlib.sha256(data).digest()


def sequence(*commands):
    return cbor2.dumps(list(commands))


def manifest(number, image, vendor=VENDOR, class_=CLASS, uri=None, size=None, digest=None,
             conditions=(1, 15, 2, 15), priority=500, component=None):
    """A manifest for one image in one component; each argument can make it wrong."""
    digest = sha256(image) if digest is None else digest
    uri = "../payloads/" + sha256(image).hex() if uri is None else uri
    params = {1: vendor.bytes, 2: class_.bytes, 14: len(image) if size is None else size}
    if digest != b"":
        params[3] = cbor2.dumps([-16, digest])
    if priority is not None:
        params[27] = priority
    params = {k: params[k] for k in sorted(params) if params[k] is not None}
    common = cbor2.dumps({2: [[b"\x00"]], 4: sequence(20, params, *conditions)})
    m = {1: 1, 2: number, 3: common}
    if component is not None:
        m[5] = component
    m[7] = sequence(3, 15)
    m[20] = sequence(20, {21: uri}, 21, 15, 3, 15)
    return cbor2.dumps({k: m[k] for k in sorted(m)})


def envelope(body, *keys, alg=-9, text=None, integrated=None, digest=None):
    wrapped = cbor2.dumps(body)
    suit_digest = cbor2.dumps([-16, sha256(wrapped) if digest is None else digest])
    protected = cbor2.dumps({1: alg})
    to_sign = cbor2.dumps(["Signature1", protected, b"", suit_digest])
    blocks = [cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, key.sign(to_sign)]))
              for key in keys]
    outer = {2: cbor2.dumps([suit_digest] + blocks), 3: body}
    if text is not None:
        outer[23] = text
    outer.update(integrated or {})
    return cbor2.dumps(cbor2.CBORTag(107, outer)), sha256(wrapped)


def opened(doc, aad, pem):
    """The payload of a COSE_Sign1, when this key signed it as this kind of document."""
    protected, _, payload, signature = cbor2.loads(doc).value
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    message = cbor2.dumps(["Signature1", protected, aad, payload])
    key = serialization.load_pem_public_key(pem.encode())
    key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    return cbor2.loads(payload)


def checkin(product, device, number=0, digest=None, state=1, attempt=None, model=MODEL, more=None,
            running=True):
    run = {1: VENDOR.bytes, 2: CLASS.bytes, 4: number}
    if digest is not None:
        run[5] = digest
    run[6] = state
    doc = {0: 1, 1: product}
    if device is not None:
        doc[2] = device
    doc[3] = model
    if running:
        doc[5] = [run]
    if attempt is not None:
        doc[6] = attempt
    doc[7] = 0
    doc.update(more or {})
    return cbor2.dumps({k: doc[k] for k in sorted(doc)})


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def cbor(self):
        return cbor2.loads(self.body)

    def verdict(self):
        verdicts = self.cbor().get(1, [])
        return verdicts[0][4] if verdicts else 0


class Server:
    """A lapeld on free loopback ports, in clear, with one trust anchor."""

    def __init__(self, folder, key, *options, env=None):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.options = options
        self.log = open(os.path.join(folder, "lapeld.log"), "ab")
        os.makedirs(os.path.join(self.data, "anchors"), exist_ok=True)
        if key is not None:
            with open(os.path.join(self.data, "anchors", "release.pem"), "wb") as f:
                f.write(key.pem())
        self.token = None
        self.start(env)

    def start(self, env=None):
        command = [os.path.join(BUILD, "bin", "lapeld"), "--set", "data_dir=" + self.data]
        for listener in ("device", "operator", "public"):
            command += ["--set", listener + ".listen=127.0.0.1:0", "--set", listener + ".tls=off"]
        command += [x for o in self.options for x in ("--set", o)]
        endpoints = os.path.join(self.data, "endpoints")
        if os.path.exists(endpoints):
            os.unlink(endpoints)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=dict(os.environ, **(env or {})))
        end = time.monotonic() + 30
        while not os.path.exists(endpoints):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("FAIL lapeld does not start:\n" + self.log_text())
            select.select([], [], [], 0.01)
        with open(endpoints) as f:
            self.port = {n: int(url.rsplit(":", 1)[1]) for n, url in (x.split() for x in f)}

    def log_text(self):
        with open(os.path.join(self.folder, "lapeld.log"), errors="replace") as f:
            return f.read()[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def ask(self, listener, method, path, body=None, token=None, type_=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port[listener], timeout=30)
        head = dict(headers or {})
        if token:
            head["Authorization"] = "Bearer " + token
        if type_:
            head["Content-Type"] = type_
        connection.request(method, path, body, head)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def api(self, method, path, value=None, token=None, body=None, type_=None, headers=None):
        if value is not None:
            body, type_ = json.dumps(value).encode(), "application/json"
        return self.ask("operator", method, "/api/v1/" + path, body,
                        self.token if token is None else token, type_, headers)

    def device(self, method, path, token=None, body=None, type_="application/cbor", headers=None):
        return self.ask("device", method, "/v1/" + path, body, token,
                        type_ if body is not None else None, headers)

    def check_in(self, token, *args, **kw):
        return self.device("POST", "checkin", token, checkin(*args, **kw))

    def bootstrap(self):
        with open(os.path.join(self.data, "bootstrap-token")) as f:
            token = f.read().strip()
        answer = self.api("POST", "bootstrap", {"name": "root"}, token=token)
        if answer.status == 201:
            self.token = answer.json()["token"]
        return answer, token

    PRODUCT = {"vendor_domain": VENDOR_DOMAIN, "vendor_name": "Example Lamps", "model": MODEL,
               "support_end": "2040-06", "contact": "mailto:security@example.com", "poll_s": 60}

    def make_product(self, name="lamp", **more):
        return self.api("PUT", "products/" + name, dict(self.PRODUCT, **more))

    def add_devices(self, names, product="lamp"):
        answer = self.api("POST", "products/%s/devices" % product, [{"id": n} for n in names])
        return {d["id"]: d["token"] for d in answer.json()["devices"]}

    def upload(self, image, name=None):
        return self.api("PUT", "payloads/" + (name or sha256(image).hex()), body=image,
                        type_="application/octet-stream")

    def publish(self, doc, product="lamp", token=None):
        return self.api("POST", "products/%s/releases" % product, body=doc, token=token,
                        type_="application/suit-envelope+cose")

    def release(self, number, image, key, **kw):
        """Upload and publish; returns (id, manifest digest)."""
        self.upload(image)
        doc, digest = envelope(manifest(number, image, **kw), key)
        answer = self.publish(doc)
        if answer.status not in (200, 201):
            raise SystemExit("FAIL publish: %d %s" % (answer.status, answer.body))
        return answer.json()["id"], digest

    def roll_out(self, release, waves=None):
        value = {"release": release}
        if waves:
            value["waves"] = waves
        rollout = self.api("POST", "rollouts", value).json()["id"]
        return rollout, self.api("POST", "rollouts/%d/start" % rollout)

    def verb(self, rollout, verb, value=None):
        return self.api("POST", "rollouts/%d/%s" % (rollout, verb), value)

    def lapel(self, *arguments):
        """The command line, as this operator."""
        token = os.path.join(self.folder, "token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(self.token + "\n")
        return subprocess.run([os.path.join(BUILD, "bin", "lapel"), *arguments, "--token-file", token,
                               "--server", "http://127.0.0.1:%d" % self.port["operator"]],
                              capture_output=True, text=True)

    def wait(self, path, accept):
        """Ask until the answer is acceptable; the server's own clock moves it."""
        end = time.monotonic() + 30
        while True:
            value = self.api("GET", path).json()
            if accept(value) or time.monotonic() > end:
                return value
            select.select([], [], [], 0.02)


def quote(text):
    return urllib.parse.quote(text, safe="")


def folder():
    return tempfile.mkdtemp(prefix="lapel-test-")
