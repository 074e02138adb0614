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
STATE_NOTE, NOTE_BYTES = 0x80000, 4096  # init/update/failnote.h
GPT_EMPTY = 1 << 48  # init/update/gpt.h
DATA_ENTRY = 7
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
        self.newest = None
        self.ends, at = [], SECTOR  # of each write: the byte of the log where it ends
        for _, _, data, length in self.entries:
            at += SECTOR + (len(data) if data else 0)
            if length:
                self.ends.append(at)
        self.total = len(self.ends)

    def between(self, begin, end):
        """The writes that lie there in the log, in bytes."""
        return [step for step in range(1, self.total + 1) if begin <= self.ends[step - 1] <= end]

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
            self.newest = (at, data if data is not None else bytes(length))
            self.pending.append(self.newest)
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

    def table(self, disk):
        """The entries of the primary table, or of the backup when that is not whole; or None."""
        primary = disk.read(SECTOR, 33 * SECTOR)
        if table_is_whole(primary[:SECTOR], primary[SECTOR:]):
            return primary[SECTOR:]
        for end in (self.size, self.image_size):
            backup = disk.read(end - 33 * SECTOR, 33 * SECTOR)
            if table_is_whole(backup[32 * SECTOR:], backup):
                return backup
        return None

    def will_be_formatted(self, disk):
        """The data partition's mark: nothing on it counts yet."""
        entries = self.table(disk)
        return bool(entries and GPT_EMPTY & struct.unpack_from("<Q", entries, DATA_ENTRY * 128 + 48)[0])

    def decides(self, piece):
        """A write outside of the data partition."""
        return piece[0] < self.start["data"] or piece[0] + len(piece[1]) > self.size - 34 * SECTOR

    def stray(self, piece):
        """A write to the state partition that is neither a copy's nor the note's."""
        at, length = piece[0] - self.start["state"], len(piece[1])
        if at + length <= 0 or piece[0] >= self.start["boot-a"]:
            return False
        return (at, length) not in [(STATE_NOTE, NOTE_BYTES), *((c, SECTOR) for c in STATE_COPIES)]

    def judge(self, disk):
        """The version that would be booted, or None with the reason."""
        copies = [state_copy(disk.read(self.start["state"] + at, SECTOR)) for at in STATE_COPIES]
        state = newest(*copies)
        if not state:
            return None, "the boot state is lost"
        if not self.table(disk):
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


class Promise:
    """What a file of the data partition holds while the log grows from `begin` to `end` bytes: `holds`
    is asked with its text, or None where it is not there."""

    def __init__(self, name, begin, end, holds):
        self.name, self.begin, self.end, self.holds = name, begin, end, holds

    @staticmethod
    def whole_json(text):
        """Nobody reads half: it is not there, or an object."""
        return text is None or isinstance(json.loads(text), (dict, list))

    def fault(self, image, at):
        if not self.begin <= at <= self.end:
            return ""
        done = subprocess.run(["debugfs", "-R", f"cat {self.name}", image], capture_output=True,
                              text=True, errors="replace", check=False)
        text = None if "not found" in done.stderr else done.stdout
        try:
            return "" if self.holds(text) else f"{self.name} holds {text!r}"
        except ValueError:
            return f"{self.name} is half a file: {text!r}"


def data_fault(path, promises, at):
    """What a check of a data partition cannot mend, or which promise it breaks; empty: nothing."""
    done = subprocess.run(["e2fsck", "-fy", path], capture_output=True, text=True, check=False)
    if done.returncode > 1:  # e2fsck(8): 1 is mended
        return f"e2fsck ended with {done.returncode}: {done.stdout}{done.stderr}"
    return "; ".join(filter(None, (promise.fault(path, at) for promise in promises)))


def sweep(replay, judge, boots, checks, promises, rng):
    """Judges, for each moment, the disk with everything on it and some with a part of what was not
    flushed. At the moments `checks` the data partition is looked at, too, at the moments `boots` the
    disk is kept to be booted. Returns the counts, the faults, the versions seen and those disks."""
    result = {"moments": 0, "disks": 0, "faults": [], "versions": set(), "boot": {}, "checked": 0}
    calm = None  # the number of deciding writes at the last moment that was judged good

    def look(above, step):
        result["disks"] += 1
        version, why = judge.judge(Disk(replay.file, above, replay.number))
        result["versions"].add(version)
        if not version:
            result["faults"].append(f"after write {step}: {why}")
        return version

    def look_at_data(step):
        disk, path = Disk(replay.file, replay.some(rng)), replay.path.with_name("data.img")
        result["checked"] += 1
        if judge.will_be_formatted(disk):
            return
        disk.save(path, judge.start["data"])
        fault = data_fault(path, promises, replay.ends[step - 1])
        path.unlink()
        result["faults"] += [f"after write {step}: {fault}"] * bool(fault)

    deciding = 0
    for step in replay.steps():
        result["moments"] += 1
        low = [piece for piece in replay.pending if judge.decides(piece)]
        deciding += judge.decides(replay.newest)
        if judge.stray(replay.newest):
            result["faults"].append(f"write {step} strays into the state partition")
        if deciding != calm:
            calm = deciding if look(low, step) else None
        else:
            result["disks"] += 1  # the same disk, but for the data partition
        for _ in range(RANDOM_DISKS if low else 0):
            look([piece for piece in replay.some(rng) if judge.decides(piece)], step)
        if step in checks:
            look_at_data(step)
        if step in boots:
            path = replay.path.with_name(f"cut-{step}.img")
            Disk(replay.file, replay.some(rng)).save(path)
            result["boot"][step] = path
    return result
