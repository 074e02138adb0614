"""What answers on the wire: DHCP (RFC 2131), DHCPv6 (RFC 8415), a router's advertisements (RFC 4861).
Just enough of each, and with whatever a test wants to be said.

usage: servers.py dhcp LINK SERVER-ADDRESS CLIENT-ADDRESS [OPTION=HEX...]
       servers.py dhcp6 LINK CLIENT-ADDRESS|- NAME-SERVER [OPTION=HEX...]
       servers.py router LINK PREFIX FLAGS [OPTION=HEX...]"""
import ipaddress
import socket
import struct
import sys

MAGIC = b"\x63\x82\x53\x63"
MASK, ROUTER, DNS, TIME, KIND, SERVER = 1, 3, 6, 51, 53, 54
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6


def listen(family, port, link):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
    s.bind(("", port))
    return s


def read_options(data):
    found, at = {}, 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        size = data[at + 1]
        found[data[at]] = data[at + 2:at + 2 + size]
        at += 2 + size
    return found


def dhcp_options(own, extra, seconds=3600):
    """extra: OPTION=HEX, as on the command line."""
    ip = lambda text: ipaddress.ip_address(text).packed
    options = {MASK: ip("255.255.255.0"), TIME: struct.pack("!I", seconds), SERVER: ip(own)}
    for text in extra:
        number, value = text.split("=")
        options[int(number)] = bytes.fromhex(value)
    return options


def dhcp_answer(request, own, given, options):
    """What the server says to a request; None: nothing."""
    ip = lambda text: ipaddress.ip_address(text).packed
    asked = read_options(request[240:])
    kind = asked.get(KIND, b"\0")[0]
    if kind not in (DISCOVER, REQUEST):
        return None
    wanted = asked.get(50, request[12:16])
    good = kind == DISCOVER or wanted == ip(given)
    answer = OFFER if kind == DISCOVER else ACK if good else NAK
    head = struct.pack("!BBBB4sHH4s4s4s4s16s64s128s", 2, 1, 6, 0, request[4:8], 0, 0x8000, bytes(4),
                       ip(given), ip(own), bytes(4), request[28:44], bytes(64), bytes(128))
    said = {KIND: bytes([answer]), **(options if good else {SERVER: ip(own)})}
    tail = b"".join(bytes([n, len(v)]) + v for n, v in said.items())
    return head + MAGIC + tail + b"\xff"


def dhcp(link, own, given, *extra):
    options = dhcp_options(own, extra)
    s = listen(socket.AF_INET, 67, link)
    print("ready", flush=True)
    while True:
        request, _ = s.recvfrom(2048)
        answer = dhcp_answer(request, own, given, options)
        has_address = any(request[12:16])  # ciaddr: it renews, and hears nothing else
        to = socket.inet_ntoa(request[12:16]) if has_address else "255.255.255.255"
        if answer:
            s.sendto(answer, (to, 68))


def dhcp6(link, given, name_server, *extra):
    more = b"".join(struct.pack("!HH", int(n), len(v) // 2) + bytes.fromhex(v)
                    for n, v in (text.split("=") for text in extra))
    s = listen(socket.AF_INET6, 547, link)
    index = socket.if_nametoindex(link)
    group = ipaddress.ip_address("ff02::1:2").packed
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("@I", index))
    option = lambda code, value: struct.pack("!HH", code, len(value)) + value
    print("ready", flush=True)
    while True:
        request, sender = s.recvfrom(2048)
        asked, at = {}, 4
        while at + 4 <= len(request):
            code, size = struct.unpack("!HH", request[at:at + 4])
            asked[code] = request[at + 4:at + 4 + size]
            at += 4 + size
        kind = 2 if request[0] == 1 else 7  # solicit: advertise; anything else: reply
        body = option(1, asked.get(1, b"")) + option(2, b"\0\3\0\1\2\0\0\0\0\1")
        if given != "-" and 3 in asked:
            address = option(5, ipaddress.ip_address(given).packed + struct.pack("!II", 3600, 7200))
            body += option(3, asked[3][:4] + struct.pack("!II", 1800, 2700) + address)
        body += option(23, ipaddress.ip_address(name_server).packed) + more
        s.sendto(bytes([kind]) + request[1:4] + body, sender)


def router_option(text):
    """NUMBER=HEX; zeros fill the last eight bytes."""
    number, value = text.split("=")
    body = bytes.fromhex(value)
    units = (len(body) + 2 + 7) // 8
    return (bytes([int(number), units]) + body).ljust(units * 8, b"\0")


def router(link, prefix, flags, *extra):
    """flags: hexadecimal; 80 is "managed", 40 "other"."""
    import time
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    network = ipaddress.ip_network(prefix)
    information = struct.pack("!BBBBIII16s", 3, 4, network.prefixlen, 0xc0, 7200, 3600, 0,
                              network.network_address.packed)
    packet = struct.pack("!BBHBBHII", 134, 0, 0, 64, int(flags, 16), 1800, 0, 0) + information
    packet += b"".join(map(router_option, extra))
    print("ready", flush=True)
    while True:
        try:
            s.sendto(packet, ("ff02::1", 0, 0, socket.if_nametoindex(link)))
        except OSError:
            pass  # the link-local address is not there yet
        time.sleep(0.5)


if __name__ == "__main__":
    {"dhcp": dhcp, "dhcp6": dhcp6, "router": router}[sys.argv[1]](*sys.argv[2:])
