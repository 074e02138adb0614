"""Bundles for the tests: the later version that `make test-update` made, and versions of it with
something wrong in them. Each is signed with the build's own development key."""
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
KEYS = Path(os.environ.get("BERTH_CACHE") or Path.home() / ".cache/berth") / "keys"
LATER = "0.1.0.1+test"


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
        shutil.copy(self.later / "boot.ext2", boot)
        text = run("debugfs", "-R", "cat /slot.cfg", boot)
        text = text.replace('kernel_arguments="', f'kernel_arguments="{arguments} ')
        old = json.loads((self.later / "verity.json").read_text())
        for key in ("data_sectors", "data_blocks", "root_hash"):
            text = text.replace(str(old[key]), str(verity[key]))
        config.write_text(text)
        run("debugfs", "-w", "-f", "-", boot, input=f"rm /slot.cfg\nwrite {config} slot.cfg\n")
        return boot

    def _root(self, name, programs):
        """The root with other programs in place of ours, by the very command of the build."""
        out = self.folder / f"{name}.root"
        said = run("make", "-n", "-W", "image-build/root/assemble", "image_out=out/update",
                   f"BERTH_RELEASE={LATER}", "compress=lz4", "out/update/root.erofs", cwd=TOP,
                   env={k: v for k, v in os.environ.items() if "MAKE" not in k})
        lines = said.replace("\\\n", " ").splitlines()
        command = next(line for line in lines if line.startswith("image-build/root/assemble"))
        more = "".join(f" --program {path}={shlex.quote(str(file))}"
                       for path, file in programs.items())
        run("sh", "-c", command.replace("--out out/update", f"--out {out}") + more, cwd=TOP)
        return out

    def make(self, name, version=LATER, arguments="", programs=None, root_hash=None, serial=1):
        out = self.folder / f"{name}.bundle"
        root = self._root(name, programs) if programs else self.later
        verity = json.loads((root / "verity.json").read_text())
        boot = self._boot(name, arguments, dict(verity, root_hash=root_hash or verity["root_hash"]))
        run(TOP / "image-build/bundle/make-bundle", "--boot", boot, "--root", root / "root.erofs",
            "--verity", root / "verity.json", "--version", version, "--keys", KEYS, "--level", 1,
            "--channel", name, "--serial", serial, "--out", out)
        return out
