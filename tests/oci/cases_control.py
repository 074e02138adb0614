"""The commands that steer and look: pause, list, ps, events, update and the rest; and what
runtime.md asks of each operation."""
from cases import put, sh
from cases_commands import FOREVER, running

CASES = {
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
