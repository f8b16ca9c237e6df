"""Show every vector, and cut and changed ones: an exit code of 0 or 1, never a signal.

    cli_show.py LAPEL VECTORS ENVELOPE
"""
import pathlib
import random
import subprocess
import sys

lapel, vectors, envelope = sys.argv[1:4]
random.seed(1)
base = pathlib.Path(envelope).read_bytes()
documents = [base[:n] for n in range(0, len(base), 29)]
for _ in range(60):
    changed = bytearray(base)
    for _ in range(random.choice((1, 1, 3))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    documents.append(bytes(changed))
names = [p for p in pathlib.Path(vectors).rglob("*") if p.suffix in (".suit", ".cbor", ".bin")]
for path in names[:60]:
    data = path.read_bytes()
    documents += [data, data[: len(data) // 2]]
crashes = 0
for data in documents:
    for how in ([], ["--diag"], ["--json"]):
        done = subprocess.run([lapel, "manifest", "show", "-", *how], input=data,
                              capture_output=True, timeout=10)
        if done.returncode not in (0, 1) or b"\x1b" in done.stdout + done.stderr:
            crashes += 1
            print(done.returncode, how, data.hex()[:200])
print(f"{len(documents)} documents, {crashes} crashes")
sys.exit(crashes > 0)
