"""kill -9 of lapeld at random moments, and what its clients were told before."""
import time

from server_ledger import *

ROUNDS, WANTED, SEED = 50, 40, 20261124

T = Cases()
random_ = random.Random(SEED)
HOME, KEY, LEDGER = folder(), Key(), Ledger()
S = Server(HOME, KEY, "ballast=0")
S.bootstrap()
S.make_product()
WATCHER = S.add_devices(["watcher"])["watcher"]
in_flight, kills, whole, asked, known = 0, 0, 0, 0, set()

for n in range(ROUNDS):
    before = len(LEDGER.images)
    loop = Loop(S, LEDGER, KEY, SEED + n)
    loop.start()
    time.sleep(0.05 + 0.4 * random_.random())  # the random moment, not a condition
    killed = S.process.poll() is None
    S.kill()
    loop.join()
    kills += killed and S.process.returncode == -9
    in_flight += loop.lost > 0
    asked += loop.asked
    problems = ["unexpected answer: %r" % (s,) for s in loop.stray]
    check_files(S, problems)
    check_database(S, problems)
    S.start()
    check_ledger(S, LEDGER, problems, known)
    whole += check_visible(S, WATCHER, list(LEDGER.images.values())[before:], problems)
    T.equal("kill %d" % n, problems[:3], [])

print("%d kills, %d with a request in flight; %d requests, %d acknowledged things; %d payloads read"
      % (kills, in_flight, asked, LEDGER.size(), whole))
T.equal("every kill struck", kills, ROUNDS)
T.check("in flight", in_flight >= WANTED, in_flight)
for noun in ("payloads", "releases", "rollouts", "devices", "confirmed", "reports"):
    T.check("the book has " + noun, len(getattr(LEDGER, noun)) >= ROUNDS // 2,
            len(getattr(LEDGER, noun)))
T.check("payloads were read whole", whole > 0, whole)
T.equal("SIGTERM ends it", S.stop(), 0)
S.start()
problems = []
check_ledger(S, LEDGER, problems)
T.equal("all of it, after a clean stop", problems[:3], [])
S.stop()
shutil.rmtree(HOME)
T.end()
