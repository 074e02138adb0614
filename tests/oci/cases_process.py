"""What a process is asked to be: config.json's "process", in create, run and exec alike."""
from cases import put, sh
from cases_commands import FOREVER, process, running

CASES = {
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
}
