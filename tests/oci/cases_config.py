"""config.json, row by row of the runtime specification 1.2: config.md and config-linux.md. `clause`
is where it says what the row looks at. For the other keys see cases.py."""
from cases import drop_mounts, no_user_namespace, probe, put, sh


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
NS = ["readlink", "/proc/self/ns/net"]
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


CASES = {
    "config-holder": dict(clause="runs beside the rows that join", spec={"command": ["sleep",
                                        "60"]},
                          config=all_of(put("linux.cgroupsPath", "/containers/holder"),
                                        namespace("time")), script="true"),
    # ---- config.md, "Specification version" ----
    "version-newer": dict(clause="config.md: ociVersion; all of 1.x", spec={"command": ["true"]},
                          config=put("ociVersion", "1.99.0-dev+x"), expect=["^exit 0$"]),
    "version-two": dict(clause="config.md: ociVersion", spec={"command": ["true"]},
                        config=put("ociVersion", "2.0.0"),
                        expect=['ociVersion: "2.0.0" is not a version 1.x.y']),
    # ---- config-linux.md, "Namespaces" ----
    "namespace-twice": dict(clause="duplicated namespaces MUST be an error",
                            spec={"command": ["true"]},
                            config=lambda c: c["linux"]["namespaces"].append({"type": "pid"}),
                            expect=['linux.namespaces: "pid" is given twice']),
    "namespace-unknown": dict(clause="namespaces.type", spec={"command": ["true"]},
                              config=namespace("fish"),
                              expect=['linux.namespaces: unknown type "fish"']),
    "namespace-relative": dict(clause="path MUST be absolute", spec={"command": ["true"]},
                               config=namespace("network", "run/netns/x"),
                               expect=['"run/netns/x" of the network namespace is not absolute']),
    "namespace-wrong-type": dict(clause="path of another type MUST be an error",
                                 spec={"command": ["true"]},
                                 config=namespace("network", "/proc/self/ns/uts"),
                                 expect=["is not a network namespace"]),
    "namespace-no-namespace": dict(clause="path that is none", spec={"command": ["true"]},
                                   config=namespace("ipc", "/init"),
                                   expect=["is not a ipc namespace", "create failed"]),
    "namespace-inherit": dict(
        clause="not listed: the runtime's", config=all_of(
            no_user_namespace, no_namespace("uts", "ipc", "cgroup"), lambda c: c.pop("hostname")),
        spec={"command": sh("readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc")},
        script="readlink /proc/self/ns/uts; readlink /proc/self/ns/ipc; "
               "ocirun run $RUNTIME $B namespace-inherit",
        expect=[r"(?s)(uts:\[\d+\])\n.*\1\n", r"(?s)(ipc:\[\d+\])\n.*\1\n", "^exit 0$"]),
    "namespace-join": dict(
        clause="path: MUST be placed in it", spec={"command": sh(
            "for n in net ipc uts pid cgroup time; do readlink /proc/self/ns/$n; done; hostname")},
        config=all_of(no_user_namespace, lambda c: c.pop("hostname"), *(
            namespace(kind, f"/run/ns/{file}") for kind, file in (
                ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid"),
                ("cgroup", "cgroup"), ("time", "time")))),
        script=beside_holder("namespace-join", "for n in net ipc uts pid cgroup time; do "
                             "readlink /run/ns/$n; done; ocirun run $RUNTIME $B {name}"),
        expect=[*(rf"(?s)({n}:\[\d+\])\n.*\1\n" for n in ("net", "ipc", "uts", "pid", "cgroup",
                                                           "time")), "^config-holde", "^exit 0$"]),
    "namespace-join-user": dict(
        clause="user by path, mapping from the namespace", spec={"command": sh(
            "cat /proc/self/uid_map; for n in user net pid; do readlink /proc/self/ns/$n; done; "
            "id -u; touch /made; stat -c %u:%g /made /dev/null; cat /proc/sys/kernel/hostname")},
        config=all_of(namespace("user", "/run/ns/user"), namespace("network", "/run/ns/net"),
                      namespace("pid", "/run/ns/pid"),
                      lambda c: (c["linux"].pop("uidMappings"), c["linux"].pop("gidMappings"))),
        script=beside_holder("namespace-join-user",
                             "for n in net user pid; do readlink /run/ns/$n; done; "
                             "ocirun run $RUNTIME $B {name}"),
        expect=[r"^\s+0\s+65536\s+65536$", r"(?s)(net:\[\d+\])\n.*\1\n",
                r"(?s)(user:\[\d+\])\n.*\1\n",
                r"(?s)(pid:\[\d+\])\n.*\1\n", "^0$", "^0:0\n0:0$", "^exit 0$"]),
    "namespace-join-mount": dict(
        clause="mount by path",
        spec={"command": sh("readlink /proc/self/ns/mnt; ls /; cat /dev/null")},
        config=all_of(no_user_namespace, namespace("mount", "/run/ns-mount")),
        script="""
            unshare -m sh -c 'mount --make-rprivate /; echo $$ >holder; exec sleep 60' & h=$!
            until [ -s holder ]; do usleep 10000; done
            ln -sf /proc/$(cat holder)/ns/mnt /run/ns-mount
            readlink $(readlink /run/ns-mount); ocirun run $RUNTIME $B namespace-join-mount
            grep -c $B/rootfs /proc/self/mountinfo /proc/$(cat holder)/mountinfo
            kill $h; rm /run/ns-mount""",
        expect=[r"(?s)(mnt:\[\d+\])\n.*\1\n", "planted", "^exit 0$", "self/mountinfo:0$",
                r"\d/mountinfo:0$"]),
    "namespace-time": dict(
        clause="time; timeOffsets",
        spec={"command": sh("cat /proc/uptime; cat /proc/self/timens_offsets; "
                                                        "readlink /proc/self/ns/time")},
        config=all_of(namespace("time"), put("linux.timeOffsets", {
            "boottime": {"secs": 500000, "nanosecs": 1}, "monotonic": {"secs": 7}})),
        script="readlink /proc/self/ns/time; ocirun run $RUNTIME $B namespace-time",
        expect=[r"^5\d{5}\.", r"^monotonic\s+7\s+0$", r"^boottime\s+500000\s+1$", "^exit 0$"],
        forbid=[r"(?s)(time:\[\d+\])\n.*\1\n"]),
    "namespace-time-host-user": dict(
        clause="time without a user namespace", spec={"command": ["cat", "/proc/uptime"]},
        config=all_of(no_user_namespace, namespace("time"),
                      put("linux.timeOffsets", {"boottime": {"secs": 500000}})),
        expect=[r"^5\d{5}\.", "^exit 0$"]),
    "time-offsets-alone": dict(clause="timeOffsets need a time namespace",
                               spec={"command": ["true"]},
                               config=put("linux.timeOffsets", {"boottime": {"secs": 5}}),
                               expect=["linux.timeOffsets: need a new time namespace"]),
    "time-offsets-unknown": dict(clause="timeOffsets: clocks", spec={"command": ["true"]},
                                 config=all_of(namespace("time"),
                                               put("linux.timeOffsets", {"realtime": {"secs": 5}})),
                                 expect=['"realtime" is neither monotonic nor boottime']),
    # ---- config-linux.md, "User namespace mappings" ----
    "mapping-ranges": dict(
        clause="uidMappings: several",
        spec={"command": sh("cat /proc/self/uid_map; stat -c %u /dev/null "
                                                           "/bin/busybox")},
        config=all_of(mapping((0, 65536, 1000), (1000, 200000, 10), (5000, 300000, 20)),
                      put("linux.sysctl", {})),
        expect=[r"^\s+0\s+65536\s+1000\n\s+1000\s+200000\s+10\n\s+5000\s+300000\s+20$", "^0\n0$",
                "^exit 0$"]),
    "mapping-no-root": dict(
        clause="uidMappings: any", spec={"command": sh("id -u; cat /proc/self/uid_map")},
        config=all_of(mapping((1000, 65536, 10)), drop_mounts("/dev/pts"), put("linux.sysctl", {}),
                      put("process.user", {"uid": 1001, "gid": 1002}),
                      lambda c: c.update(annotations={})),
        expect=["^1001$", r"^\s+1000\s+65536\s+10$", "^exit 0$"]),
    "mapping-bad": dict(clause="uidMappings: uint32", spec={"command": ["true"]},
                        config=mapping((0, 4294967290, 100)),
                        expect=[r"linux.uidMappings\[0\]: is not a range of 32-bit ids"]),
    # ---- config.md, "Mounts" ----
    "mount-relative": dict(clause="destination: relative to /",
                           spec={"command": sh("mount | grep ' /rel '")},
                           config=mount("rel", "tmpfs", "tmpfs"), expect=["on /rel type tmpfs"],
                           exit=0),
    "mount-file": dict(
        clause="bind of a file, target made", spec={"command": sh("cat /new/place/file")},
        config=mount("/new/place/file", "bind", "word", "bind", "ro"),
        script="echo bound >word; ocirun run $RUNTIME $B mount-file", expect=["^bound$",
                                        "^exit 0$"]),
    "mount-options": dict(
        clause="Linux mount options", spec={"command": sh("mount | grep ' /o'")},
        config=all_of(mount("/o1", "tmpfs", "t", "ro", "nosuid", "nodev", "noexec", "noatime"),
                      mount("/o2", "tmpfs", "t", "strictatime", "nodiratime"),
                      mount("/o3", "tmpfs", "t", "nosuid", "suid", "ro", "rw", "sync",
                            "nosymfollow"),
                      mount("/o4", "tmpfs", "t", "noatime", "atime", "defaults", "async",
                            "silent")),
        expect=[r"on /o1 type tmpfs \(ro,nosuid,nodev,noexec,noatime",
                r"on /o2 type tmpfs \(rw,nodiratime",
                r"on /o3 type tmpfs \(rw,(sync,)?.*nosymfollow",
                r"on /o4 type tmpfs \(rw,relatime"],
        forbid=["/o2.*relatime", "/o3.*nosuid"], exit=0),
    "mount-recursive": dict(
        clause="rro, rnosuid, rnodev, rnoexec, rnoatime, rstrictatime, rrw", spec={"command": sh(
            "mount | grep -E ' /(a|b|c)'; touch /a/x /a/sub/x /b/sub/x; touch /c/sub/x && echo "
            "written")},
        config=all_of(mount("/a", "bind", "/run/vol/tree", "rbind", "rro", "rnosuid", "rnodev",
                            "rnoexec",
                            "rnoatime"),
                      mount("/b", "bind", "/run/vol/tree", "rbind", "ro"),
                      mount("/c", "bind", "/run/vol/tree", "rbind", "rrw", "rstrictatime")),
        script="mkdir -p /run/vol/tree/sub; mount -t tmpfs -o mode=777 t /run/vol/tree/sub; "
               "ocirun run $RUNTIME $B mount-recursive; umount /run/vol/tree/sub",
        expect=[r"on /a type tmpfs \(ro,nosuid,nodev,noexec,noatime",
                r"on /a/sub type tmpfs \(ro,nosuid,"
                "nodev,noexec,noatime", "/a/x: Read-only", "/a/sub/x: Read-only",
                r"on /c/sub type tmpfs \(rw",
                "^written$"], forbid=["/b/sub/x: Read-only"]),
    "mount-unknown-option": dict(clause="options: not known", spec={"command": ["true"]},
                                 config=mount("/x", "tmpfs", "t", "fishy"),
                                 expect=['mount "tmpfs" on "/x": .*fishy']),
    "mount-bind-option": dict(clause="options: of a bind", spec={"command": ["true"]},
                              config=mount("/x", "bind", "/run", "bind", "size=1k"),
                              expect=['option "size=1k" does not go with a bind']),
    "mount-remount": dict(
        clause="remount", spec={"command": sh("touch /etc/x; touch /tmp/t/x && echo written")},
        config=all_of(mount("/etc", "bind", "/run/vol/etc", "bind"), mount("/tmp/t", "tmpfs", "t",
                                        "ro"),
                      mount("/etc", "bind", "", "remount", "bind", "ro"),
                      mount("/tmp/t", "tmpfs", "t", "remount", "rw")),
        script="mkdir -p /run/vol/etc; cp rootfs/etc/* /run/vol/etc; ocirun run $RUNTIME $B "
               "mount-remount",
        expect=["/etc/x: Read-only"]),
    "mount-propagation": dict(
        clause="private, slave, shared", spec={"command": sh(
            "grep -E ' /(p|s) ' /proc/self/mountinfo; cat /ready >/dev/null; ls /s/late /p/late")},
        config=all_of(mount("/p", "bind", "/run/vol/shared", "rbind"),
                      mount("/s", "bind", "/run/vol/shared", "rbind", "rslave")),
        script="""
            mkdir -p /run/vol/shared; mount -t tmpfs -o mode=755 t /run/vol/shared
            mount --make-shared /run/vol/shared; mkdir /run/vol/shared/late
            mkfifo rootfs/ready; chown 65536 rootfs/ready
            $RUNTIME create -b . mount-propagation && $RUNTIME start mount-propagation
            mount -t tmpfs t /run/vol/shared/late; touch /run/vol/shared/late/seen
            echo go >rootfs/ready; sleep 0.5
            umount /run/vol/shared/late; umount /run/vol/shared""",
        expect=[r" /s .*master:\d+", r"/s/late:\nseen"], forbid=[r" /p .*master",
                                        r"/p/late:\nseen"]),
    "rootfs-propagation": dict(
        clause="rootfsPropagation",
        spec={"command": sh("grep ' / / ' /proc/self/mountinfo | head -1; "
                                                        "grep -E ' / ' /proc/self/mountinfo | "
                                        "head -1")},
        config=put("linux.rootfsPropagation", "shared"), expect=[r" / .*shared:\d+"], exit=0),
    "rootfs-propagation-unbindable": dict(
        clause="rootfsPropagation",
        spec={"command": sh("grep -E ' / ' /proc/self/mountinfo | head -1")},
        config=put("linux.rootfsPropagation", "unbindable"), expect=[r" / .*unbindable"], exit=0),
    "rootfs-propagation-bad": dict(
        clause="rootfsPropagation", spec={"command": ["true"]},
        config=put("linux.rootfsPropagation", "fishy"),
        expect=['linux.rootfsPropagation: unknown word "fishy"']),
    "mount-tmpcopyup": dict(
        clause="tmpcopyup", spec={"command": sh(
            "cat /etc/group; readlink /etc/link; stat -c '%n %a %u:%g' /etc /etc/sub "
            "/etc/sub/deep; "
            "touch /etc/new && echo writable")},
        config=mount("/etc", "tmpfs", "tmpfs", "tmpcopyup", "nosuid"),
        script="cd rootfs/etc; ln -s group link; mkdir -p sub; echo x >sub/deep; chmod 750 sub; "
               "chown 65536 sub; chown 65546:65547 sub/deep; chmod 4711 sub/deep; chmod 710 .; cd "
               "../..; "
               "ocirun run $RUNTIME $B mount-tmpcopyup; ls rootfs/etc/new",
        expect=["^extra:x:2000:app$", "^group$", "^/etc 710 0:0$", r"^/etc/sub 750 ",
                "^/etc/sub/deep 4711 10:11$", "^writable$", "rootfs/etc/new: No such file"]),
    "mount-tmpfs-mode": dict(
        clause="a tmpfs over a directory has its mode (runc, crun)", spec={"command": sh(
            "stat -c %a /root /fresh")},
        config=all_of(mount("/root", "tmpfs", "tmpfs"), mount("/fresh", "tmpfs", "tmpfs")),
        script="chmod 700 rootfs/root; ocirun run $RUNTIME $B mount-tmpfs-mode",
        expect=["^700\n1777$"]),
    "mount-cgroup": dict(
        clause="cgroup mount, own namespace",
        spec={"command": sh("mount | grep cgroup; cat /proc/self/cgroup; "
                                            "ls /sys/fs/cgroup/cgroup.procs")},
        expect=["type cgroup2", "^0::/$", "^/sys/fs/cgroup/cgroup.procs$"], exit=0),
    "mount-cgroup-shared": dict(
        clause="cgroup mount, host's namespace: the own cgroup alone",
        spec={"command": sh("ls -d /sys/fs/cgroup/containers; wc -l </sys/fs/cgroup/cgroup.procs")},
        config=no_namespace("cgroup"), expect=["containers: No such file", "^1$"]),
    "cgroup-owner": dict(
        clause="Cgroup ownership", spec={"command": sh(
            "cd /sys/fs/cgroup; stat -c '%u %n' . cgroup.procs memory.max pids.max "
            "cgroup.max.depth; "
            "mkdir sub && echo made; echo 9 >pids.max")},
        config=lambda c: [m["options"].remove("ro") for m in c["mounts"]
                          if m["destination"] == "/sys/fs/cgroup"],
        expect=[r"^0 \.$", "^0 cgroup.procs$", "^65534 cgroup.max.depth$", "^made$"],
        forbid=["^0 cgroup.max"]),
    "mount-proc-options": dict(clause="proc with options",
                               spec={"command": sh("mount | grep '^proc on /proc '")},
                               config=lambda c: [m.setdefault("options",
                                        []).append("hidepid=2") for m in c["mounts"]
                                                 if m["destination"] == "/proc"],
                               expect=["hidepid=(2|invisible)"], exit=0),
    # ---- idmap, ridmap ----
    "idmap-own": dict(
        clause="uidMappings of a mount",
        spec={"command": sh("stat -c 'in %u:%g' /data/f; touch /data/new")},
        config=all_of(no_user_namespace, mount(
            "/data", "bind", "/run/vol/idmap", "bind", "idmap",
            uidMappings=[{"containerID": 0, "hostID": 5000, "size": 100}],
            gidMappings=[{"containerID": 0, "hostID": 6000, "size": 100}])),
        script="mkdir -p /run/vol/idmap; echo x >/run/vol/idmap/f; chown 7:8 /run/vol/idmap/f; "
               "ocirun run $RUNTIME $B idmap-own",
        expect=["^in 5007:6008$"]),
    "idmap-own-user": dict(
        clause="uidMappings of a mount, other than the container's",
        spec={"command": sh("stat -c 'in %u:%g' /data/f")},
        config=mount("/data", "bind", "/run/vol/idmap2", "rbind", "ridmap",
                     uidMappings=[{"containerID": 0, "hostID": 65546, "size": 100}],
                     gidMappings=[{"containerID": 0, "hostID": 65566, "size": 100}]),
        script="mkdir -p /run/vol/idmap2; echo x >/run/vol/idmap2/f; chown 7:8 /run/vol/idmap2/f; "
               "ocirun run $RUNTIME $B idmap-own-user",
        expect=["^in 17:38$", "^exit 0$"]),
    "idmap-container": dict(
        clause="idmap: else the container's",
        spec={"command": sh("stat -c 'in %u' /data/f /data/sub/f")},
        config=mount("/data", "bind", "/run/vol/idmap3", "rbind", "idmap"),
        script="mkdir -p /run/vol/idmap3/sub; mount -t tmpfs t /run/vol/idmap3/sub; touch "
               "/run/vol/idmap3/f "
               "/run/vol/idmap3/sub/f; ocirun run $RUNTIME $B idmap-container; umount "
               "/run/vol/idmap3/sub",
        expect=["^in 0\nin 65534$", "^exit 0$"]),
    "ridmap-container": dict(
        clause="ridmap: recursive", spec={"command": sh("stat -c 'in %u' /data/f /data/sub/f")},
        config=mount("/data", "bind", "/run/vol/idmap4", "rbind", "ridmap"),
        script="mkdir -p /run/vol/idmap4/sub; mount -t tmpfs t /run/vol/idmap4/sub; touch "
               "/run/vol/idmap4/f "
               "/run/vol/idmap4/sub/f; ocirun run $RUNTIME $B ridmap-container; umount "
               "/run/vol/idmap4/sub",
        expect=["^in 0\nin 0$", "^exit 0$"]),
    "idmap-root": dict(
        clause="(ours) the root file system by the container's mapping", spec={"command": sh(
            "stat -c 'in %u:%g' /etc/passwd; touch /made; chown 3:4 /made")},
        config=lambda c: c["annotations"].update({"org.berth.root-idmap": "idmap"}),
        script="chown -R 0:0 rootfs; ocirun run $RUNTIME $B idmap-root; stat -c %u:%g rootfs/made",
        expect=["^in 0:0$", "^exit 0$", "^3:4$"]),
    "idmap-root-bad": dict(
        clause="(ours) no user namespace", spec={"command": ["true"]}, config=all_of(
            no_user_namespace,
            lambda c: c["annotations"].update({"org.berth.root-idmap": "idmap"})),
        expect=["org.berth.root-idmap: needs a user namespace"]),
    "idmap-nothing": dict(clause="idmap without any mapping", spec={"command": ["true"]},
                          config=all_of(no_user_namespace, mount("/data", "bind", "/run", "bind",
                                        "idmap")),
                          expect=['"idmap" needs mappings']),
    "idmap-half": dict(clause="uidMappings without gidMappings", spec={"command": ["true"]},
                       config=mount("/data", "bind", "/run", "bind",
                                    uidMappings=[{"containerID": 0, "hostID": 1, "size": 1}]),
                       expect=["uidMappings and gidMappings go together"]),
    # ---- config-linux.md, "Devices", "Default Devices" ----
    "devices-types": dict(
        clause="linux.devices",
        spec={"command": sh("ls -ln /dev/d /dev/d/n /opt; cat </dev/d/z | head -c 3 | wc -c")},
        config=lambda c: (c["linux"]["devices"].extend([
            {"type": "c", "path": "/dev/d/z", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 10,
             "gid": 20},
            {"type": "u", "path": "/dev/d/n/x", "major": 1, "minor": 3},
            {"type": "b", "path": "/dev/d/disk", "major": 7, "minor": 0, "fileMode": 0o600},
            {"type": "p", "path": "/dev/d/fifo", "fileMode": 0o622},
            {"type": "c", "path": "/opt/null", "major": 1,
             "minor": 3}])) if c["linux"].setdefault("devices", []) is not None else None,
        expect=[r"^crw-r-----\s+1 10\s+20\s+1,\s+5 .* z$", r"^crw-rw-rw-.* 1,\s+3 .* x$",
                r"^brw-------.* disk$",
                r"^prw--w--w-.* fifo$", r"^crw-rw-rw-\s+1 0\s+0\s+1,\s+3.* null$", "^3$",
                "^exit 0$"]),
    "devices-no-tmpfs": dict(
        clause="default devices in the image's own /dev", spec={"command": sh(
            "ls -l /dev | awk '{print $1, $NF}'; echo lost >/dev/null; head -c 2 /dev/zero | wc "
            "-c; mount | grep -c ' /dev '")},
        config=drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"),
        expect=["^crw-rw-rw- null", "^crw-rw-rw- tty", "/proc/self/fd$", "pts/ptmx$", "^2$",
                "^0$"]),
    "devices-no-tmpfs-again": dict(
        clause="what is there already", spec={"command": sh("ls -l /dev/null | cut -c1-10")},
        config=drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"),
        script="for i in 1 2; do ocirun run $RUNTIME $B devices-no-tmpfs-again; done; "
               "rm rootfs/dev/null; echo file >rootfs/dev/null; ocirun run $RUNTIME $B "
               "devices-no-tmpfs-again",
        expect=[r"(?s)crw-rw-rw-\nexit 0\ncrw-rw-rw-\nexit 0\n",
                'make device "/dev/null": File exists', "create failed"]),
    "devices-no-tmpfs-symlink": dict(
        clause="CVE-2026-41579 without a tmpfs", spec={"command": ["true"]},
        config=drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"),
        script="rmdir rootfs/dev; mkdir -p /run/escape; ln -s /run/escape rootfs/dev; "
               "ocirun run $RUNTIME $B devices-no-tmpfs-symlink; ls /run/escape | wc -l",
        expect=['"/dev": it is a symbolic link in the image', "^0$", "create failed"]),
    "devices-host-dev": dict(
        clause="/dev bound from the host",
        spec={"command": sh("ls -l /dev/vda /dev/null; mount | grep -c ' /dev '")},
        config=all_of(no_user_namespace, drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"),
                      mount("/dev", "bind", "/dev", "rbind", "rslave")),
        script="ls /dev >before; ocirun run $RUNTIME $B devices-host-dev; ls /dev | cmp - before "
               "&& echo same",
        expect=["crw.* /dev/null", "^same$"]),
    "devices-bad": dict(clause="linux.devices.type", spec={"command": ["true"]},
                        config=put("linux.devices", [{"type": "x", "path": "/dev/x"}]),
                        expect=['linux.devices: "/dev/x": type is b, c, u or p']),
    "devices-bad-path": dict(clause="linux.devices.path: full", spec={"command": ["true"]},
                             config=put("linux.devices", [{"type": "p", "path": "/dev/../x"}]),
                             expect=['linux.devices: "/dev/../x" is not a full path']),
    "device-rules": dict(
        clause="resources.devices: the last one that matches",
        spec={"command": sh("for d in full zero urandom; do head -c 1 /dev/$d >/dev/null && echo "
                            "read $d; done; "
                            "echo x >/dev/kmsg && echo wrote; head -c 1 /dev/kmsg && echo readk")},
        config=all_of(no_user_namespace, lambda c: c["linux"].update(devices=[
            {"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}]),
            resources("devices", [{"allow": True}, {"allow": False, "access": "rwm"},
                                  {"allow": True, "type": "c", "major": 1, "minor": 11,
                                   "access": "w"},
                                  {"allow": False, "type": "b", "major": -1, "minor": -1}])),
        expect=["^read full$", "^read zero$", "^read urandom$", "^wrote$",
                "kmsg: Operation not permitted"],
        forbid=["^readk"]),
    "device-rules-replaced": dict(
        clause="(ours) a cgroup that is used again keeps no older rules", config=all_of(
            no_user_namespace, put("linux.devices", [
                {"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}]),
            put("linux.resources.devices", [{"allow": True, "type": "c", "major": 1, "minor": 11,
                                             "access": "rw"}])),
        spec={"command": sh("echo x >/dev/kmsg && echo wrote")}, script="""
            cp -a . ../older; sed -i 's/"allow":true/"allow":false/' ../older/config.json
            $RUNTIME create -b ../older older && $RUNTIME kill older KILL; sleep 0.5
            ocirun run $RUNTIME $B device-rules-replaced; rm -rf ../older
            $RUNTIME delete --force older""",
        expect=["^wrote$", "^exit 0$"]),
    "device-rule-bad": dict(clause="resources.devices", spec={"command": ["true"]},
                            config=resources("devices", [{"allow": True, "type": "c",
                                        "access": "rx"}]),
                            expect=[r"linux.resources.devices\[0\]: type is a, b or c"]),
    # ---- masked and read-only paths ----
    "masked-kinds": dict(
        clause="maskedPaths, readonlyPaths: files, directories, missing", spec={"command": sh(
            "cat /etc/group | wc -c; ls /tmp | wc -l; touch /tmp/x; touch /root/x; echo x "
            ">>/etc/passwd")},
        config=lambda c: c["linux"].update(maskedPaths=["/etc/group", "/tmp", "/none",
                                        "/etc/group/x"],
                                           readonlyPaths=["/root", "/etc/passwd", "/nothing"]),
        expect=["^0\n0$", "/tmp/x: Read-only", "/root/x: Read-only", "passwd: Read-only"]),
    "mount-label": dict(clause="mountLabel: no SELinux here", spec={"command": ["true"]},
                        config=put("linux.mountLabel", "system_u:object_r:x_t:s0"),
                        expect=['linux.mountLabel: "system_u:object_r:x_t:s0": SELinux is not '
                                "enabled"]),
    "intel-rdt": dict(clause="intelRdt", spec={"command": ["true"]},
                      config=put("linux.intelRdt", {"closID": "x"}),
                      expect=["linux.intelRdt: is not supported by this runtime"]),
    "masked-relative": dict(clause="maskedPaths MUST be absolute", spec={"command": ["true"]},
                            config=put("linux.maskedPaths", ["proc/kcore"]),
                            expect=['linux.maskedPaths: "proc/kcore" is not an absolute path']),
    # ---- sysctl, hostname ----
    "sysctl-slashes": dict(clause="sysctl(8) names", spec={"command": sh(
        "cat /proc/sys/net/ipv4/conf/lo/forwarding /proc/sys/kernel/shmmni")},
        config=put("linux.sysctl", {"net/ipv4/conf/lo/forwarding": "1", "kernel.shmmni": "77"}),
        expect=["^1\n77$", "^exit 0$"]),
    "sysctl-joined-host": dict(
        clause="sysctl only in own namespaces: the host's by path", spec={"command": ["true"]},
        config=all_of(no_user_namespace, namespace("network", "/proc/1/ns/net"),
                      put("linux.sysctl", {"net.ipv4.ip_forward": "1"})),
        expect=['sysctl "net.ipv4.ip_forward" is not in a separate kernel namespace',
                "create failed"]),
    "sysctl-missing": dict(clause="sysctl: unknown", spec={"command": ["true"]},
                           config=put("linux.sysctl", {"net.fish": "1"}),
                           expect=['set sysctl "net.fish" to "1": No such file']),
    "sysctl-escape": dict(clause="sysctl: a path", spec={"command": ["true"]},
                          config=put("linux.sysctl", {"net/../../sysrq-trigger": "c"}),
                          expect=['sysctl "net/../../sysrq-trigger" is not a name']),
    "hostname-host": dict(clause="hostname: needs a UTS namespace", spec={"command": ["true"]},
                          config=no_namespace("uts"),
                          expect=["hostname: needs a UTS namespace of its own"]),
    # ---- config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle" ----
    "hooks-order": dict(
        clause="order, status, namespaces", spec={"command": sh("echo process >>/tmp/log")},
        config=all_of(
            hook("prestart", f"echo prestart $({STATUS}) $(readlink /proc/self/ns/net) "
                              f">>{HOOK_LOG}"),
            hook("createRuntime",
                 f"echo createRuntime $({STATUS}) $(readlink /proc/self/ns/net) >>{HOOK_LOG}; "
                                  "ls /run/c/hooks-order/rootfs/tmp | wc -l"),
            hook("createContainer",
                 f"echo createContainer $({STATUS}) $(readlink /proc/self/ns/net) "
                                    f"$(grep -c rootfs/proc /proc/self/mountinfo) >>{HOOK_LOG}"),
            hook("startContainer",
                 f"echo startContainer $({STATUS}) $(readlink /proc/self/ns/net) >>/tmp/log"),
            hook("poststart", f"echo poststart $({STATUS}) $(readlink /proc/self/ns/net) "
                               f">>{HOOK_LOG}"),
            hook("poststop", f"echo poststop $({STATUS}) $(readlink /proc/self/ns/net) "
                              f">>{HOOK_LOG}; "
                             "ls -d /sys/fs/cgroup/containers/hooks-order 2>/dev/null "
                             ">>" + HOOK_LOG),
            mount("/tmp", "bind", "/run/c/hooks-order/shared", "bind")),
        script="""
            touch log; chmod 666 log; mkdir shared; chmod 777 shared
            echo host $(readlink /proc/self/ns/net)
            ocirun run $RUNTIME $B hooks-order; cat log; cat shared/log""",
        expect=[r"(?s)host (net:\S+)\n.*prestart creating \1\ncreateRuntime creating "
                 r"\1\ncreateContainer creating "
                r"(net:\S+) [1-9]\d*\npoststart running \1\npoststop stopped \1\nstartContainer "
                 r"created \2\nprocess\n",
                "^exit 0$"]),
    "hooks-state": dict(
        clause="state on stdin; args, env", spec={"command": ["true"], "labels": {"a": "b"}},
        config=all_of(put("annotations.x", "y"), hook("createRuntime",
                                        "cat >/run/c/hooks-state/state; echo $0 $1 $FOO "
                                                     ">/run/c/hooks-state/words; env "
                                        ">>/run/c/hooks-state/words"),
                      lambda c: c["hooks"]["createRuntime"][0].update(
                          args=[*c["hooks"]["createRuntime"][0]["args"], "zero", "one"],
                          env=["FOO=bar", "PATH=/bin"])),
        script="$RUNTIME create -b . --pid-file pid hooks-state; cat state words; echo; echo pid "
               "$(cat pid)",
        expect=[r'(?s)^\{"ociVersion":"1[^"]*","id":"hooks-state","status":"creating","pid":(\d+),'
                r'"bundle":"/run/c/hooks-state","annotations":\{.*"x":"y".*\}\}.*pid \1$',
                "zero one bar$"],
        forbid=["RUNTIME="]),
    "hooks-fail-create": dict(
        clause="a failing create hook stops, and poststop runs", spec={"command": ["true"]},
        config=all_of(hook("createRuntime", "echo no luck today >&2; exit 3"), hook("poststop",
                                        "echo stopped >/run/c/hooks-fail-create/after")),
        script="ocirun run $RUNTIME $B hooks-fail-create; cat after; ls /run/berth/oci; "
               "ls -d /sys/fs/cgroup/containers/hooks-fail-create",
        expect=[r'hook createRuntime\[0\] "/bin/sh": exit status 3: no luck today', "create failed",
                "^stopped$",
                "containers/hooks-fail-create: No such file"], forbid=["^hooks-fail-create$"]),
    "hooks-fail-container": dict(
        clause="a failing createContainer hook stops", spec={"command": ["true"]},
        config=hook("createContainer", "exit 4"),
        expect=[r'hook createContainer\[0\] "/bin/sh": exit status 4', "create failed"]),
    "hooks-fail-start": dict(
        clause="a failing startContainer hook stops", spec={"command": ["echo", "ran"]},
        config=hook("startContainer", "exit 5"),
        expect=[r'hook startContainer\[0\] "/bin/sh": exit status 5', "start failed"],
        forbid=["^ran$"]),
    "hooks-fail-late": dict(
        clause="failing poststart and poststop are warnings, the rest runs",
        spec={"command": ["sleep", "1"]},
        config=all_of(hook("poststart", "exit 6"), hook("poststart",
                                        "echo second >/run/c/hooks-fail-late/log"),
                      hook("poststop", "exit 7")),
        script="$RUNTIME --log l create -b . hooks-fail-late >/dev/null && $RUNTIME --log l start "
               "hooks-fail-late && echo started; "
               "cat log; $RUNTIME --log l delete --force hooks-fail-late && echo deleted; cat l",
        expect=["^started$", "^second$", "^deleted$",
                r"level=warning msg=.*poststart\[0\].*exit status 6",
                r"level=warning msg=.*poststop\[0\].*exit status 7"]),
    "hooks-timeout": dict(
        clause="timeout", spec={"command": ["true"]}, config=hook("createRuntime", "exec sleep 30",
                                        timeout=1),
        expect=["did not end within 1 s", "create failed"]),
    "hooks-missing": dict(clause="path", spec={"command": ["true"]},
                          config=put("hooks", {"prestart": [{"path": "/no/such"}]}),
                          expect=[r'hook prestart\[0\] "/no/such".*No such file', "create failed"]),
    "hooks-relative": dict(clause="path MUST be absolute", spec={"command": ["true"]},
                           config=put("hooks", {"poststop": [{"path": "true"}]}),
                           expect=[r'hooks.poststop\[0\].path: "true" is not an absolute path']),
    "hooks-joined": dict(
        clause="createRuntime runs in the host's namespaces also where some are joined",
        spec={"command": NS},
        config=all_of(no_user_namespace, namespace("network", "/run/ns/net"),
                      hook("createRuntime", "readlink /proc/self/ns/net >/run/c/hooks-joined/log")),
        script=beside_holder("hooks-joined",
                             "readlink /proc/self/ns/net >own; ocirun run $RUNTIME $B {name}; "
                                             "cmp own log && echo same"),
        expect=["^same$", "^exit 0$"]),
    # ---- config-linux.md, "Seccomp" ----
    "seccomp-errno": dict(clause="SCMP_ACT_ERRNO, errnoRet", spec={"command": probe("keyctl",
                                        "inet", "fork")},
                          config=seccomp(on(["keyctl"], "SCMP_ACT_ERRNO", errnoRet=16)),
                          expect=["^keyctl: (Device or )?[Rr]esource busy", "^inet: ok"]),
    "seccomp-default": dict(
        clause="defaultAction, defaultErrnoRet", spec={"command": probe("keyctl")},
        config=lambda c: c["linux"]["seccomp"].update(defaultErrnoRet=16),
        expect=["^keyctl: (Device or )?[Rr]esource busy"]),
    "seccomp-kill-process": dict(clause="SCMP_ACT_KILL_PROCESS", spec={"command": probe("inet",
                                        "keyctl")},
                                 config=seccomp(on(["keyctl"], "SCMP_ACT_KILL_PROCESS")),
                                 expect=["^exit 159$"]),
    "seccomp-kill": dict(clause="SCMP_ACT_KILL", spec={"command": probe("inet", "keyctl")},
                         config=seccomp(on(["keyctl"], "SCMP_ACT_KILL")), expect=["^exit 159$"]),
    "seccomp-trap": dict(clause="SCMP_ACT_TRAP", spec={"command": probe("inet", "keyctl")},
                         config=seccomp(on(["keyctl"], "SCMP_ACT_TRAP")), expect=["^exit 159$"]),
    "seccomp-trace": dict(clause="SCMP_ACT_TRACE: no tracer", spec={"command": probe("keyctl")},
                          config=seccomp(on(["keyctl"], "SCMP_ACT_TRACE", errnoRet=9)),
                          expect=["^keyctl: Function not implemented", "^exit 0$"]),
    "seccomp-log": dict(clause="SCMP_ACT_LOG", spec={"command": probe("inet")},
                        config=seccomp(on(["socket"], "SCMP_ACT_LOG"),
                                       flags=["SECCOMP_FILTER_FLAG_LOG"]),
                        expect=["^inet: ok", "^exit 0$"]),
    "seccomp-flags": dict(
        clause="flags", spec={"command": sh("grep Speculation_Store /proc/self/status; probe "
                                        "keyctl")},
        config=seccomp(on(["keyctl"], "SCMP_ACT_ERRNO"), flags=[
            "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]),
        expect=["^keyctl: Operation not permitted"], exit=0),
    "seccomp-flag-bad": dict(clause="flags: unknown", spec={"command": ["true"]},
                             config=seccomp(None, flags=["SECCOMP_FILTER_FLAG_FISH"]),
                             expect=['flag "SECCOMP_FILTER_FLAG_FISH" is not supported']),
    "seccomp-operators": dict(
        clause="syscalls.args: every operator", spec={"command": sh(
            "for m in 600 601 602 603 604 605 610 700; do chmod 0$m /tmp && echo $m; done 2>&1 | "
            "grep -v chmod")},
        config=lambda c: c["linux"].update(seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            on(["chmod", "fchmodat"], "SCMP_ACT_ERRNO", args=[{"index": 1, "value": v,
                                        "valueTwo": w, "op": f"SCMP_CMP_{o}"}])
            for v, w, o in ((0o600, 0, "EQ"), (0o600, 0, "LT"), (0o400, 0, "LE"), (0o1000, 0, "GT"),
                            (0o700, 0, "GE"),
                            (0o7, 0o5, "MASKED_EQ"))] + [
            on(["chmod"], "SCMP_ACT_ERRNO", args=[{"index": 1, "value": 0o604, "op": "SCMP_CMP_EQ"},
                                                  {"index": 1, "value": 0o602,
                                        "op": "SCMP_CMP_EQ"}])]}),
        expect=[r"^601\n603\n610\n"], forbid=["^60[0245]$", "^700$"]),
    "seccomp-architectures": dict(
        clause="architectures", spec={"command": probe("keyctl")},
        config=seccomp(on(["keyctl"], "SCMP_ACT_ERRNO"), architectures=["SCMP_ARCH_X86_64",
                                        "SCMP_ARCH_X86",
                                                                        "SCMP_ARCH_X32"]),
        expect=["^keyctl: Operation not permitted", "^exit 0$"]),
    "seccomp-architecture-bad": dict(clause="architectures", spec={"command": ["true"]},
                                     config=seccomp(None, architectures=["SCMP_ARCH_Z80"]),
                                     expect=['architecture "SCMP_ARCH_Z80" is not supported']),
    "seccomp-errno-refused": dict(clause="errnoRet with another action MUST fail",
                                  spec={"command": ["true"]},
                                  config=seccomp(on(["keyctl"], "SCMP_ACT_KILL", errnoRet=3)),
                                  expect=['errnoRet does not go with "SCMP_ACT_KILL"']),
    "seccomp-no-names": dict(clause="names MUST have an entry", spec={"command": ["true"]},
                             config=seccomp(on([], "SCMP_ACT_KILL")),
                             expect=["names no system call"]),
    "seccomp-many": dict(
        clause="300 rules", spec={"command": probe("keyctl", "inet")},
        config=lambda c: c["linux"].update(seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            on(["ioctl"], "SCMP_ACT_ERRNO", args=[{"index": 1, "value": 0x7000 + i,
                                        "op": "SCMP_CMP_EQ"}])
            for i in range(300)] + [on(["keyctl"], "SCMP_ACT_ERRNO")]}),
        expect=["^keyctl: Operation not permitted", "^inet: ok", "^exit 0$"]),
    "seccomp-notify": dict(
        clause="SCMP_ACT_NOTIFY, listenerPath, listenerMetadata; The Container Process State",
        spec={"command": sh("mkdir /tmp/x; echo then")},
        config=seccomp(on(["mkdir", "mkdirat"], "SCMP_ACT_NOTIFY"),
                       listenerPath="/run/c/seccomp-notify/agent",
                       listenerMetadata="meta"),
        script="stagehand agent agent & until [ -e agent ]; do usleep 10000; done; "
               "ocirun run $RUNTIME $B seccomp-notify; wait",
        expect=[r'agent: \{"ociVersion":"1[^"]*","fds":\["seccompFd"\],"pid":(\d+),'
                r'"metadata":"meta","state":\{.*'
                r'"status":"creating","pid":\1,', "agent: then 0",
                "can't create directory '/tmp/x': "
                "(Device or resource|Resource) busy", "^then$", "^exit 0$"]),
    "seccomp-notify-privileged": dict(
        clause="SCMP_ACT_NOTIFY without no_new_privs",
        spec={"command": sh("mkdir /tmp/x; echo then")},
        config=all_of(put("process.noNewPrivileges", False), seccomp(
            on(["mkdir", "mkdirat"], "SCMP_ACT_NOTIFY"),
            listenerPath="/run/c/seccomp-notify-privileged/agent")),
        script="stagehand agent agent & until [ -e agent ]; do usleep 10000; done; "
               "ocirun run $RUNTIME $B seccomp-notify-privileged; wait",
        expect=["can't create directory '/tmp/x': (Device or resource|Resource) busy", "^then$",
                "^exit 0$"],
        forbid=["metadata"]),
    "seccomp-notify-exec": dict(
        clause="SCMP_ACT_NOTIFY of a process that is added: its own listener and pid",
        spec={"command": ["sleep", "60"]},
        config=seccomp(on(["mkdir", "mkdirat"], "SCMP_ACT_NOTIFY"),
                       listenerPath="/run/c/seccomp-notify-exec/agent"),
        script="""
            stagehand agent agent >/dev/null & until [ -e agent ]; do usleep 10000; done
            $RUNTIME create -b . --pid-file pid seccomp-notify-exec >/dev/null
            $RUNTIME start seccomp-notify-exec; rm agent
            stagehand agent agent & until [ -e agent ]; do usleep 10000; done
            $RUNTIME exec seccomp-notify-exec mkdir /tmp/x
            $RUNTIME delete --force seccomp-notify-exec
            echo first $(cat pid)""",
        expect=[r'"pid":(\d+),"state":\{.*"status":"running","pid":(?!\1)(\d+),(.|\n)*first \2$',
                "can't create directory '/tmp/x': (Device or resource|Resource) busy"]),
    "seccomp-notify-no-agent": dict(
        clause="a failure to send MUST be an error", spec={"command": ["true"]},
        config=seccomp(on(["mkdir"], "SCMP_ACT_NOTIFY"), listenerPath="/run/nobody"),
        expect=['connect to linux.seccomp.listenerPath "/run/nobody"', "create failed"]),
    "seccomp-notify-no-path": dict(clause="SCMP_ACT_NOTIFY needs a listenerPath",
                                   spec={"command": ["true"]},
                                   config=seccomp(on(["mkdir"], "SCMP_ACT_NOTIFY")),
                                   expect=["SCMP_ACT_NOTIFY needs a listenerPath"]),
    "seccomp-metadata-alone": dict(clause="listenerMetadata MUST NOT be set without listenerPath",
                                   spec={"command": ["true"]},
                                   config=seccomp(None, listenerMetadata="x"),
                                   expect=["listenerMetadata needs a listenerPath"]),
    "seccomp-notify-default": dict(clause="SCMP_ACT_NOTIFY as default would stop the runtime",
                                   spec={"command": ["true"]},
                                   config=seccomp(None, default="SCMP_ACT_NOTIFY",
                                        listenerPath="/run/x"),
                                   expect=["SCMP_ACT_NOTIFY cannot be the default action"]),
    "seccomp-cache-bounded": dict(
        clause="(ours) the cache does not grow without end", spec={"command": ["true"]},
        config=seccomp(on(["keyctl"], "SCMP_ACT_ERRNO", errnoRet=1234)),
        script="""
            rm -rf /run/berth/oci/.seccomp; mkdir -p /run/berth/oci
            for i in $(awk 'BEGIN { for (i = 100; i < 170; i++) print i }'); do
              sed "s/1234/$i/" /cases/seccomp-cache-bounded/config.json >config.json
              $RUNTIME create -b . seccomp-cache-bounded
              $RUNTIME delete --force seccomp-cache-bounded
            done
            echo kept $(ls /run/berth/oci/.seccomp | wc -l)""",
        expect=["^kept 64$"]),
    # ---- config-linux.md, "Control groups" ----
    "cgroup-files": dict(
        clause="memory, cpu, blockIO, hugepageLimits, unified", spec={"command": ["true"]},
        config=lambda c: c["linux"].update(resources={
            "memory": {"limit": 67108864, "reservation": -1, "swap": 67108864,
                       "checkBeforeUpdate": True,
                       "kernel": -1, "disableOOMKiller": False},
            "cpu": {"shares": 1024, "quota": 50000, "period": 200000, "burst": 10000, "mems": "0"},
            "pids": {"limit": -1},
            "blockIO": {"weight": 100, "throttleReadBpsDevice": [{"major": 254, "minor": 0,
                                        "rate": 1048576}],
                        "throttleWriteIOPSDevice": [{"major": 254, "minor": 0, "rate": 100}]},
            "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
            "unified": {"memory.high": "50331648", "cgroup.max.depth": "3",
                        "io.max": "254:0 wbps=2097152\n254:0 riops=120"}}),
        script="""
            $RUNTIME create -b . cgroup-files
            cd /sys/fs/cgroup/containers/cgroup-files
            for f in memory.max memory.low memory.high memory.swap.max cpu.max cpu.max.burst \\
              cpu.weight cpuset.mems pids.max io.weight io.max hugetlb.2MB.max \\
              hugetlb.2MB.rsvd.max cgroup.max.depth; do echo $f $(cat $f); done""",
        expect=["^memory.max 67108864$", "^memory.low max$", "^memory.high 50331648$",
                "^memory.swap.max 0$",
                "^cpu.max 50000 200000$", "^cpu.max.burst 10000$", "^cpu.weight 39$",
                "^cpuset.mems 0$", "^pids.max max$",
                "^io.weight default 910$",
                "^io.max 254:0 rbps=1048576 wbps=2097152 riops=120 wiops=100$",
                "^hugetlb.2MB.max 4194304$", "^hugetlb.2MB.rsvd.max 4194304$",
                "^cgroup.max.depth 3$"]),
    "cgroup-idle": dict(clause="cpu.idle", spec={"command": ["true"]}, config=resources("cpu",
                                        {"idle": 1, "shares": 512}),
                        script="$RUNTIME create -b . cgroup-idle && cat "
                               "/sys/fs/cgroup/containers/cgroup-idle/cpu.idle",
                        expect=["^1$"]),
    "cgroup-path-relative": dict(
        clause="cgroupsPath: the same place each time", spec={"command": ["true"]},
        config=put("linux.cgroupsPath", "containers/rel/x"),
        script="$RUNTIME create -b . cgroup-path-relative && ls -d "
               "/sys/fs/cgroup/containers/rel/x; "
               "$RUNTIME delete -f cgroup-path-relative; ls -d /sys/fs/cgroup/containers/rel/x; "
               "rmdir /sys/fs/cgroup/containers/rel",
        expect=["^/sys/fs/cgroup/containers/rel/x$", "No such file"]),
    "cgroup-path-out": dict(clause="cgroupsPath: invalid values", spec={"command": ["true"]},
                            config=put("linux.cgroupsPath", "/containers/../../x"),
                            expect=["leaves the cgroup root"]),
    "cgroup-path-systemd": dict(clause="cgroupsPath: systemd's form", spec={"command": ["true"]},
                                config=put("linux.cgroupsPath", "system.slice:runc:x"),
                                expect=["is systemd's form"]),
    "cgroup-v1": dict(
        clause="(ours) a host without cgroup v2: one sentence", spec={"command": ["true"]},
        script="unshare -m sh -c 'mount --make-rprivate /; mount -t tmpfs t /sys/fs/cgroup; "
               "$RUNTIME create -b . cgroup-v1'; ls /run/berth/oci",
        expect=['"/sys/fs/cgroup" is not cgroup v2, which this runtime needs'],
        forbid=["^cgroup-v1$"]),
    "cgroup-frozen": dict(
        clause="a cgroup that is not fit MUST be an error", spec={"command": ["true"]},
        script="mkdir -p /sys/fs/cgroup/containers/cgroup-frozen; echo 1 "
               ">/sys/fs/cgroup/containers/cgroup-frozen/cgroup.freeze; "
               "$RUNTIME create -b . cgroup-frozen; rmdir /sys/fs/cgroup/containers/cgroup-frozen",
        expect=['cgroup "containers/cgroup-frozen" is frozen']),
    "cgroup-in-use": dict(
        clause="a cgroup with processes MUST be an error", spec={"command": ["true"]},
        script="mkdir -p /sys/fs/cgroup/containers/cgroup-in-use; sleep 20 & "
               "echo $! >/sys/fs/cgroup/containers/cgroup-in-use/cgroup.procs; $RUNTIME create -b "
               ". cgroup-in-use; kill $!; wait; "
               "rmdir /sys/fs/cgroup/containers/cgroup-in-use",
        expect=['cgroup "containers/cgroup-in-use" is not empty']),
}

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

CASES.update({
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
})

# What cgroup v2 cannot do, and what is no value: key of linux.resources, value, sentence.
REFUSED = {
    "memory-kernel": ("memory", {"kernel": 100}, "memory.kernel: cgroup v2 has no such limit"),
    "memory-swappiness": ("memory", {"swappiness": 10},
                          "memory.swappiness: cgroup v2 has no such limit"),
    "memory-oom": ("memory", {"disableOOMKiller": True}, "the OOM killer cannot be turned off"),
    "memory-swap": ("memory", {"limit": 1000000, "swap": 1000},
                    "memory.swap: is memory and swap together"),
    "cpu-realtime": ("cpu", {"realtimeRuntime": 950000},
                     "cpu.realtimeRuntime: cgroup v2 has no such limit"),
    "cpu-burst": ("cpu", {"quota": 1000, "burst": 2000}, "cpu.burst: must not be above quota"),
    "cpu-idle": ("cpu", {"idle": 2}, "cpu.idle: is 0 or 1"),
    "io-leaf": ("blockIO", {"leafWeight": 10}, "blockIO.leafWeight: cgroup v2 has no such limit"),
    "io-weight": ("blockIO", {"weight": 2000}, "blockIO.weight: is 10 to 1000"),
    "io-device": ("blockIO", {"weightDevice": [{"major": 8, "minor": 0}]},
                  r"weightDevice\[0\]: has no weight"),
    "network": ("network", {"classID": 5}, "network.classID: .*net_cls is of cgroup v1"),
    "huge-size": ("hugepageLimits", [{"pageSize": "../x", "limit": 1}],
                  'pageSize: "../x" is not like "2MB"'),
    "rdma-none": ("rdma", {"mlx": {}}, "rdma.mlx: needs hcaHandles or hcaObjects"),
    "unified-slash": ("unified", {"../memory.max": "1"}, 'unified: "../memory.max" is not a limit'),
    "unified-procs": ("unified", {"cgroup.procs": "1"}, 'unified: "cgroup.procs" is not a limit'),
    "unified-controller": ("unified", {"fish.max": "1"},
                           'cgroup controller "fish" is not available'),
}
CASES.update({f"refused-{name}": dict(clause=f"config-linux.md: resources.{key}",
                                      spec={"command": ["true"]},
                                      config=resources(key, value), expect=[sentence],
                                      forbid=["^exit 0$"])
              for name, (key, value, sentence) in REFUSED.items()})
