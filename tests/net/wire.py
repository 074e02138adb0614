"""The other end of a machine's cable: QEMU's socket network carries frames in UDP datagrams, and this
answers them: ARP for one address, and DHCP as long as it is told to."""
import ipaddress
import socket
import struct
import threading

from net.servers import dhcp_answer, dhcp_options

MAC = bytes.fromhex("525400be02ff")
IPV4, ARP, UDP = 0x0800, 0x0806, 17


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


class Wire:
    """`address` is the server's own; serve() begins to answer DHCP, silence() ends it. As a context
    manager it has its UDP ports: `here` for QEMU to send to, `there` for QEMU to listen on."""

    def __init__(self, address, here, there):
        self.address, self.here, self.there = address, here, there
        self.given, self.options = None, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", here))
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.socket.sendto(b"", ("127.0.0.1", self.here))
        self.thread.join()
        self.socket.close()

    def serve(self, given, seconds, *options):
        self.options = dhcp_options(self.address, options, seconds)
        self.given = given

    def silence(self):
        self.given = None

    def send(self, to, kind, payload):
        frame = to + MAC + struct.pack("!H", kind) + payload
        self.socket.sendto(frame.ljust(60, b"\0"), ("127.0.0.1", self.there))

    def run(self):
        while True:
            frame = self.socket.recv(65536)
            if not frame:  # __exit__ says so
                return
            sender, kind = frame[6:12], struct.unpack("!H", frame[12:14])[0]
            if kind == ARP:
                self.answer_arp(sender, frame[14:42])
            elif kind == IPV4 and frame[23] == UDP and frame[36:38] == struct.pack("!H", 67):
                self.answer_dhcp(frame[42:])

    def answer_arp(self, sender, question):
        own = ipaddress.ip_address(self.address).packed
        if question[6:8] == b"\0\1" and question[24:28] == own:
            self.send(sender, ARP, question[:6] + b"\0\2" + MAC + own + question[8:18])

    def answer_dhcp(self, request):
        given = self.given
        said = dhcp_answer(request, self.address, given, self.options) if given else None
        if not said:
            return
        udp = struct.pack("!HHHH", 67, 68, 8 + len(said), 0)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(said), 0, 0, 64, UDP, 0,
                           ipaddress.ip_address(self.address).packed, b"\xff" * 4)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self.send(b"\xff" * 6, IPV4, head + udp + said)
