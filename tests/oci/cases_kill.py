"""SIGKILL at each step, then "delete --force" leaves the host as it was (killat.c). In `make test`
a sample of the steps, drawn with a seed that is printed; all of them with `make sweep-oci`."""
import os
import random

from cases import no_user_namespace

SEED = int(os.environ.get("BERTH_SEED") or random.randrange(1 << 16))
POINTS = 100000 if os.environ.get("BERTH_SWEEP") else 3


def steps(*names, command="sleep 60", points=POINTS, **more):
    def script(name):
        return "\n".join(f"killat $RUNTIME $B {name} {step} {points} {SEED}" for step in names)
    return lambda name: dict(
        spec={"command": command.split()}, script=script(name),
        expect=[f"^{step}: [0-9]+ of [0-9]+ system calls, seed {SEED}: nothing left$"
                for step in names], **more)


ROWS = {
    "kill-create": steps("create", "create-child"),
    "kill-create-host-user": steps("create", "create-child", config=no_user_namespace),
    "kill-start": steps("start"),
    "kill-delete": steps("delete"),
    "kill-exec": steps("exec", "exec-child"),
    "kill-run": steps("run", "run-child", command="true"),
}
CASES = {name: make(name) for name, make in ROWS.items()}
