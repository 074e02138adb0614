"""Images and configurations made to make the runtime crash, hang, or write outside."""
from cases import no_user_namespace, put, sh
from cases_attacks import BAIT, RACE_EXPECT, RACE_FORBID, mounts, race, tmpfs


def many(count):
    return lambda config: config["mounts"].extend(tmpfs(f"/m/{i}") for i in range(count))


# One user "app", asked for by name, so that the file is read.
APP = {"user": "app", "command": ["id", "-u"]}

CASES = {
    # ---- links where mount points go ----
    "link-file-target": dict(
        spec={"volumes": [{"type": "bind", "source": "/init", "target": "/etc/link"}],
              "command": sh("head -1 /run/escape/file")},
        config=no_user_namespace,
        script=BAIT + "echo host >/run/escape/file; mkdir -p rootfs/run/escape; "
               "ln -s ../../../../run/escape/file rootfs/etc/link; "
               "ocirun run $RUNTIME $B link-file-target; cat /run/escape/file; "
               "ls rootfs/run/escape",
        # The link leads inside the root, to a file that is made there.
        expect=["^host$"]),
    "link-loop": dict(
        spec={"command": ["true"]}, config=mounts(tmpfs("/loop/x")),
        script="ln -s loop rootfs/loop; ocirun run $RUNTIME $B link-loop",
        expect=['"/loop/x": Symbolic link loop', "create failed"]),
    "link-working-dir": dict(
        spec={"working_dir": "/out/made", "command": ["pwd"]}, config=no_user_namespace,
        script=BAIT + "ln -s ../../../../run/escape rootfs/out; mkdir -p rootfs/run/escape; "
               "ocirun run $RUNTIME $B link-working-dir; ls -A /run/escape | wc -l",
        expect=["^/run/escape/made$", "^0$"]),
    "magic-link-target": dict(
        spec={"command": ["true"]}, config=mounts(tmpfs("/proc/self/root/tmp"),
                                                  tmpfs("/proc/1/cwd/x")),
        expect=["error: .*mount", "create failed"]),
    # ---- files that change under the runtime ----
    "race-passwd": dict(
        spec=APP, config=no_user_namespace,
        script="mkfifo rootfs/etc/other; " + race("race-passwd", "etc/passwd", "etc/other"),
        expect=RACE_EXPECT, forbid=RACE_FORBID),
    "race-program": dict(
        spec={"command": ["/w/true"], "working_dir": "/w"}, config=no_user_namespace,
        script="mkdir rootfs/w; cp /bin/busybox rootfs/w/true; ln -s /proc/self/fd rootfs/v; " +
               race("race-program", "w", "v"),
        expect=RACE_EXPECT, forbid=RACE_FORBID),
    # ---- /etc/passwd and /etc/group ----
    "passwd-giant": dict(
        spec=APP,
        # 1 GiB of nothing, and one line of it.
        script="rm rootfs/etc/passwd; truncate -s 1G rootfs/etc/passwd; "
               "timeout 20 ocirun run $RUNTIME $B passwd-giant; echo ended $?",
        expect=["unable to find user app", "^ended 1$"]),
    "passwd-long-lines": dict(
        spec=APP,
        script="""
            (head -c 300000 /dev/zero | tr '\\0' a; echo; head -c 70000 /dev/zero | tr '\\0' :
             echo; echo app:x:7:7::/:) >rootfs/etc/passwd
            ocirun run $RUNTIME $B passwd-long-lines""",
        expect=["^7$", "^exit 0$"]),
    "passwd-directory": dict(
        spec=APP, script="rm rootfs/etc/passwd; mkdir rootfs/etc/passwd; "
                         "ocirun run $RUNTIME $B passwd-directory",
        expect=["unable to find user app"]),
    "passwd-device": dict(
        spec=APP, config=no_user_namespace,
        script="rm rootfs/etc/passwd; mknod rootfs/etc/passwd c 1 5; "
               "timeout 20 ocirun run $RUNTIME $B passwd-device; echo ended $?",
        expect=["unable to find user app", "^ended 1$"]),
    "passwd-kernel-log": dict(
        spec=APP, config=no_user_namespace,
        script="rm rootfs/etc/passwd; ln -s /proc/kmsg rootfs/etc/passwd; "
               "timeout 20 ocirun run $RUNTIME $B passwd-kernel-log; echo ended $?",
        expect=["unable to find user app", "^ended 1$"]),
    "group-fifo": dict(
        spec={"user": "app:extra", "command": ["id"]},
        script="rm rootfs/etc/group; mkfifo rootfs/etc/group; "
               "timeout 20 ocirun run $RUNTIME $B group-fifo; echo ended $?",
        expect=["unable to find group extra", "^ended 1$"]),
    "group-many": dict(
        spec=APP,
        script="for n in $(seq 100 3000); do echo g$n:x:$n:app; done >rootfs/etc/group; "
               "ocirun run $RUNTIME $B group-many",
        expect=["^1000$", "^exit 0$"]),
    # ---- sizes ----
    # For each an fd is held, and what the kernel counts as a mount namespace: the hard limit on
    # open files is the bound, then user.max_mnt_namespaces (some 1900 in a machine of 512 MiB).
    "mounts-10000": dict(
        spec={"command": sh("grep -c ' /m/' /proc/self/mountinfo")}, config=many(10000),
        script="(ulimit -n 1024; ocirun run $RUNTIME $B mounts-10000; "
               "$RUNTIME delete --force mounts-10000; echo deleted $?); "
               "ulimit -n 20000; ocirun run $RUNTIME $B mounts-10000",
        expect=['mount "tmpfs" on "/m/[0-9]+": No file descriptors available', "^deleted 0$",
                '^10000$|mount "tmpfs" on "/m/[0-9]+": No space left on device']),
    "deep-target": dict(
        spec={"command": ["true"]}, config=mounts(tmpfs("/d" * 1500)),
        expect=["^exit 0$"]),
    "deeper-target": dict(
        spec={"command": ["true"]}, config=mounts(tmpfs("/dd" * 2000)),
        expect=['^berth-oci: error: .*mount', "create failed"]),
    "deep-working-dir": dict(
        spec={"command": sh("pwd | wc -c")}, config=put("process.cwd", "/e" * 1500),
        expect=["^3001$", "^exit 0$"]),
    "long-name": dict(
        spec={"command": ["true"]}, config=mounts(tmpfs("/" + "n" * 300)),
        expect=["Filename too long", "create failed"]),
    "long-argument": dict(
        spec={"command": ["echo", "x" * 131000]},
        script="ocirun run $RUNTIME $B long-argument | wc -c", expect=["^13[0-9]{4}$"]),
    "too-many-arguments": dict(
        spec={"command": ["true"]},
        config=lambda c: c["process"].update(args=["true"] + ["x" * 100000] * 100),
        expect=["[Aa]rgument list too long", "start failed"]),
    "config-huge": dict(
        spec={"command": ["true"]},
        script="truncate -s 40M config.json; ocirun run $RUNTIME $B config-huge",
        expect=['"config.json": larger than 16777216 bytes', "create failed"]),
    "config-nested": dict(
        spec={"command": ["true"]},
        script="printf '{\"annotations\":' >config.json; "
               "head -c 500000 /dev/zero | tr '\\0' '[' >>config.json; "
               "ocirun run $RUNTIME $B config-nested",
        expect=["config.json: byte", "create failed"]),
    "config-fifo": dict(
        spec={"command": ["true"]},
        script="rm config.json; mkfifo config.json; "
               "timeout 20 ocirun run $RUNTIME $B config-fifo; echo ended $?",
        expect=["create failed", "^ended 1$"]),
    # ---- names ----
    "name-newline": dict(
        spec={"command": sh("cd '/a\nb'; pwd; grep -c 'a.012b' /proc/self/mountinfo; echo \"$N\"")},
        config=lambda c: (mounts(tmpfs("/a\nb"))(c), c["process"]["env"].append("N=1\n2"),
                          c["annotations"].update({"x\ny": "1\n2"})),
        script="""
            mv rootfs 'root
fs'; sed -i 's|"path":"rootfs"|"path":"root\\\\nfs"|' config.json
            $RUNTIME create -b . name-newline && $RUNTIME state name-newline | grep -c 'root.nfs'
            $RUNTIME start name-newline; sleep 0.5""",
        expect=["^/a$", "^b$", "^1$", "^2$"]),
    "name-newline-bundle": dict(
        spec={"command": ["echo", "ran"]},
        script="""
            mkdir 'bun
dle'; mv config.json rootfs bun*; ocirun run $RUNTIME 'bun
dle' name-newline-bundle""",
        expect=["^ran$", "^exit 0$"]),
    "name-newline-cgroup": dict(
        spec={"command": ["true"]}, config=put("linux.cgroupsPath", "/containers/x\ny"),
        expect=["cgroup", "create failed"]),
    "name-newline-log": dict(
        spec={"command": ["no\nsuch\" }"]},
        script="$RUNTIME --log log --log-format json create -b . name-newline-log; "
               "echo lines $(wc -l <log)",
        expect=["^lines 1$"]),
}
