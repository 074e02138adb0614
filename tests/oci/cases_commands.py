"""The commands run and exec.
Rows as in cases.py; `clause` names what a row is from: runtime-spec's document and section, or
runc's manual page."""
import json

from cases import no_user_namespace, sh

FOREVER = ["sleep", "60"]
LOOP = "while :; do sleep 0.1; done"


def running(name, more):
    """Shell lines: the container NAME runs, then `more`."""
    return f"$RUNTIME create -b . {name} && $RUNTIME start {name} || exit 1\n{more}"


def process(**keys):
    """A process file for exec as a shell line; keys over a small one."""
    base = {"cwd": "/", "args": ["true"], "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
    return "cat >p.json <<'EOF'\n" + json.dumps({**base, **keys}) + "\nEOF\n"


CASES = {
    # ---- run ----
    "run": dict(
        clause="runc-run(8)", spec={"command": sh("echo out; echo err >&2; exit 42")},
        script="""
            $RUNTIME run -b . --pid-file pid run; echo code $?
            grep -c '^[0-9]*$' pid
            $RUNTIME state run
            ls -d /sys/fs/cgroup/containers/run""",
        expect=["^out$", "^err$", "^code 42$", "^1$", "container does not exist",
                "No such file or directory"]),
    "run-killed": dict(
        clause="runc-run(8): exit code is 128 + signal", spec={"command": FOREVER},
        script="""
            $RUNTIME run -b . run-killed & p=$!
            until $RUNTIME state run-killed 2>/dev/null | grep -q running; do sleep 0.1; done
            $RUNTIME kill run-killed KILL; wait $p; echo code $?
            $RUNTIME state run-killed""",
        expect=["^code 137$", "container does not exist"]),
    "run-signals": dict(
        clause="runc-run(8): signals are forwarded",
        spec={"command": sh("trap 'echo got usr1' USR1; trap 'echo got term; exit 5' TERM; "
                            f"echo up; {LOOP}")},
        script="""
            $RUNTIME run -b . run-signals >out & p=$!
            until grep -q up out; do sleep 0.1; done
            kill -USR1 $p; until grep -q usr1 out; do sleep 0.1; done
            kill -TERM $p; wait $p; echo code $?; cat out""",
        expect=["^got usr1$", "^got term$", "^code 5$"]),
    "run-detach": dict(
        clause="runc-run(8) --detach", spec={"command": FOREVER},
        script="""
            $RUNTIME run -d -b . --pid-file pid run-detach; echo code $?
            $RUNTIME state run-detach | grep -E 'status|pid'; echo pid $(cat pid)""",
        expect=["^code 0$", '"status": "running"', r'(?s)"pid": (\d+),.*pid \1$']),
    "run-keep": dict(
        clause="runc-run(8) --keep", spec={"command": ["true"]},
        script="$RUNTIME run --keep -b . run-keep; $RUNTIME state run-keep | grep status; "
               "$RUNTIME delete run-keep && echo deleted",
        expect=['"status": "stopped"', "^deleted$"]),
    "run-missing": dict(
        clause="runtime.md, Create: an error leaves no container", spec={"command": ["xyz"]},
        script="$RUNTIME run -b . run-missing; echo code $?; $RUNTIME state run-missing; "
               "ls -d /sys/fs/cgroup/containers/run-missing",
        expect=['exec: "xyz": executable file not found in \\$PATH', "^code 1$",
                "container does not exist", "No such file"]),
    "run-bad-format": dict(
        clause="as above, where exec itself fails", spec={"command": ["/bin/empty"]},
        script="echo none >rootfs/bin/empty; chmod 755 rootfs/bin/empty; "
               "$RUNTIME run -b . run-bad-format; echo code $?; $RUNTIME state run-bad-format",
        expect=["exec /bin/empty: exec format error", "^code 1$", "container does not exist"]),
    "run-terminal": dict(
        clause="runc's terminals.md, foreground",
        spec={"tty": True, "command": sh("tty; echo x >/dev/tty; [ -t 0 ] && echo is-tty")},
        script="$RUNTIME run -b . run-terminal | sed 's/\\r/CR/' >screen; cat screen",
        expect=["^/dev/pts/0$", "^x$", "^is-tty$"], forbid=["CR"]),
    "run-terminal-input": dict(
        clause="as above: input is relayed",
        spec={"tty": True, "command": sh("read a; echo got $a")},
        script="(echo hello; sleep 3) | $RUNTIME run -b . run-terminal-input",
        expect=["^got hello"]),
    "run-terminal-size": dict(
        clause="runc's terminals.md: size and its changes; the caller's terminal is put back",
        spec={"tty": True, "command": sh(
            "stty size; trap 'stty size; exit 4' WINCH; echo ready; "
            "while :; do sleep 0.1; done")},
        script="""
            ptyhost --run /bin/sh -c 'b=$(stty -g); $RUNTIME run -b . run-terminal-size
              echo code $?; [ "$b" = "$(stty -g)" ] && echo as before'""",
        expect=["^20 70\\s*$", "^q?30 90\\s*$", "^code 4\\s*$", "^as before"]),
    "exec-terminal-raw": dict(
        clause="as above: a key goes through at once", spec={"command": FOREVER},
        script=running("exec-terminal-raw", """
            ptyhost --run /bin/sh -c '$RUNTIME exec -t exec-terminal-raw sh -c \\
              "stty size; stty raw; echo ready; head -c 1 | tr q Q; echo"; echo code $?'"""),
        expect=["^20 70", "Q", r"code 0"]),
    "run-detach-terminal": dict(
        clause="runc's terminals.md, detached", spec={"tty": True, "command": ["true"]},
        script="$RUNTIME run -d -b . run-detach-terminal; echo code $?",
        expect=["cannot allocate tty if runtime will detach without setting console socket",
                "^code 1$"]),
    "run-console-socket": dict(
        clause="as above", spec={"command": ["true"]},
        script="$RUNTIME run -b . --console-socket /x run-console-socket; echo code $?",
        expect=["cannot use console socket if runtime will not detach or allocate tty",
                "^code 1$"]),
    "run-no-pivot": dict(clause="runc-run(8) --no-pivot", spec={"command": ["true"]},
                         script="$RUNTIME run --no-pivot -b . run-no-pivot",
                         expect=["--no-pivot: .* always pivoted"]),
    "run-ids-twice": dict(
        clause="runtime.md, Create: the ID must be unique", spec={"command": FOREVER},
        script="$RUNTIME run -d -b . run-ids-twice; $RUNTIME run -b . run-ids-twice; echo code $?; "
               "$RUNTIME state run-ids-twice | grep status",
        expect=["container with given ID already exists", "^code 1$", '"status": "running"']),
    # ---- fds and sockets that are handed on ----
    "listen-fds": dict(
        clause="runc-create(8), LISTEN_FDS; sd_listen_fds(3)",
        spec={"command": sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; ls -1 /proc/self/fd")},
        script="""
            echo first >a; echo second >b; exec 3<a 4<b 5<a
            export LISTEN_FDS=1
            sh -c 'LISTEN_PID=$$ exec $RUNTIME run --preserve-fds 1 -b . listen-fds'""",
        expect=["^1 1$", "^first$", "^second$"], forbid=["^6$"]),
    "listen-fds-other": dict(
        clause="sd_listen_fds(3): LISTEN_PID is another process's",
        spec={"command": sh("echo has $LISTEN_FDS; ls -1 /proc/self/fd")},
        script="echo x >a; exec 3<a 4<a 5<a; "
               "LISTEN_FDS=1 LISTEN_PID=1 $RUNTIME run -b . listen-fds-other",
        expect=["^has$"], forbid=["^4$", "^5$"]),
    "preserve-fds-closed": dict(
        clause="CVE-2024-21626: a number that is not open must not become one of the runtime's",
        spec={"command": ["true"]},
        script="$RUNTIME run --preserve-fds 20 -b . preserve-fds-closed",
        expect=["--preserve-fds: fd [0-9]+ is not open"]),
    "stdio-closed": dict(
        clause="CVE-2024-21626: a handle of the runtime's must not become standard input",
        spec={"command": sh("ls -l /proc/self/fd | awk '{print $NF}'")},
        script="$RUNTIME run -b . stdio-closed <&- 2>&-; "
               "$RUNTIME run -d -b . --pid-file pid stdio-closed <&- >&- 2>&-; echo code $?",
        expect=[r"(?s)/dev/null\n.*\n/dev/null\n", "^code 0$"], forbid=["/run/berth", "cgroup"]),
    "notify": dict(
        clause="sd_notify(3), runc's notify_socket: READY=1 and nothing else",
        spec={"command": sh("probe notify STATUS=no; probe notify 'X=1\nREADY=1'; sleep 1; "
                            "touch /run/notify/x; exit 3")},
        script="""
            probe receive $PWD/host >got & r=$!
            until [ -S host ]; do sleep 0.1; done
            NOTIFY_SOCKET=$PWD/host $RUNTIME run -b . notify; echo code $?
            cat got; kill $r""",
        expect=[r"^received READY=1\|MAINPID=[0-9]+\|$", "^code 3$",
                "touch: .*Read-only file system"], forbid=["STATUS"]),
    "notify-start": dict(
        clause="runc-start(8): waits for READY=1",
        spec={"command": sh(f"sleep 1; probe notify READY=1; {LOOP}")},
        script="""
            probe receive $PWD/host >got & r=$!
            until [ -S host ]; do sleep 0.1; done
            export NOTIFY_SOCKET=$PWD/host
            $RUNTIME create -b . --pid-file pid notify-start; $RUNTIME start notify-start
            sleep 0.3; cat got; echo MAINPID=$(cat pid); kill $r""",
        expect=[r"(?s)READY=1\|MAINPID=(\d+)\|\nMAINPID=\1$"]),
    # ---- exec ----
    "exec": dict(
        clause="runc-exec(8)", spec={"command": FOREVER},
        script=running("exec", """
            for n in user mnt pid ipc uts net cgroup; do
              $RUNTIME exec exec readlink /proc/self/ns/$n
              $RUNTIME exec exec readlink /proc/1/ns/$n
            done >both; sort both | uniq -c | grep -c ' 2 '
            for n in user mnt pid ipc uts net cgroup; do readlink /proc/self/ns/$n; done >ours
            grep -c -F -f ours both
            $RUNTIME exec exec sh -c 'exit 7'; echo code $?
            $RUNTIME exec exec sh -c 'kill -9 $$'; echo code $?
            echo in | $RUNTIME exec exec cat"""),
        expect=["^7$", "^0$", "^code 7$", "^code 137$", "^in$"]),
    "exec-rights": dict(
        clause="runc-exec(8): the container's own process's", spec={"command": FOREVER},
        script=running("exec-rights", """
            F='^(Cap|NoNew|Seccomp:)'
            $RUNTIME exec exec-rights grep -E $F /proc/self/status >a
            $RUNTIME exec exec-rights grep -E $F /proc/1/status >b
            cmp a b && echo same; grep CapEff a
            $RUNTIME exec exec-rights probe keyctl mount inet
            $RUNTIME exec exec-rights cat /proc/self/cgroup
            $RUNTIME exec exec-rights ls -1 /proc/self/fd | tr '\\n' ' '; echo"""),
        expect=["^same$", "00000000a80425fb", "^keyctl: Operation not permitted",
                "^mount: Operation not permitted", "^inet: ok", "^0::/$", "^0 1 2 3 $"]),
    "exec-host-user": dict(
        clause="as above, without a user namespace", spec={"command": FOREVER},
        config=no_user_namespace,
        script=running("exec-host-user", """
            $RUNTIME exec exec-host-user sh -c 'grep CapEff /proc/self/status; echo $$; id'
            $RUNTIME exec -u 1000 exec-host-user grep Cap /proc/self/status"""),
        expect=["CapEff:\t00000000a80425fb", r"uid=0\(root\)", "CapEff:\t0000000000000000",
                "CapInh:\t0000000000000000"]),
    "exec-options": dict(
        clause="runc-exec(8), options", spec={"environment": {"A": "1", "B": "2"},
                                              "command": FOREVER},
        script=running("exec-options", """
            R="$RUNTIME exec"
            $R -u 1000:44 -g 7 --additional-gids 8 exec-options id
            $R --cwd /tmp -e B=3 --env C=4 exec-options sh -c 'pwd; echo $A $B $C'
            $R -e B=5 exec-options env
            $R -u 1000 exec-options sh -c 'echo home $HOME'
            $R -u app exec-options id
            $R -u app -g 7 exec-options id
            $R -g 9 -g x exec-options true; $R -g 9 exec-options id
            $R --cap CAP_SYS_ADMIN exec-options grep Cap /proc/self/status
            $R -u 1000 --cap CAP_NET_ADMIN exec-options grep Cap /proc/self/status | tail -4"""),
        forbid=["^B=2$"],
        expect=["uid=1000.* gid=44 groups=7,8", "^/tmp$", "^B=5$", "^1 3 4$", "^home /home/app$",
                r"uid=1000\(app\) gid=1001\(app\) groups=2000\(extra\)$",
                r"uid=1000\(app\) gid=1001\(app\) groups=7,2000\(extra\)$",
                '--additional-gids: "x" is not', r"uid=0\(root\) gid=0\(root\) groups=9$",
                r"CapEff:\t00000000a82425fb", r"CapBnd:\t00000000a80435fb",
                r"CapEff:\t0000000000000000\nCapBnd:\t00000000a80435fb\nCapAmb:\t0{16}"]),
    "exec-no-new-privs": dict(
        clause="runc-exec(8) --no-new-privs",
        spec={"security_opt": ["no-new-privileges:false"], "command": FOREVER},
        script=running("exec-no-new-privs", """
            $RUNTIME exec exec-no-new-privs grep NoNew /proc/self/status
            $RUNTIME exec --no-new-privs exec-no-new-privs grep -E 'NoNew|Seccomp:' \\
              /proc/self/status"""),
        expect=["NoNewPrivs:\t0", r"NoNewPrivs:\t1\nSeccomp:\t2"]),
    "exec-user-wrong": dict(
        clause="CVE-2026-30892: an id is digits only", spec={"command": FOREVER},
        script=running("exec-user-wrong", """
            for u in -1 0x0 ' 0' 4294967295 99999999999 0:-1 0:0x0 nobody; do
              $RUNTIME exec -u "$u" exec-user-wrong id -u; echo code $?
            done"""),
        expect=[r"unable to find user -1", "(?s)(code 255.*){8}"], forbid=["^0$"]),
    "exec-errors": dict(
        clause="callers tell 127 and 126 from the words", spec={"command": FOREVER},
        script=running("exec-errors", """
            echo none >rootfs/bin/empty; chmod 755 rootfs/bin/empty
            for c in xyz /no/such /etc /etc/passwd /bin/empty; do
              $RUNTIME --log log --log-format json exec exec-errors $c; echo code $?
            done
            $RUNTIME exec --cwd /no/such exec-errors true
            $RUNTIME exec --cwd relative exec-errors true
            $RUNTIME exec exec-errors; $RUNTIME exec
            cat log | head -1"""),
        expect=['exec failed: unable to start container process: exec: "xyz": executable file not '
                "found in \\$PATH", 'exec: "/no/such": stat /no/such: no such file or directory',
                'exec: "/etc": is a directory', 'exec: "/etc/passwd": permission denied',
                "exec /bin/empty: exec format error", "(?s)(code 255.*){5}",
                r'chdir to cwd \("/no/such"\) set in config.json failed',
                'process.cwd: "relative" is not an absolute path', "exec needs a command",
                "exec needs a container ID", r'^\{"level":"error","msg":"exec failed']),
    "exec-stopped": dict(
        clause="runc-exec(8)", spec={"command": ["true"]},
        script=running("exec-stopped", """
            while $RUNTIME state exec-stopped | grep -q running; do sleep 0.1; done
            $RUNTIME exec exec-stopped true; echo code $?
            $RUNTIME exec exec-none true; echo code $?"""),
        expect=["cannot exec in a stopped container", "container does not exist",
                "(?s)(code 255.*){2}"]),
    "exec-created": dict(
        clause="containerd adds processes to a created container",
        spec={"command": ["echo", "main"]},
        script="$RUNTIME create -b . exec-created; $RUNTIME exec exec-created echo added; "
               "$RUNTIME start exec-created; sleep 0.5",
        expect=[r"(?s)added.*main"]),
    "exec-detach": dict(
        clause="runc-exec(8) --detach --pid-file", spec={"command": FOREVER},
        script=running("exec-detach", """
            $RUNTIME exec -d --pid-file pid exec-detach sleep 50; echo code $?
            grep -c "^$(cat pid)$" /sys/fs/cgroup/containers/exec-detach/cgroup.procs
            $RUNTIME exec exec-detach ps"""),
        expect=["^code 0$", "^1$", "sleep 50"]),
    "exec-process": dict(
        clause="config.md, Process, through --process", spec={"command": FOREVER},
        script=running("exec-process", process(
            args=["sh", "-c", "id; pwd; env; umask; ulimit -n; cat /proc/self/oom_score_adj; "
                  "grep Cap /proc/self/status"], cwd="/tmp", env=["PATH=/bin", "Z=9"],
            user={"uid": 1000, "gid": 7, "additionalGids": [8], "umask": 0o27}, oomScoreAdj=77,
            rlimits=[{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}],
            capabilities={k: ["CAP_KILL"] for k in (
                "bounding", "effective", "permitted", "inheritable", "ambient")}) +
            "$RUNTIME exec --process p.json exec-process; echo code $?"),
        expect=["uid=1000.* gid=7 groups=8", "^/tmp$", "^Z=9$", "^HOME=/home/app$", "^0027$",
                "^55$", "^77$", "CapAmb:\t0000000000000020", "CapEff:\t0000000000000020",
                "^code 0$"], forbid=["HOSTNAME"]),
    "exec-process-wrong": dict(
        clause="bad input gets one sentence", spec={"command": FOREVER},
        script=running("exec-process-wrong", """
            echo '{' >p.json; $RUNTIME exec -p p.json exec-process-wrong
            echo '{"cwd":"/"}' >p.json; $RUNTIME exec -p p.json exec-process-wrong
            echo '{"args":["true"]}' >p.json; $RUNTIME exec -p p.json exec-process-wrong
            echo '{"cwd":"/","args":[1]}' >p.json; $RUNTIME exec -p p.json exec-process-wrong
            $RUNTIME exec -p none.json exec-process-wrong
            $RUNTIME exec -p p.json exec-process-wrong true
            $RUNTIME exec -p p.json --cwd / exec-process-wrong"""),
        expect=[r'process file "p.json": byte \d+', "process.args: must not be empty",
                "process.cwd: is missing", r"process.args\[0\]: expected a string",
                "none.json.*No such file", "a command or --process, not both",
                "--cwd does not go with --process"]),
    "exec-terminal": dict(
        clause="runc's terminals.md", spec={"command": FOREVER},
        script=running("exec-terminal", """
            $RUNTIME exec -t exec-terminal sh -c 'tty; ls -1 /proc/self/fd; \\
              echo x >/dev/tty && echo has-tty' | cat
            (echo typed; sleep 2) | $RUNTIME exec -t exec-terminal sh -c 'read a; echo got $a'"""),
        expect=["^/dev/pts/0$", "^3$", "^has-tty", "^x$", "^got typed"], forbid=["^4$"]),
    "exec-console-socket": dict(
        clause="runc's terminals.md, detached", spec={"command": FOREVER},
        script=running("exec-console-socket", process(
            args=["sh", "-c", "tty; stty size; echo end"], terminal=True,
            consoleSize={"height": 33, "width": 111}) + """
            ptyhost sock >screen & until [ -S sock ]; do sleep 0.1; done
            $RUNTIME exec -d -p p.json --console-socket sock exec-console-socket; echo code $?
            until grep -q end screen; do sleep 0.1; done; cat screen
            $RUNTIME exec -d -t exec-console-socket true
            $RUNTIME exec --console-socket sock exec-console-socket true"""),
        expect=["/dev/pts/0", "^33 111", "^code 0$", "cannot allocate tty if runtime will detach",
                "cannot use console socket"]),
    "exec-fake-pts": dict(
        clause="CVE-2025-52565: /dev/pts is what the container made of it",
        spec={"cap_add": ["SYS_ADMIN"], "command": FOREVER},
        script=running("exec-fake-pts", """
            $RUNTIME exec exec-fake-pts sh -c 'mount -t tmpfs none /dev/pts; \\
              mknod /dev/pts/ptmx p'
            $RUNTIME exec -t exec-fake-pts true; echo code $?"""),
        expect=['"/dev/pts" is not a devpts mount', "^code 255$"]),
    "exec-cwd-host": dict(
        clause="CVE-2024-21626", spec={"command": FOREVER},
        script=running("exec-cwd-host", """
            exec 7</ 8</ 9</
            for n in 3 4 5 6 7 8 9 10; do
              $RUNTIME exec --cwd /proc/self/fd/$n exec-cwd-host sh -c 'pwd; ls -d cases' \\
                && echo escaped
            done
            exec 3</ 4</
            $RUNTIME exec --preserve-fds 2 --cwd /proc/self/fd/3 exec-cwd-host ls -d cases
            echo tried"""),
        expect=["^tried$"], forbid=["^cases$", "^escaped$"]),
    "exec-preserve-fds": dict(
        clause="runc-exec(8) --preserve-fds", spec={"command": FOREVER},
        script=running("exec-preserve-fds", """
            echo handed >gift; exec 3<gift 5<gift
            $RUNTIME exec --preserve-fds 1 exec-preserve-fds \\
              sh -c 'cat <&3; ls -1 /proc/self/fd'"""),
        expect=["^handed$", "^3$"], forbid=["^5$"]),
    "exec-cgroup": dict(
        clause="runc-exec(8) --cgroup", spec={"command": FOREVER},
        script=running("exec-cgroup", """
            mkdir /sys/fs/cgroup/containers/exec-cgroup/sub
            $RUNTIME exec --cgroup sub exec-cgroup cat /proc/self/cgroup
            $RUNTIME exec --cgroup none exec-cgroup true
            $RUNTIME exec --cgroup ../.. exec-cgroup true
            $RUNTIME exec --cgroup memory:x exec-cgroup true"""),
        expect=["^0::/sub$", 'cgroup "containers/exec-cgroup/none" does not exist',
                r'--cgroup: "\.\./\.\." is not a path below', '--cgroup: "memory:x" is not']),
    "exec-delegated": dict(
        clause="cgroup-v2.rst, no internal processes", spec={"command": FOREVER},
        script=running("exec-delegated", """
            cd /sys/fs/cgroup/containers/exec-delegated; mkdir init
            for p in $(cat cgroup.procs); do echo $p >init/cgroup.procs; done
            echo +memory >cgroup.subtree_control
            $RUNTIME exec exec-delegated cat /proc/self/cgroup"""),
        expect=["^0::/init$"]),
    "exec-bundle-changed": dict(
        clause="runtime.md, Lifecycle: a change of config.json does not reach the container",
        spec={"environment": {"A": "old"}, "command": FOREVER},
        script=running("exec-bundle-changed", """
            echo '{}' >config.json
            $RUNTIME exec exec-bundle-changed sh -c 'echo $A'
            rm config.json; $RUNTIME exec exec-bundle-changed echo still"""),
        expect=["^old$", "^still$"]),
    "exec-many": dict(
        clause="nothing is left", spec={"command": FOREVER},
        script=running("exec-many", """
            cat /proc/self/mountinfo >before
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do $RUNTIME exec exec-many true & done; wait
            echo left $(cat /sys/fs/cgroup/containers/exec-many/cgroup.procs | wc -l)
            cat /proc/self/mountinfo >after; cmp before after && echo same"""),
        expect=["^left 1$", "^same$"]),
    "killed-while-exec": dict(
        clause="a runtime that dies leaves no half-made process", spec={"command": FOREVER},
        script=running("killed-while-exec", """
            for n in 1 2 4 6 8 10 12 15 18 21 25 30 35 40 50 60 80; do
              $RUNTIME exec killed-while-exec true >/dev/null 2>&1 & p=$!
              usleep ${n}000; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
            done
            sleep 0.5; cd /sys/fs/cgroup/containers/killed-while-exec
            echo left $(cat cgroup.procs | wc -l)
            $RUNTIME exec killed-while-exec echo works"""),
        expect=["^left 1$", "^works$"]),
    "killed-while-run": dict(
        clause="as above; delete --force cleans up", spec={"command": FOREVER},
        script="""
            for n in 1 3 6 9 12 16 20 25 30 40 50 60 80 100 130; do
              $RUNTIME run -b . killed-while-run >/dev/null 2>&1 & p=$!
              usleep ${n}000; kill -9 $p 2>/dev/null; wait $p 2>/dev/null
              $RUNTIME delete --force killed-while-run || echo delete failed at $n
              [ -e /run/berth/oci/killed-while-run ] && echo state left at $n
              [ -e /sys/fs/cgroup/containers/killed-while-run ] && echo cgroup left at $n
            done; echo done""",
        expect=["^done$"], forbid=["left at", "failed at"]),
    "exec-killed": dict(
        clause="two commands at once", spec={"command": FOREVER},
        script=running("exec-killed", """
            $RUNTIME exec exec-killed sleep 50 & p=$!
            until $RUNTIME exec exec-killed ps | grep -q 'sleep 50'; do sleep 0.1; done
            $RUNTIME delete --force exec-killed && echo deleted
            wait $p; echo code $?"""),
        expect=["^deleted$", "^code 137$"]),
}
