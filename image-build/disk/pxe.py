"""The network boot: the disk image as one initramfs (init/netboot), its kernel, an iPXE script.

The initramfs holds the disk in pieces: files named by their place on it, in hexadecimal, nothing
for what is zeros. A piece is at most 1 MiB: putting them together takes no more memory than that.
"""
import shutil

MIB, BLOCK = 1 << 20, 4096
DIRECTORY, FILE, DEVICE = 0o040755, 0o100644, 0o020600
CONSOLE = (5, 1)


class Cpio:
    """The format that the kernel unpacks: "newc" (Documentation/driver-api/early-userspace)."""

    def __init__(self, out, epoch):
        self.out, self.epoch, self.inode = out, int(epoch), 0

    def pad(self, length):
        self.out.write(bytes(-length % 4))

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        links = 2 if mode == DIRECTORY else 1
        fields = (self.inode, mode, 0, 0, links, self.epoch, len(data), 0, 0, *device,
                  len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        self.out.write(head)
        self.pad(len(head))
        self.out.write(data)
        self.pad(len(data))

    def end(self):
        self.add("TRAILER!!!", 0)


def pieces(image):
    """(offset, bytes) of all that is not zeros, in whole blocks."""
    offset, start, found = 0, 0, []
    with open(image, "rb") as disk:
        while chunk := disk.read(MIB):
            for at in range(0, len(chunk), BLOCK):
                block = chunk[at:at + BLOCK]
                if block.strip(b"\0"):
                    start = start if found else offset + at
                    found.append(block)
                elif found:
                    yield start, b"".join(found)
                    found = []
            if found:
                yield start, b"".join(found)
                found = []
            offset += len(chunk)


def write_initramfs(path, image, init, table, epoch):
    with open(path, "wb") as out:
        cpio = Cpio(out, epoch)
        for folder in ("dev", "disk"):
            cpio.add(folder, DIRECTORY)
        cpio.add("dev/console", DEVICE, device=CONSOLE)
        cpio.add("init", 0o100755, init.read_bytes())
        cpio.add("table", FILE, table.encode())
        for offset, data in pieces(image):
            cpio.add(f"disk/{offset:x}", FILE, data)
        cpio.end()


SCRIPT = """#!ipxe
# Berth in memory, from wherever this script came from; `berth install /dev/DISK` makes it stay.
# A configuration: add berth.config=BASE64-OF-IT to the kernel's line.
kernel vmlinuz initrd=berth.cpio {arguments}
initrd berth.cpio
boot
"""


def write(folder, image, kernel, init, verity, arguments, epoch):
    """`verity`: the root's tree, as in verity.json; the root is the disk's fifth partition."""
    folder.mkdir(parents=True, exist_ok=True)
    table = (f"{verity['data_sectors']} 1 /dev/loop0p5 /dev/loop0p5 4096 4096 "
             f"{verity['data_blocks']} {verity['hash_start_block']} sha256 {verity['root_hash']} "
             f"{verity['salt']} 1 restart_on_corruption")
    shutil.copyfile(kernel, folder / "vmlinuz")
    write_initramfs(folder / "berth.cpio", image, init, table, epoch)
    (folder / "berth.ipxe").write_text(SCRIPT.format(arguments=arguments))
