"""The loader's choice of slot, for rows of boot states: the real GRUB on the real disk image, with
each slot's slot.cfg replaced by one that says what was chosen. No kernel is started."""
import json
import shutil
import subprocess

import pytest

from machine import Machine, wait_until

SECTOR, MIB = 512, 1 << 20
SIGNATURE = b"# GRUB Environment Block\n"
KEYS = ("seq", "prefer", "a_good", "a_tries", "b_good", "b_tries", "end")
SLOT_CFG = 'echo "chosen slot=$slot why=$why $rescue;"\nsleep 600\n'


def partitions(disk):
    table = json.loads(subprocess.run(["sfdisk", "--json", str(disk)], check=True,
                                      capture_output=True, text=True).stdout)["partitiontable"]
    return {p["name"]: (p["start"] * SECTOR, p["size"] * SECTOR) for p in table["partitions"]}


def copy(words):
    """"2 b 1 0 0 3" (and `end`, if it is not seq) as the sector on the disk."""
    values = words.split()
    values += values[:1] if len(values) < len(KEYS) else []
    text = SIGNATURE + "".join(f"{k}={v}\n" for k, v in zip(KEYS, values)).encode()
    return text + b"#" * (SECTOR - len(text))


def words_of(sector):
    values = dict(line.split("=") for line in sector.decode().splitlines() if "=" in line)
    return " ".join(values[k] for k in KEYS)


class Disk:
    """A copy of the image whose slots only say what was chosen."""

    def __init__(self, image, folder):
        self.path = folder / "loader.img"
        subprocess.run(["cp", "--sparse=always", str(image), str(self.path)], check=True)
        self.parts = partitions(self.path)
        start, size = self.parts["boot-a"]
        boot, config = folder / "boot.part", folder / "slot.cfg"
        config.write_text(SLOT_CFG)
        with open(self.path, "rb") as f:
            f.seek(start)
            boot.write_bytes(f.read(size))
        subprocess.run(["debugfs", "-w", "-f", "-", str(boot)], check=True, capture_output=True,
                       text=True, input=f"rm /slot.cfg\nwrite {config} slot.cfg\n")
        self.boot = boot.read_bytes()
        self.write(start, self.boot)
        start, size = self.parts["state"]
        with open(self.path, "rb") as f:
            f.seek(start)
            state = f.read(size)
        found = [at for at in range(0, size, SECTOR) if state[at:].startswith(SIGNATURE)]
        assert len(found) == 2, "the state partition holds two copies"
        self.copies = [start + at for at in found]
        at = self.boot.index(SIGNATURE)
        self.tried = [self.parts[f"boot-{slot}"][0] + at for slot in "ab"]

    def write(self, offset, data):
        with open(self.path, "r+b") as f:
            f.seek(offset)
            f.write(data)

    def set(self, first, second, kernel_in_b=True):
        start, size = self.parts["boot-b"]
        self.write(start, self.boot if kernel_in_b else bytes(size))
        for offset, words in zip(self.copies, (first, second)):
            self.write(offset, copy(words) if words else b"\xa5" * SECTOR)

    def remember(self, last):
        """Which slot a boot without a state took last."""
        for number, offset in enumerate(self.tried):
            self.write(offset + len(SIGNATURE), b"tried=%d" % (number == last))

    def remembered(self):
        with open(self.path, "rb") as f:
            for slot, offset in zip("ab", self.tried):
                f.seek(offset)
                if f.read(SECTOR).startswith(SIGNATURE + b"tried=1\n"):
                    yield slot

    def get(self):
        with open(self.path, "rb") as f:
            for offset in self.copies:
                f.seek(offset)
                sector = f.read(SECTOR)
                yield words_of(sector) if sector.startswith(SIGNATURE) else None


@pytest.fixture(scope="module")
def disk(image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loader")
    yield Disk(image, folder)
    shutil.rmtree(folder)


# copy 0, copy 1 ("seq prefer a_good a_tries b_good b_tries [end]"; None: garbage), slot, why,
# the copies afterwards where they changed
ROWS = [
    ("as made", "0 a 1 0 0 0", "1 a 1 0 0 0", "a", "preferred", {}),
    ("a new slot costs a try", "2 b 1 0 0 3", "1 a 1 0 0 0", "b", "preferred",
     {1: "3 b 1 0 0 2 3"}),
    ("its last try", "2 b 1 0 0 1", "1 b 1 0 0 2", "b", "preferred", {1: "3 b 1 0 0 0 3"}),
    ("no try left", "2 b 1 0 0 0", "1 b 1 0 0 1", "a", "fallback", {}),
    ("confirmed costs nothing", "2 b 1 0 1 0", "1 b 1 0 0 2", "b", "preferred", {}),
    ("the sequence wraps", "3 a 1 0 0 0", "0 b 1 0 0 2", "b", "preferred", {0: "1 b 1 0 0 1 1"}),
    ("half written: the other counts", "2 b 1 0 0 3 0", "1 a 1 0 0 0", "a", "preferred", {}),
    ("the try counts beside garbage", None, "1 b 1 0 0 3", "b", "preferred",
     {1: "2 b 1 0 0 2 2"}),
    ("the second is garbage", "2 b 1 0 0 3", None, "b", "preferred", {0: "3 b 1 0 0 2 3"}),
    ("nothing is usable", "2 b 0 0 0 0", "1 b 0 0 0 1", "b", "last-resort", None),
    ("both are garbage", None, None, "a", "state-lost berth.rescue", {}),
    ("garbage, and A came last", None, None, "b", "state-lost berth.rescue", {}),
    ("garbage, and B came last", None, None, "a", "state-lost berth.rescue", {}),
    ("garbage, A came last, no kernel in B", None, None, "a", "state-lost berth.rescue", {}),
    ("no kernel in B", "2 b 1 0 1 0", "1 b 1 0 1 0", "a", "fallback", {}),
]


@pytest.mark.parametrize("name, first, second, slot, why, after", ROWS, ids=[r[0] for r in ROWS])
def test_the_loader_chooses(disk, image, name, first, second, slot, why, after):
    disk.set(first, second, kernel_in_b="no kernel in B" not in name)
    if "came last" in name:
        disk.remember("AB".index(name[name.index(" came last") - 1]))
    before = list(disk.get())
    machine = Machine(image, firmware="uefi" if name == "as made" else "bios", network=False)
    machine.overlay = disk.path  # the raw disk itself, to be read afterwards
    try:
        machine.start()
        chosen = machine.wait_console(r"chosen slot=(\w) why=([^;]*?) ?;", 60)
    finally:
        machine.close()
    assert chosen.groups() == (slot, why)
    if first is None and second is None:
        assert list(disk.remembered()) == [slot]
    if after is not None:
        assert list(disk.get()) == [after.get(i, before[i]) for i in (0, 1)]


KEYS_AT_THE_MENU = [
    ("b", "b", "asked"),
    ("r", "a", "asked berth.rescue"),
    ("xy", "a", "asked berth.reset=all"),
    ("xk", "a", "asked berth.reset=keep-data"),
]


@pytest.mark.parametrize("keys, slot, why", KEYS_AT_THE_MENU, ids=[k for k, _, _ in KEYS_AT_THE_MENU])
def test_the_menu_for_people(disk, image, keys, slot, why):
    """Esc until the menu is there; on the serial line, as on a machine without a screen."""
    disk.set("0 a 1 0 1 0", "1 a 1 0 1 0")
    machine = Machine(image, network=False, keyboard=True)
    machine.overlay = disk.path

    def press(key, shows):
        def pressed():
            machine.process.stdin.write(key)
            machine.process.stdin.flush()
            return shows in machine.console()
        wait_until(pressed, 60, f"{shows} is on the console", machine)

    try:
        machine.start()
        # So many that some are still on their way when GRUB has set up the line and looks once.
        press(b"\x1b" * 64, "Rescue: no configuration is read")
        if keys[0] == "x":
            press(b"x", "EVERYTHING on this machine is lost")
        press(keys[-1].encode(), "chosen slot=")
        chosen = machine.wait_console(r"chosen slot=(\w) why=([^;]*?) ?;", 60)
    finally:
        machine.close()
    assert chosen.groups() == (slot, why)
