"""config-linux.md's "Seccomp" and "Control groups", row by row; see cases_config.py."""
from cases import probe, put, sh
from changes import all_of, on, resources, seccomp


CASES = {
    # ---- config-linux.md, "Seccomp" ----
    "seccomp-errno": dict(clause="SCMP_ACT_ERRNO, errnoRet",
                          spec={"command": probe("keyctl", "inet", "fork")},
                          config=seccomp(on(["keyctl"], "SCMP_ACT_ERRNO", errnoRet=16)),
                          expect=["^keyctl: (Device or )?[Rr]esource busy", "^inet: ok"]),
    "seccomp-default": dict(
        clause="defaultAction, defaultErrnoRet", spec={"command": probe("keyctl")},
        config=lambda c: c["linux"]["seccomp"].update(defaultErrnoRet=16),
        expect=["^keyctl: (Device or )?[Rr]esource busy"]),
    "seccomp-kill-process": dict(clause="SCMP_ACT_KILL_PROCESS",
                                 spec={"command": probe("inet", "keyctl")},
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
    "cgroup-check-before": dict(
        clause="memory.checkBeforeUpdate: a limit below the use MUST be rejected",
        spec={"command": ["sleep", "60"]}, script="""
            $RUNTIME create -b . cgroup-check-before && $RUNTIME start cgroup-check-before
            echo '{"memory":{"limit":4096,"checkBeforeUpdate":true}}' >r
            $RUNTIME update -r r cgroup-check-before; $RUNTIME state cgroup-check-before | grep status
            cat /sys/fs/cgroup/containers/cgroup-check-before/memory.max""",
        expect=[r"memory.limit: 4096 is less than what is in use \(\d+\)", '"status": "running"',
                "^max$"]),
    "cgroup-check-update": dict(
        clause="(ours) update refuses what create refuses", spec={"command": ["sleep", "60"]},
        script="""
            $RUNTIME create -b . cgroup-check-update
            echo '{"unified":{"cgroup.procs":"1"}}' >r; $RUNTIME update -r r cgroup-check-update
            echo '{"memory":{"disableOOMKiller":true}}' >r
            $RUNTIME update -r r cgroup-check-update""",
        expect=['unified: "cgroup.procs" is not a limit', "the OOM killer cannot be turned off"]),
    "cgroup-idle": dict(clause="cpu.idle", spec={"command": ["true"]},
                        config=resources("cpu", {"idle": 1, "shares": 512}),
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
