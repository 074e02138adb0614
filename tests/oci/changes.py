"""Changes of a finished config.json, which the tables of cases put together, and what several of
them name."""
from cases import put


def all_of(*changes):
    def change(config):
        for one in changes:
            one(config)
    return change


def mount(destination, kind, source, *options, **more):
    return lambda c: c["mounts"].append({"destination": destination, "type": kind, "source": source,
                                         "options": list(options), **more})


def namespace(kind, path=None):
    def change(config):
        spaces = config["linux"]["namespaces"]
        spaces[:] = [n for n in spaces if n["type"] != kind]
        spaces.append({"type": kind, **({"path": path} if path else {})})
    return change


def no_namespace(*kinds):
    def change(config):
        spaces = config["linux"]["namespaces"]
        spaces[:] = [n for n in spaces if n["type"] not in kinds]
    return change


def mapping(*ranges):
    rows = [{"containerID": c, "hostID": h, "size": n} for c, h, n in ranges]
    return lambda c: c["linux"].update(uidMappings=rows, gidMappings=rows)


def hook(kind, script, **more):
    return lambda c: c.setdefault("hooks", {}).setdefault(kind, []).append(
        {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin"], **more})


def resources(key, value):
    return put(f"linux.resources.{key}", value)


def seccomp(rule, default="SCMP_ACT_ALLOW", **more):
    return put("linux.seccomp", {"defaultAction": default, "syscalls": [rule] if rule else [],
                                 **more})


def on(names, action, **more):
    return {"names": names, "action": action, **more}


STATUS = r"""sed 's/.*"status":"\([a-z]*\)".*/\1/'"""
HOOK_LOG = "/run/c/hooks-order/log"
# Holds a container open whose namespaces the next one joins.
HOLDER = """
    mkdir /run/c/holder; cp -a $B/rootfs /run/c/holder/; cp %s /run/c/holder/config.json
    $RUNTIME create -b /run/c/holder --pid-file /run/c/holder/pid holder >/dev/null </dev/null 2>&1
    ln -sf /proc/$(cat /run/c/holder/pid)/ns /run/ns
    %s
    $RUNTIME delete --force holder; rm -rf /run/c/holder /run/ns"""


def beside_holder(name, script="ocirun run $RUNTIME $B {name}"):
    """The holder is the same container without what is joined."""
    return HOLDER % ("/cases/config-holder/config.json", script.format(name=name))
