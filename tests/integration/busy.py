"""More check-ins than are served: who is sent away, for how long, and who never is."""
from lapel_test import *

T = Cases()
KEY = Key()
S = Server(folder(), KEY, "limits.checkins=1")
NAMES = ["lamp-%02d" % i for i in range(60)]

S.bootstrap()
S.make_product()
TOKEN = S.add_devices(NAMES)
answers = [S.check_in(TOKEN[n], "lamp", n) for n in NAMES]
away = [a for a in answers if a.status == 503]
T.check("some are served", any(a.status == 200 for a in answers))
T.check("most are sent away", len(away) >= 20, len(away))
waits = [int(a.headers["retry-after"]) for a in away]
T.check("for a second at least and an hour at most", min(waits) >= 1 and max(waits) <= 3600, waits)
T.check("not all for the same time", len(set(waits)) >= 3, waits)
trials = [S.check_in(TOKEN[n], "lamp", n, 16, b"d" * 32, 2).status for n in NAMES]
T.equal("never one that tries a new image", set(trials), {200})
T.equal("nor a malformed one that would pass for it", S.device("POST", "checkin", TOKEN[NAMES[0]], b"\xff").status in (400, 503), True)
T.end()
