"""A machine that is updated, over SSH as its administrator would: to a sound version, which it
keeps; to versions with something wrong in them, from which it comes back by itself."""
import hashlib
import json
import os
import random
import re
import subprocess

import pytest

from machine import BOOT_SECONDS, SHORT_SECONDS, Machine, wait_until
from update.bundles import LATER, run
from update.fleetlock import FleetLock
from update.powercut import Judge, Promise, Replay, sweep
from update.webserver import WebServer

DISK_BYTES = 4 << 30
STORE = "/var/lib/berth/update"
MARK, USER_DATA = "/lib/berth/volumes/mark", "/lib/berth/config/user-data"
WHOLE = [f"/lib/berth/{name}.json" for name in (
    "config/last-good", "config/trial", "config/candidate", "update/slot-a", "update/slot-b",
    "update/refused", "update/good", "update/reboot-lock")]
SEED = """#cloud-config
hostname: updated
ssh_authorized_keys: ["{key}"]
berth: {{update: {{hold: 25s, limit: 50s, channel: "{url}/sound.json"}}}}
ntp: {{servers: [192.0.2.1]}}
containers:
  demo: {{image: "localhost/demo:latest", ports: ["80:8080"], restart: always}}
  broken: {{image: "localhost/demo:latest", network_mode: none, entrypoint: ["/no/such/program"]}}
"""

pytestmark = pytest.mark.xdist_group("update")  # one machine after the other, beside make sweep's others


class Life:
    """What was done while the disk's writes were logged, by the log's length in bytes."""

    def __init__(self, log):
        self.log, self.promises, self.windows, self.open = log, [], [], {}

    def now(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def holds(self, name, *texts):
        """From now on the file has one of these (None: it is not there), until it is said anew."""
        self.no_more(name)
        self.open[name] = Promise(name, self.now(), self.now(), lambda found: found in texts)

    def no_more(self, name):
        ended = self.open.pop(name, None)
        if ended:
            ended.end = self.now()
            self.promises.append(ended)

    def ends(self):
        for name in list(self.open):
            self.no_more(name)
        self.promises += [Promise(name, 0, self.now(), Promise.whole_json) for name in WHOLE]


@pytest.fixture(scope="module")
def life(bundles):
    return Life(bundles.folder / "writes")


@pytest.fixture(scope="module")
def web(bundles, life):
    started = WebServer(bundles.folder, FleetLock(told=lambda step: lock_is_told(life, step)))
    yield started
    started.close()


LOCK = f"{STORE.removeprefix('/var')}/reboot-lock.json"


def lock_is_told(life, step):
    """While the server holds it for the machine the file says so; as it hears so itself."""
    if step == "pre-reboot":
        life.open[LOCK] = Promise(LOCK, life.now(), 0, lambda text: "url" in json.loads(text or "{}"))
    else:
        life.no_more(LOCK)


@pytest.fixture(scope="module")
def usb_stick(bundles):
    """QEMU's options for a FAT stick with the sound version's bundle on it."""
    stick = bundles.folder / "stick.img"
    run("truncate", "-s", "48M", stick)
    run("mkfs.vfat", stick)
    run("mcopy", "-i", stick, bundles.make("sound"), "::")
    return ["-device", "qemu-xhci", "-drive", f"if=none,id=stick,format=raw,file={stick}",
            "-device", "usb-storage,drive=stick"]


@pytest.fixture(scope="module")
def machine(image, ssh_key, web, usb_stick, life):
    with Machine(image, user_data=SEED.format(key=ssh_key.public, url=web.url), ssh_key=ssh_key,
                 forward=[80], write_log=life.log, size=f"{DISK_BYTES}", qemu=usb_stick) as started:
        started.wait_ssh()
        started.wait_http(80)
        life.windows.append((0, life.now()))
        life.holds(USER_DATA, None)
        yield started


def status(machine):
    return json.loads(machine.ssh("berth update status --json"))


def slot(machine, letter):
    return next(s for s in status(machine)["slots"] if s["slot"] == letter)


def running(machine):
    return next(s["slot"] for s in status(machine)["slots"] if s["running"])


def install(machine, bundle, options=""):
    done = machine.ssh_file(f"berth update install {options} -", bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def boot_id(machine):
    done = machine.try_ssh("cat /proc/sys/kernel/random/boot_id", 30)
    return done.stdout if done.returncode == 0 else None


def wait_next_boot(machine, before, seconds=BOOT_SECONDS):
    wait_until(lambda: (boot_id(machine) or before) != before, seconds, "the machine is there again",
               machine)


def reboot(machine):
    before = boot_id(machine)
    machine.try_ssh("berth reboot", 30)
    wait_next_boot(machine, before)


def wait_confirmed(machine, letter):
    wait_until(lambda: slot(machine, letter)["confirmed"], BOOT_SECONDS, f"{letter} is confirmed",
               machine)


def test_a_fresh_machine_runs_a_confirmed_slot(machine):
    page = machine.ssh("berth update status")
    assert "confirmed, running, boots next" in page
    assert "not bootable" in page
    first = slot(machine, "a")
    assert first["preferred"] and first["result"] == "confirmed"
    assert first["version"] in machine.ssh("cat /usr/lib/os-release")


def test_a_bundle_that_was_cut_changes_nothing(machine, bundles, tmp_path):
    whole = bundles.make("sound").read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:len(whole) // 2])
    done = machine.ssh_file("berth update install -", cut)
    assert done.returncode == 1
    assert "update: error: the bundle ends too early" in done.stderr
    assert slot(machine, "b")["tries"] == 0
    assert slot(machine, "a")["preferred"]


def test_the_channel_names_a_version(machine, bundles):
    bundles.make("sound", serial=7)
    page = machine.ssh("berth update check")
    assert f"channel  sound has {LATER}" in page
    assert "berth update install" in page


def test_only_what_is_missing_is_downloaded(machine, bundles, web, life):
    machine.ssh(f"echo kept >/var{MARK}; sync")
    life.holds(MARK, "kept\n")
    before = web.sent
    done = machine.try_ssh("berth update install", BOOT_SECONDS)
    assert done.returncode == 0, done.stderr
    assert f"{LATER} is in slot b and verified; the next boot tries it" in done.stderr
    size = (bundles.folder / "sound.bundle").stat().st_size
    assert re.search(r"verifying, \d+ %", done.stderr), "no terminal: events"
    said = re.search(r"downloaded (\d+) of (\d+) bytes", done.stderr)
    # The test's version is packed otherwise (lz4), so of the root nothing is the same.
    assert int(said[1]) < int(said[2]) * 0.6 and web.sent - before < size * 0.7, done.stderr
    assert slot(machine, "b")["tries"] == 3


def test_a_replayed_channel_is_refused(machine, bundles):
    newest = bundles.folder / "sound.json"
    text, signature = newest.read_bytes(), newest.with_name("sound.json.minisig").read_bytes()
    bundles.make("sound", serial=6)
    done = machine.try_ssh("berth update check")
    assert done.returncode == 1 and "(number 6 after 7)" in done.stderr
    newest.write_bytes(text)
    newest.with_name("sound.json.minisig").write_bytes(signature)


def test_a_bundle_comes_from_a_usb_disk(machine):
    own = machine.ssh("ls /sys/block/dm-0/slaves").strip()
    done = machine.try_ssh(f"berth update install /dev/{own}")
    assert done.returncode == 1 and "it holds neither a bundle nor a file system" in done.stderr
    argv = machine.ssh_argv("busybox time -v berth update install /dev/sda")
    silent, _ = os.pipe()  # a terminal hangs up when its input ends
    done = subprocess.run([argv[0], "-tt", *argv[1:]], stdin=silent, capture_output=True, text=True,
                          timeout=BOOT_SECONDS, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{LATER} is in slot b and verified" in done.stdout
    assert "verifying  [########################################] 100 %" in done.stdout
    most = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", done.stdout)[1])
    print(f"an installation's largest process: {most} kB")
    assert most < 8192
    assert "sda" not in machine.ssh("cat /proc/mounts")


def test_a_download_that_is_cut_keeps_what_it_got(machine, web):
    web.cut_after(4 << 20)
    done = machine.try_ssh("berth update fetch", BOOT_SECONDS)
    web.cut_after()
    assert done.returncode == 1 and "the download failed" in done.stderr
    assert int(machine.ssh(f"stat -c %s {STORE}/*.part")) > 3 << 20


def config(ssh_key, name, more=""):
    return f'#cloud-config\nhostname: {name}\nssh_authorized_keys: ["{ssh_key.public}"]\n{more}'


def apply(machine, life, before, text, options=""):
    """Berth says that it is done: from then on the disk has it, or with a time to confirm it not yet."""
    begin = life.now()
    life.holds(USER_DATA, before, text)
    machine.ssh(f"cat >/run/new; berth config apply {options} /run/new", data=text)
    life.holds(USER_DATA, before if options else text)
    life.windows.append((begin, life.now()))


def test_configurations_are_applied(machine, ssh_key, life):
    """What they do is test_config.py's; here the disk is what counts, in the sweep below."""
    one, two, three = (config(ssh_key, name) for name in ("one", "two", "three"))
    apply(machine, life, None, one)
    apply(machine, life, one, two, "--confirm-within 300s")
    begin = life.now()
    life.holds(USER_DATA, one, two)
    machine.ssh("berth config confirm")
    life.holds(USER_DATA, two)
    life.windows.append((begin, life.now()))
    apply(machine, life, two, three, "--confirm-within 5s")
    wait_until(lambda: "nobody confirmed" in machine.ssh("dmesg"), SHORT_SECONDS, "it is two again", machine)
    assert machine.ssh(f"hostname; cat /var{USER_DATA}") == "two\n" + two


def test_the_fleets_lock_is_taken_for_the_reboot(machine, ssh_key, web, life):
    """By the service, which finds the version installed that the channel names."""
    more = (f'berth: {{update: {{channel: "{web.url}/sound.json", automatic: reboot, interval: 10s, '
            f'fleet_lock: {{url: "{web.url}/lock/"}}}}}}\n')
    before = boot_id(machine)
    apply(machine, life, config(ssh_key, "two"), config(ssh_key, "locked", more))
    wait_next_boot(machine, before)
    assert web.lock.steps()[-1] == ("pre-reboot", 200)


def test_a_sound_version_is_kept_and_a_reboot_before_that_costs_no_try(machine, web):
    assert running(machine) == "b"
    assert slot(machine, "b")["tries"] == 2
    reboot(machine)
    assert slot(machine, "b")["tries"] == 2, "the first boot's try came back, this one took another"
    wait_confirmed(machine, "b")
    assert machine.ssh("cat /var/lib/berth/volumes/mark") == "kept\n"
    assert "slot=b" in machine.ssh("cat /proc/cmdline")
    assert machine.wait_http(80)
    newest = status(machine)["boots"][0]
    assert (newest["slot"], newest["outcome"], newest["why"]) == ("b", "confirmed", "preferred")
    assert all(check["ok"] for check in newest["checks"]) and newest["init"]["services"]
    left, now = slot(machine, "a"), slot(machine, "b")
    assert left["version"] not in ("", now["version"]) and left["version"] in machine.ssh(
        "berth update status")
    assert left["config"] == now["config"] == newest["config"] != ""
    wait_until(lambda: not web.lock.holders, BOOT_SECONDS, "the fleet's lock is given back", machine)


def test_a_download_goes_on_after_a_reboot(machine, bundles, web):
    before = web.sent
    machine.ssh("berth update fetch", BOOT_SECONDS)
    bundle = (bundles.folder / "sound.bundle").read_bytes()
    assert web.sent - before < len(bundle) - (3 << 20)
    fetched = f"{STORE}/fetched.bundle"
    assert machine.ssh(f"sha256sum <{fetched}").split()[0] == hashlib.sha256(bundle).hexdigest()
    machine.ssh(f"rm {fetched}")


def test_rollback_tries_the_other_version_and_leads_back(machine):
    before = boot_id(machine)
    assert "the next boot is slot a's" in machine.try_ssh("berth update rollback --reboot").stderr
    wait_next_boot(machine, before)
    assert running(machine) == "a" and slot(machine, "b")["confirmed"]
    assert [r["reason"] for r in status(machine)["refused"]] == ["a person rolled it back"]
    before = boot_id(machine)
    assert "the next boot is slot b's" in machine.try_ssh("berth update rollback --reboot").stderr
    wait_next_boot(machine, before)
    assert running(machine) == "b" and slot(machine, "b")["preferred"]
    assert not status(machine)["refused"], "who goes back to a version wants it"
    assert slot(machine, "a")["reason"] == "a person rolled it back"
    done = machine.try_ssh("berth update rollback")
    assert done.returncode == 1 and "slot a holds no version that could be booted" in done.stderr


def test_pid_1_that_ends_uses_up_the_tries(machine, bundles):
    before = boot_id(machine)
    install(machine, bundles.make("ends", arguments="panic=1 init=/usr/bin/true"), "--reboot")
    wait_next_boot(machine, before, 2 * BOOT_SECONDS)
    assert running(machine) == "b"
    wait_until(lambda: status(machine)["refused"], SHORT_SECONDS, "its version is refused", machine)
    failed = slot(machine, "a")
    assert failed["result"] == "failed" and "none of its boots wrote down" in failed["reason"]
    assert slot(machine, "b")["confirmed"] and slot(machine, "b")["preferred"]
    assert status(machine)["boots"][0]["why"] == "fallback"
    done = machine.ssh_file("berth update install -", bundles.folder / "ends.bundle")
    assert done.returncode == 1 and "is refused, because it failed here" in done.stderr


def test_a_network_that_does_not_come_back_is_a_reason(machine, bundles):
    """Nobody can log in to such a machine; the log that it left tells what was the matter."""
    before = boot_id(machine)
    install(machine, bundles.make("deaf", arguments="initcall_blacklist=virtio_net_driver_init"),
            "--reboot")
    wait_next_boot(machine, before, 2 * BOOT_SECONDS)
    assert running(machine) == "b"
    refused = status(machine)["refused"]
    assert any("network: 0 links have an address" in r["reason"] for r in refused), refused
    failed = next(b for b in status(machine)["boots"] if b["outcome"] == "failed")
    assert failed["slot"] == "a" and failed["on_trial"]
    logs = f"/var/lib/berth/boots/{failed['number']:08d}.logs"
    assert "initcall_blacklist" in machine.ssh(f"cat {logs}/kernel.log")
    assert "did not pass its gate" in machine.ssh(f"cat {logs}/gate.log")
    assert "2 refused versions forgotten" in machine.try_ssh("berth update forget").stderr


def test_three_power_cuts_after_confirmation_change_nothing(machine):
    for _ in range(3):
        machine.power_cut()
        machine.start()
        machine.wait_console(r"Berth 0\.1\.0, slot b", BOOT_SECONDS)
    machine.wait_ssh()
    assert slot(machine, "b")["confirmed"] and running(machine) == "b"


def test_a_lost_boot_state_is_survived_and_made_anew(machine):
    """The whole partition is overwritten, and slot A holds the version that nobody can reach: the
    second boot takes slot B."""
    own = machine.ssh("ls /sys/block/dm-0/slaves").strip().rstrip("0123456789")
    machine.ssh(f"dd if=/dev/zero of=/dev/{own}3 bs=1M count=1 conv=fsync")
    for letter in "ab":
        machine.power_cut()
        machine.start()
        machine.wait_console(rf"slot {letter}, Linux[^$]*rescue mode: the boot state is lost",
                             BOOT_SECONDS)
    machine.wait_ssh()
    done = machine.try_ssh("berth update status")
    assert done.returncode == 1 and "both copies of the boot state are damaged" in done.stderr
    machine.ssh("berth update confirm")
    reboot(machine)
    assert running(machine) == "b" and slot(machine, "b")["confirmed"]
    assert not slot(machine, "a")["confirmed"] and slot(machine, "a")["tries"] == 0
    assert machine.wait_http(80)


def some(rng, steps, count):
    return set(rng.sample(list(steps), min(count, len(steps))))


def test_no_moment_of_all_this_leaves_a_disk_that_does_not_boot(machine, image, bundles, ssh_key, life):
    """Everything above until the first power cut was recorded, write by write: the first boot with
    its growing partition, the installations, each change of the boot state, of the configuration and
    of the lock's file. At each moment the loader finds a whole version, and the data partition what was
    promised; some of the disks are booted. BERTH_SWEEP_BOOTS says how many, BERTH_SWEEP_SEED repeats a
    run."""
    machine.power_cut()
    life.ends()
    boots = int(os.environ.get("BERTH_SWEEP_BOOTS", "2"))
    seed = int(os.environ.get("BERTH_SWEEP_SEED") or random.randrange(1 << 30))
    rng, folder = random.Random(seed), bundles.folder
    judge = Judge(image, DISK_BYTES)
    judge.add_version("first", image.parent / "boot.ext2", image.parent / "root.erofs")
    for name in ("sound", "ends", "deaf"):
        judge.add_version(name, folder / f"{name}.boot", bundles.later / "root.erofs")
    replay = Replay(image, life.log, folder, DISK_BYTES)
    booted = some(rng, range(1, replay.total + 1), boots)
    checked = some(rng, range(1, replay.total + 1), 4 * boots)
    for begin, end in life.windows:
        checked |= some(rng, replay.between(begin, end), 4 + 2 * boots)
    found = sweep(replay, judge, booted, checked, life.promises, rng)
    print(f"power cuts: seed {seed}, {found['moments']} moments, {found['disks']} disks judged, "
          f"{found['checked']} data partitions checked, {len(found['boot'])} booted, "
          f"{len(found['faults'])} faults")
    assert not found["faults"], "\n".join(found["faults"][:20])
    assert found["versions"] == {"first", "sound", "ends", "deaf"}
    user_data = SEED.format(key=ssh_key.public, url="http://10.0.2.2:1")
    for step, path in found["boot"].items():
        with Machine(path, user_data=user_data, ssh_key=ssh_key, forward=[80],
                     size=f"{DISK_BYTES}") as cut:
            page = cut.wait_http(80, seconds=2 * BOOT_SECONDS)
            assert "Berth" in page, f"seed {seed}, after write {step}"
            cut.wait_ssh()
            data = cut.ssh("cat /run/berth/data.json; cat /var/lib/berth/volumes/mark || true")
            assert "persistent" in data, f"seed {seed}, after write {step}"
            mark = next(p for p in life.promises if p.name == MARK)
            assert "kept" in data or replay.ends[step - 1] < mark.begin, f"seed {seed}, after {step}"
        path.unlink()
