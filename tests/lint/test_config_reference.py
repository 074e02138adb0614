"""The reference of the boot configuration is made out of the parser's table, and is the current one;
its JSON Schema takes what the parser takes; and cloud-init's own schema, as Debian packages it for its
command `cloud-init schema`, agrees with the parser about the keys that both have."""
import json
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
BOOTCFG = TOP / "out/host/bin/bootcfg"
CASES = TOP / "tests/unit/init/bootcfg/cases"
CACHE = Path(os.environ.get("BERTH_CACHE", Path.home() / ".cache/berth")) / "cloud-init"

jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4Yhwqk9a"
HASH = "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN"


def bootcfg(*words):
    return subprocess.run([BOOTCFG, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def built():
    """Always: one from before the last change of the table would agree with a page from before it."""
    env = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    subprocess.run(["make", "--no-print-directory", str(BOOTCFG.relative_to(TOP))], cwd=TOP, env=env,
                   check=True, stdout=subprocess.DEVNULL)


def test_the_reference_is_current():
    assert bootcfg("reference").stdout == (TOP / "init/bootcfg/REFERENCE.md").read_text(), (
        "run `make reference`")


def test_the_json_schema_takes_what_the_parser_takes():
    schema = json.loads(bootcfg("schema").stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    taken = 0
    for case in sorted(CASES.glob("*.yaml")):
        faults = case.with_suffix(".faults")
        if faults.exists() and any("warning:" not in line for line in faults.open()):
            continue
        faults = list(validator.iter_errors(yaml.safe_load(case.read_bytes()) or {}))
        assert not faults, f"{case.name}: {list(faults[0].path)}: {faults[0].message}"
        taken += 1
    assert taken >= 20
    for text in ("hostnam: a", "containers: {web: {image: a, prots: []}}", "containers: [a]",
                 "users: [{gecos: a}]", "containers: {web: {image: a, build: .}}"):
        assert list(validator.iter_errors(yaml.safe_load(text))), text


@pytest.fixture(scope="module")
def cloud_init():
    path = CACHE / "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        got = subprocess.run("apt-get -qq download cloud-init && dpkg-deb -x cloud-init_*.deb .",
                             shell=True, cwd=CACHE, capture_output=True, text=True, check=False)
        if got.returncode != 0:
            pytest.skip(f"Debian's cloud-init cannot be had: {got.stderr.strip()[-200:]}")
    return jsonschema.Draft4Validator(json.loads(path.read_text()))


AGREED = [  # valid in both, or in neither
    (True, "hostname: web-1\nfqdn: web-1.example.org\nprefer_fqdn_over_hostname: true"),
    (True, "manage_etc_hosts: localhost"),
    (False, "manage_etc_hosts: sometimes"),
    (False, "hostname: [a]"),
    (True, f"ssh_authorized_keys: ['{KEY}']"),
    (False, "ssh_authorized_keys: {a: b}"),
    (True, "users: [default, {name: core, gecos: Core, groups: 'a, b', uid: 1500, shell: /bin/sh}]"),
    (True, f"users: [{{name: core, lock_passwd: true, ssh_authorized_keys: ['{KEY}']}}]"),
    (True, "users: [{name: core, groups: [docker], no_user_group: true, primary_group: staff}]"),
    (False, "users: [{name: core, colour: blue}]"),
    (False, "users: [{gecos: nobody}]"),
    (False, "users: 7"),
    (True, "groups: [staff, {ops: [core]}]"),
    (True, f"chpasswd: {{expire: false, users: [{{name: root, password: '{HASH}', type: hash}}]}}"),
    (False, "chpasswd: {expired: false}"),
    (False, "chpasswd: {users: [{name: root}]}"),
    (True, "ssh_pwauth: false"),
    (True, "disable_root: true"),
    (False, "disable_root: [a]"),
    (True, "write_files: [{path: /a, content: x, owner: 'root:root', permissions: '0644'}]"),
    (True, "write_files: [{path: /a, encoding: b64, content: aGk=, append: true, defer: true}]"),
    (False, "write_files: [{content: x}]"),
    (False, "write_files: [{path: /a, encoding: rot13}]"),
    (False, "write_files: {path: /a}"),
    (False, "write_files: [{path: /a, mode: '0644'}]"),
    (True, "runcmd: ['ls -l', [ls, -l]]"),
    (False, "runcmd: ls"),
    (False, "runcmd: [{ls: -l}]"),
    (True, "bootcmd: ['ls -l', [ls, -l]]"),
    (False, "bootcmd: ls"),
    (True, "final_message: up after $UPTIME"),
    (False, "final_message: [a]"),
    (True, "phone_home: {url: 'https://example.org/$INSTANCE_ID', post: [instance_id], tries: 3}"),
    (True, "phone_home: {url: 'https://example.org/', post: all}"),
    (False, "phone_home: {post: all}"),
    (False, "phone_home: {url: 'https://example.org/', post: [shoe_size]}"),
    (True, "power_state: {mode: poweroff, delay: 5, message: Bye, timeout: 30, condition: true}"),
    (True, "power_state: {mode: reboot, delay: now, condition: [test, -e, /x]}"),
    (False, "power_state: {delay: 5}"),
    (False, "power_state: {mode: suspend}"),
    (False, "power_state: {mode: reboot, when: now}"),
    (True, "timezone: Europe/Berlin"),
    (False, "timezone: [UTC]"),
    (True, "ntp: {enabled: true, servers: [ntp.example.org], pools: [0.pool.ntp.org]}"),
    (False, "ntp: {servers: {a: b}}"),
    (True, "ca_certs: {remove_defaults: true, trusted: ['-----BEGIN CERTIFICATE-----\\n"
           "-----END CERTIFICATE-----']}".replace("'-", '"-').replace("']", '"]')),
    (False, "ca_certs: {trust: []}"),
    (True, "device_aliases: {data: /dev/vdb}\ndisk_setup: {data: {table_type: gpt, layout: true}}"),
    (True, "disk_setup: {/dev/vdb: {layout: [33, [33, 82]], overwrite: true}}"),
    (False, "disk_setup: {/dev/vdb: {table_type: apple}}"),
    (False, "disk_setup: [/dev/vdb]"),
    (True, "fs_setup: [{label: a, filesystem: ext4, device: /dev/vdb, partition: auto}]"),
    (True, "fs_setup: [{label: a, filesystem: ext4, device: data.1, overwrite: false}]"),
    (False, "fs_setup: [{filesystem: ext4, device: /dev/vdb, partition: first}]"),
    (False, "fs_setup: {device: /dev/vdb}"),
    (True, "mounts: [[LABEL=a, /srv], [/dev/vdb, none, swap, sw, '0', '0']]"),
    (False, "mounts: [/dev/vdb]"),
    (False, "mounts: [[a, /b, c, d, '0', '0', more]]"),
    (True, "mount_default_fields: [null, null, auto, 'defaults,nofail', '0', '2']"),
    (False, "mount_default_fields: [a, b]"),
    (True, "swap: {filename: /var/swap.img, size: 512M}"),
    (True, "swap: {size: auto, maxsize: 2G}"),
    (False, "swap: {size: much}"),
    (False, "swap: {length: 1G}"),
    (True, "growpart: {mode: auto, devices: ['/']}"),
    (False, "growpart: {mode: sometimes}"),
]

STRICTER = [  # cloud-init takes it; Berth says why it does not
    ("users: [{name: core, sudo: 'ALL=(ALL) NOPASSWD:ALL'}]", "nothing in Berth is setuid"),
    ("users: [{name: core, plain_text_passwd: a}]", "SSH takes keys only"),
    ("ssh_pwauth: true", "SSH takes keys only"),
    ("chpasswd: {users: [{name: root, type: RANDOM}]}", "takes no passwords in plain text"),
    ("growpart: {mode: 'off'}", "always grows"),
    ("fs_setup: [{filesystem: btrfs, device: /dev/vdb}]", 'expected "ext4"'),
    ("swap: {filename: /swap.img, size: 1G}", "only the data partition"),
    ("timezone: Atlantis/Capital", "no such time zone"),
    ("ssh_authorized_keys: ['ssh-rsa AAAA']", "cut off"),
]


def faults(tmp_path, text):
    path = tmp_path / "user-data"
    path.write_text(f"#cloud-config\n{text}\n")
    done = bootcfg("check", str(path))
    return [line for line in done.stdout.splitlines() if "warning:" not in line]


@pytest.mark.parametrize("valid, text", AGREED, ids=range(len(AGREED)))
def test_cloud_init_agrees(cloud_init, tmp_path, valid, text):
    theirs = list(cloud_init.iter_errors(yaml.safe_load(text)))
    ours = faults(tmp_path, text)
    assert (not theirs, not ours) == (valid, valid), f"{theirs[:1]} {ours}"


@pytest.mark.parametrize("text, reason", STRICTER, ids=range(len(STRICTER)))
def test_where_berth_is_stricter_it_says_why(cloud_init, tmp_path, text, reason):
    assert not list(cloud_init.iter_errors(yaml.safe_load(text)))
    assert reason in "\n".join(faults(tmp_path, text))


def test_every_key_of_cloud_init_is_known(cloud_init, tmp_path):
    """At the top level: done, refused, or named in a warning; never "no such key"."""
    keys, left = set(), [cloud_init.schema]
    while left:
        part = left.pop()
        left += part.get("allOf", [])
        if "$ref" in part:
            left.append(cloud_init.schema["$defs"][part["$ref"].rsplit("/", 1)[1]])
        keys |= set(part.get("properties", {}))
    assert len(keys) > 80
    path = tmp_path / "user-data"
    path.write_text("#cloud-config\n" + "".join(f"{key}:\n" for key in sorted(keys)))
    assert "there is no such key" not in bootcfg("check", str(path)).stdout
