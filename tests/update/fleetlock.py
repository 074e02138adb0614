"""A reboot lock in FleetLock's protocol, for the web server beside it."""
import json
import threading
import time


class FleetLock:
    """`places` machines may hold it at once; `events` are (time, step, id, status). `told` is called with
    the step when something changed, before the machine is answered."""

    def __init__(self, places=1, told=None):
        self.places, self.holders, self.events, self.guard = places, set(), [], threading.Lock()
        self.told = told

    def answer(self, path, headers, body):
        wanted, step = json.loads(body)["client_params"], path.rsplit("/", 1)[1]
        assert set(wanted) == {"id", "group"} and headers["fleet-lock-protocol"] == "true"
        with self.guard:
            status = self.change(step, wanted["id"])
            self.events.append((time.time(), step, wanted["id"], status))
            if self.told and status == 200:
                self.told(step)
        text = {} if status == 200 else {"kind": "failed_lock", "value": "all places are taken"}
        return status, json.dumps(text).encode()

    def change(self, step, machine):
        if step == "steady-state":
            self.holders.discard(machine)
        elif machine not in self.holders and len(self.holders) >= self.places:
            return 409
        else:
            self.holders.add(machine)
        return 200

    def steps(self):
        return [(step, status) for _, step, _, status in self.events]
