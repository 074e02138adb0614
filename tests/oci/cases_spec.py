"""What the runtime specification 1.2 says of operations and of config.json as a whole, runtime.md
and config.md; `clause` names where. config-linux.md, key by key, is cases_config.py's, the command
line cases_commands.py's. README.md has the table from clauses to rows."""
from cases import put, sh


def with_unknown(config):
    config["unknownTop"] = {"a": 1}
    config["process"]["unknownKey"] = [1]
    config["linux"]["unknownKey"] = "x"
    config["mounts"][0]["unknownKey"] = None


def rlimits(*rows):
    return put("process.rlimits", [dict(type=t, soft=s, hard=h) for t, s, h in rows])


CASES = {
    # ---- runtime.md, "State" ----
    "state-fields": dict(
        clause="State: ociVersion, id, status, pid, bundle, annotations",
        spec={"command": ["sleep", "60"], "labels": {"a": "b"}},
        config=lambda c: c["annotations"].update({"org.example.key": "value"}),
        script="""
            $RUNTIME create -b . --pid-file pid state-fields && $RUNTIME state state-fields >json
            cat json; seen=$(awk -F'[:,]' '/"pid"/ {print $2 + 0}' json)
            [ $seen = $(cat pid) ] && echo same pid
            grep -q "\\"bundle\\": \\"$B\\"" json && echo absolute bundle
            $RUNTIME start state-fields; $RUNTIME state state-fields | grep status
            $RUNTIME kill state-fields KILL
            while $RUNTIME state state-fields | grep -q running; do sleep 0.1; done
            $RUNTIME state state-fields""",
        expect=[r'"ociVersion": "1\.', '"id": "state-fields"', '"status": "created"', "^same pid$",
                "^absolute bundle$", '"org.example.key": "value"', '"status": "running"',
                '"status": "stopped"']),
    # ---- runtime.md, "Lifecycle": the configuration is that of the time of create ----
    "config-changed": dict(
        clause="Lifecycle 2: later changes to config.json MUST NOT affect the container",
        spec={"command": ["echo", "as created"], "hostname": "first"},
        script="""
            $RUNTIME create -b . config-changed
            sed -i 's/as created/as changed/; s/first/second/' config.json; rm -f config.json.bak
            $RUNTIME start config-changed; sleep 0.5; rm config.json
            $RUNTIME delete --force config-changed && echo deleted""",
        expect=["^as created$", "^deleted$"], forbid=["as changed"]),
    # ---- runtime.md, "Operations" ----
    "create-bundle": dict(
        clause="Create: an error without a bundle, and nothing is made",
        spec={"command": ["true"]},
        script="$RUNTIME create -b /nowhere create-bundle; $RUNTIME state create-bundle",
        expect=["/nowhere.*No such file", "container does not exist"]),
    "create-unique": dict(
        clause="Create: the id MUST be unique, and the first container is not changed",
        spec={"command": ["sleep", "60"]},
        script="""
            $RUNTIME create -b . create-unique; $RUNTIME state create-unique >before
            $RUNTIME create -b . create-unique || echo refused
            $RUNTIME state create-unique | cmp - before && echo unchanged""",
        expect=["already exists", "^refused$", "^unchanged$"]),
    "create-not-started": dict(
        clause="Create: process.args are not run before start; config errors leave nothing",
        spec={"command": ["touch", "/ran"]},
        script="""
            $RUNTIME create -b . create-not-started; sleep 0.3; ls rootfs/ran
            $RUNTIME start create-not-started; sleep 0.3; ls rootfs/ran""",
        expect=["(?s)ls: rootfs/ran: No such file.*^rootfs/ran$"]),
    "start-states": dict(
        clause="Start: only what is created; else no effect and an error",
        spec={"command": ["sleep", "60"]},
        script="""
            $RUNTIME create -b . start-states && $RUNTIME start start-states
            $RUNTIME start start-states || echo running refused
            $RUNTIME state start-states | grep status; $RUNTIME kill start-states KILL
            while $RUNTIME state start-states | grep -q running; do sleep 0.1; done
            $RUNTIME start start-states || echo stopped refused
            $RUNTIME state start-states | grep status""",
        expect=["^running refused$", '(?s)"running".*^stopped refused$.*"stopped"']),
    "kill-states": dict(
        clause="Kill: neither created nor running: no effect and an error",
        spec={"command": ["true"]},
        script="""
            $RUNTIME create -b . kill-states && $RUNTIME kill kill-states 0 ||
              echo signal 0 is none; $RUNTIME start kill-states
            while $RUNTIME state kill-states | grep -q running; do sleep 0.1; done
            $RUNTIME kill kill-states TERM || echo refused
            $RUNTIME state kill-states | grep status""",
        expect=["container not running", "^refused$", '"stopped"']),
    "delete-only-own": dict(
        clause="Delete: what create did not make MUST NOT be deleted",
        spec={"volumes": [{"type": "bind", "source": "/run/vol/kept", "target": "/data"}],
              "command": ["touch", "/data/from-inside"]},
        config=put("linux.cgroupsPath", "/containers/parent/own"),
        script="""
            mkdir -p /run/vol/kept /sys/fs/cgroup/containers/parent/other
            chmod 777 /run/vol/kept; touch /run/vol/kept/file
            ocirun run $RUNTIME $B delete-only-own
            ls -1 -d /sys/fs/cgroup/containers/parent/*/ rootfs/bin config.json; ls -1 /run/vol/kept
            rmdir /sys/fs/cgroup/containers/parent/other /sys/fs/cgroup/containers/parent""",
        expect=["^exit 0$", "parent/other/$", "^rootfs/bin$", "^config.json$", "^file$"],
        forbid=["parent/own"]),
    # ---- config.md ----
    "unknown-properties": dict(
        clause="Extensibility: unknown properties MUST be ignored",
        spec={"command": ["echo", "ran"]}, config=with_unknown, expect=["^ran$", "^exit 0$"]),
    "invalid-values": dict(
        clause="Valid values: an invalid value MUST be an error",
        spec={"command": ["true"]}, config=put("process.user.uid", "zero"),
        expect=["process.user.uid: ", "create failed"]),
    "annotations-bad": dict(
        clause="Annotations: values MUST be strings",
        spec={"command": ["true"]}, config=put("annotations.x", 1),
        expect=["annotations", "create failed"]),
    "version-missing": dict(
        clause="Specification version: REQUIRED",
        spec={"command": ["true"]}, config=lambda c: c.pop("ociVersion"),
        expect=["ociVersion: is missing", "create failed"]),
    "rlimits": dict(
        clause="process.rlimits: soft, hard, RLIM_INFINITY",
        spec={"command": sh("ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hf")},
        config=rlimits(("RLIMIT_NOFILE", 100, 200), ("RLIMIT_CORE", 0, 0),
                       ("RLIMIT_FSIZE", 2**64 - 1, 2**64 - 1)),
        expect=["^100$", "^200$", "^0$", "^unlimited$"]),
    # ---- config-linux.md, "Default Filesystems", "Devices" ----
    "default-filesystems": dict(
        clause="Default Filesystems: proc, sysfs, devpts, tmpfs; /dev symbolic links",
        spec={"command": sh("mount | awk '{print $3, $5}'; "
                            "for l in fd stdin stdout stderr ptmx; do "
                            "echo $l $(readlink /dev/$l); done")},
        expect=["^/proc proc$", "^/sys sysfs$", "^/dev/pts devpts$", "^/dev/shm tmpfs$",
                "^fd /proc/self/fd$", "^stdin /proc/self/fd/0$", "^stdout /proc/self/fd/1$",
                "^stderr /proc/self/fd/2$", "^ptmx pts/ptmx$"]),
}
