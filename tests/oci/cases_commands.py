"""The commands besides create, start, state, kill and delete, and what a process is asked to be.
Rows as in cases.py; `clause` names what a row is from: runtime-spec's document and section, or
runc's manual page."""
import json

from cases import no_user_namespace, put, sh

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
    # ---- the process ----
    "priorities": dict(
        clause="config.md, Linux Process: scheduler, ioPriority",
        spec={"command": ["probe", "priorities"]},
        config=lambda c: c["process"].update(
            scheduler={"policy": "SCHED_BATCH", "nice": -3},
            ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6}),
        script="$RUNTIME run -b . priorities",
        expect=["^policy 3 priority 0 nice -3 io class 2 level 6$"]),
    "priorities-real-time": dict(
        clause="config.md, Linux Process: scheduler", spec={"command": ["probe", "priorities"]},
        config=lambda c: c["process"].update(
            scheduler={"policy": "SCHED_FIFO", "priority": 12,
                       "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
            ioPriority={"class": "IOPRIO_CLASS_RT", "priority": 1}),
        script="$RUNTIME run -b . priorities-real-time",
        expect=["^policy 1 priority 12 nice 0 io class 1 level 1$"]),
    "scheduler-wrong": dict(
        clause="config.md, Linux Process: policy is one of the list", spec={"command": ["true"]},
        config=put("process.scheduler", {"policy": "SCHED_ISO"}),
        expect=['process.scheduler.policy: unknown policy "SCHED_ISO"', "create failed"]),
    "affinity": dict(
        clause="config.md, Linux Process: execCPUAffinity", spec={"command": FOREVER},
        script=running("affinity", process(
            args=["grep", "Cpus_allowed_list", "/proc/self/status"],
            execCPUAffinity={"initial": "0", "final": "1"}) +
            "$RUNTIME exec -p p.json affinity\n" + process(
                args=["grep", "Cpus_allowed_list", "/proc/self/status"],
                execCPUAffinity={"initial": "1"}) + "$RUNTIME exec -p p.json affinity\n" +
            process(execCPUAffinity={"final": "0-"}) + "$RUNTIME exec -p p.json affinity"),
        expect=[r"Cpus_allowed_list:\s1$", r"Cpus_allowed_list:\s0-1$",
                'execCPUAffinity.final: "0-" is no list of processors']),
    "affinity-cpuset": dict(
        clause="config.md, execCPUAffinity: no final is the cpuset's",
        spec={"cpuset": "0", "command": FOREVER},
        script=running("affinity-cpuset", process(
            args=["grep", "Cpus_allowed_list", "/proc/self/status"],
            execCPUAffinity={"initial": "1"}) + "$RUNTIME exec -p p.json affinity-cpuset"),
        expect=[r"Cpus_allowed_list:\s0$"]),
    "personality": dict(
        clause="config-linux.md, Personality", spec={"command": ["uname", "-m"]},
        config=put("linux.personality", {"domain": "LINUX32"}),
        script="$RUNTIME run -b . personality", expect=["^i686$"]),
    "personality-wrong": dict(
        clause="config-linux.md, Personality", spec={"command": ["true"]},
        config=put("linux.personality", {"domain": "BSD"}),
        expect=['linux.personality.domain: "BSD" is neither LINUX nor LINUX32', "create failed"]),
    "selinux": dict(
        clause="config.md, Linux Process: selinuxLabel", spec={"command": ["true"]},
        config=put("process.selinuxLabel", "system_u:system_r:container_t:s0"),
        expect=["process.selinuxLabel: .* SELinux is not enabled in this kernel", "create failed"]),
    "exec-labels": dict(
        clause="runc-exec(8) --process-label --apparmor", spec={"command": FOREVER},
        script=running("exec-labels", """
            $RUNTIME exec --process-label x exec-labels true
            $RUNTIME exec --apparmor x exec-labels true
            $RUNTIME exec --apparmor unconfined exec-labels echo unconfined"""),
        expect=["SELinux is not enabled", "AppArmor is not enabled", "^unconfined$"]),
    "umask-given": dict(
        clause="config.md, POSIX user: umask", spec={"command": sh("umask")},
        config=put("process.user.umask", 0o77), script="$RUNTIME run -b . umask-given",
        expect=["^0077$"]),
    "capability-unknown": dict(
        clause="config.md, capabilities: what cannot be mapped is a warning",
        spec={"command": sh("grep CapBnd /proc/self/status")},
        config=lambda c: c["process"]["capabilities"]["bounding"].append("CAP_NONE_SUCH"),
        script="$RUNTIME --log log --log-format json run -b . capability-unknown; cat log",
        expect=['unknown capability "CAP_NONE_SUCH" is left out', "CapBnd:\t00000000a80425fb",
                r'^\{"level":"warning","msg":"process.capabilities']),
    "terminal-host": dict(
        clause="TIOCSTI through a shared terminal: no session of the host's",
        spec={"command": sh("cut -d' ' -f5-8 /proc/self/stat; echo x >/dev/tty")},
        script="$RUNTIME run -b . terminal-host",
        expect=["^1 1 0 -1$", "/dev/tty: No such device"]),
    "no-process": dict(
        clause="runtime.md, Start: MUST generate an error if process was not set",
        spec={"command": ["true"]}, config=lambda c: c.pop("process"),
        script="""
            $RUNTIME create -b . no-process; $RUNTIME state no-process | grep status
            $RUNTIME exec no-process true
            $RUNTIME start no-process; echo code $?
            $RUNTIME run -b . no-process""",
        expect=['"status": "created"', "exec needs --process",
                "process: is not set in config.json", "^code 1$"]),
    "pidfd-socket": dict(
        clause="runc-create(8) --pidfd-socket", spec={"command": FOREVER},
        script="""
            for c in 'create -b .' 'exec -d'; do
              ptyhost --pidfd sock >pid2 & until [ -S sock ]; do sleep 0.1; done
              rest=; [ "$c" = 'exec -d' ] && rest='sleep 50'
              $RUNTIME $c --pid-file pid --pidfd-socket sock pidfd-socket $rest; wait $!
              cmp pid pid2 && echo same; rm sock
            done
            $RUNTIME exec --pidfd-socket /none pidfd-socket true""",
        expect=[r"(?s)(same\n.*){2}", 'connect to pidfd socket "/none": No such file']),
    "args-missing": dict(
        clause="config.md, Process, args: at least one entry is needed", spec={"command": ["true"]},
        config=put("process.args", []),
        expect=["process.args: must not be empty", "create failed"]),
    "cwd-relative": dict(
        clause="config.md, Process, cwd: MUST be an absolute path", spec={"command": ["true"]},
        config=put("process.cwd", "tmp"),
        expect=['process.cwd: "tmp" is not an absolute path', "create failed"]),
    "env-wrong": dict(
        clause="config.md, Process, env: of the form KEY=value", spec={"command": ["true"]},
        config=put("process.env", ["A=1", "B"]),
        expect=[r'process.env\[1\]: "B" is not NAME=VALUE', "create failed"]),
    "rlimits-twice": dict(
        clause="config.md, POSIX process, rlimits: two of one type MUST be an error",
        spec={"command": ["true"]},
        config=put("process.rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 2}] * 2),
        expect=['process.rlimits: "RLIMIT_CPU" is given twice', "create failed"]),
    "rlimits-unknown": dict(
        clause="config.md, POSIX process, rlimits: MUST be an error if it cannot be mapped",
        spec={"command": ["true"]},
        config=put("process.rlimits", [{"type": "RLIMIT_X", "soft": 1, "hard": 2}]),
        expect=['process.rlimits: unknown type "RLIMIT_X"', "create failed"]),
    "oom-score-unset": dict(
        clause="config.md, Linux process, oomScoreAdj: not set, MUST NOT be changed",
        spec={"command": ["cat", "/proc/self/oom_score_adj"]},
        config=lambda c: c["process"].pop("oomScoreAdj", None),
        script="echo 55 >/proc/self/oom_score_adj; $RUNTIME run -b . oom-score-unset",
        expect=["^55$"]),
    "console-size-alone": dict(
        clause="config.md, Process, consoleSize: MUST be ignored without terminal",
        spec={"command": ["echo", "ran"]},
        config=put("process.consoleSize", {"height": 10, "width": 20}),
        script="$RUNTIME run -b . console-size-alone", expect=["^ran$"]),
    "user-numbers": dict(
        clause="config.md, POSIX-platform user", spec={"command": ["id"]},
        config=lambda c: (c.pop("annotations"), c["process"].update(
            user={"uid": 1, "gid": 2, "additionalGids": [5, 6]})),
        script="$RUNTIME run -b . user-numbers", expect=["^uid=1 gid=2 groups=5,6$"]),
    "user-numbers-wrong": dict(
        clause="config.md, POSIX-platform user; 2^32 - 1 means unchanged to the kernel",
        spec={"command": ["id"]},
        config=lambda c: (c.pop("annotations"), c["process"].update(
            user={"uid": 4294967295, "gid": 2})),
        expect=["process.user: uid or gid is out of range", "create failed"]),
    # ---- runtime.md, Operations: errors, and that they have no effect ----
    "operations-no-id": dict(
        clause="runtime.md, Operations: MUST generate an error if not provided the ID",
        spec={"command": ["true"]},
        script="for c in state start kill delete create run pause resume ps events update; do "
               "$RUNTIME $c; echo $c $?; done",
        expect=["^state 1$", "^start 1$", "^kill 1$", "^delete 1$", "^create 1$", "^run 1$",
                "^pause 1$", "^resume 1$", "^ps 1$", "^events 1$", "^update 1$"]),
    "operations-no-container": dict(
        clause="runtime.md, Operations: a container that does not exist MUST be an error",
        spec={"command": ["true"]},
        script="for c in state start kill delete pause resume ps events update; do "
               "$RUNTIME $c none; echo $c $?; done",
        expect=["(?s)(container does not exist.*){9}", "^state 1$", "^update 1$"]),
    "kill-created": dict(
        clause="runtime.md, Kill: MUST send the signal to a created container too",
        spec={"command": FOREVER},
        script="$RUNTIME create -b . kill-created; $RUNTIME kill kill-created KILL; echo code $?; "
               "while ! $RUNTIME state kill-created | grep stopped; do sleep 0.1; done; "
               "$RUNTIME start kill-created; $RUNTIME delete kill-created && echo deleted",
        expect=["^code 0$", '"status": "stopped"', "cannot start a container that has stopped",
                "^deleted$"]),
    "delete-running-refused": dict(
        clause="runtime.md, Delete: not stopped MUST have no effect and be an error",
        spec={"command": FOREVER},
        script=running("delete-running-refused", """
            $RUNTIME delete delete-running-refused; echo code $?
            $RUNTIME state delete-running-refused | grep status
            $RUNTIME exec delete-running-refused echo lives"""),
        expect=["is not stopped: running", "^code 1$", '"status": "running"', "^lives$"]),
    "delete-reuse": dict(
        clause="runtime.md, Delete: the ID may be used again; what create made has gone",
        spec={"command": ["echo", "ran"]},
        script="""
            for i in 1 2 3; do
              $RUNTIME create -b . delete-reuse && $RUNTIME start delete-reuse
              while ! $RUNTIME state delete-reuse | grep -q stopped; do sleep 0.1; done
              $RUNTIME delete delete-reuse; ls /run/berth/oci | wc -l
            done""",
        expect=[r"(?s)(ran\n0\n.*){3}"]),
    "start-twice": dict(
        clause="runtime.md, Start: not created MUST have no effect and be an error",
        spec={"command": FOREVER},
        script=running("start-twice", "$RUNTIME start start-twice; echo code $?; "
                       "$RUNTIME exec start-twice ps | grep -c 'sleep 60'"),
        expect=["cannot start an already running container", "^code 1$", "^1$"]),
    # ---- pause ----
    "pause": dict(
        clause="runc-pause(8), runc-resume(8)",
        spec={"command": sh("i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done")},
        script="""
            $RUNTIME create -b . pause >out; $RUNTIME start pause
            until grep -q 3 out; do sleep 0.1; done
            $RUNTIME pause pause; $RUNTIME state pause | grep status; $RUNTIME list | grep pause
            wc -l <out >a; sleep 0.5; wc -l <out >b; cmp a b && echo stopped
            $RUNTIME pause pause; $RUNTIME start pause; $RUNTIME delete pause
            $RUNTIME exec pause true
            $RUNTIME resume pause; $RUNTIME state pause | grep status
            sleep 0.5; wc -l <out >c; cmp -s b c || echo runs again
            $RUNTIME resume pause""",
        expect=['"status": "paused"', r"^pause .* paused", "^stopped$",
                "container not running or created: paused",
                "cannot start a container in the paused state",
                "cannot delete container pause that is not stopped: paused",
                "cannot exec in a paused container", '"status": "running"', "^runs again$",
                "container not paused"]),
    "pause-exec": dict(
        clause="runc-exec(8) --ignore-paused", spec={"command": FOREVER},
        script=running("pause-exec", """
            $RUNTIME pause pause-exec
            $RUNTIME exec --ignore-paused pause-exec echo late & p=$!
            sleep 0.5; $RUNTIME resume pause-exec; wait $p; echo code $?"""),
        expect=["^late$", "^code 0$"]),
    "pause-kill": dict(
        clause="runc-kill(8): KILL reaches a paused container", spec={"command": FOREVER},
        script=running("pause-kill", """
            $RUNTIME pause pause-kill; $RUNTIME kill pause-kill KILL
            while ! $RUNTIME state pause-kill | grep -q stopped; do sleep 0.1; done
            $RUNTIME delete pause-kill && echo deleted"""), expect=["^deleted$"]),
    "pause-delete": dict(
        clause="runc-delete(8) --force", spec={"command": FOREVER},
        script=running("pause-delete", "$RUNTIME pause pause-delete; "
                       "$RUNTIME delete --force pause-delete && echo deleted"),
        expect=["^deleted$"]),
    "pause-created": dict(
        clause="runc-pause(8)", spec={"command": ["echo", "ran"]},
        script="""
            $RUNTIME create -b . pause-created; $RUNTIME pause pause-created
            $RUNTIME state pause-created | grep status; $RUNTIME resume pause-created
            $RUNTIME state pause-created | grep status; $RUNTIME start pause-created; sleep 0.5""",
        expect=['"status": "paused"', '"status": "created"', "^ran$"]),
    # ---- looks ----
    "list": dict(
        clause="runc-list(8)", spec={"command": FOREVER},
        script=running("list", """
            $RUNTIME list; $RUNTIME list -q; $RUNTIME list -f json; $RUNTIME list --format xml
            $RUNTIME list x; $RUNTIME --root /run/none list -f json"""),
        expect=[r"^ID {10}PID {9}STATUS {6}BUNDLE +CREATED +OWNER$",
                r"^list {8}\d+ +running +/run/c/list +\d{4}-.*Z +(root|#0)$", "^list$",
                r'^\[\{"ociVersion":"1.*","id":"list","pid":\d+,"status":"running","bundle":'
                r'"/run/c/list","rootfs":".*","created":".*","annotations":\{.*\},'
                r'"owner":"(root|#0)"\}\]$',
                '--format is table or json, not "xml"', "takes no container ID", r"^\[\]$"]),
    "ps": dict(
        clause="runc-ps(8)", spec={"command": FOREVER},
        script=running("ps", """
            mkdir /sys/fs/cgroup/containers/ps/sub
            $RUNTIME exec -d --cgroup sub --pid-file pid ps sleep 51
            $RUNTIME ps ps; $RUNTIME ps --format json ps; $RUNTIME ps ps -o pid,comm | head -1
            echo $(cat pid); $RUNTIME ps none"""),
        expect=[r"^PID +USER", r"^ +\d+ .*sleep 60", r"^ +\d+ .*sleep 51",
                r"(?s)\[\d+,(\d+)\].*\n\1$", "^PID +COMMAND$", "container does not exist"],
        forbid=["berth-oci ps"]),
    "state-json": dict(
        clause="runtime.md, State", spec={"command": FOREVER},
        config=put("annotations", {"org.example": "yes\nno"}),
        script=running("state-json", "$RUNTIME state state-json | tr -d '\\n'; echo"),
        expect=[r'^\{  "ociVersion": "1[^"]*",  "id": "state-json",  "pid": [1-9]\d*,  "status": '
                r'"running",  "bundle": "/run/c/state-json",  "rootfs": "[^"]+",  '
                r'"created": "[^"]+",'
                r'  "annotations": \{    "org.example": "yes\\nno"  \},  "owner": ""\}$']),
    "events-stats": dict(
        clause="runc-events(8) --stats; runc's types/events.go",
        spec={"mem_limit": 64 << 20, "pids_limit": 50, "command": FOREVER},
        script=running("events-stats", """
            $RUNTIME events --stats events-stats >s; wc -l <s; cat s
            $RUNTIME events --interval 0 events-stats
            $RUNTIME events --interval 5 events-stats"""),
        expect=["^1$", r'^\{"type":"stats","id":"events-stats","data":\{"cpu":\{"usage":\{"total":'
                r'[1-9]\d*,"kernel":\d+,"user":\d+\},"throttling":\{"periods":',
                r'"memory":\{"cache":\d+,"usage":\{"limit":67108864,"usage":[1-9]\d*,',
                r'"raw":\{"anon":\d+,', r'"event_count":\{"low":0,"high":0,"max":\d+,"oom":0,',
                r'"pids":\{"current":1,"limit":50\}', r'"blkio":\{"ioServiceBytesRecursive":\[',
                r'"network_interfaces":null', '--interval: "0" is no time', '"5" is no time']),
    "events": dict(
        clause="runc-events(8): oom, and the end with the container",
        spec={"mem_limit": 24 << 20, "command": FOREVER},
        script=running("events", """
            $RUNTIME events --interval 300ms events >got & p=$!
            until grep -q stats got; do sleep 0.1; done
            $RUNTIME exec events probe eat 200; echo code $?
            until grep -q oom.,.id got; do sleep 0.1; done
            $RUNTIME kill events KILL; wait $p; echo ended $?; grep oom.,.id got | head -1
            $RUNTIME events --stats events"""),
        expect=["^code 137$", "^ended 0$", r'^\{"type":"oom","id":"events"\}$',
                "container with id events is not running"]),
    # ---- update ----
    "update": dict(
        clause="runc-update(8)", spec={"mem_limit": 64 << 20, "nano_cpus": 500000000,
                                       "command": FOREVER},
        script=running("update", """
            C=/sys/fs/cgroup/containers/update
            $RUNTIME update --memory 32m --memory-reservation 8388608 --pids-limit 33 \\
              --cpu-share 512 --cpuset-cpus 0 --blkio-weight 300 update; echo code $?
            $RUNTIME update --memory-swap 48m update
            $RUNTIME update --cpu-period 50000 update
            cat $C/cpu.max; $RUNTIME update --cpu-quota -1 update
            for f in memory.max memory.low memory.swap.max pids.max cpu.weight cpu.max \\
              cpuset.cpus io.weight; do echo $f $(cat $C/$f); done
            $RUNTIME update --memory -1 --memory-swap -1 --pids-limit -1 update
            echo $(cat $C/memory.max $C/memory.swap.max $C/pids.max)"""),
        expect=["^code 0$", "^50000 50000$", "^memory.max 33554432$", "^memory.low 8388608$",
                "^memory.swap.max 16777216$", "^pids.max 33$", "^cpu.weight 20$",
                "^cpu.max max 50000$", "^cpuset.cpus 0$", "^io.weight default 2930$",
                "^max max max$"]),
    "update-resources": dict(
        clause="runc-update(8) --resources", spec={"command": FOREVER},
        script=running("update-resources", """
            C=/sys/fs/cgroup/containers/update-resources
            echo '{"memory":{"limit":40000000},"unified":{"pids.max":"44"}}' |
              $RUNTIME update -r - update-resources
            echo '{"cpu":{"shares":1024,"quota":30000,"period":100000}}' >r
            $RUNTIME update --resources r update-resources
            echo $(cat $C/memory.max $C/pids.max $C/cpu.weight $C/cpu.max)
            echo '{"memory":{"limit":"x"}}' | $RUNTIME update -r - update-resources; echo code $?
            echo '{' | $RUNTIME update -r - update-resources
            echo '{"devices":[{"allow":true}]}' | $RUNTIME update -r - update-resources"""),
        expect=["^39997440 44 39 30000 100000$",
                "resources.memory.limit: expected a whole number", "^code 1$",
                '--resources "-": byte', "resources.devices: .* not changed by update"]),
    "update-wrong": dict(
        clause="runc-update(8)", spec={"command": ["true"]},
        script=running("update-wrong", """
            for x in '--memory 12x' '--memory 99999999t' '--pids-limit many' '--cpu-rt-period 1' \\
              '--kernel-memory 1m' '--l3-cache-schema x'; do $RUNTIME update $x update-wrong; done
            while $RUNTIME state update-wrong | grep -q running; do sleep 0.1; done
            $RUNTIME update --memory 32m update-wrong"""),
        expect=['--memory: "12x" is not a number of bytes', '--memory: "99999999t" is not',
                '--pids-limit: "many" is not a whole number',
                "--cpu-rt-period: cgroup v2 has no such limit", "--kernel-memory: cgroup v2",
                "--l3-cache-schema: cgroup v2", "container not running"]),
    # ---- about itself ----
    "spec": dict(
        clause="runc-spec(8)", spec={"command": ["true"]},
        script="""
            mkdir d; $RUNTIME spec -b d; $RUNTIME spec -b d; echo code $?
            sed -i 's/"sh"/"id"/; s/"terminal": true/"terminal": false/; \\
              s|"path": "rootfs"|"path": "../rootfs"|' d/config.json
            chown -R 0:0 rootfs; $RUNTIME run -b d spec""",
        expect=["File config.json exists. Remove it first", "^code 1$", r"^uid=0\(root\) gid=0"]),
    "spec-rootless": dict(
        clause="runc-spec(8) --rootless", spec={"command": ["true"]},
        script="""
            mkdir d; $RUNTIME spec --rootless -b d; grep -c gid=5 d/config.json
            sed -i 's|"sh"|"cat", "/proc/self/uid_map"|; s/"terminal": true/"terminal": false/; \\
              s|"path": "rootfs"|"path": "../rootfs"|' d/config.json
            chown -R 0:0 rootfs; $RUNTIME run -b d spec-rootless""",
        expect=["^0$", r"^ +0 +0 +1$"]),
    "features": dict(
        clause="features.md, features-linux.md", spec={"command": ["true"]},
        script="$RUNTIME features | tr -d ' \\n'; echo; $RUNTIME features x",
        expect=[r'^\{"ociVersionMin":"1\.0\.0","ociVersionMax":"1\.2\.\d","hooks":\[',
                r'"mountOptions":\[.*"rbind".*"rslave"', r'"namespaces":\["cgroup",.*"uts"\]',
                r'"capabilities":\["CAP_CHOWN",.*"CAP_CHECKPOINT_RESTORE"\]',
                r'"cgroup":\{"v1":false,"v2":true,"systemd":false,"systemdUser":false',
                r'"seccomp":\{"enabled":true,"actions":\["SCMP_ACT_ALLOW"', '"SCMP_CMP_MASKED_EQ"',
                r'"SCMP_ARCH_X86_64"', r'"supportedFlags":\[', r'"apparmor":\{"enabled":true\}',
                r'"selinux":\{"enabled":true\}', r'"intelRdt":\{"enabled":false\}',
                r'"mountExtensions":\{"idmap":\{"enabled":true\}\}', "takes no container ID"]),
    "version": dict(
        clause="runc(8) --version", spec={"command": ["true"]},
        script="$RUNTIME --version; $RUNTIME -v | wc -l",
        expect=[r"^berth-oci version \d", r"^spec: 1\.2\.\d$", r"^libseccomp: \d", "^3$"]),
    "global-options": dict(
        clause="runc(8)", spec={"command": ["echo", "ran"]},
        script="""
            $RUNTIME --systemd-cgroup run -b . global-options
            $RUNTIME --log-format xml list; $RUNTIME --rootless maybe list
            $RUNTIME --debug --rootless auto --rootless=false --root state run -b . global-options
            ls -d state; $RUNTIME --root '' list; $RUNTIME --what list; $RUNTIME what; $RUNTIME""",
        expect=["--systemd-cgroup: there is no systemd", "--log-format is text or json",
                "--rootless is true, false or auto", "^ran$", "^state$", "--root: is empty",
                'unknown option "--what"', 'unknown command "what"', "no command given"]),
    "not-root": dict(
        clause="runc(8) --root, --rootless", spec={"user": "1000", "volumes": [
            {"type": "bind", "source": "/bin/berth-oci", "target": "/bin/berth-oci"}],
            "command": sh("""
                mkdir -p /tmp/own/berth-oci/mine; cd /tmp/own/berth-oci/mine
                echo '{"ociVersion":"1.0.0","id":"mine","bundle":"/b","cgroup":"c"}' >state.json
                export XDG_RUNTIME_DIR=/tmp/own; berth-oci list -q; berth-oci state mine
                berth-oci --rootless=false list; XDG_RUNTIME_DIR= berth-oci list -f json""")},
        script="chmod 1777 rootfs/tmp; $RUNTIME run -b . not-root",
        expect=["^mine$", '"status": "creating"', "--rootless=false: this user is not root",
                r"^\[\]$"]),
    "no-cgroup": dict(
        clause="an unprivileged user's container has no cgroup: each command says so",
        spec={"command": ["true"]},
        script="""
            mkdir -p /run/berth/oci/no-cgroup; sleep 60 & p=$!
            echo '{"ociVersion":"1.0.0","id":"no-cgroup","bundle":"/b","cgroup":"","pid":'$p, \\
              '"startTime":'$(cut -d' ' -f22 /proc/$p/stat)'}' >/run/berth/oci/no-cgroup/state.json
            $RUNTIME state no-cgroup | grep status
            for c in pause resume ps "update --pids-limit 3" "events --stats" "kill --all"; do
              $RUNTIME $c no-cgroup; echo code $?
            done
            $RUNTIME kill no-cgroup KILL; wait $p; echo ended $?""",
        expect=['"status": "running"',
                "(?s)(no cgroup of its own, which this takes\ncode 1\n.*){6}", "^ended 137$"]),
    "commands-at-once": dict(
        clause="two commands at once never corrupt a container", spec={"command": FOREVER},
        script=running("commands-at-once", """
            n=commands-at-once
            for c in "pause $n" "resume $n" "exec $n true" "update --pids-limit 50 $n" \\
              "kill $n USR1" "ps -f json $n" "list" "start $n" "events --stats $n" "delete $n"; do
              (for i in 1 2 3 4 5 6 7 8; do $RUNTIME $c; done) >/dev/null 2>log.${c%% *} &
            done
            (for i in 1 2 3 4 5 6 7 8 9; do $RUNTIME state $n; done) >states
            sleep 2; $RUNTIME resume $n 2>/dev/null; wait
            grep -c '"id": "commands-at-once"' states; cat log.list log.ps log.events log.update
            $RUNTIME resume $n 2>/dev/null
            $RUNTIME exec $n echo works; $RUNTIME delete --force $n && echo deleted"""),
        expect=["^9$", "^works$", "^deleted$"], forbid=["damaged", "expected", "log.", "error"]),
    "help": dict(
        clause="runc(8) help", spec={"command": ["true"]},
        script="""
            $RUNTIME --help | grep -c '^  [a-z]'; echo code $?
            for c in create start run exec state list ps kill delete pause resume update events \\
              spec features; do $RUNTIME $c --help >h || echo no help for $c
              head -1 h; done; cat h; $RUNTIME exec -h | grep -- --process""",
        expect=["^1[5-9]$|^2[0-9]$", "(?s)(Usage: berth-oci .*){15}", "--process VALUE, -p"],
        forbid=["no help"]),
}
