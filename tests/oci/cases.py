"""What a container is asked to be, and what must be seen of it. One row each.

spec     keys of the container spec (runtime/spec/container.h) over BASE
image    keys of the image's "config"
config   a function that changes the finished config.json
script   shell lines for the test machine in place of the plain run
expect   regular expressions that the output must match, in any order
forbid   regular expressions that it must not match
exit     the container's exit status, where it ran
"""

BASE = {"image": "test", "stop_signal": "SIGTERM"}


def sh(text):
    return ["sh", "-c", text]


def probe(*names):
    return ["probe", *names]


def drop_mounts(*destinations):
    def change(config):
        config["mounts"] = [m for m in config["mounts"] if m["destination"] not in destinations]
    return change


def put(path, value):
    def change(config):
        node = config
        *parents, last = path.split(".")
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[last] = value
    return change


def no_user_namespace(config):
    linux = config["linux"]
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "user"]
    del linux["uidMappings"], linux["gidMappings"]


CASES = {
    # ---- isolation ----
    "namespaces": dict(
        spec={"command": sh(
            "for n in user mnt pid ipc uts net cgroup; do "
            "echo $n $(readlink /proc/self/ns/$n); done")},
        script="""
            ocirun run $RUNTIME $B namespaces >inside
            for n in user mnt pid ipc uts net cgroup; do
              [ "$(grep "^$n " inside)" = "$n $(readlink /proc/self/ns/$n)" ] && echo shared $n
            done
            grep -c : inside""",
        expect=[r"^7$"], forbid=["shared"]),
    "own-pids": dict(spec={"command": sh("echo pid $$; ps | wc -l; ls /proc | grep -c '^[0-9]'")},
                     expect=[r"^pid 1$"], forbid=[r"^[1-9][0-9]+$"], exit=0),
    "own-files": dict(spec={"command": sh("ls /; ls /cases; cat /init")},
                      expect=["planted", "ls: /cases: No such file", "can't open '/init'"]),
    "hostname": dict(spec={"hostname": "salt", "domainname": "sea.example",
                           "command": sh("hostname; cat /proc/sys/kernel/domainname")},
                     expect=[r"^salt$", r"^sea\.example$"]),
    "hostname-default": dict(spec={"command": ["hostname"]}, expect=[r"^hostname-def$"]),
    "user-map": dict(spec={"command": ["cat", "/proc/self/uid_map"]},
                     expect=[r"^\s+0\s+65536\s+65536$"]),
    "own-cgroup": dict(spec={"command": sh("cat /proc/self/cgroup; ls /sys/fs/cgroup | head -1; "
                                           "mkdir /sys/fs/cgroup/x")},
                       expect=[r"^0::/$", "Read-only file system"]),
    "no-fds": dict(spec={"command": sh("ls -1 /proc/self/fd")}, expect=["^0$", "^1$", "^2$", "^3$"],
                   forbid=["^4$", "^5$", "^6$"]),
    # ---- rights ----
    "capabilities": dict(
        spec={"command": sh("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status")},
        expect=[r"CapBnd:\s+00000000a80425fb", r"CapEff:\s+00000000a80425fb",
                r"CapPrm:\s+00000000a80425fb", r"CapInh:\s+0{16}", r"CapAmb:\s+0{16}",
                r"NoNewPrivs:\s+1", r"Seccomp:\s+2"]),
    "capabilities-user": dict(
        spec={"user": "app", "command": sh("grep '^Cap' /proc/self/status")},
        expect=[r"CapBnd:\s+00000000a80425fb", r"CapEff:\s+0{16}", r"CapPrm:\s+0{16}"]),
    "capabilities-changed": dict(
        spec={"cap_drop": ["ALL"], "cap_add": ["NET_ADMIN", "cap_chown"],
              "command": sh("grep '^Cap' /proc/self/status")},
        expect=[r"CapBnd:\s+0000000000001001", r"CapEff:\s+0000000000001001"]),
    "capabilities-ambient": dict(
        spec={"user": "1000", "command": sh("grep '^Cap' /proc/self/status")},
        config=lambda c: c["process"]["capabilities"].update(
            ambient=["CAP_NET_BIND_SERVICE"], inheritable=["CAP_NET_BIND_SERVICE"],
            effective=["CAP_NET_BIND_SERVICE"], permitted=["CAP_NET_BIND_SERVICE"]),
        expect=[r"CapAmb:\s+0000000000000400", r"CapEff:\s+0000000000000400"]),
    "privileged": dict(
        spec={"privileged": True,
              "command": sh("grep -E '^(CapEff|NoNew|Seccomp:)' /proc/self/status; "
                            "mkdir /sys/fs/cgroup/own && echo made; probe mount")},
        expect=[r"CapEff:\s+000001ffffffffff", r"NoNewPrivs:\s+0", r"Seccomp:\s+0", "^mount: ok"]),
    "seccomp": dict(
        spec={"command": probe("mount", "keyctl", "add_key", "unshare", "clone3", "bpf", "io_uring",
                               "userfaultfd", "handle", "perf", "module", "kexec", "reboot",
                               "swapon", "settime", "vsock", "alg", "inet", "fork", "ptrace",
                               "personality")},
        expect=["^mount: Operation not permitted", "^keyctl: Operation not permitted",
                "^add_key: Operation not permitted", "^unshare: Operation not permitted",
                "^clone3: Function not implemented", "^bpf: Operation not permitted",
                "^io_uring: Operation not permitted", "^userfaultfd: Operation not permitted",
                "^handle: Operation not permitted", "^perf: Operation not permitted",
                "^module: Operation not permitted", "^kexec: Operation not permitted",
                "^reboot: Operation not permitted", "^swapon: Operation not permitted",
                "^settime: Operation not permitted", "^vsock: Operation not permitted",
                "^alg: Operation not permitted", "^inet: ok", "^fork: ok", "^ptrace: ok",
                "^personality: Operation not permitted"]),
    "seccomp-unconfined": dict(
        spec={"security_opt": ["seccomp=unconfined"],
              "command": sh("grep Seccomp: /proc/self/status; probe keyctl clone3 mount")},
        expect=[r"Seccomp:\s+0", "^clone3: Invalid argument", "^mount: Operation not permitted"]),
    "seccomp-capability": dict(
        spec={"cap_add": ["SYS_ADMIN"], "command": probe("mount", "unshare", "keyctl")},
        expect=["^mount: ok", "^unshare: ok", "^keyctl: Operation not permitted"]),
    "seccomp-before-rights": dict(
        spec={"security_opt": ["no-new-privileges:false"],
              "command": sh("grep -E '^(NoNew|Seccomp:)' /proc/self/status; probe keyctl")},
        expect=[r"NoNewPrivs:\s+0", r"Seccomp:\s+2", "^keyctl: Operation not permitted"], exit=0),
    "seccomp-cached": dict(
        spec={"command": probe("keyctl", "inet")},
        script="""
            rm -rf /run/berth/oci/.seccomp
            ocirun run $RUNTIME $B seccomp-cached
            ls /run/berth/oci/.seccomp | wc -l
            ocirun run $RUNTIME $B seccomp-cached
            for f in /run/berth/oci/.seccomp/*; do echo garbage >$f; done
            ocirun run $RUNTIME $B seccomp-cached""",
        expect=[r"^1$", r"(?s)(keyctl: Operation not permitted\ninet: ok\nexit 0.*){3}"]),
    "seccomp-shipped": dict(
        spec={"command": probe("keyctl", "inet")},
        script="""
            mkdir -p /usr/share/berth; rm -rf /run/berth/oci/.seccomp
            $RUNTIME seccomp-cache /usr/share/berth/seccomp.filter
            ocirun run $RUNTIME $B seccomp-shipped
            echo compiled $(ls /run/berth/oci/.seccomp | wc -l)
            rm -rf /usr/share/berth""",
        expect=["^keyctl: Operation not permitted", "^inet: ok", "^exit 0$", "^compiled 0$"]),
    "seccomp-bad": dict(spec={"command": ["true"]},
                        config=put("linux.seccomp.defaultAction", "SCMP_ACT_NOTHING"),
                        expect=['action "SCMP_ACT_NOTHING" is not supported', "create failed"]),
    # ---- files that must not be there for it ----
    "masked": dict(
        spec={"command": sh("for f in kcore keys timer_list interrupts; do "
                            "echo $f $(cat /proc/$f 2>/dev/null | wc -c); done; "
                            "echo firmware $(ls /sys/firmware | wc -l)")},
        expect=["^kcore 0$", "^keys 0$", "^timer_list 0$", "^interrupts 0$", "^firmware 0$"]),
    "read-only-paths": dict(
        spec={"command": sh("touch /sys/x; echo x >/proc/sys/kernel/domainname; "
                            "probe core_pattern sysrq; ls -d /proc/bus && touch /proc/irq/x")},
        expect=["/sys/x: Read-only file system", "domainname: Read-only file system",
                "^core_pattern: (Read-only|Permission)", "^sysrq: (Read-only|Permission)"]),
    "dev": dict(
        spec={"command": sh("cd /dev; ls -l | awk '{print $1, $NF}'; ls /dev | wc -l; "
                            "echo lost >null; head -c 4 zero | wc -c; head -c 2 urandom | wc -c; "
                            "echo x >full; stat -c %u:%g null")},
        expect=["^crw-rw-rw- null", "^crw-rw-rw- zero", "^crw-rw-rw- full", "^crw-rw-rw- random",
                "^crw-rw-rw- urandom", "^crw-rw-rw- tty", "/proc/self/fd$", "pts/ptmx$",
                r"^drwxrwxrwt (shm|mqueue)", "^14$", "^4$", "^2$", "No space left", "^0:0$"],
        forbid=["vda", "mem$", "kmsg"]),
    "devices-refused": dict(spec={"command": probe("mknod", "disk", "kcore")},
                            expect=["^mknod: Operation not permitted",
                                    "^disk: (Operation not permitted|Permission denied)"]),
    "devices-refused-host-user": dict(
        spec={"command": probe("mknod", "disk")}, config=no_user_namespace,
        expect=["^mknod: ok", "^disk: Operation not permitted"]),
    "device-given": dict(
        spec={"devices": [{"source": "/dev/null", "target": "/dev/snd/gift", "permissions": "rw"}],
              "command": sh("ls -l /dev/snd; echo x >/dev/snd/gift && echo written")},
        expect=["crw.* gift", "^written$"], exit=0),
    # ---- limits ----
    "memory": dict(spec={"mem_limit": 32 << 20, "command": ["probe", "eat", "256"]},
                   expect=["^exit 137$"], forbid=["eaten"]),
    "memory-enough": dict(spec={"mem_limit": 64 << 20, "command": ["probe", "eat", "32"]},
                          expect=["^eaten$", "^exit 0$"]),
    "memory-small": dict(spec={"mem_limit": 6 << 20, "command": ["echo", "lives"]},
                         expect=["^lives$", "^exit 0$"]),
    "memory-files": dict(
        spec={"mem_limit": 64 << 20, "memswap_limit": 96 << 20, "mem_reservation": 16 << 20,
              "nano_cpus": 500000000, "cpu_shares": 512, "pids_limit": 77, "cpuset": "0",
              "blkio": {"weight": 300}, "command": ["true"]},
        script="""
            $RUNTIME create -b . memory-files
            cd /sys/fs/cgroup/containers/memory-files
            for f in memory.max memory.low memory.swap.max cpu.max cpu.weight pids.max \\
              cpuset.cpus io.weight; do echo $f $(cat $f); done""",
        expect=["^memory.max 67108864$", "^memory.low 16777216$", "^memory.swap.max 33554432$",
                "^cpu.max 50000 100000$", "^cpu.weight 20$", "^pids.max 77$", "^cpuset.cpus 0$",
                "^io.weight default 2930$"]),
    "pids": dict(spec={"pids_limit": 20, "command": ["probe", "bomb"]},
                 expect=["^forked some, then: Resource temporarily unavailable"], exit=0),
    "cpu": dict(spec={"nano_cpus": 200000000, "command": ["probe", "burn"]},
                expect=["^burn: held$"]),
    "unified": dict(spec={"command": ["true"]},
                    config=put("linux.resources.unified", {"memory.high": "12345344"}),
                    script="$RUNTIME create -b . unified; "
                           "cat /sys/fs/cgroup/containers/unified/memory.high",
                    expect=["^12345344$"]),
    "ulimit": dict(spec={"ulimits": [{"name": "nofile", "soft": 77, "hard": 99},
                                     {"name": "core", "soft": 0, "hard": -1}],
                         "command": sh("ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc")},
                   expect=["^77$", "^99$", "^0$", "^unlimited$"]),
    "oom-score": dict(spec={"oom_score_adj": -500, "command": ["cat", "/proc/self/oom_score_adj"]},
                      expect=["^-500$"]),
    # ---- users ----
    "user-name": dict(spec={"user": "app", "command": sh("id; echo $HOME")},
                      expect=[r"uid=1000\(app\) gid=1001\(app\) groups=.*2000\(extra\)",
                              "^/home/app$"]),
    "user-number": dict(spec={"user": "1000", "command": ["id"]},
                        expect=[r"uid=1000\(app\) gid=1001\(app\)"]),
    "user-unlisted": dict(spec={"user": "4321:77", "command": sh("id; echo $HOME")},
                          expect=["uid=4321 gid=77", "^/$"]),
    "user-group": dict(spec={"user": "app:extra", "group_add": ["44"], "command": ["id"]},
                       expect=[r"uid=1000\(app\) gid=2000\(extra\) groups=.*44"]),
    "user-image": dict(image={"User": "app"}, spec={"command": ["id", "-un"]}, expect=["^app$"]),
    "user-missing": dict(spec={"user": "nobody-here", "command": ["id"]},
                         expect=["unable to find user nobody-here: no matching entries in passwd "
                                 "file", "create failed"]),
    "user-group-missing": dict(spec={"user": "app:none", "command": ["id"]},
                               expect=["unable to find group none: no matching entries in group "
                                       "file"]),
    "user-minus": dict(spec={"user": "-1", "command": ["id"]}, expect=["unable to find user -1"]),
    "passwd-fifo": dict(spec={"user": "app", "command": ["id"]},
                        script="rm rootfs/etc/passwd; mkfifo rootfs/etc/passwd; "
                               "ocirun run $RUNTIME $B passwd-fifo",
                        expect=["unable to find user app"]),
    "passwd-link": dict(spec={"user": "hostonly", "command": ["id"]},
                        script="echo hostonly:x:0:0::/: >/run/passwd; rm rootfs/etc/passwd; "
                               "ln -s ../../../../../../run/passwd rootfs/etc/passwd; "
                               "ocirun run $RUNTIME $B passwd-link",
                        expect=["unable to find user hostonly"]),
    "stdout-reopened": dict(spec={"user": "app", "command": sh("echo again >/dev/stdout")},
                            script="ocirun run $RUNTIME $B stdout-reopened | cat",
                            expect=["^again$", "^exit 0$"]),
    # ---- mounts ----
    "tmpfs": dict(spec={"volumes": [{"type": "tmpfs", "target": "/new/place", "tmpfs_size": 65536,
                                     "tmpfs_mode": 0o750}],
                        "command": sh("mount | grep new; stat -c %a:%u /new/place; "
                                      "dd if=/dev/zero of=/new/place/x bs=4k count=40 2>&1")},
                  expect=["size=64k", "^750:0$", "No space left"]),
    "bind-read-only": dict(
        spec={"volumes": [{"type": "bind", "source": "/run/vol/ro", "target": "/data",
                           "read_only": True}],
              "command": sh("cat /data/file; echo x >/data/file")},
        script="mkdir -p /run/vol/ro; echo content >/run/vol/ro/file; "
               "ocirun run $RUNTIME $B bind-read-only",
        expect=["^content$", "Read-only file system"]),
    "bind-missing": dict(spec={"volumes": [{"type": "bind", "source": "/nowhere",
                                            "target": "/data"}], "command": ["true"]},
                         expect=['mount "/nowhere" on "/data": No such file or directory']),
    "bind-file-on-directory": dict(
        spec={"volumes": [{"type": "bind", "source": "/init", "target": "/etc"}],
              "command": ["true"]}, expect=["not a directory", "create failed"]),
    "volume-owners": dict(
        spec={"volumes": [{"type": "volume", "source": "/run/vol/own", "target": "/data"}],
              "command": sh("stat -c 'in %n %u:%g' /data/*; echo x >/data/new; "
                            "chown 33:33 /data/new")},
        script="mkdir -p /run/vol/own; touch /run/vol/own/a /run/vol/own/b; "
               "chown 1000:1001 /run/vol/own/b; ocirun run $RUNTIME $B volume-owners; "
               "stat -c 'out %n %u:%g' /run/vol/own/*",
        expect=["^in /data/a 0:0", "^in /data/b 1000:1001", "^out /run/vol/own/new 33:33"]),
    "volume-on-disk": dict(
        spec={"volumes": [{"type": "volume", "source": "/volume", "target": "/data"}],
              "command": sh("stat -c 'in %u' /data; echo x >/data/new")},
        script="mkdir -p /volume; ocirun run $RUNTIME $B volume-on-disk; "
               "stat -c 'out %u' /volume/new",
        expect=["^in 0$", "^out 0$", "^exit 0$"]),
    "nested-mounts": dict(
        spec={"volumes": [{"type": "tmpfs", "target": "/a/b/c"}, {"type": "tmpfs", "target": "/a"}],
              "command": sh("mount | grep -c ' /a'; ls /a/b")},
        expect=["^2$", "^c$"]),
    "mount-symlink": dict(
        spec={"volumes": [{"type": "tmpfs", "target": "/link/inside"}],
              "command": sh("mount | grep inside")},
        script="ln -s ../../../../../run/escape rootfs/link; "
               "mkdir -p /run/escape rootfs/run/escape; "
               "chown -R 65536:65536 rootfs/run; "
               "ocirun run $RUNTIME $B mount-symlink; ls /run/escape | wc -l; "
               "mount | grep -c escape",
        expect=["on /run/escape/inside", "^0$"], forbid=["^1$"]),
    "proc-symlink": dict(
        spec={"command": ["true"]},
        script="rmdir rootfs/proc; ln -s tmp rootfs/proc; ocirun run $RUNTIME $B proc-symlink",
        expect=['mount on "/proc": it is a symbolic link in the image']),
    "dev-symlink": dict(
        spec={"command": ["true"]},
        script="rmdir rootfs/dev; ln -s /run/escape rootfs/dev; mkdir -p /run/escape; "
               "ocirun run $RUNTIME $B dev-symlink; ls /run/escape | wc -l",
        expect=['mount on "/dev": it is a symbolic link in the image', "^0$"]),
    "read-only-root": dict(
        spec={"read_only": True, "command": sh("touch /x; touch /dev/shm/y && echo shm")},
        expect=["/x: Read-only file system", "^shm$"]),
    "shm-size": dict(spec={"shm_size": 1 << 20, "command": sh("df -k /dev/shm | tail -1")},
                     expect=[r"\s1024\s"]),
    "host-mounts-untouched": dict(
        spec={"command": ["true"]},
        script="cat /proc/self/mountinfo >before; ocirun run $RUNTIME $B host-mounts-untouched; "
               "cat /proc/self/mountinfo >after; cmp before after && echo same",
        expect=["^same$"]),
    "many-mounts": dict(
        spec={"command": sh("mount | grep -c ' /m/'")},
        config=lambda c: c["mounts"].extend(
            {"destination": f"/m/{i}", "type": "tmpfs", "source": "tmpfs"} for i in range(300)),
        expect=["^300$"]),
    # ---- the process ----
    "entrypoint": dict(image={"Entrypoint": ["echo", "from"], "Cmd": ["image"]}, spec={},
                       expect=["^from image$"]),
    "command": dict(image={"Entrypoint": ["echo", "from"], "Cmd": ["image"]},
                    spec={"command": ["spec"]}, expect=["^from spec$"]),
    "env": dict(image={"Env": ["A=1", "B=2"]}, spec={"environment": {"B": "3", "C": "x y"},
                                                    "command": ["env"]},
                expect=["^A=1$", "^B=3$", "^C=x y$", "^PATH=/usr/local/sbin:", "^HOSTNAME=env$",
                        "^HOME=/root$"], forbid=["^B=2$", "RUNTIME"]),
    "working-dir": dict(spec={"working_dir": "/made/here", "command": ["pwd"]},
                        expect=["^/made/here$"]),
    "working-dir-file": dict(spec={"working_dir": "/etc/passwd", "command": ["pwd"]},
                             expect=[r'chdir to cwd \("/etc/passwd"\) set in config.json failed: '
                                     "Not a directory"]),
    "working-dir-host": dict(
        spec={"working_dir": "/proc/self/fd/8", "command": ["pwd"]},
        script="exec 7</ 8</ 9</; ocirun run $RUNTIME $B working-dir-host",
        expect=["create failed"], forbid=["^/$", "cases"]),
    "exit-code": dict(spec={"command": ["probe", "exit", "42"]}, expect=["^exit 42$"]),
    "exit-signal": dict(spec={"command": sh("kill -TERM $$; trap : TERM; sleep 0; probe exit 3")},
                        expect=["^exit 3$"]),
    "umask": dict(spec={"command": sh("umask")}, expect=["^0022$"]),
    "sysctl": dict(spec={"sysctls": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000"},
                         "command": sh("cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start "
                                       "net/ipv4/ip_forward kernel/msgmax")},
                   expect=["^0$", "^1$", "^9000$"]),
    "sysctl-host": dict(spec={"sysctls": {"kernel.core_pattern": "|/x"}, "command": ["true"]},
                        expect=['sysctl "kernel.core_pattern" is not in a separate kernel '
                                "namespace"]),
    "network-host": dict(
        spec={"network_mode": "host",
              "command": sh("[ -e /sys/class/net/lo ] && echo lo; touch /sys/x; "
                            "readlink /proc/self/ns/net")},
        script="readlink /proc/self/ns/net; ocirun run $RUNTIME $B network-host",
        expect=["^lo$", "Read-only file system", r"(?s)(net:\[\d+\]).*\1"], exit=0),
    "network-own": dict(spec={"command": sh("ip -o link | wc -l; ip -o link")},
                        expect=["^1$", "lo:"]),
    "terminal": dict(
        spec={"tty": True, "command": sh("tty; ls -l /dev/console; stty size 2>/dev/null; "
                                         "echo x >/dev/tty && echo has-tty")},
        config=put("process.consoleSize", {"height": 33, "width": 111}),
        script="ptyhost sock >screen & sleep 0.5; "
               "$RUNTIME create --console-socket sock -b . terminal && $RUNTIME start terminal; "
               "sleep 1; cat screen",
        expect=["/dev/pts/0", "/dev/console", "has-tty"]),
    # ---- errors, as docker's and podman's users know them ----
    "missing-command": dict(spec={"command": ["xyz"]},
                            expect=['exec: "xyz": executable file not found in \\$PATH',
                                    "unable to start container process", "create failed"]),
    "missing-path": dict(spec={"command": ["/no/such"]},
                         expect=['exec: "/no/such": stat /no/such: no such file or directory']),
    "not-executable": dict(spec={"command": ["/etc/passwd"]},
                           expect=['exec: "/etc/passwd": permission denied']),
    "directory": dict(spec={"command": ["/etc"]}, expect=['exec: "/etc": is a directory']),
    "bad-format": dict(
        spec={"command": ["/bin/empty"]},
        script="echo none >rootfs/bin/empty; chmod 755 rootfs/bin/empty; "
               "ocirun run $RUNTIME $B bad-format",
        expect=["exec /bin/empty: exec format error", "start failed"]),
    "missing-rootfs": dict(spec={"command": ["true"]}, config=put("root.path", "/no/rootfs"),
                           expect=['root file system "/no/rootfs": No such file or directory']),
    "no-config": dict(spec={"command": ["true"]},
                      script="rm config.json; ocirun run $RUNTIME $B no-config",
                      expect=["specification file config.json not found"]),
    "broken-config": dict(spec={"command": ["true"]},
                          script="echo '{' >config.json; ocirun run $RUNTIME $B broken-config",
                          expect=[r"config.json: byte \d+: unexpected"]),
    "apparmor": dict(spec={"command": ["true"]}, config=put("process.apparmorProfile", "x"),
                     expect=['process.apparmorProfile: "x": AppArmor is not enabled in this kernel']),
    "json-log": dict(
        spec={"command": ["xyz"]},
        script="$RUNTIME --log log --log-format json create -b . json-log; cat log",
        expect=[r'^\{"level":"error","msg":"unable to start container process: exec: '
                r'\\"xyz\\": executable file not found in \$PATH","time":"']),
    # ---- life ----
    "life": dict(
        spec={"command": ["sleep", "60"]},
        script="""
            $RUNTIME create -b . --pid-file pid life && $RUNTIME state life | grep status
            $RUNTIME create -b . life
            $RUNTIME start life && $RUNTIME state life | grep status
            $RUNTIME start life
            $RUNTIME delete life
            $RUNTIME kill life 0x9
            $RUNTIME kill life KILL
            while $RUNTIME state life | grep -q running; do sleep 0.1; done
            $RUNTIME state life | grep status
            $RUNTIME kill life
            $RUNTIME start life
            $RUNTIME delete life && echo deleted
            $RUNTIME state life
            $RUNTIME delete life
            $RUNTIME delete --force life && echo forced""",
        expect=['"status": "created"', "container with given ID already exists",
                '"status": "running"', "cannot start an already running container",
                "cannot delete container life that is not stopped: running",
                'unknown signal "0x9"', '"status": "stopped"', "container not running",
                "cannot start a container that has stopped", "^deleted$",
                "container does not exist", "^forced$"]),
    "kill-signals": dict(
        spec={"command": sh("trap 'echo got usr1' USR1; trap 'echo got term; exit 5' TERM; "
                            "echo up; while :; do sleep 0.1; done")},
        script="""
            $RUNTIME create -b . --pid-file pid kill-signals >out 2>&1
            $RUNTIME start kill-signals
            until grep -q up out; do sleep 0.1; done
            $RUNTIME kill kill-signals SIGUSR1
            until grep -q usr1 out; do sleep 0.1; done
            $RUNTIME kill kill-signals 15
            until grep -q term out; do sleep 0.1; done
            cat out""",
        expect=["^got usr1$", "^got term$"]),
    "kill-all": dict(
        spec={"command": sh("sleep 50 & sleep 50 & sleep 50")},
        script="""
            $RUNTIME create -b . kill-all && $RUNTIME start kill-all; sleep 0.5
            $RUNTIME kill --all kill-all KILL; sleep 0.5
            echo left $(cat /sys/fs/cgroup/containers/kill-all/cgroup.procs | wc -l)
            $RUNTIME delete kill-all && echo deleted""",
        expect=["^left 0$", "^deleted$"]),
    "delete-running": dict(
        spec={"command": sh("sleep 50 & sleep 50")},
        script="$RUNTIME create -b . delete-running && $RUNTIME start delete-running; "
               "$RUNTIME delete --force delete-running && echo deleted; "
               "ls -d /sys/fs/cgroup/containers/delete-running /run/berth/oci/delete-running",
        expect=["^deleted$", "cgroup.*No such file", "oci.*No such file"]),
    "delete-sub-cgroups": dict(
        spec={"command": ["sleep", "50"]},
        script="$RUNTIME create -b . delete-sub-cgroups; "
               "mkdir -p /sys/fs/cgroup/containers/delete-sub-cgroups/a/b/c; "
               "$RUNTIME delete --force delete-sub-cgroups && echo deleted; "
               "ls -d /sys/fs/cgroup/containers/delete-sub-cgroups",
        expect=["^deleted$", "No such file"]),
    "killed-while-created": dict(
        spec={"command": ["true"]},
        script="""
            for n in 1 2 4 6 8 10 12 15 18 21 25 30 35 40 50 60 80; do
              $RUNTIME create -b . killed-while-created >/dev/null 2>&1 & p=$!
              usleep ${n}000; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
              $RUNTIME delete --force killed-while-created || echo delete failed at $n
              [ -e /run/berth/oci/killed-while-created ] && echo state left at $n
              [ -e /sys/fs/cgroup/containers/killed-while-created ] && echo cgroup left at $n
              rm -f /run/berth/oci/killed-while-created
            done
            sleep 0.5
            cat /proc/[0-9]*/comm 2>/dev/null | grep -q berth-oci || echo no process left
            ocirun run $RUNTIME $B killed-while-created""",
        expect=["no process left", "^exit 0$"], forbid=["left at", "failed at"]),
    "two-at-once": dict(
        spec={"command": ["sleep", "50"]},
        script="""
            for i in 1 2 3 4 5 6; do $RUNTIME create -b . two-at-once 2>&1 & done; wait
            $RUNTIME state two-at-once | grep status
            for i in 1 2 3 4; do $RUNTIME start two-at-once 2>&1 & done; wait
            $RUNTIME state two-at-once | grep status
            for i in 1 2 3 4; do
              $RUNTIME delete --force two-at-once || echo delete failed &
            done; wait
            ls /run/berth/oci""",
        expect=[r"(?s)(already exists.*){5}created", r"(?s)(already running.*){3}running"],
        forbid=["^two-at-once$", "delete failed"]),
    "ids": dict(
        spec={"command": ["true"]},
        script="for id in ../x .hidden a/b '' 'a b'; do $RUNTIME create -b . \"$id\"; done",
        expect=[r'(?s)(invalid container ID.*){5}']),
    "preserve-fds": dict(
        spec={"command": sh("cat <&3; ls -1 /proc/self/fd")},
        script="echo handed >gift; exec 3<gift; exec 5<gift; "
               "$RUNTIME create --preserve-fds 1 -b . preserve-fds && $RUNTIME start preserve-fds; "
               "sleep 0.5",
        expect=["^handed$", "^3$"], forbid=["^5$"]),
}
