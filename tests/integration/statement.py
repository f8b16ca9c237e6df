"""Statements, erasing, and what devices tell of themselves, on the running server."""
import re
import shutil
import sqlite3
import stat

from lapel_test import *

T = Cases()
KEY, HOME = Key(), folder()
S = Server(HOME, KEY, "statement.max_age=1s", "backup_keep=10d")
IMAGE = [os.urandom(900 + i) for i in range(3)]
NONCE = b"a nonce of mine!"
AAD, AAD_RECEIPT = b"lapel/statement/1", b"lapel/receipt/1"


def statement(answer):
    doc = answer.cbor().get(6)
    return None if doc is None else opened(doc, AAD, ONLINE)


def ask(device="a1", nonce=NONCE, **kw):
    return S.check_in(TOKEN[device], "lamp", device, *kw.pop("args", ()), more={15: nonce}, **kw)


def set_up():
    global TOKEN, ONLINE
    S.bootstrap()
    S.make_product()
    TOKEN = S.add_devices(["a1", "forgetme", "a3", "a4"])
    key = S.api("GET", "online-key").json()
    ONLINE = key["public_key"]
    path = os.path.join(S.data, "online-key.pem")
    T.equal("the online key is the owner's alone", stat.S_IMODE(os.stat(path).st_mode), 0o600)
    again = os.path.join(S.data, "anchors", "online.pem")
    with open(again, "w") as f:
        f.write(ONLINE)
    S.stop()
    refused = subprocess.run([os.path.join(BUILD, "bin", "lapeld"), "--set", "data_dir=" + S.data],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    T.check("an online key that may sign releases is refused",
            refused.returncode == 1 and b"trust anchor too" in refused.stderr, refused.stderr)
    os.unlink(again)
    S.start()
    T.equal("a restart keeps the key", S.api("GET", "online-key").json(), key)


def says():
    global RELEASE, DIGEST, ROLLOUT
    st = statement(ask())
    T.equal("nothing was ever offered", (st[5], st.get(6), st[12]), (0, None, NONCE))
    T.equal("the space", (st[1], st[2]), (VENDOR.bytes, CLASS.bytes))
    T.equal("the support end", st[11], [{1: MODEL, 2: 204006}])
    T.equal("max-age and stale-after", (st[8], st[9]), (1, 7 * 86400))
    T.check("without a nonce, none", 6 not in S.check_in(TOKEN["forgetme"], "lamp", "forgetme").cbor())
    RELEASE, DIGEST = S.release(16, IMAGE[0], KEY)
    ROLLOUT, _ = S.roll_out(RELEASE)
    after = statement(ask())
    T.check("the number rises with what changed", after[4] > st[4], (after[4], st[4]))
    T.equal("highest", after[5], 16)
    entry = after[6][0]
    T.equal("an open release for everybody", (entry[1], entry[2], entry[3], entry[5]),
            (16, DIGEST, 1, 2**64 - 1))
    S.verb(ROLLOUT, "halt")
    T.equal("a halt is in the next", statement(ask())[6][0][3], 3)
    told = S.check_in(TOKEN["a1"], "lamp", "a1")
    T.equal("withdraw brings the statement", (told.verdict(), statement(told)[6][0][3]), (3, 3))
    S.verb(ROLLOUT, "resume")
    trial = S.check_in(TOKEN["forgetme"], "lamp", "forgetme", 16, DIGEST, state=2)
    T.equal("a device on trial is told too", statement(trial)[6][0][3], 1)
    whole = S.api("GET", "products/lamp/statement")
    T.equal("the operator reads the same", opened(whole.body, AAD, ONLINE)[6][0][2], DIGEST)


def cheap():
    """What asks for nothing costs no signature and no write."""
    def counts():
        m = S.ask("operator", "GET", "/metrics", token=S.token).body.decode()
        return int(re.search(r"^lapel_store_commits_total (\d+)$", m, re.M).group(1))

    body = checkin("lamp", "a3", 16, DIGEST)
    S.device("POST", "checkin", TOKEN["a3"], body)
    S.device("POST", "checkin", TOKEN["a3"], body)
    before = counts()
    for _ in range(50):
        answer = S.device("POST", "checkin", TOKEN["a3"], body)
    T.check("50 check-ins answered nothing write nothing", counts() <= before + 1, counts())  # 1: last-seen
    T.check("and carry no statement", 6 not in answer.cbor() and answer.verdict() == 0, answer.cbor())


def never_falls():
    last = 0
    for i in range(5):
        number = statement(ask())[4]
        T.check("kill -9, round %d: the number is not below" % i, number > last, (number, last))
        last = number
        S.kill()
        if i == 3:  # a database from before doesn't bring them back
            os.unlink(os.path.join(S.data, "lapel.db"))
            for end in ("-wal", "-shm"):
                if os.path.exists(os.path.join(S.data, "lapel.db" + end)):
                    os.unlink(os.path.join(S.data, "lapel.db" + end))
            shutil.copy(os.path.join(HOME, "backup.db"), os.path.join(S.data, "lapel.db"))
        S.start()


def tells():
    more = {10: {1: [1, 2], 2: [3], 3: [-7, -16], 4: 2048, 5: 1, 7: "lapel 0.1"},
            12: [{1: 7, 2: 3, 3: 60}, {1: 1, 2: 1, 3: 5}],
            13: {1: 1, 2: 4660, 3: 16, 4: b"oops"}, 14: {1: 1, 2: 2, 4: 7200, 5: 1}}
    S.check_in(TOKEN["a4"], "lamp", "a4", 16, DIGEST, more=more)
    d = S.api("GET", "products/lamp/devices/a4").json()
    T.equal("the user's choices", (d["user"]["auto_security"], d["user"]["auto_feature"],
                                   d["user"]["waiting"]), ("on", "off", "download"))
    T.check("postponed until", d["user"]["postponed_until"], d["user"])
    T.equal("capability", (d["capability"]["commands"], d["capability"]["client_version"]),
            ([1, 2], "lapel 0.1"))
    T.equal("events, the last first", [(e["class"], e["count"]) for e in d["events"]],
            [("bad-signature", 1), ("stale", 3)])
    T.equal("the fault", (d["faults"][0]["kind"], d["faults"][0]["where"], d["faults"][0]["detail"]),
            (1, "4660", b"oops".hex()))
    known = bytes.fromhex(d["capability"]["digest"])
    a = S.check_in(TOKEN["a3"], "lamp", "a3", 16, DIGEST, more={11: known})
    T.check("a digest that is known is enough", 9 not in a.cbor(), a.cbor())
    for i in range(2):
        a = S.check_in(TOKEN["a3"], "lamp", "a3", 16, DIGEST, more={11: b"x" * 32})
        T.equal("one that isn't known is asked for, time %d" % i, a.cbor().get(9), True)
    for i in range(20):
        S.check_in(TOKEN["a4"], "lamp", "a4", 16, DIGEST, more={12: [{1: 7, 2: i + 1, 3: 0}]})
    d = S.api("GET", "products/lamp/devices/a4").json()
    T.equal("events are a ring", [e["count"] for e in d["events"]], list(range(20, 4, -1)))
    T.equal("what is left out is the default again", d["user"]["auto_feature"], "unset")


def erase(device, token, nonce):
    return S.device("DELETE", "device", token, headers={"Lapel-Erase": nonce})


def erases():
    T.check("no nonce unless asked", 7 not in S.check_in(TOKEN["forgetme"], "lamp", "forgetme").cbor())
    nonce = S.check_in(TOKEN["forgetme"], "lamp", "forgetme", more={22: True}).cbor()[7]
    T.equal("without a nonce nothing goes", S.device("DELETE", "device", TOKEN["forgetme"]).status, 400)
    T.equal("with another's neither", erase("a1", TOKEN["a1"], nonce.hex()).status, 400)
    T.equal("a stranger is told nothing", erase("forgetme", "E" * 43, nonce.hex()).status, 401)
    T.equal("anonymous neither", erase("forgetme", None, nonce.hex()).status, 401)
    with open(os.path.join(HOME, "backup.db"), "wb") as f:  # a backup, with it in
        db = sqlite3.connect(os.path.join(S.data, "lapel.db"))
        copy = sqlite3.connect(f.name)
        db.backup(copy)
        copy.close()
        db.close()
    os.mkdir(os.path.join(S.data, "erased"))
    T.equal("a list that can't be written: not erased",
            erase("forgetme", TOKEN["forgetme"], nonce.hex()).status, 500)
    T.equal("the device is still there", S.api("GET", "products/lamp/devices/forgetme").status, 200)
    os.rmdir(os.path.join(S.data, "erased"))
    answer = erase("forgetme", TOKEN["forgetme"], nonce.hex())
    T.equal("the same nonce again: the receipt comes", answer.status, 200)
    r = opened(answer.body, AAD_RECEIPT, ONLINE)
    T.equal("it names who, what and for which request", (r[1], r[2], r[3], r[6]),
            ("lamp", "forgetme", [1, 2, 3, 4, 5], nonce))
    T.equal("and when the last backup goes", r[5] - r[4], 10 * 86400)
    T.equal("the device is gone", S.api("GET", "products/lamp/devices/forgetme").status, 404)
    T.equal("its token too", erase("forgetme", TOKEN["forgetme"], nonce.hex()).status, 401)
    row = [a for a in S.api("GET", "audit?limit=1000").json()["audit"] if a["act"] == "device.erase"]
    T.check("the audit names a number only", len(row) == 1 and "forgetme" not in json.dumps(row), row)
    with open(os.path.join(S.data, "erased")) as f:
        T.check("so does the list", re.fullmatch("[0-9a-f]{64}\n", f.read()), "")
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(S.data, "lapel.db"), uri=True)
    left = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
            if "forgetme" in json.dumps([list(map(str, x)) for x in db.execute("SELECT * FROM " + t)])]
    db.close()
    T.equal("no table names it", left, [])


set_up()
says()
cheap()
tells()
erases()
never_falls()
T.equal("a restored database has lost it again", S.api("GET", "products/lamp/devices/forgetme").status, 404)
T.equal("and kept the others", S.api("GET", "products/lamp/devices/a1").status, 200)
T.equal("SIGTERM ends it", S.stop(), 0)
shutil.rmtree(HOME)
T.end()
