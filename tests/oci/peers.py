"""What podman, containerd's ctr and buildah do with our runtime: one row each, run by the shell of
a Debian guest (guest-peers) in the order of the table.

script   shell lines; podman, buildah and ctr are set up to use the runtime $R; $IMAGE is BusyBox
expect   regular expressions that the output must match, in any order
forbid   regular expressions that it must not match

There is no network but "none" and "host": Debian's podman would want netavark or CNI plug-ins for
any other, which have nothing to do with a runtime.
"""

PODMAN = {
    "podman-run": dict(
        script="""
            podman run --rm --network none $IMAGE sh -c 'echo hello; id -u; exit 42'; echo "code $?"
            echo typed | podman run -i --rm --network none $IMAGE cat""",
        expect=["^hello$", "^0$", "^code 42$", "^typed$"]),
    "podman-info": dict(
        script="podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'",
        expect=["berth-oci version .*"]),
    "podman-life": dict(
        script="""
            podman run -d --name life --network none $IMAGE sh -c \\
              'trap "echo term; exit 7" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
            wait_for 30 sh -c 'podman logs life | grep up'
            podman inspect --format 'is {{.State.Status}}' life
            podman exec life sh -c 'echo inside $$; cat /proc/1/comm; exit 9'; echo "exec $?"
            podman exec -u 1000:1001 -w /tmp -e A=b life sh -c 'id -u; id -g; pwd; echo A=$A'
            echo through | podman exec -i life cat
            podman exec life /none; echo "exec none $?"
            podman top life comm pid | tail -n +2
            podman stats --no-stream --format 'stats {{.Name}} {{.PIDs}}' life
            podman stop -t 30 life >/dev/null; podman logs life
            podman inspect --format 'ended {{.State.ExitCode}}' life
            podman start life >/dev/null && podman inspect --format 'again {{.State.Status}}' life
            podman kill life >/dev/null; podman wait life
            podman rm life >/dev/null && echo removed""",
        expect=["^is running$", "^inside [0-9]+$", "^sh$", "^exec 9$", "^1000$", "^1001$", "^/tmp$",
                "^A=b$", "^through$", "^exec none 127$", "^sh +1$", "stats life [12]$", "^term$",
                "^ended 7$", "^again running$", "^137$", "^removed$"]),
    "podman-pause": dict(
        script="""
            podman run -d --name still --network none $IMAGE sleep 60 >/dev/null
            podman pause still >/dev/null && podman inspect --format 'is {{.State.Status}}' still
            grep frozen /sys/fs/cgroup/libpod_parent/libpod-*/cgroup.events
            podman unpause still >/dev/null && podman inspect --format 'and {{.State.Status}}' still
            podman rm -f -t 0 still >/dev/null && echo removed""",
        expect=["^is paused$", "frozen 1$", "^and running$", "^removed$"]),
    "podman-limits": dict(
        script="""
            podman run -d --name held --network none --memory 64m --cpus 0.5 --pids-limit 50 \\
              --cpu-shares 512 $IMAGE sleep 60 >/dev/null
            cd /sys/fs/cgroup/libpod_parent/libpod-*/ && for f in memory.max cpu.max pids.max; do
              echo $f $(cat $f container/$f 2>/dev/null | head -1); done
            podman update --memory 96m --cpus 0.25 held >/dev/null; echo "update $?"
            for f in memory.max cpu.max; do echo $f $(cat $f); done
            cd /; podman rm -f -t 0 held >/dev/null""",
        expect=["^memory.max 67108864$", "^cpu.max 50000 100000$", "^pids.max 50$", "^update 0$",
                "^memory.max 100663296$", "^cpu.max 25000 100000$"]),
    "podman-terminal": dict(
        script="""
            podman run -t --rm --network none $IMAGE sh -c 'tty; [ -t 0 ] && echo tty 0'
            podman run -d -t --name term --network none $IMAGE sleep 60 >/dev/null
            podman exec -t term tty; podman rm -f -t 0 term >/dev/null""",
        expect=["^/dev/pts/0$", "^tty 0$", "^/dev/pts/1$"], forbid=["not a tty"]),
    "podman-files": dict(
        script="""
            mkdir -p /run/vol && echo from-host >/run/vol/file
            podman run --rm --network none -v /run/vol:/data:ro --read-only --tmpfs /scratch \\
              -w /data --hostname salt $IMAGE sh -c \\
              'cat file; touch file; touch /x; touch /scratch/y && echo scratch; hostname'
            podman run --rm --network none -v /run/vol:/data $IMAGE sh -c 'echo back >/data/new'
            cat /run/vol/new""",
        expect=["^from-host$", "file: Read-only file system", "/x: Read-only file system",
                "^scratch$", "^salt$", "^back$"]),
    "podman-rights": dict(
        script="""
            podman run --rm --network none $IMAGE sh -c \\
              'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; mount -t tmpfs x /tmp'
            podman run --rm --network none --cap-drop all --security-opt no-new-privileges \\
              --user 1000 $IMAGE grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status
            podman run --rm --network none --privileged $IMAGE sh -c \\
              'grep CapEff /proc/self/status; mount -t tmpfs x /tmp && echo mounted'
            podman run --rm --network none --uidmap 0:100000:65536 $IMAGE sh -c \\
              'cat /proc/self/uid_map; touch /made && stat -c %u /made'""",
        expect=[r"CapEff:\s+00000000[0-9a-f]+$", r"NoNewPrivs:\s+0", r"Seccomp:\s+2",
                r"mount: .*(denied|not permitted)", r"CapBnd:\s+0{16}", r"NoNewPrivs:\s+1",
                "^mounted$", r"^\s+0\s+100000\s+65536$", "^0$"]),
    "podman-join": dict(
        script="""
            podman run -d --name first --network none --ipc shareable --hostname one $IMAGE \\
              sleep 60 >/dev/null
            podman run --rm --network container:first --ipc container:first --pid container:first \\
              --uts container:first $IMAGE sh -c 'hostname; cat /proc/1/comm'
            podman rm -f -t 0 first >/dev/null""",
        expect=["^one$", "^sleep$"]),
    "podman-hooks": dict(
        script="""
            mkdir -p /run/hooks && cat >/run/hooks/h.json <<'J'
            {"version":"1.0.0","when":{"always":true},"stages":["createRuntime","poststop"],
             "hook":{"path":"/bin/sh","args":["sh","-c","cat >>/run/hooks.seen"]}}
J
            podman --hooks-dir /run/hooks run --rm --network none $IMAGE true; echo "code $?"
            grep -o '"status": *"[a-z]*"' /run/hooks.seen""",
        expect=["^code 0$", '"status": *"creat(ing|ed)"', '"status": *"stopped"']),
    "podman-errors": dict(
        script="""
            podman run --rm --network none $IMAGE /none; echo "missing $?"
            podman run --rm --network none $IMAGE none; echo "path $?"
            podman run --rm --network none $IMAGE /etc/passwd; echo "rights $?"
            podman run --rm --network none -w /etc/passwd $IMAGE true; echo "cwd $?"
            podman run --rm --network none --user nobody-here $IMAGE true; echo "user $?"
            podman ps -aq | wc -l""",
        expect=["^missing 127$", "^path 127$", "^rights 126$", "^cwd 12[67]$", "^user 12[567]$",
                "^0$"]),
    "podman-memory": dict(
        script="""
            podman run --name fat --network none --memory 24m --memory-swap 24m $IMAGE \\
              sh -c 'tail /dev/zero'; echo "code $?"
            podman inspect --format 'oom {{.State.OOMKilled}}' fat; podman rm fat >/dev/null""",
        expect=["^code 137$"]),
    "podman-fds": dict(
        script="""
            echo handed >/run/gift; exec 3</run/gift
            podman run --rm --network none --preserve-fds 1 $IMAGE sh -c 'cat <&3'; exec 3<&-""",
        expect=["^handed$"]),
}

CONTAINERD = {
    "ctr-run": dict(
        script="""
            ctr run --rm --runc-binary $R $IMAGE c1 sh -c 'echo hello; id -u; exit 42'
            echo "code $?"
            ctr containers ls -q | wc -l""",
        expect=["^hello$", "^0$", "^code 42$"]),
    "ctr-life": dict(
        script="""
            ctr run -d --runc-binary $R --memory-limit 67108864 $IMAGE c2 sh -c \\
              'trap "exit 7" TERM; while :; do sleep 0.1; done'
            ctr tasks ls | grep c2
            cat /sys/fs/cgroup/default/c2/memory.max
            ctr tasks exec --exec-id e1 c2 sh -c 'echo inside; cat /proc/1/comm; exit 9'
            echo "exec $?"
            ctr tasks exec --exec-id e2 --user 1000 --cwd /tmp c2 sh -c 'id -u; pwd'
            ctr tasks exec --exec-id e3 c2 /none; echo "exec none $?"
            ctr tasks ps c2 | tail -n +2 | wc -l
            ctr tasks pause c2 && ctr tasks ls | grep c2; ctr tasks resume c2
            ctr tasks metrics c2 | grep -i -m1 memory
            ctr tasks kill -s SIGTERM c2; wait_for 20 sh -c 'command ctr tasks ls | grep STOPPED'
            ctr tasks rm c2; ctr containers rm c2 && echo removed""",
        expect=["^c2 +[0-9]+ +RUNNING", "^67108864$", "^inside$", "^sh$", "^exec 9$", "^1000$",
                "^/tmp$", "^[12]$", "PAUSED", "memory", "^removed$"],
        forbid=["exec none 0", "no end of"]),
    "ctr-kill": dict(
        script="""
            ctr run -d --runc-binary $R $IMAGE c3 sh -c 'sleep 100 & sleep 100'
            ctr tasks kill -s SIGKILL --all c3
            wait_for 20 sh -c 'command ctr tasks ls | grep STOPPED'
            ctr tasks rm c3; ctr containers rm c3 && echo removed
            ls -d /sys/fs/cgroup/default/c3""",
        expect=["^removed$", "c3.*No such file"], forbid=["no end of"]),
    "ctr-terminal": dict(
        script="""
            script -qec "ctr run --rm --tty --runc-binary $R $IMAGE c4 tty" \\
              /run/typescript </dev/null; cat /run/typescript""",
        expect=["/dev/pts/0"]),
    "ctr-options": dict(
        script="""
            mkdir -p /run/vol && echo from-host >/run/vol/file
            ctr run --rm --runc-binary $R --read-only --cwd /tmp --env A=b --net-host \\
              --mount type=bind,src=/run/vol,dst=/mnt,options=rbind:ro --seccomp \\
              --pid-file /run/pid $IMAGE c5 sh -c 'pwd; echo A=$A; touch /x; cat /mnt/file
              ls /sys/class/net; grep Seccomp: /proc/self/status'""",
        expect=["^/tmp$", "^A=b$", "/x: Read-only", "^from-host$", "^lo$", r"Seccomp:\s+2"]),
    "ctr-errors": dict(
        script="""
            ctr run --rm --runc-binary $R $IMAGE c6 /none; echo "code $?"
            ctr run --rm --runc-binary $R --cwd /etc/passwd $IMAGE c7 true; echo "code $?"
            ls /run/containerd/runc/default /sys/fs/cgroup/default""",
        expect=[r'exec: "/none": stat /none: no such file or directory',
                "OCI runtime create failed"],
        forbid=["^code 0$", "^c6$", "^c7$"]),
}

BUILDAH = {
    "buildah-run": dict(
        script="""
            c=$(buildah from --pull-never $IMAGE)
            buildah run --isolation oci --runtime $R --network none $c -- \\
              sh -c 'echo built >/made; id -u; exit 3'; echo "code $?"
            buildah run --isolation oci --runtime $R --network none --user 1000 --workingdir /tmp \\
              -v /run:/host $c -- sh -c 'id -u; pwd; ls /host/mounts; cat /made'
            buildah commit -q $c localhost/made:1 >/dev/null; buildah rm $c >/dev/null
            podman run --rm --network none localhost/made:1 cat /made""",
        expect=["^0$", "^code 3$", "^1000$", "^/tmp$", "^/host/mounts$", "(?s)^built$.*^built$"]),
    "buildah-build": dict(
        script="""
            mkdir -p /run/context && cd /run/context && echo 'echo script runs' >script
            cat >Containerfile <<F
FROM $IMAGE
COPY script /script
RUN sh /script && id -u >/who
USER 1000
RUN id -u; touch /tmp/mine
F
            buildah bud --isolation oci --runtime $R --network none -t localhost/bud:1 .
            echo "code $?"
            podman run --rm --pull never --network none localhost/bud:1 sh -c 'cat /who; id -u'
            cd /; podman rmi -f localhost/bud:1 localhost/made:1""",
        expect=["^script runs$", "^code 0$", "(?s)^0$.*^1000$"]),
}

ROWS = {**PODMAN, **CONTAINERD, **BUILDAH}
