"""What a disk would hold if the power had failed at some moment: from a log of its writes.

A write that was not followed by a flush may be on the disk, or in part, or not; so each moment has
many disks: `sweep` takes the one where everything arrived and random ones. `Judge` says, without
booting, what the loader would choose on such a disk and whether that slot is whole.
"""
import hashlib
import json
import os
import struct
import subprocess
import zlib
from pathlib import Path

SECTOR, MIB = 512, 1 << 20
LOG_MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
SIGNATURE = b"# GRUB Environment Block\n"
STATE_COPIES = (0xA000, 0xB000)
RANDOM_DISKS = 3


def read_log(path):
    """Pairs of flags and (offset, data or None for a discard); the order is the disk's."""
    with open(path, "rb") as log:
        magic, _, count, sector = struct.unpack("<QQQI", log.read(28))
        assert magic == LOG_MAGIC and sector == SECTOR
        log.seek(SECTOR)
        for _ in range(count):
            entry = log.read(SECTOR)
            if len(entry) < SECTOR:
                return
            at, sectors, flags, _ = struct.unpack("<QQQQ", entry[:32])
            data = None if flags & DISCARD else log.read(sectors * SECTOR)
            yield flags, at * SECTOR, data, sectors * SECTOR


class Disk:
    """A raw image as a file below, and writes that lie above it in memory. The file's content has a
    number, so that what was read need not be read again."""

    def __init__(self, file, above=(), number=0):
        self.file, self.above, self.number = file, list(above), number

    def digest(self, offset, length, known):
        """SHA-256; `known` remembers those over which nothing lies."""
        covered = any(at < offset + length and at + len(piece) > offset for at, piece in self.above)
        key = (offset, length, self.number)
        if covered or key not in known:
            value = hashlib.sha256(self.read(offset, length)).hexdigest()
            if covered:
                return value
            known[key] = value
        return known[key]

    def read(self, offset, length):
        self.file.seek(offset)
        data = bytearray(self.file.read(length).ljust(length, b"\0"))
        for at, piece in self.above:
            first, end = max(at, offset), min(at + len(piece), offset + length)
            if first < end:
                data[first - offset:end - offset] = piece[first - at:end - at]
        return bytes(data)

    def save(self, path, start=0):
        """From `start` on as an image of its own, to be booted or looked at; holes stay holes."""
        with open(self.file.name, "rb", buffering=0) as source, open(path, "wb") as out:
            size = os.fstat(source.fileno()).st_size
            out.truncate(size - start)
            for first, end in extents(source.fileno(), start, size):
                out.seek(first - start)
                out.write(os.pread(source.fileno(), end - first, first))
            for at, piece in self.above:
                if at >= start:
                    out.seek(at - start)
                    out.write(piece)


def extents(fd, at, size):
    """Where a file has data, in pieces of 8 MiB at most."""
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:  # ENXIO: none behind
            return
        end = min(os.lseek(fd, at, os.SEEK_HOLE), at + 8 * MIB)
        yield at, end
        at = end


class Replay:
    """Walks through the log: the file is what is on the disk for certain, `pending` what was written
    since the last flush."""

    def __init__(self, image, log, work, size):
        self.path = Path(work) / "replay.img"
        subprocess.run(["cp", "--sparse=always", str(image), str(self.path)], check=True)
        self.file = open(self.path, "r+b")
        self.file.truncate(size)
        self.entries, self.pending, self.number = list(read_log(log)), [], 0
        self.total = sum(1 for _, _, _, length in self.entries if length)

    def settle(self):
        self.number += bool(self.pending)
        for at, data in self.pending:
            self.file.seek(at)
            self.file.write(data)
        self.file.flush()
        self.pending = []

    def steps(self):
        """After each write: its number. A discard is taken for zeros."""
        number = 0
        for flags, at, data, length in self.entries:
            if flags & FLUSH:
                self.settle()
            if not length:
                continue
            self.pending.append((at, data if data is not None else bytes(length)))
            if flags & FUA:
                self.settle()
            number += 1
            yield number

    def some(self, rng):
        """What was not flushed, in part: each write whole, torn between two sectors, or lost."""
        left = []
        for at, data in self.pending:
            fate = rng.choice(("whole", "torn", "lost"))
            if fate == "torn":
                data = data[:rng.randrange(0, len(data) // SECTOR + 1) * SECTOR]
            if fate != "lost" and data:
                left.append((at, data))
        return left


# --- what the loader would do (image-build/disk/grub.cfg) -----------------------------------------

def state_copy(sector):
    if not sector.startswith(SIGNATURE):
        return None
    values = dict(line.split("=", 1) for line in sector.decode(errors="replace").splitlines()
                  if "=" in line)
    return values if values.get("seq") and values.get("seq") == values.get("end") else None


def newest(first, second):
    if first and second:
        return second if str((int(first["seq"]) + 1) % 4) == second["seq"] else first
    return first or second


def loader_choice(state, kernels):
    """Slot and whether it is confirmed."""
    def usable(slot):
        return (state[f"{slot}_good"] == "1" or state[f"{slot}_tries"] in "123") and kernels[slot]
    prefer = state["prefer"]
    other = "a" if prefer == "b" else "b"
    slot = prefer if usable(prefer) or not usable(other) else other
    return slot, state[f"{slot}_good"] == "1"


def table_is_whole(header, entries):
    if header[:8] != b"EFI PART":
        return False
    size, crc = struct.unpack("<II", header[12:20])
    blank = header[:16] + bytes(4) + header[20:size]
    count, each, entries_crc = struct.unpack("<III", header[80:92])
    return zlib.crc32(blank) == crc and zlib.crc32(entries[:count * each]) == entries_crc


class Judge:
    """Knows the layout and the versions that exist; `versions` are names by (boot, root) digest."""

    def __init__(self, image, size):
        table = json.loads(subprocess.run(["sfdisk", "--json", str(image)], check=True,
                                          capture_output=True, text=True).stdout)["partitiontable"]
        self.start = {p["name"]: p["start"] * SECTOR for p in table["partitions"]}
        self.size, self.image_size = size, Path(image).stat().st_size
        self.versions, self.lengths, self.known = {}, set(), {}

    def add_version(self, name, boot, root):
        sums = tuple(hashlib.sha256(Path(f).read_bytes()).hexdigest() for f in (boot, root))
        self.lengths.add((Path(boot).stat().st_size, Path(root).stat().st_size))
        self.versions[sums] = name

    def version_in(self, disk, slot):
        for lengths in self.lengths:
            name = self.versions.get(tuple(
                disk.digest(self.start[f"{kind}-{slot}"], n, self.known)
                for kind, n in zip(("boot", "root"), lengths)))
            if name:
                return name
        return None

    def has_table(self, disk):
        primary = disk.read(SECTOR, 33 * SECTOR)
        if table_is_whole(primary[:SECTOR], primary[SECTOR:]):
            return True
        for end in (self.size, self.image_size):
            backup = disk.read(end - 33 * SECTOR, 33 * SECTOR)
            if table_is_whole(backup[32 * SECTOR:], backup):
                return True
        return False

    def decides(self, piece):
        """A write outside of the data partition."""
        return piece[0] < self.start["data"] or piece[0] + len(piece[1]) > self.size - 34 * SECTOR

    def judge(self, disk):
        """The version that would be booted, or None with the reason."""
        copies = [state_copy(disk.read(self.start["state"] + at, SECTOR)) for at in STATE_COPIES]
        state = newest(*copies)
        if not state:
            return None, "the boot state is lost"
        if not self.has_table(disk):
            return None, "the partition table is lost"
        kernels = {s: disk.read(self.start[f"boot-{s}"] + 1080, 2) == b"\x53\xef" for s in "ab"}
        slot, confirmed = loader_choice(state, kernels)
        version = self.version_in(disk, slot)
        if not version:
            return None, f"slot {slot} is chosen and holds no version: {state}"
        other = "a" if slot == "b" else "b"
        if not confirmed and not (state[f"{other}_good"] == "1" and self.version_in(disk, other)):
            return None, f"slot {slot} is on trial and there is no way back: {state}"
        return version, ""


def data_fault(path, mark):
    """What a check of a data partition cannot mend, or which file it lost; empty: nothing."""
    done = subprocess.run(["e2fsck", "-fy", path], capture_output=True, text=True, check=False)
    if done.returncode > 1:  # e2fsck(8): 1 is mended
        return f"e2fsck ended with {done.returncode}: {done.stdout}{done.stderr}"
    name, text = mark
    found = subprocess.run(["debugfs", "-R", f"cat {name}", path], capture_output=True, text=True,
                           check=False).stdout
    return "" if found == text else f"{name} holds {found!r}"


def sweep(replay, judge, samples, checks, mark, rng):
    """Judges, for each moment, the disk with everything on it and some with a part of what was not
    flushed. On `checks` of them the data partition is looked at, too, once the first installation
    began: `mark` is a file of it and its text. Returns the counts, the faults, the versions seen,
    `samples` disks to be booted, and when the first installation began."""
    wanted = set(rng.sample(range(1, replay.total + 1), min(samples, replay.total)))
    checked = set(rng.sample(range(1, replay.total + 1), min(checks, replay.total)))
    result = {"moments": 0, "disks": 0, "faults": [], "versions": set(), "boot": {},
              "began": 0, "checked": 0}
    calm = None  # the number of deciding writes at the last moment that was judged good

    def look(above, step):
        result["disks"] += 1
        version, why = judge.judge(Disk(replay.file, above, replay.number))
        result["versions"].add(version)
        if not version:
            result["faults"].append(f"after write {step}: {why}")
        return version

    deciding = 0
    for step in replay.steps():
        result["moments"] += 1
        low = [piece for piece in replay.pending if judge.decides(piece)]
        deciding += bool(replay.pending and judge.decides(replay.pending[-1]))
        if deciding != calm:
            calm = deciding if look(low, step) else None
        else:
            result["disks"] += 1  # the same disk, but for the data partition
        if replay.pending and replay.pending[-1][0] == judge.start["root-b"]:
            result["began"] = result["began"] or step
        for _ in range(RANDOM_DISKS if low else 0):
            look([piece for piece in replay.some(rng) if judge.decides(piece)], step)
        if step in checked and result["began"]:
            path = replay.path.with_name("data.img")
            Disk(replay.file, replay.some(rng)).save(path, judge.start["data"])
            fault = data_fault(path, mark)
            path.unlink()
            result["checked"] += 1
            result["faults"] += [f"after write {step}: {fault}"] * bool(fault)
        if step in wanted:
            path = replay.path.with_name(f"cut-{step}.img")
            Disk(replay.file, replay.some(rng)).save(path)
            result["boot"][step] = path
    return result
