"""lapeld on a disk that forgets what was not synced, cut at random operations.

    server_sync.py CUTS [lies]

With `lies` a sync keeps nothing; then acknowledged things must be found lost, or this test is blind.
"""
import time

from server_ledger import *

SEED = 20261125
SHIM = os.path.abspath(os.path.join(BUILD, "test/harness/sync_shim.so"))
# Where to cut, in turn, and among how many operations of this kind.
KINDS = [("any", 400), ("fsync", 60), ("fdatasync", 40), ("rename", 20), ("write", 30), ("mkdir", 15)]


class Disk:
    """The folder of a server on the forgetful disk."""

    def __init__(self, server, lies):
        self.server, self.lies = server, lies
        self.control = os.path.join(server.folder, "disk")

    def env(self):
        shutil.rmtree(self.control, ignore_errors=True)
        os.mkdir(self.control)
        env = {"LD_PRELOAD": SHIM, "SYNC_SHIM_DATA": self.server.data,
               "SYNC_SHIM_CONTROL": self.control}
        if self.lies:
            env["SYNC_SHIM_LIES"] = "1"
        return env

    def cut_at(self, operation, kind):
        path = os.path.join(self.control, "cut")
        with open(path + ".new", "w") as f:
            f.write("%d %s\n" % (operation, kind))
        os.rename(path + ".new", path)

    def tree(self, top):
        found = {}
        for folder_, _, files in os.walk(top):
            for name in files:
                if name.endswith("-shm") or name in ("endpoints", "lock"):
                    continue
                path = os.path.join(folder_, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, top)] = hashlib.sha256(f.read()).digest()
        return found

    def after_cut(self):
        """The disk as it is after the cut takes the folder's place. (operation, n, files that differ)"""
        report = os.path.join(self.control, "report")
        if not os.path.exists(report):
            return None
        with open(report) as f:
            what, count = f.read().split()
        rebuilt = os.path.join(self.control, "rebuilt")
        before, after = self.tree(self.server.data), self.tree(rebuilt)
        shutil.rmtree(self.server.data)
        os.rename(rebuilt, self.server.data)
        return what, int(count), sum(before.get(k) != after.get(k) for k in before | after)


def rounds(cuts, lies, T):
    """Returns (cuts, cuts that lost something unsynced, what they struck, operations, problems)."""
    random_ = random.Random(SEED)
    ledger, key, home = Ledger(), Key(), folder()
    S = Server(home, key, "ballast=0")
    S.bootstrap()
    S.make_product()
    watcher = S.add_devices(["watcher"])["watcher"]
    S.stop()
    disk = Disk(S, lies)
    fired, forgot, operations, whole, known, struck = 0, 0, 0, 0, set(), {}
    found, images = [], []
    for n in range(cuts + 1):  # the last round only looks
        S.start(disk.env())
        problems = []
        try:
            check_ledger(S, ledger, problems, known)
            whole += check_visible(S, watcher, images, problems)
        except (OSError, ValueError, KeyError, http.client.HTTPException) as e:
            problems.append("looking failed: %r" % e)
        found += problems
        if not lies:
            T.equal("after %d cuts" % n, problems[:3], [])
        if n == cuts or (lies and found):
            break
        before = len(ledger.images)
        loop = Loop(S, ledger, key, SEED + n)
        kind, most = KINDS[n % len(KINDS)]
        disk.cut_at(random_.randrange(1, most), kind)
        loop.start()
        try:
            S.process.wait(timeout=60)
        except Exception:
            S.kill()
        loop.join()
        cut = disk.after_cut()
        if not T.check("cut %d struck" % n, cut is not None and S.process.returncode == -9,
                       S.log_text()[-500:]):
            break
        fired += 1
        struck[cut[0]] = struck.get(cut[0], 0) + 1
        operations += cut[1]
        forgot += cut[2] > 0
        images = list(ledger.images.values())[before:]
        problems = ["unexpected answer: %r" % (s,) for s in loop.stray]
        check_files(S, problems)
        check_database(S, problems)
        found += problems
        if not lies:
            T.equal("disk after cut %d" % n, problems[:3], [])
        if lies and found:
            break
    if S.process.poll() is None:
        S.kill()
    shutil.rmtree(home)
    return fired, forgot, struck, operations, whole, ledger, found


def main():
    T = Cases()
    cuts = int(sys.argv[1])
    if "lies" in sys.argv[2:]:
        fired, _, _, _, _, ledger, found = rounds(cuts, True, T)
        print("syncing off: %d cuts, %d acknowledged things, found: %s"
              % (fired, ledger.size(), found[:2]))
        T.check("a disk that lies is found out", fired > 0 and found, found)
        T.check("by something lost", any("lost" in p or "open" in p or "half" in p or "refused" in p
                                         for p in found), found[:3])
    else:
        fired, forgot, struck, operations, whole, ledger, _ = rounds(cuts, False, T)
        print("%d cuts (%s) in %d operations, %d forgot something; %d acknowledged things; "
              "%d payloads read" % (fired, ", ".join("%s %d" % x for x in sorted(struck.items())),
                                    operations, forgot, ledger.size(), whole))
        T.equal("every cut struck", fired, cuts)
        T.check("cuts that lost what was not synced", forgot >= cuts // 2, forgot)
        T.check("at different operations", len(struck) >= len(KINDS), struck)
        T.check("something was acknowledged", ledger.size() > 5 * cuts, ledger.size())
    T.end()


main()
