"""Debian's cloud-init, its command `schema` itself, and Berth's parser: of cloud-init's published examples of
user-data (those that the package ships), and of each example in REFERENCE.md whose key both have. Nothing is
installed: the package starts services; it is unpacked in the cache with what it needs."""
import gzip
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
BOOTCFG = TOP / "out/host/bin/bootcfg"
CACHE = Path(os.environ.get("BERTH_CACHE", Path.home() / ".cache/berth")) / "cloud-init-command"
EXAMPLES = CACHE / "usr/share/doc/cloud-init/examples"

yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")

# The command's own entry point, once for all files: a start of Python each would take half a minute.
DRIVER = """
import contextlib, io, json, sys
from cloudinit.cmd.main import main
for path in sys.argv[1:]:
    said = io.StringIO()
    sys.argv = ["cloud-init", "schema", "--config-file", path]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main()
        except SystemExit as e:
            code = e.code
    print(json.dumps([not code, said.getvalue() + (code if isinstance(code, str) else "")]))
"""


@pytest.fixture(scope="module")
def cloud_init():
    """files -> [(valid, what it said)]"""
    if not EXAMPLES.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(
            "set -e; needs=$(apt-cache depends cloud-init | awk '/Depends: python3-/{print $2}')\n"
            "apt-get -qq download cloud-init $needs python3-json-pointer\n"
            "mkdir -p part; for d in *.deb; do dpkg-deb -x $d part; done; mv part/* .",
            shell=True, cwd=CACHE, capture_output=True, text=True, check=False)
        if got.returncode != 0:
            pytest.skip(f"Debian's cloud-init cannot be had: {got.stderr.strip()[-200:]}")

    def check(paths):
        env = {**os.environ, "PYTHONPATH": str(CACHE / "usr/lib/python3/dist-packages")}
        done = subprocess.run(["/usr/bin/python3", "-c", DRIVER, *map(str, paths)], env=env, check=True,
                              capture_output=True, text=True)
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    return check


@pytest.fixture(scope="module", autouse=True)
def built():
    env = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    subprocess.run(["make", "--no-print-directory", str(BOOTCFG.relative_to(TOP))], cwd=TOP, env=env,
                   check=True, stdout=subprocess.DEVNULL)


def ours(path):
    """What is wrong with it, without the warnings of keys that Berth does not have."""
    done = subprocess.run([BOOTCFG, "check", path], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "warning: " not in line]


NO_SUDO = "nothing in Berth is setuid"
OTHER_KEY = "Berth's host key is Ed25519"
TWICE = "this key is here twice"  # examples of the same key below each other; YAML forbids it
NO_CONFIG = "expected a mapping of keys such as"
NOT_NOW = "a script; Berth runs none"
UNKNOWN = "there is no such key here"  # cloud-init's schema names them nowhere either

# The example -> what Berth says of it, each at least once and nothing else. Not here: nothing to say, or only
# warnings of keys that Berth does not have, each with its reason.
REFUSED = {
    "cloud-config-ansible-controller": [UNKNOWN, NO_SUDO],
    "cloud-config-ansible-managed": [NO_SUDO],
    "cloud-config-ansible-pull": [UNKNOWN],
    "cloud-config-archive-launch-index": [NO_CONFIG, "upstart jobs (text/upstart-job) are not run"],
    "cloud-config-archive": [NO_CONFIG],
    "cloud-config-disk-setup": [TWICE, 'found "ext3", expected "ext4" or "swap"'],
    "cloud-config-mount-points": ["only the data partition, /var, has room"],
    "cloud-config-ssh-keys": [OTHER_KEY],
    "cloud-config-user-groups": [
        NO_SUDO, "Berth has no SELinux", "take the user out", "nobody else's server decides",
        "only root has a password", "SSH takes keys only", "Berth has no snaps", 'the key "name" is missing',
        "leave the keys out instead"],
    "cloud-config-write-files": ["no valid base64 text"],  # "CiMgVGhpcyBma...": cut off in the example
    "cloud-config": [OTHER_KEY, UNKNOWN, "leave the keys out instead", "SSH takes keys only"],
    "kernel-cmdline": ['a ":" stands where no key is expected'],  # prose about the command line
    "part-handler": ["part handlers are not supported"],
    "part-handler-v2": ["part handlers are not supported"],
    "plain-ignored": [NO_CONFIG],
    "user-script": [NOT_NOW],
}


def examples(folder):
    for path in sorted(EXAMPLES.iterdir()):
        if path.is_file():
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            out = folder / path.name.removesuffix(".gz").removesuffix(".txt")
            out.write_bytes(text)
            yield out


def test_each_published_example_is_taken_or_refused_with_its_reason(cloud_init, tmp_path):
    seen, faults = set(), []
    for path in examples(tmp_path):
        lines, reasons = ours(path), REFUSED.get(path.name, [])
        seen.add(path.name)
        faults += [f"{line}: not expected" for line in lines if not any(r in line for r in reasons)]
        faults += [f"{path.name}: nowhere \"{r}\"" for r in reasons if not any(r in line for line in lines)]
    assert not faults, "\n".join(faults)
    assert len(seen) >= 30 and set(REFUSED) <= seen


def test_what_both_take_of_the_examples(cloud_init, tmp_path):
    """An example that Berth takes without an error, the command takes as well."""
    taken = [path for path in examples(tmp_path)
             if path.read_bytes().startswith(b"#cloud-config\n") and path.name not in REFUSED]
    assert len(taken) >= 15
    verdicts = cloud_init(taken)
    wrong = [f"{path.name}: {said}" for path, (valid, said) in zip(taken, verdicts) if not valid]
    assert not wrong, "\n".join(wrong)


def joined(a, b):
    """Two examples of one key: siblings beside each other, the first item of a list is the same one."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {**a, **{key: joined(a[key], value) if key in a else value for key, value in b.items()}}
    if isinstance(a, list) and isinstance(b, list) and isinstance(a[0], dict) and isinstance(b[0], dict):
        return [joined(a[0], b[0]), *a[1:]]
    return b if b != {} else a


# Keys of Berth's alone, or of Compose.
OWN = {"network", "containers", "volumes", "configs", "secrets", "networks", "berth"}
# Left out where the command does not take them: known to a later cloud-init than Debian 12's; and a
# partition's number, which its schema describes and forgets.
LATER = [("write_files", 0, "source"), ("chpasswd", "users"), ("fs_setup", 0, "partition")]


def without(document, path):
    part = document
    for step in path[:-1]:
        if not isinstance(part, (dict, list)) or (isinstance(part, dict) and step not in part):
            return
        part = part[step]
    if isinstance(part, dict):
        part.pop(path[-1], None)


def test_each_example_of_the_reference_is_valid_for_both(cloud_init, tmp_path):
    page = (TOP / "init/bootcfg/REFERENCE.md").read_text()
    documents = {}
    for block in re.findall(r"```yaml\n(.*?)```", page, re.S):
        for key, value in yaml.safe_load(block).items():
            if key not in OWN:
                documents[key] = joined(documents[key], value) if key in documents else value
    assert len(documents) >= 25
    documents["write_files"][0]["content"] = "aGVsbG8K"  # in the encoding of the example beside it
    paths = []
    for key, value in documents.items():
        for kind in ("all", "old"):
            document = json.loads(json.dumps({key: value}))
            for path in LATER if kind == "old" else []:
                without(document, path)
            paths.append(tmp_path / f"{key}-{kind}")
            paths[-1].write_text("#cloud-config\n" + yaml.safe_dump(document))
    verdicts = dict(zip(paths, cloud_init(paths)))
    wrong = [line for path in paths for line in ours(path)]
    wrong += [f"{key}: {verdicts[tmp_path / f'{key}-old'][1]}" for key in documents
              if not verdicts[tmp_path / f"{key}-all"][0] and not verdicts[tmp_path / f"{key}-old"][0]]
    assert not wrong, "\n".join(wrong)


def test_the_command_refuses_what_is_wrong(cloud_init, tmp_path):
    """So that a command that takes everything is noticed."""
    bad = tmp_path / "bad"
    bad.write_text("#cloud-config\nruncmd: ls\n")
    valid, said = cloud_init([bad])[0]
    assert not valid and "runcmd" in said
