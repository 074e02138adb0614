"""What `make image` leaves in out/, looked at as files. No machine is booted."""
import json
import re
import subprocess

BUDGET_BYTES = 16 << 20  # DESIGN.md, 7: a whole bundle, every driver and the demo in it
PARTITIONS = ["bios", "esp", "state", "boot-a", "root-a", "boot-b", "root-b", "data"]
OWNERS_PACKAGES = {"musl", "busybox", "libseccomp", "libcap2", "e2fsprogs", "dropbear", "linux",
                   "grub2"}


def test_the_disk_has_both_slots_already(out):
    table = json.loads(subprocess.run(["sfdisk", "--json", str(out / "berth.img")], check=True,
                                      capture_output=True, text=True).stdout)["partitiontable"]
    parts = {p["name"]: p for p in table["partitions"]}
    assert table["label"] == "gpt"
    assert list(parts) == PARTITIONS
    for kind in ("boot", "root"):
        assert parts[f"{kind}-a"]["size"] == parts[f"{kind}-b"]["size"]
    assert len({p["uuid"] for p in parts.values()}) == len(PARTITIONS)


def test_the_qcow2_holds_the_same_disk(out):
    subprocess.run(["qemu-img", "compare", "-q", str(out / "berth.img"), str(out / "berth.qcow2")],
                   check=True)


def test_kernel_and_root_are_within_the_budget(out):
    total = sum((out / "direct" / name).stat().st_size for name in ("bzImage", "root.erofs"))
    assert total <= BUDGET_BYTES


def test_nothing_in_the_root_is_setuid_or_writable_for_all(out):
    lines = (out / "root.manifest").read_text().splitlines()
    assert any(line.endswith("/usr/bin/init") for line in lines)
    for line in lines:
        mode, _, path = re.match(r"(\d+) +(\d+) (/\S*)", line).groups()
        assert not int(mode, 8) & 0o6000, line
        assert not int(mode, 8) & 0o002 or path == "/tmp", line


def test_the_bill_of_materials_says_what_is_inside(out):
    document = json.loads((out / "sbom.spdx.json").read_text())
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {p["name"]: p for p in document["packages"]}
    assert OWNERS_PACKAGES <= set(packages)
    for name in set(packages) - {"berth"}:
        package = packages[name]
        assert package["versionInfo"] and package["licenseDeclared"] not in ("", "NOASSERTION")
        assert re.fullmatch(r"[0-9a-f]{64}", package["checksums"][0]["checksumValue"])
    assert f"{(out / 'sbom.spdx.json').stat().st_size} /usr/share/berth/sbom.spdx.json" in (
        out / "root.manifest").read_text()


def test_the_same_input_gives_the_same_bytes(out):
    """Made once more, in another folder, as of the commit that the first one was made from."""
    release, epoch = (out / "release").read_text().split()
    subprocess.run(["make", "--no-print-directory", "-C", str(out.parent), "image_out=out/again",
                    f"BERTH_RELEASE={release}", f"SOURCE_DATE_EPOCH={epoch}",
                    "out/again/berth.img"], check=True, capture_output=True)
    subprocess.run(["cmp", str(out / "berth.img"), str(out / "again/berth.img")], check=True)
