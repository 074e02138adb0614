"""config.json, row by row of the runtime specification 1.2: config.md and config-linux.md. `clause`
is where it says what the row looks at. For the other keys see cases.py."""
from cases import drop_mounts, no_user_namespace, put, sh
from changes import (
    HOOK_LOG, STATUS, all_of, beside_holder, hook, mapping, mount, namespace, no_namespace,
    resources)


CASES = {
    "config-holder": dict(clause="runs beside the rows that join",
                          spec={"command": ["sleep", "60"]},
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
    "namespace-join-mount-fails": dict(
        clause="mount by path: what fails leaves it as it was", spec={"command": ["/none"]},
        config=all_of(no_user_namespace, namespace("mount", "/run/ns-mount")),
        script="""
            unshare -m sh -c 'mount --make-rprivate /; echo $$ >holder; exec sleep 60' & h=$!
            until [ -s holder ]; do usleep 10000; done
            ln -sf /proc/$(cat holder)/ns/mnt /run/ns-mount
            ocirun run $RUNTIME $B namespace-join-mount-fails
            grep -c $B/rootfs /proc/self/mountinfo /proc/$(cat holder)/mountinfo
            kill $h; rm /run/ns-mount""",
        expect=["create failed", "self/mountinfo:0$", r"\d/mountinfo:0$"]),
    "namespace-join-mount-host": dict(
        clause="mount by path: the host's", spec={"command": ["true"]},
        config=all_of(no_user_namespace, namespace("mount", "/proc/1/ns/mnt")),
        expect=["it is the runtime's own", "create failed"]),
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
    "devices-no-tmpfs-console": dict(
        clause="/dev/console in the image's own /dev", spec={"tty": True, "command": sh(
            "ls -l /dev/console | cut -c1; echo x >/dev/console && echo console")},
        config=drop_mounts("/dev", "/dev/shm", "/dev/mqueue"),
        script="ptyhost sock >screen & sleep 0.5; n=devices-no-tmpfs-console; "
               "$RUNTIME create --console-socket sock -b . $n && $RUNTIME start $n; "
               "sleep 1; cat screen; ls -l rootfs/dev/console | cut -c1",
        expect=["^c$", "^console$", "^-$"]),
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
    "hooks-start-filtered": dict(
        clause="startContainer behind a filter that is loaded early and has no clone3",
        spec={"command": ["cat", "/log"]},
        config=all_of(put("process.noNewPrivileges", False),
                      hook("startContainer", "grep Seccomp: /proc/self/status >/log", timeout=20)),
        expect=[r"^Seccomp:\s+2$", "^exit 0$"]),
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
        spec={"command": ["readlink", "/proc/self/ns/net"]},
        config=all_of(no_user_namespace, namespace("network", "/run/ns/net"),
                      hook("createRuntime", "readlink /proc/self/ns/net >/run/c/hooks-joined/log")),
        script=beside_holder("hooks-joined",
                             "readlink /proc/self/ns/net >own; ocirun run $RUNTIME $B {name}; "
                                             "cmp own log && echo same"),
        expect=["^same$", "^exit 0$"]),
}
