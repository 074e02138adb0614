"""What the specification does not say: an unprivileged user's containers, and that nothing stays of
commands that are killed. See cases_config.py."""
from cases import drop_mounts, no_user_namespace, put, sh
from changes import (
    all_of, beside_holder, hook, mapping, mount, namespace, no_namespace, resources)


# An unprivileged user's container: 1000, with what he has.
ROOTLESS = all_of(no_namespace("cgroup"), lambda c: c["linux"].update(resources={}, sysctl={}),
                  lambda c: c["process"].update(rlimits=[]), drop_mounts("/sys/fs/cgroup"),
                  mapping((0, 1000, 1)),
                  lambda c: [m["options"].remove("gid=5") for m in c["mounts"]
                             if "gid=5" in m.get("options", [])])
USER = """
    export XDG_RUNTIME_DIR=/run/user/1000; mkdir -p $XDG_RUNTIME_DIR
    chown -R 1000:1000 $XDG_RUNTIME_DIR $B
    r="stagehand as 1000 $RUNTIME"
"""

CASES = {
    # ---- rootless ----
    "rootless": dict(
        clause="(ours) an unprivileged user with a user namespace", config=all_of(ROOTLESS, mount(
            "/data", "bind", "data", "rbind")),
        spec={"command": sh("id -u; cat /proc/self/uid_map; for d in null zero full random "
                            "urandom tty; do "
                            "ls -l /dev/$d | cut -c1; done | tr -d '\\n'; echo; echo x >/dev/null "
                            "&& echo dev; "
                            "touch /data/new && echo data; hostname; echo groups $(id -G); ls "
                            "/sys | head -1; "
                            "cat /proc/1/comm")},
        script=USER + """
            mkdir data; chown 1000 data; $r run -b . rootless; echo exit $?
            stat -c 'new %u' data/new
            ls -A $XDG_RUNTIME_DIR/berth-oci; ls /run/berth/oci""",
        expect=["^0$", r"^\s+0\s+1000\s+1$", "^cccccc$", "^dev$", "^data$", "^rootless$",
                "^exit 0$", "^new 1000$"],
        forbid=["^rootless$\n(.*\n)*rootless$"]),
    "rootless-life": dict(
        clause="(ours) create, start, exec, kill, delete by an unprivileged user", config=ROOTLESS,
        spec={"command": ["sleep", "60"]}, script=USER + """
            $r create -b . rootless-life && $r start rootless-life
            $r state rootless-life | grep status
            $r exec rootless-life id -u; $r kill rootless-life KILL
            $r delete --force rootless-life && echo deleted; ls -A $XDG_RUNTIME_DIR/berth-oci
            ls /proc | grep -c '^[0-9]' >/dev/null""",
        expect=['"status": "running"', "^0$", "^deleted$"]),
    "rootless-hooks": dict(
        clause="(ours) hooks of an unprivileged user, devices in the image's own /dev",
        config=all_of(ROOTLESS, drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"),
                      hook("createRuntime", "id -u >runtime"),
                      hook("createContainer", "id -u; ls rootfs/proc/version >container"),
                      hook("startContainer", "id -u >/start"), hook("poststop", "id -u >stop"),
                      lambda c: [h[0]["args"].__setitem__(2, "cd /run/c/rootless-hooks; " +
                                                          h[0]["args"][2])
                                 for k, h in c["hooks"].items() if k != "startContainer"]),
        spec={"command": sh("echo x >/dev/null && head -c 2 /dev/zero | wc -c")},
        script=USER + "$r run -b . rootless-hooks; echo exit $?; "
                      "cat runtime container rootfs/start stop",
        expect=["^2$", "^exit 0$", "^1000\nrootfs/proc/version\n0\n1000$"]),
    "rootless-time": dict(
        clause="(ours) a time namespace of an unprivileged user", config=all_of(
            ROOTLESS, namespace("time"),
            put("linux.timeOffsets", {"boottime": {"secs": 500000}})),
        spec={"command": ["cat", "/proc/uptime"]},
        script=USER + "$r run -b . rootless-time; echo exit $?",
        expect=[r"^5\d{5}\.", "^exit 0$"]),
    "rootless-cgroup-v1": dict(
        clause="(ours) a host without cgroup v2 and no limit asked: it goes on", config=ROOTLESS,
        spec={"command": ["echo", "ran"]}, script=USER + """
            unshare -m sh -c "mount --make-rprivate /; mount -t tmpfs t /sys/fs/cgroup
                              $r run -b . rootless-cgroup-v1"; echo exit $?""",
        expect=["^ran$", "^exit 0$"]),
    "rootless-limits": dict(
        clause="(ours) limits without a cgroup are refused", config=all_of(ROOTLESS,
                                        resources("pids", {"limit": 5})),
        spec={"command": ["true"]},
        script=USER + "$r create -b . rootless-limits; ls -A $XDG_RUNTIME_DIR/berth-oci",
        expect=["limits need a cgroup, which this user may not make"],
        forbid=["^rootless-limits$"]),
    "rootless-cgroup": dict(
        clause="(ours) a cgroup that was given to the user is used", config=all_of(
            ROOTLESS, resources("pids", {"limit": 50}), put("linux.cgroupsPath",
                                        "/containers/user/x")),
        spec={"command": ["sleep", "60"]}, script=USER + """
            mkdir -p /sys/fs/cgroup/containers/user/own; cd /sys/fs/cgroup/containers/user
            echo +pids >cgroup.subtree_control
            chown 1000 . cgroup.procs cgroup.subtree_control cgroup.threads
            chown 1000 own own/cgroup.procs; echo $$ >own/cgroup.procs; cd $B
            $r create -b . rootless-cgroup && cat /sys/fs/cgroup/containers/user/x/pids.max
            wc -l </sys/fs/cgroup/containers/user/x/cgroup.procs
            $r delete --force rootless-cgroup && echo deleted
            echo $$ >/sys/fs/cgroup/system/cgroup.procs; cd /sys/fs/cgroup/containers
            ls -d user/x; rmdir user/own user""",
        expect=["^50$", "^1$", "^deleted$", "user/x: No such file"]),
    "rootless-helpers": dict(
        clause="(ours) newuidmap and newgidmap", config=all_of(ROOTLESS, mapping((0, 1000, 1), (1,
                                        100000, 65536))),
        spec={"command": sh("cat /proc/self/uid_map; id; touch /made; chown 5:6 /made && stat -c "
                            "%u:%g /made")},
        script=USER + """
            mkdir -p /usr/bin; for h in newuidmap newgidmap; do
              cp /bin/stagehand /usr/bin/$h; chmod 4755 /usr/bin/$h; done
            $r run -b . rootless-helpers; echo exit $?; stat -c %u:%g rootfs/made
            rm /usr/bin/new?idmap""",
        expect=[r"^\s+1\s+100000\s+65536$", "^5:6$", "^exit 0$", "^100004:100005$"]),
    "rootless-own-binary": dict(
        clause="CVE-2019-5736 where the container's root owns the runtime", config=ROOTLESS,
        spec={"command": ["sleep", "60"]}, script=USER + """
            cp $RUNTIME mine; chown 1000 mine; r="stagehand as 1000 $B/mine"
            $r create -b . --pid-file pid rootless-own-binary && readlink /proc/$(cat pid)/exe
            $r start rootless-own-binary && echo started; $r delete --force rootless-own-binary""",
        expect=[r"^/memfd:berth-oci \(deleted\)$", "^started$"]),
    "rootless-no-helpers": dict(
        clause="(ours) newuidmap is missing", config=all_of(ROOTLESS, mapping((0, 1000, 1), (1,
                                        100000, 65536))),
        spec={"command": ["true"]}, script=USER + "$r run -b . rootless-no-helpers",
        expect=['needs "newuidmap" to map other ids than the own one']),
    "rootless-host-network": dict(
        clause="(ours) sysfs of the host's network namespace is bound", config=all_of(
            ROOTLESS, no_namespace("network"), drop_mounts("/sys"), mount("/sys", "sysfs", "sysfs",
                                        "ro", "nosuid",
                                                                          "noexec", "nodev")),
        spec={"command": sh("ls -d /sys/class/net/lo; touch /sys/x; mount | grep ' /sys '")},
        script=USER + "$r run -b . rootless-host-network; echo exit $?",
        expect=["^/sys/class/net/lo$", "/sys/x: Read-only", r"on /sys type sysfs \(ro"]),
    "rootless-no-namespace": dict(
        clause="(ours) an unprivileged user needs a user namespace", config=all_of(ROOTLESS,
                                        no_user_namespace),
        spec={"command": ["true"]}, script=USER + "$r run -b . rootless-no-namespace",
        expect=["Operation not permitted"], forbid=["^exit 0$"]),
    "rootless-in-namespace": dict(
        clause="(ours) root of a user namespace (podman's way)", config=all_of(
            ROOTLESS, no_user_namespace, drop_mounts("/sys")),
        spec={"command": sh("id -u; ls -l /dev/zero | cut -c1; head -c 3 /dev/zero | wc -c")},
        script=USER + "stagehand as 1000 unshare -U -r -m -p -f $RUNTIME --root $B/state run -b . "
                      "rootless-in-namespace; "
                      "echo exit $?",
        expect=["^0$", "^c$", "^3$", "^exit 0$"]),
    # ---- nothing stays ----
    **{f"killed-in-{kind}": dict(
        clause="(ours) create killed at this point, then delete --force: the host is as before",
        config=all_of(hook(kind, "kill -9 $PPID; sleep 20"), drop_mounts("/dev", "/dev/pts",
                                        "/dev/shm", "/dev/mqueue")),
        spec={"command": ["sleep", "60"]}, script=f"""
            look() {{
              cat /proc/self/mountinfo; find /sys/fs/cgroup/containers -type d; ls /run/berth/oci
              cat /proc/[0-9]*/comm 2>/dev/null | grep -E 'berth|sleep'
            }}
            mkdir -p /run/berth/oci; look >before
            $RUNTIME create -b . killed-in-{kind} >/dev/null 2>&1; echo died
            $RUNTIME delete --force killed-in-{kind} && echo deleted
            sleep 0.3; look >after; diff before after && echo same""",
        expect=["^died$", "^deleted$", "^same$"]) for kind in ("prestart", "createRuntime")},
    # A few dozen of the stops of create, of start and of delete; each at another system call.
    **{f"killed-at-{command}": dict(
        clause="(ours) killed at this step, then delete --force: the host is as before",
        config=all_of(mount("/data", "bind", "/run/vol", "bind"),
                      lambda c: c["linux"].pop("seccomp"), *more),
        spec={"command": ["sleep", "60"]}, script=f"""
            look() {{
              cat /proc/self/mountinfo; find /sys/fs/cgroup/containers -type d; ls /run/berth/oci
              cat /proc/[0-9]*/comm 2>/dev/null | grep -E 'berth|sleep'
            }}
            mkdir -p /run/berth/oci; look >before; n={first}; tries=0
            while {prepare} stagehand kill-at $n $RUNTIME {words} >/dev/null 2>&1; do
              $RUNTIME delete --force killed-at-{command} || echo delete failed at $n
              tries=$((tries + 1)); usleep 20000
              look >after; cmp -s before after || {{ usleep 300000; look >after; }}
              diff before after || echo left at $n
              n=$((n + {step}))
            done
            $RUNTIME delete --force killed-at-{command}; echo tried $tries; ls log 2>/dev/null""",
        expect=[r"^tried [1-9]"], forbid=["failed at", "left at"])
       for command, words, prepare, first, step, more in (
           ("create", "create -b . killed-at-create", "", 1, 13, ()),
           ("create-hooks", "create -b . killed-at-create-hooks", "", 5, 19, (
               hook("createRuntime", "true"), hook("createContainer", "true"),
               hook("poststop", "true"),
               drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"))),
           ("start", "start killed-at-start",
            "$RUNTIME create -b . killed-at-start >/dev/null 2>&1;", 1, 11, ()),
           ("delete", "delete --force killed-at-delete",
            "$RUNTIME create -b . killed-at-delete >/dev/null 2>&1;", 1, 13,
            (hook("poststop", "true"),)))},
    "killed-while-joining": dict(
        clause="(ours) the same at many moments, with a joined user namespace, devices and a "
               "mapped mount",
        config=all_of(namespace("user", "/run/ns/user"), drop_mounts("/dev", "/dev/pts", "/dev/shm",
                                        "/dev/mqueue"),
                      mount("/data", "bind", "/run/vol", "bind", "idmap",
                            uidMappings=[{"containerID": 0, "hostID": 65546, "size": 100}],
                            gidMappings=[{"containerID": 0, "hostID": 65566, "size": 100}])),
        spec={"command": ["true"]}, script=beside_holder("killed-while-joining", """
            look() {{
              cat /proc/self/mountinfo; find /sys/fs/cgroup/containers -type d; ls /run/berth/oci
            }}
            count() {{ cat /proc/[0-9]*/comm 2>/dev/null | grep -c berth-oci; }}
            look >before
            for n in 1 2 3 4 5 7 9 11 13 16 20 25 30 40; do
              $RUNTIME create -b . {name} >/dev/null 2>&1 & p=$!
              usleep ${{n}}000; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
              $RUNTIME delete --force {name} || echo delete failed at $n
            done
            sleep 0.5; look >after; diff before after && echo same
            [ $(count) -le 1 ] && echo no process left
            ocirun run $RUNTIME $B {name}"""),
        expect=["^same$", "^no process left$", "^exit 0$"], forbid=["failed at"]),
}
