"""Known escapes, tried. Each row says what would have been reached and what stops it; a row whose
attack can be shown to work has a control: the same attack where the defence is not.

Most run without a user namespace (`no_user_namespace`), where root inside is root outside: so that
what stops them is the runtime's doing and not only the mapping of ids."""
from cases import drop_mounts, no_user_namespace, probe, put, sh
from changes import all_of

CORE_PATTERN = "/proc/sys/kernel/core_pattern"


def mounts(*more):
    return lambda config: config["mounts"].extend(more)


def bind(source, target):
    return {"destination": target, "type": "bind", "source": source, "options": ["rbind"]}


def tmpfs(where):
    return {"destination": where, "type": "tmpfs", "source": "tmpfs"}


# A file of the host's that an attack would change, and where symlinks of the image lead to.
BAIT = "mkdir -p /run/escape; chmod 777 /run/escape; rm -rf /run/escape/*; "


def race(name, first, second, rounds=5):
    """Makes and deletes the container again and again while two names of its image are exchanged.
    Nothing may land in /run/escape or in the host's mount table, and nothing may hang."""
    return BAIT + f"""
        cat /proc/self/mountinfo >/run/before
        $RUNTIME create -b . {name}; echo "unraced: $?"; $RUNTIME delete --force {name}
        attack race $B/rootfs/{first} $B/rootfs/{second} 60 & racer=$!
        for n in $(seq {rounds}); do
          timeout -s KILL 20 $RUNTIME create -b . {name} >/run/out 2>&1; code=$?
          [ $code -gt 1 ] && echo "hung or crashed: $code"
          $RUNTIME delete --force {name}
        done
        kill $racer; wait $racer 2>/dev/null
        cmp /run/before /proc/self/mountinfo && echo mounts untouched
        echo "escaped: $(ls -A /run/escape | wc -l)" """


RACE_EXPECT = ["^unraced: 0$", "^mounts untouched$", "^escaped: 0$"]
RACE_FORBID = ["hung or crashed"]

CASES = {
    # ---- the runtime's own executable: CVE-2019-5736 ----
    # The attacker opens /proc/PID/exe of the runtime that comes in with "exec", made to run again
    # inside by a script that names /proc/self/exe, and writes to it when it has ended. Stopped by:
    # executed from a read-only mount of the file. Being undumpable stops it before that, so the
    # attackers here have CAP_SYS_PTRACE, which looks past it: the mount is what is tried.
    "cve-2019-5736-exec": dict(
        spec={"cap_add": ["SYS_PTRACE"], "command": ["attack", "watch", "4"]},
        config=no_user_namespace,
        script="""
            printf '#!/proc/self/exe\\n' >rootfs/evil; chmod 755 rootfs/evil
            cp $RUNTIME /run/victim
            /run/victim create -b . cve-2019-5736-exec >out && /run/victim start cve-2019-5736-exec
            until grep -q watching out; do sleep 0.1; done
            for n in 1 2 3 4 5 6; do
              /run/victim exec cve-2019-5736-exec /evil
              /run/victim exec cve-2019-5736-exec /proc/self/exe
            done >/dev/null 2>tried
            until grep -q written out; do sleep 0.1; done
            cat out; grep -c . tried; cmp $RUNTIME /run/victim && echo untouched""",
        expect=["^exe [0-9]+ written 0 ", "^1?[0-9]$", "^untouched$"], forbid=["unknown command"]),
    "cve-2019-5736-create": dict(
        spec={"cap_add": ["SYS_PTRACE"], "command": ["/evil"]},
        config=no_user_namespace,
        script="""
            printf '#!/proc/self/exe\\n' >rootfs/evil; chmod 755 rootfs/evil
            cp $RUNTIME /run/victim; cp config.json saved
            sed 's|"args":\\["/evil"\\]|"args":["attack","watch","3"]|' saved >config.json
            /run/victim create -b . cve-2019-5736-create >out
            /run/victim start cve-2019-5736-create
            pid=$(/run/victim state cve-2019-5736-create | awk -F'[:,]' '/"pid"/ {print $2 + 0}')
            sed 's|{"type":"pid"}|{"type":"pid","path":"/proc/'$pid'/ns/pid"}|' saved >config.json
            sed -i 's|/containers/cve-2019-5736-create|/containers/second|' config.json
            until grep -q watching out; do sleep 0.1; done
            for n in 1 2 3 4 5 6; do
              ocirun run /run/victim $B second >/dev/null 2>&1; /run/victim delete --force second
            done
            until grep -q written out; do sleep 0.1; done
            cat out; cmp $RUNTIME /run/victim && echo untouched""",
        expect=["^exe [0-9]+ written 0 ", "^untouched$"]),
    # The control: nsenter in the runtime's place is overwritten.
    "cve-2019-5736-control": dict(
        spec={"cap_add": ["SYS_PTRACE"], "command": ["attack", "watch", "5"]},
        config=no_user_namespace,
        script="""
            printf '#!/proc/self/exe\\n' >rootfs/evil; chmod 755 rootfs/evil
            mkdir /run/lib; cp /bin/busybox /run/lib/nsenter
            $RUNTIME create -b . --pid-file pid cve-2019-5736-control >out
            $RUNTIME start cve-2019-5736-control
            until grep -q watching out; do sleep 0.1; done
            for n in $(seq 200); do
              /run/lib/nsenter -t $(cat pid) -m -p /evil 2>/dev/null
              cmp -s /bin/busybox /run/lib/nsenter || break
            done
            until grep -q written out; do sleep 0.1; done
            cat out; cmp -s /bin/busybox /run/lib/nsenter || echo overwritten; rm -r /run/lib""",
        expect=["^exe [1-9]", "^overwritten$"]),
    # ---- the entering process: CVE-2016-9962 ----
    # A second container is created in the first one's PID namespace, and waits for "start" with the
    # same rights as the attacker. Stopped by: undumpable. The control is the same look at the same
    # process when its own program runs.
    "cve-2016-9962": dict(
        spec={"command": sh("for n in 1 2; do until [ -e /go$n ]; do sleep 0.1; done; "
                            "attack look $(cat /go$n); touch /done$n; done")},
        config=no_user_namespace,
        script="""
            $RUNTIME create -b . --pid-file pid cve-2016-9962 && $RUNTIME start cve-2016-9962
            sed -i 's|{"type":"pid"}|{"type":"pid","path":"/proc/'$(cat pid)'/ns/pid"}|
              s|/containers/cve-2016-9962|/containers/second|
              s|"args":.*\\],"cap|"args":["sleep","60"],"cap|' config.json
            grep -q '"args":\\["sleep"' config.json ||
              sed -i 's|"args":\\["sh","-c","[^]]*"\\]|"args":["sleep","60"]|' config.json
            $RUNTIME create -b . --pid-file pid second
            inside=$(awk '/NSpid/ {print $NF}' /proc/$(cat pid)/status)
            echo $inside >rootfs/new; mv rootfs/new rootfs/go1
            until [ -e rootfs/done1 ]; do sleep 0.1; done
            $RUNTIME start second; sleep 0.5
            echo $inside >rootfs/new; mv rootfs/new rootfs/go2
            until [ -e rootfs/done2 ]; do sleep 0.1; done
            $RUNTIME delete --force second""",
        # Yama keeps memory and ptrace from it also then, where the kernel has it.
        expect=["(?s)^exe 0 written 0 fd 0 mem 0 ptrace 0$.*^exe 1 written [01] fd 1 mem [01] "
                "ptrace [01]$"]),
    # ---- file descriptors and working directory: CVE-2024-21626 ----
    # The runtime's fds, and those that it was started with, lead to the host. Stopped by:
    # close_range before exec, and getcwd must be inside.
    "cve-2024-21626": dict(
        spec={"working_dir": "/proc/self/fd/3", "command": sh("pwd; ls; cat ../../../init")},
        config=no_user_namespace,
        script="""
            exec 7</ 8</cases 9</run; cp config.json saved
            for n in $(seq 3 14); do
              sed "s|/proc/self/fd/3|/proc/self/fd/$n|" saved >config.json
              ocirun run $RUNTIME $B cve-2024-21626 && echo "ran at $n"
              $RUNTIME delete -f cve-2024-21626
            done""",
        expect=["(?s)(create failed.*){12}"], forbid=["ran at", "cases", "berth-oci delete"]),
    "cve-2024-21626-link": dict(
        spec={"working_dir": "/work", "command": sh("pwd; ls")}, config=no_user_namespace,
        script="exec 8</cases; ln -s /proc/self/fd/8 rootfs/work; "
               "ocirun run $RUNTIME $B cve-2024-21626-link",
        expect=["create failed"], forbid=["namespaces"]),
    "cve-2024-21626-exec": dict(
        spec={"command": ["sleep", "60"]}, config=no_user_namespace,
        script="""
            exec 7</ 8</cases 9</run
            $RUNTIME create -b . cve-2024-21626-exec && $RUNTIME start cve-2024-21626-exec
            for n in $(seq 3 14); do
              $RUNTIME exec --cwd /proc/self/fd/$n cve-2024-21626-exec pwd && echo "ran at $n"
            done
            echo fds $($RUNTIME exec cve-2024-21626-exec ls -1 /proc/self/fd)""",
        expect=[r"(?s)(berth-oci: error: .*cwd.*){12}", "^fds 0 1 2 3$"],
        forbid=["ran at", "unknown command"]),
    # ---- the image's /dev/null and /dev/console: CVE-2025-31133, CVE-2025-52565 ----
    # With no tmpfs on /dev the image's own files are there. Stopped by: the null device is the
    # host's, opened before the pivot and looked at; the console is bound from the terminal's fd, on
    # a target that may not be a link.
    "cve-2025-31133": dict(
        spec={"command": sh("echo '|/owned' >/proc/version; "
                            "stat -c 'masked by %t:%T' /proc/version")},
        config=all_of(no_user_namespace, put("linux.maskedPaths", ["/proc/version"]),
                      drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")),
        script=f"rm -rf rootfs/dev; mkdir rootfs/dev; ln -s {CORE_PATTERN} rootfs/dev/null; "
               f"ocirun run $RUNTIME $B cve-2025-31133; echo pattern $(cat {CORE_PATTERN})",
        expect=["^pattern core$", '^masked by 1:3$|make device "/dev/null": File exists']),
    "cve-2025-31133-race": dict(
        spec={"command": ["sleep", "60"]},
        config=all_of(no_user_namespace,
                      drop_mounts("/dev", "/dev/pts", "/dev/shm", "/dev/mqueue")),
        script="mknod rootfs/dev/null c 1 3; ln -s ../proc/sysrq-trigger rootfs/dev/evil; " +
               race("cve-2025-31133-race", "dev/null", "dev/evil", 4) +
               f"; echo pattern $(cat {CORE_PATTERN})",
        expect=[*RACE_EXPECT, "^pattern core$"], forbid=RACE_FORBID),
    "cve-2025-52565": dict(
        spec={"tty": True, "command": sh("echo '|/owned' >/dev/console")},
        config=all_of(no_user_namespace, drop_mounts("/dev", "/dev/shm", "/dev/mqueue")),
        script=f"""
            rm -rf rootfs/dev; mkdir -p rootfs/dev/pts; ln -s {CORE_PATTERN} rootfs/dev/console
            ptyhost sock >screen & sleep 0.5
            $RUNTIME create --console-socket sock -b . cve-2025-52565 &&
              $RUNTIME start cve-2025-52565; sleep 0.5
            grep core_pattern /proc/self/mountinfo; echo pattern $(cat {CORE_PATTERN})""",
        expect=["^pattern core$", 'mount the terminal on "/dev/console"']),
    # ---- writes to procfs that go elsewhere: CVE-2025-52881, CVE-2019-19921, CVE-2023-27561 ----
    # The image or a volume puts a file of its own, or a link, where a sysctl is written. Stopped
    # by: written through a procfs mount that nobody else has seen, through no link or mount.
    "cve-2025-52881": dict(
        spec={"sysctls": {"net.ipv4.ip_forward": "1"},
              "command": sh("cat /proc/sys/net/ipv4/ip_forward /real/sys/net/ipv4/ip_forward")},
        config=all_of(
            no_user_namespace,
            mounts({"destination": "/real", "type": "proc", "source": "proc"},
                   {"destination": "/proc/sys/net/ipv4", "type": "bind", "source": "/run/fake",
                    "options": ["rbind"]})),
        script="mkdir -p /run/fake; echo untouched >/run/fake/ip_forward; "
               "ocirun run $RUNTIME $B cve-2025-52881; cat /run/fake/ip_forward",
        expect=["(?s)^untouched$.*^1$.*^untouched$"]),
    "cve-2025-52881-link": dict(
        spec={"sysctls": {"net.ipv4.ip_forward": "1"}, "command": ["true"]},
        config=all_of(no_user_namespace, drop_mounts("/proc")),
        script=BAIT + "rmdir rootfs/proc; ln -s ../../../run/escape rootfs/proc; "
               "mkdir -p /run/escape/sys/net/ipv4 rootfs/run/escape/sys/net/ipv4; "
               "for d in /run rootfs/run; do echo x >$d/escape/sys/net/ipv4/ip_forward; done; "
               "ocirun run $RUNTIME $B cve-2025-52881-link; "
               "cat /run/escape/sys/net/ipv4/ip_forward rootfs/run/escape/sys/net/ipv4/ip_forward",
        expect=["(?s)^x$.*^x$"]),
    "cve-2025-52881-names": dict(
        spec={"command": ["true"]}, config=no_user_namespace,
        script=f"""
            cp config.json saved
            for name in net/../kernel/core_pattern net.././kernel/core_pattern net \\
              net/ipv4/../../kernel/core_pattern net.ipv4/x/..ip_forward; do
              sed "s|\\"sysctl\\":{{|\\"sysctl\\":{{\\"$name\\":\\"\\|/owned\\",|" saved \\
                >config.json
              ocirun run $RUNTIME $B cve-2025-52881-names && echo "ran with $name"
            done; echo pattern $(cat {CORE_PATTERN})""",
        expect=["(?s)(error: .*sysctl .*create failed.*){5}", "^pattern core$"],
        forbid=["ran with"]),
    # ---- mount targets that move: CVE-2021-30465, CVE-2023-28642, CVE-2024-45310 ----
    # Whoever shares the files exchanges a directory with a link to the host while mounts are made.
    # Stopped by: after the pivot there is no host path to be led to; targets are looked up in the
    # root by openat2 and mounted on by fd.
    "cve-2021-30465": dict(
        spec={"command": ["sleep", "60"]},
        config=all_of(no_user_namespace,
                      mounts(tmpfs("/m/dir/inside"), bind("/run/vol", "/m/dir/bound"),
                             bind("/init", "/m/dir/file"))),
        script="mkdir -p rootfs/m/dir; ln -s ../../../../../run/escape rootfs/m/link; " +
               race("cve-2021-30465", "m/dir", "m/link"),
        expect=RACE_EXPECT, forbid=RACE_FORBID),
    "cve-2023-28642": dict(
        spec={"command": ["sleep", "60"]}, config=no_user_namespace,
        script="ln -s ../../../run/escape rootfs/other; " + race("cve-2023-28642", "proc", "other"),
        expect=RACE_EXPECT, forbid=RACE_FORBID),
    "cve-2026-41579": dict(
        spec={"devices": [{"source": "/dev/null", "target": "/dev/x/gift", "permissions": "rw"}],
              "command": ["sleep", "60"]}, config=no_user_namespace,
        script="ln -s ../../../run/escape rootfs/other; " + race("cve-2026-41579", "dev", "other"),
        expect=RACE_EXPECT, forbid=RACE_FORBID),
    "sys-symlink": dict(
        spec={"command": ["true"]}, config=no_user_namespace,
        script="rmdir rootfs/sys; ln -s ../../run/escape rootfs/sys; mkdir -p /run/escape; "
               "ocirun run $RUNTIME $B sys-symlink",
        expect=['mount on "/sys": it is a symbolic link in the image']),
    # ---- the kernel's own attack surface: CVE-2022-0185 and its kind ----
    # A user namespace gives everybody the rights that fsopen's bug needed. Stopped by: the default
    # seccomp profile. The control has no profile.
    "cve-2022-0185": dict(
        spec={"command": probe("unshare", "clone_user", "clone3", "setns", "fsopen_user",
                               "open_tree", "move_mount", "mount", "keyctl", "bpf",
                               "userfaultfd", "io_uring")},
        expect=["^unshare: Operation not permitted", "^clone_user: Operation not permitted",
                "^clone3: Function not implemented", "^setns: Operation not permitted",
                "^fsopen_user: Operation not permitted", "^open_tree: Operation not permitted",
                "^move_mount: Operation not permitted", "^mount: Operation not permitted",
                "^keyctl: Operation not permitted", "^bpf: Operation not permitted",
                "^userfaultfd: Operation not permitted", "^io_uring: Operation not permitted"]),
    "cve-2022-0185-control": dict(
        spec={"security_opt": ["seccomp=unconfined"], "command": probe("fsopen_user")},
        expect=["^fsopen_user: ok"]),
    # ---- open_by_handle_at: "shocker" ----
    # A file of the host's root file system is bound in; a handle of its root directory needs no
    # path. Stopped by: no CAP_DAC_READ_SEARCH, and the profile. The control has both.
    "shocker": dict(
        spec={"command": ["attack", "shocker", "/etc/bait"]},
        config=all_of(no_user_namespace, mounts(bind("/init", "/etc/bait"))),
        expect=["^shocker: Operation not permitted"], forbid=["shocker sees"]),
    "shocker-user-namespace": dict(
        spec={"volumes": [{"type": "bind", "source": "/init", "target": "/etc/bait"}],
              "cap_add": ["DAC_READ_SEARCH"], "security_opt": ["seccomp=unconfined"],
              "command": ["attack", "shocker", "/etc/bait"]},
        expect=["^shocker: Operation not permitted"], forbid=["shocker sees"]),
    "shocker-control": dict(
        spec={"cap_add": ["DAC_READ_SEARCH"], "security_opt": ["seccomp=unconfined"],
              "command": ["attack", "shocker", "/etc/bait"]},
        config=all_of(no_user_namespace, mounts(bind("/init", "/etc/bait"))),
        expect=["^shocker sees cases$"]),
    # ---- a terminal that is shared: TIOCSTI ----
    # Standard input is the administrator's terminal. Stopped by: a session of its own, whose
    # terminal this is not. The control types from a process of the same terminal.
    "tiocsti": dict(
        spec={"command": ["attack", "tiocsti", "reboot\n"]}, config=no_user_namespace,
        script="attack onpty ocirun run $RUNTIME $B tiocsti; echo over; "
               "attack onpty attack tiocsti 'typed by the control\n'",
        expect=[r"(?s)^tiocsti: (Operation not permitted|Input/output error).*^typed: $.*^over$",
                "(?s)^over$.*^tiocsti: ok.*^typed: typed by the control$"]),
    # ---- files that are the whole machine's: core_pattern, release_agent, sysrq ----
    "core-pattern": dict(
        spec={"command": sh(f"echo '|/owned' >{CORE_PATTERN}; echo x >/proc/sysrq-trigger; "
                            "mount -o remount,rw /proc/sys; umount /proc/sys")},
        config=no_user_namespace,
        script=f"ocirun run $RUNTIME $B core-pattern; echo pattern $(cat {CORE_PATTERN})",
        expect=["core_pattern: (Read-only|Permission)",
                "sysrq-trigger: (Read-only|Permission|nonexistent)",
                "^mount: .*(permission denied|not permitted)", "^umount: .*not permitted",
                "^pattern core$"]),
    # With CAP_SYS_ADMIN in its user namespace it may mount; stopped by: a second procfs would show
    # what is masked, so the kernel refuses one, and the file belongs to the host's root.
    "core-pattern-admin": dict(
        spec={"cap_add": ["SYS_ADMIN"],
              "command": sh("mount -t proc x /tmp && "
                            "echo '|/owned' >/tmp/sys/kernel/core_pattern; "
                            "mount -o remount,rw,bind /proc/sys; umount /proc/sys; "
                            f"echo '|/owned' >{CORE_PATTERN}")},
        script=f"ocirun run $RUNTIME $B core-pattern-admin; echo pattern $(cat {CORE_PATTERN})",
        expect=["^pattern core$", "core_pattern: (Read-only|Permission)"]),
    "release-agent": dict(
        spec={"cap_add": ["SYS_ADMIN"],
              "command": sh("mount -t cgroup -o memory x /tmp && echo mounted; "
                            "echo /owned >/tmp/release_agent; ls /sys/fs/cgroup/release_agent")},
        expect=["mounting x on /tmp failed|/tmp/release_agent: Permission denied",
                "ls: /sys/fs/cgroup/release_agent: No such file"]),
    # ---- out of the cgroup by a mount of one's own ----
    # Stopped by: the cgroup namespace, whose root is the container's cgroup, and the owner of its
    # files, who is the host's root.
    "cgroup-mount": dict(
        spec={"cap_add": ["SYS_ADMIN"], "mem_limit": 64 << 20,
              "command": sh("mount -t cgroup2 x /tmp && echo mounted; cd /tmp; "
                            "echo max >memory.max; echo 1 >../cgroup.procs; mkdir out; "
                            "ls -d containers system; mount -o remount,rw /sys/fs/cgroup; "
                            "echo max >/sys/fs/cgroup/memory.max")},
        script="""
            $RUNTIME create -b . cgroup-mount; cd /sys/fs/cgroup/containers/cgroup-mount
            $RUNTIME start cgroup-mount; sleep 1; cat memory.max""",
        expect=["memory.max: (Permission denied|Read-only)", "out.*(Permission denied|Read-only)",
                "containers: No such file", "^67108864$"]),
    # ---- exec: users, capabilities (CVE-2026-30892, CVE-2022-24769, CVE-2022-27650) ----
    "exec-users": dict(
        spec={"command": ["sleep", "60"]},
        script="""
            $RUNTIME create -b . exec-users && $RUNTIME start exec-users
            for user in -1 ' 0' 0x0 0abc 4294967295 4294967296 '' : 0: 0:-1 +0; do
              $RUNTIME exec -u "$user" exec-users id && echo "ran as '$user'"
            done
            $RUNTIME exec -u 1000:1001 exec-users id
            $RUNTIME exec exec-users sh -c 'grep -E "^Cap(Inh|Amb)" /proc/self/status'""",
        expect=["uid=1000.* gid=1001", r"CapInh:\s+0{16}", r"CapAmb:\s+0{16}"],
        forbid=["ran as '(-1| 0|0x0|0abc|4294967295|4294967296|0:-1|\\+0)'", "unknown command"]),
}
