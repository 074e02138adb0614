"""The same image under both firmwares and on each kind of disk, to the demo answering."""
import pytest

from machine import Machine


@pytest.mark.parametrize("disk", ["virtio", "ahci", "nvme"])
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_boots_to_the_demo(image, firmware, disk):
    with Machine(image, firmware=firmware, disk=disk, forward=[80]) as machine:
        page = machine.wait_http(80)
        assert "Berth" in page
