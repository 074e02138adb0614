"""Stand-ins of the providers' metadata services: one HTTP server that answers as the named provider's
reference says, including what it demands of a question. What was asked is kept in `asked`."""
import base64
import http.server
import json
import threading
import time

GOAL = """<?xml version="1.0" encoding="utf-8"?>
<GoalState xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Version>2012-11-30</Version>
<Incarnation>1</Incarnation><Machine><ExpectedState>Started</ExpectedState></Machine><Container>
<ContainerId>c6d5526c-5ac2-4200-b6e2-56f2b70c5ab2</ContainerId><RoleInstanceList><RoleInstance>
<InstanceId>MachineRole_IN_0</InstanceId><State>Started</State></RoleInstance></RoleInstanceList>
</Container></GoalState>"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def answer(self, status, body=b"", **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        cloud = self.server.cloud
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        cloud.asked.append((self.command, self.path, dict(self.headers), body))
        if cloud.no_put and self.command == "PUT":  # its answer's hop limit
            self.close_connection = True
            return
        if cloud.mute:
            cloud.mute -= 1
            time.sleep(cloud.mute_seconds)
            self.close_connection = True
            return
        if cloud.busy:
            cloud.busy -= 1
            self.answer(503)
            return
        status, *rest = PROVIDERS[cloud.name](cloud, self.command, self.path, self.headers, body)
        self.answer(status, *rest[:1], **(rest[1] if len(rest) > 1 else {}))

    do_GET = do_PUT = do_POST = handle_one


class Cloud:
    """`texts`: path -> text. `busy`: so many questions are answered with 503; `mute`: with nothing, after
    mute_seconds; `no_put`: so is each PUT."""

    def __init__(self, name="none"):
        self.name, self.texts, self.asked = name, {}, []
        self.busy = self.mute = self.mute_seconds = 0
        self.no_put = False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.cloud = self
        self.server.handle_error = lambda *unused: None
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def become(self, name, **texts):
        self.name, self.texts, self.asked = name, texts, []
        self.busy = self.mute = 0
        self.no_put = False

    def paths(self):
        return [path for _, path, _, _ in self.asked]

    def close(self):
        self.server.shutdown()


def none(*unused):
    return 404, "not here"


def plain(cloud, method, path, headers, body):
    """A seed's web server."""
    text = cloud.texts.get(path.strip("/").replace("-", "_"))
    return (200, text) if text is not None and method == "GET" else (404, "no such file")


def ec2_paths(cloud):
    texts = {
        "/latest/meta-data/instance-id": "i-1234567890abcdef0",
        "/latest/meta-data/local-hostname": "ip-172-31-0-7.eu-west-1.compute.internal",
        "/latest/meta-data/public-keys/": "0=my-key",
        "/latest/meta-data/public-keys/0/": "openssh-key",
        "/latest/meta-data/public-keys/0/openssh-key": cloud.texts["key"] + "\n",
    }
    if "user_data" in cloud.texts:
        texts["/latest/user-data"] = cloud.texts["user_data"]
    return texts


def ec2(cloud, method, path, headers, body):
    """IMDSv2: without a token 401."""
    if path == "/latest/api/token":
        if method != "PUT":
            return 405, ""
        if not 1 <= int(headers.get("X-aws-ec2-metadata-token-ttl-seconds") or 0) <= 21600:
            return 400, ""
        return 200, "AQAEA-token==", {"X_aws_ec2_metadata_token_ttl_seconds": "600"}
    if headers.get("X-aws-ec2-metadata-token") != "AQAEA-token==":
        return 401, "Unauthorized"
    found = ec2_paths(cloud).get(path)
    return (404, "Not Found") if found is None else (200, found)


def ec2_version_1(cloud, method, path, headers, body):
    found = ec2_paths(cloud).get(path) if method == "GET" else None
    return (404, "Not Found") if found is None else (200, found)


def openstack(cloud, method, path, headers, body):
    texts = {
        "meta_data.json": json.dumps({
            "uuid": "83679162-1378-4288-a2d4-70e13ec132aa", "hostname": "stack.novalocal",
            "name": "stack", "public_keys": {"mykey": cloud.texts["key"] + "\n"},
            "launch_index": 0, "availability_zone": "nova"}),
        "network_data.json": json.dumps({
            "links": [{"id": "tap1", "type": "ovs", "mtu": 1442,
                       "ethernet_mac_address": cloud.texts["mac"]}],
            "networks": [{"id": "network0", "type": "ipv4_dhcp", "link": "tap1",
                          "network_id": "da5bb487-5193-4a65-a3df-4a0055a8c0d7"}],
            "services": []}),
        "user_data": cloud.texts["user_data"],
        "vendor_data.json": json.dumps({"cloud-init": "#cloud-config\nhostname: vendor\n"
                                        "write_files: [{path: /etc/vendor, content: v}]\n"}),
    }
    name = path.removeprefix("/openstack/latest/")
    return (200, texts[name]) if name in texts else (404, "")


def gcp(cloud, method, path, headers, body):
    flavor = {"Metadata_Flavor": "Google"}
    if headers.get("Metadata-Flavor") != "Google":
        return 403, "Missing Metadata-Flavor:Google header.", flavor
    if path == "/computeMetadata/v1/instance/?recursive=true":
        return 200, json.dumps({
            "id": 4520031799277581759, "hostname": "goo.c.project.internal", "attributes": {
                "ssh-keys": "someone:" + cloud.texts["key"], "user-data": cloud.texts["user_data"]},
        }), flavor
    if path == "/computeMetadata/v1/project/attributes/?recursive=true":
        return 200, "{}", flavor
    return 404, "", flavor


def azure(cloud, method, path, headers, body):
    if path.startswith("/metadata/instance?"):
        if headers.get("Metadata") != "true":
            return 400, json.dumps({"error": "Bad request. Required metadata header not specified"})
        return 200, json.dumps({"compute": {
            "name": "azu", "vmId": "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
            "osProfile": {"adminUsername": "azureuser", "computerName": "azu"},
            "publicKeys": [{"keyData": cloud.texts["key"], "path": "/home/azureuser/.ssh/authorized_keys"}],
            "userData": base64.b64encode(cloud.texts["user_data"].encode()).decode()}})
    if headers.get("x-ms-version") and path == "/machine?comp=goalstate":
        return 200, GOAL
    if headers.get("x-ms-version") and path == "/machine?comp=health" and method == "POST":
        return 200, ""
    return 404, ""


def digitalocean(cloud, method, path, headers, body):
    if path != "/metadata/v1.json":
        return 404, ""
    return 200, json.dumps({
        "droplet_id": 2756294, "hostname": "droplet", "user_data": cloud.texts["user_data"],
        "vendor_data": "#cloud-config\ndisable_root: false\nmanage_etc_hosts: true\n",
        "public_keys": [cloud.texts["key"]], "region": "nyc3", "features": {"dhcp_enabled": True},
        "interfaces": {"public": [], "private": []}, "dns": {"nameservers": ["8.8.8.8"]}})


def hetzner(cloud, method, path, headers, body):
    texts = {
        "/hetzner/v1/metadata": "availability-zone: fsn1-dc14\nhostname: hetz\ninstance-id: 61286\n"
        "network-config:\n  config:\n  - name: eth0\n    subnets:\n    - ipv4: true\n      type: dhcp\n"
        f"    type: physical\n    mac_address: {cloud.texts['mac']}\n  version: 1\n"
        f"public-keys:\n- {cloud.texts['key']}\nregion: eu-central\nvendor_data: |\n  #cloud-config\n",
        "/hetzner/v1/userdata": base64.b64encode(cloud.texts["user_data"].encode()).decode(),
    }
    return (200, texts[path]) if path in texts else (404, "not found")


def vultr(cloud, method, path, headers, body):
    texts = {
        "/v1.json": json.dumps({
            "hostname": "vul", "instanceid": "a747bfz6385e", "region": {"regioncode": "EWR"},
            "instance-v2-id": "36e9cf60-5d93-4e31-8ebf-613b3d2874fb",
            "public-keys": [cloud.texts["key"]]}),
        "/latest/user-data": cloud.texts["user_data"],
    }
    return (200, texts[path]) if path in texts else (404, "")


PROVIDERS = {name: globals()[name] for name in (
    "none", "plain", "ec2", "ec2_version_1", "openstack", "gcp", "azure", "digitalocean", "hetzner",
    "vultr")}
