"""The resolver of containers (runtime/dns) alone: this is its engine, its containers, and the resolvers
outside. It serves on sockets of this machine's loopback; the resolvers have port 53 of 127.0.53.x."""
import os
import random
import socket
import struct
import subprocess
import threading
import time

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: resolvers have port 53")

SECONDS = 30
A, PTR, AAAA, HTTPS = 1, 12, 28, 65
NAMES = """\
upstream 127.0.53.1
network n1 blue
name web 10.99.0.2
name db 10.99.0.3
name db 10.99.0.4
network n2 red
name web 10.98.0.2
name solo 10.98.0.9
container c1 forward
on n1
link mysql 10.99.0.77
container c2 shut
on n2
container c3 forward
server 127.0.53.2
server 127.0.53.3
server 127.0.53.1
on n1
on n2
"""


def question(name, kind=A, number=None, more=b"", count=1):
    number = random.randrange(65536) if number is None else number
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    return struct.pack("!6H", number, 0x0100, count, 0, 0, 1 if more else 0) + labels + \
        struct.pack("!2H", kind, 1) + more


class Answer:
    def __init__(self, query, bytes_):
        self.number, self.flags, asked, count = struct.unpack("!4H", bytes_[:8])
        assert self.number == struct.unpack("!H", query[:2])[0] and self.flags & 0x8000
        self.code, self.cut, self.size = self.flags & 15, bool(self.flags & 0x0200), len(bytes_)
        at = query.index(b"\0", 12) + 5 if asked else 12
        self.ips, self.names = [], []
        for _ in range(count):
            kind, _, _, size = struct.unpack("!2HLH", bytes_[at + 2:at + 12])
            data = bytes_[at + 12:at + 12 + size]
            if kind == A:
                self.ips.append(socket.inet_ntoa(data))
            elif kind == PTR:
                self.names.append(name_of(data))
            at += 12 + size


def name_of(data):
    parts = []
    while data[0]:
        parts.append(data[1:data[0] + 1].decode())
        data = data[data[0] + 1:]
    return ".".join(parts)


def records(query, count, code=0):
    """An answer of this many addresses, as a server makes it."""
    end = query.index(b"\0", 12) + 5
    return struct.pack("!6H", *struct.unpack("!H", query[:2]), 0x8180 | code, 1, count, 0, 0) + \
        query[12:end] + b"".join(struct.pack("!3HLH", 0xc00c, A, 1, 60, 4) + bytes([192, 0, i >> 8, i & 255])
                                 for i in range(count))


class Outside:
    """A resolver with both of its sockets: `answer(query, tcp)` returns bytes, or None for silence."""

    def __init__(self, address, answer):
        self.seen, self.answer = [], answer
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for s in (self.udp, self.tcp):
            s.bind((address, 53))
        self.tcp.listen()
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def serve_udp(self):
        while True:
            try:
                query, client = self.udp.recvfrom(65535)
            except OSError:
                return
            self.seen.append((client[1], query[:2], query[12:]))
            answer = self.answer(query, False)
            if answer:
                self.udp.sendto(b"not an answer", client)
                self.udp.sendto(bytes([query[0] ^ 255]) + answer[1:], client) # somebody else's id
                self.udp.sendto(answer, client)

    def serve_tcp(self):
        while True:
            try:
                one, _ = self.tcp.accept()
            except OSError:
                return
            size, = struct.unpack("!H", one.recv(2, socket.MSG_WAITALL))
            answer = self.answer(one.recv(size, socket.MSG_WAITALL), True)
            one.sendall(struct.pack("!H", len(answer)) + answer)
            one.close()

    def close(self):
        for s in (self.udp, self.tcp):
            s.shutdown(socket.SHUT_RDWR) if s is self.tcp else None
            s.close()


class Resolver:
    def __init__(self, program):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        self.process = subprocess.Popen([program], close_fds=False,
                                        preexec_fn=lambda: os.dup2(theirs.fileno(), 3))
        theirs.close()
        self.at = {}
        for name in ("c1", "c2", "c3"):
            udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
            for s in (udp, tcp):
                s.bind(("127.0.0.1", 0))
                s.setblocking(False)
            tcp.listen()
            self.at[name] = udp.getsockname(), tcp.getsockname()
            socket.send_fds(ours, [b"S" + name.encode()], [udp.fileno(), tcp.fileno()])
            udp.close()
            tcp.close()
        self.tell(NAMES)

    def tell(self, text):
        fd = os.memfd_create("names")
        os.write(fd, text.encode())
        socket.send_fds(self.control, [b"T"], [fd])
        os.close(fd)

    def raw(self, container, query, seconds=SECONDS):
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            s.connect(self.at[container][0])
            s.send(query)
            return s.recv(65535)

    def ask(self, container, name, kind=A, **more):
        query = question(name, kind, **more)
        return Answer(query, self.raw(container, query))

    def ask_tcp(self, container, *queries):
        with socket.create_connection(self.at[container][1], SECONDS) as s:
            s.sendall(b"".join(struct.pack("!H", len(q)) + q for q in queries))
            answers = []
            for query in queries:
                size, = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))
                answers.append(Answer(query, s.recv(size, socket.MSG_WAITALL)))
            return answers

    def close(self):
        self.control.close()
        assert self.process.wait(SECONDS) == 0, "it ends with its engine"


def usual(query, tcp):
    if b"nowhere" in query:
        return records(query, 0, 3)
    if b"large" in query and not tcp:
        return query[:2] + b"\x83\x80" + query[4:]
    return records(query, 3000 if b"large" in query else 1)


@pytest.fixture(scope="module")
def resolver(out):
    outside = [Outside("127.0.53.1", usual), Outside("127.0.53.2", lambda query, tcp: None),
               Outside("127.0.53.3", lambda query, tcp: records(query, 0, 2))]
    made = Resolver(out / "target/bin/dns")
    made.outside = outside
    yield made
    made.close()
    for one in outside:
        one.close()


def test_names_are_those_of_the_containers_networks(resolver):
    for container, name, ips in [
            ("c1", "web", ["10.99.0.2"]), ("c1", "WEB", ["10.99.0.2"]), ("c2", "web", ["10.98.0.2"]),
            ("c1", "web.blue", ["10.99.0.2"]), ("c1", "mysql", ["10.99.0.77"]),
            ("c3", "solo", ["10.98.0.9"]), ("c3", "web.red", ["10.98.0.2"])]:
        found = resolver.ask(container, name)
        assert (found.code, found.ips) == (0, ips), (container, name)
    assert resolver.ask("c1", "web", AAAA).__dict__.items() >= {"code": 0, "ips": []}.items()
    assert resolver.ask("c1", "web", HTTPS).code == 0, "a name of ours is not asked outside"
    assert resolver.ask("c1", "2.0.99.10.in-addr.arpa", PTR).names == ["web.blue"]
    turns = {tuple(resolver.ask("c1", "db").ips) for _ in range(8)}
    assert turns == {("10.99.0.3", "10.99.0.4"), ("10.99.0.4", "10.99.0.3")}


def test_what_is_not_known_is_asked_outside(resolver):
    assert resolver.ask("c1", "example.org").ips == ["192.0.0.0"]
    assert resolver.ask("c1", "nowhere.example").code == 3, "NXDOMAIN is passed on, not SERVFAIL"
    assert resolver.ask("c1", "solo").ips == ["192.0.0.0"], "another network's names are not known"
    before = len(resolver.outside[0].seen)
    assert resolver.ask("c2", "example.org").code == 2, "who is shut in asks nobody"
    assert len(resolver.outside[0].seen) == before
    # Its own come first: a silent one, one that refuses, then one that answers.
    start = time.monotonic()
    assert resolver.ask("c3", "example.org").ips == ["192.0.0.0"]
    assert 1.5 < time.monotonic() - start < SECONDS and resolver.outside[1].seen
    for _ in range(5):
        resolver.ask("c1", "example.org")
    ports, numbers = zip(*((port, number) for port, number, _ in resolver.outside[0].seen[-5:]))
    assert len(set(ports)) > 1 and len(set(numbers)) > 1, "nobody can guess what to answer"


def test_large_answers_come_over_tcp(resolver):
    assert resolver.ask("c1", "large.example").cut
    large, = resolver.ask_tcp("c1", question("large.example"))
    assert len(large.ips) == 3000 and large.size > 48000
    # Several questions on one connection, answered in their order.
    answers = resolver.ask_tcp("c1", question("web"), question("example.org"), question("db"))
    assert [sorted(x.ips) for x in answers] == [["10.99.0.2"], ["192.0.0.0"],
                                                ["10.99.0.3", "10.99.0.4"]]
    many = "".join(f"name many 10.97.0.{i}\n" for i in range(1, 201))
    resolver.tell(NAMES.replace("network n2 red\n", many + "network n2 red\n"))
    assert resolver.ask("c1", "many").cut
    wide = resolver.ask("c1", "many", more=struct.pack("!BHHLH", 0, 41, 4096, 0, 0))
    assert len(wide.ips) == 200 and not wide.cut
    assert len(resolver.ask_tcp("c1", question("many"))[0].ips) == 200
    resolver.tell(NAMES)


@pytest.mark.parametrize("query, code", [
    (question("web", number=7, count=2), 1), (question("web", number=7)[:-3], 1),
    (question("web", number=7)[:2] + b"\x28\x00" + question("web")[4:], 4),
    (b"\0\7\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", 1), (b"\0\7\1\0\0\1\0\0\0\0\0\0\x3f" + b"a" * 20, 1)])
def test_nonsense_is_refused_and_harms_nobody(resolver, query, code):
    answer = resolver.raw("c1", query)
    assert answer[3] & 15 == code and answer[:2] == b"\0\7"
    assert resolver.ask("c1", "web").ips == ["10.99.0.2"]


def test_one_container_cannot_use_up_what_others_need(resolver):
    """A flood of questions that nobody answers, and connections that say nothing."""
    silent = NAMES.replace("server 127.0.53.3\nserver 127.0.53.1\n", "")
    resolver.tell(silent)
    idle = [socket.create_connection(resolver.at["c3"][1], SECONDS) for _ in range(64)]
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.connect(resolver.at["c3"][0])
        for i in range(5000):
            s.send(question(f"x{i}.example"))
    assert resolver.ask("c1", "web").ips == ["10.99.0.2"]
    assert resolver.ask("c1", "example.org").ips == ["192.0.0.0"]
    assert len(os.listdir(f"/proc/{resolver.process.pid}/fd")) < 350
    for one in idle:
        one.close()
    resolver.tell(NAMES)


def test_it_is_jailed(resolver):
    status = dict(line.split(":\t", 1) for line in
                  open(f"/proc/{resolver.process.pid}/status").read().splitlines() if ":\t" in line)
    assert status["Seccomp"] == "2" and status["CapEff"].strip("0") == ""
    assert status["Uid"].split()[0] == "65534"
