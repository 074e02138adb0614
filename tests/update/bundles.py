"""Bundles for the tests: the later version that `make test-update` made, and versions of it with
something wrong in them. Each is signed with the build's own development key."""
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
KEYS = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth") / "keys"
LATER = "0.1.0.1+test"
MAKE_DISK = runpy.run_path(str(TOP / "image-build/disk/make-disk"))


def run(*argv, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False,
                          **options)
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


class Bundles:
    """`folder` is scratch space, `later` what make test-update wrote."""

    def __init__(self, later, folder):
        self.later, self.folder = Path(later), Path(folder)
        assert (self.later / "boot.ext2").exists(), "run make test-update"

    def _boot(self, name, arguments, verity):
        """The boot image with more kernel arguments, or another hash tree's table."""
        boot, config = self.folder / f"{name}.boot", self.folder / f"{name}.cfg"
        if boot.exists():  # debugfs would write another time into it
            return boot
        shutil.copy(self.later / "boot.ext2", boot)
        text = MAKE_DISK["slot_config"](verity)
        text = re.sub(r'kernel_arguments="(.*)"', rf'kernel_arguments="\1 {arguments}"', text)
        config.write_text(text)
        run("debugfs", "-w", "-f", "-", boot, input=f"rm /slot.cfg\nwrite {config} slot.cfg\n")
        return boot

    def _root(self, name, programs, version):
        """The root with other programs in place of ours, by the very command of the build."""
        out = self.folder / f"{name}.root"
        out.mkdir()
        for path, text in programs.items():
            (out / Path(path).name).write_text(text)
        said = run("make", "-n", "-W", "image-build/root/assemble", "image_out=out/update",
                   f"BERTH_RELEASE={version}", "compress=lz4", "out/update/root.erofs", cwd=TOP,
                   env={k: v for k, v in os.environ.items() if "MAKE" not in k})
        lines = said.replace("\\\n", " ").splitlines()
        command = next(line for line in lines if line.startswith("image-build/root/assemble"))
        more = "".join(f" --program {path}={shlex.quote(str(out / Path(path).name))}"
                       for path in programs)
        run("sh", "-c", command.replace("--out out/update", f"--out {out}") + more, cwd=TOP)
        return out

    def _empty_root(self, name):
        """A file system with nothing in it, and its hash tree."""
        out = self.folder / f"{name}.root"
        (out / "nothing").mkdir(parents=True)
        image = out / "root.erofs"
        cache = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth")
        key = (TOP / "out/pkg/erofs-utils.key").read_text().strip()
        run(cache / "build" / key / "root/usr/bin/mkfs.erofs", image, out / "nothing")
        blocks = 256
        os.truncate(image, blocks * 4096)
        said = run("/usr/sbin/veritysetup", "format", "--no-superblock", "--salt=00", "--hash=sha256",
                   "--data-block-size=4096", "--hash-block-size=4096", f"--data-blocks={blocks}",
                   f"--hash-offset={blocks * 4096}", image, image)
        (out / "verity.json").write_text(json.dumps({
            "data_sectors": blocks * 8, "data_blocks": blocks, "hash_start_block": blocks,
            "root_hash": re.search(r"Root hash:\s*(\w+)", said)[1], "salt": "00"}))
        return out

    def make(self, name, version=LATER, arguments="", programs=None, root_hash=None, serial=1,
             empty=False, rollout_begin=None):
        out = self.folder / f"{name}.bundle"
        root = self.later
        if empty:
            root = self._empty_root(name)
        elif programs or version != LATER:
            root = self._root(name, programs or {}, version)
        verity = json.loads((root / "verity.json").read_text())
        boot = self._boot(name, arguments, dict(verity, root_hash=root_hash or verity["root_hash"]))
        run(TOP / "image-build/bundle/make-bundle", "--boot", boot, "--root", root / "root.erofs",
            "--verity", root / "verity.json", "--version", version, "--keys", KEYS, "--level", 1,
            "--channel", name, "--serial", serial, "--out", out,
            *(["--rollout", 1, "--rollout-begin", rollout_begin] if rollout_begin else []))
        return out
