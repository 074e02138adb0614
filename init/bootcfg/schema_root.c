/* The configuration's top level: what cloud-init's users know, with cloud-init's meaning. */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/base64.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- ssh_authorized_keys ---- */
static const struct type ssh_key = {
	.kind = TYPE_SCALAR, .name = "SSH public key", .read = read_text, .check = check_ssh_key,
	.expected = "a public key's line such as \"ssh-ed25519 AAAA... me@laptop\"",
};
static const struct type ssh_keys = {
	.kind = TYPE_LIST, .name = "list of SSH public keys", .item = &ssh_key, .single = true,
	.expected = "a list of public keys",
};

/* ---- write_files ---- */
static const char *const encodings[] = { "text/plain", "b64", "base64", NULL };

static const struct type encoding = {
	.kind = TYPE_SCALAR, .name = "encoding", .read = read_text, .words = encodings,
	.expected = "\"text/plain\", \"b64\" or \"base64\" (gzip is not supported yet)",
};
static const struct type content = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .expected = "a text",
	.secret = true,
};
static const struct type permissions = {
	.kind = TYPE_SCALAR, .name = "octal mode", .read = read_octal, .max = 07777,
	.expected = "octal permissions such as \"0644\"",
};
static const struct type owner = {
	.kind = TYPE_SCALAR, .name = "owner", .read = read_text, .check = check_owner,
	.expected = "USER or USER:GROUP such as \"root:root\"",
};
static const struct type file_path = {
	.kind = TYPE_SCALAR, .name = "path", .read = read_text, .check = check_absolute_path,
	.expected = "an absolute path",
};

static const struct key file_keys[] = {
	{ .name = "path", .type = &file_path, .required = true, .example = "/etc/app.conf",
	  .help = "The file; missing folders are made." },
	{ .name = "content", .type = &content, .normal = "an empty file", .example = "\"hello\\n\"",
	  .help = "What the file holds." },
	{ .name = "encoding", .type = &encoding, .normal = "text/plain", .example = "base64",
	  .help = "How the content is written here." },
	{ .name = "permissions", .type = &permissions, .normal = "0644", .example = "\"0600\"",
	  .help = "Its mode, octal." },
	{ .name = "owner", .type = &owner, .normal = "root:root", .example = "root:root",
	  .help = "User and group, by name or number." },
	{ .name = "append", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Add to what the image's file holds instead of replacing it." },
	{ .name = "defer", .refused = "not supported: files are written once, before the services "
				      "start; leave this key out" },
	{ .name = "source", .refused = "not supported yet: give the file's content in \"content\"" },
};

/* The content leaves as base64, whatever it came as: JSON holds no arbitrary bytes. */
static void finish_file(struct walk *w, const struct node *n, yyjson_mut_val *file)
{
	yyjson_mut_val *text = yyjson_mut_obj_get(file, "content");
	const char *how = yyjson_mut_get_str(yyjson_mut_obj_get(file, "encoding"));
	bool coded = how && strcmp(how, "text/plain") != 0;
	autobuf struct buf bytes = { 0 }, out = { 0 };
	size_t len = yyjson_mut_get_len(text);

	for (size_t i = 0; i < n->count && !coded; i++)
		coded = strcmp(n->pairs[i].key->text, "content") == 0 && n->pairs[i].value->binary;
	if (text)
		buf_add(&bytes, yyjson_mut_get_str(text), len);
	if (coded && bytes.len &&
	    base64_decode(bytes.data, bytes.len, (unsigned char *)bytes.data, bytes.len,
			  &bytes.len) < 0)
		walk_fault(w, FAULT_ERROR, n, "the content is no valid base64 text");
	base64_encode(bytes.data, bytes.len, &out);
	yyjson_mut_obj_remove_key(file, "content");
	yyjson_mut_obj_remove_key(file, "encoding");
	yyjson_mut_obj_add_strcpy(w->doc, file, "content_base64", buf_text(&out));
}

static const struct type file = {
	.kind = TYPE_OBJECT, .name = "file", .keys = file_keys, .key_count = ARRAY_LEN(file_keys),
	.expected = "a mapping with \"path\" and \"content\"", .atomic = true,
	.finish = finish_file,
};
static const struct type files = {
	.kind = TYPE_LIST, .name = "list of files", .item = &file,
	.expected = "a list of files, each with \"path\" and \"content\"",
};

/* ---- ntp ---- */
static const struct type ntp_host = {
	.kind = TYPE_SCALAR, .name = "host", .read = read_text, .check = check_host_or_address,
	.expected = "a host name or an IP address",
};
static const struct type ntp_hosts = {
	.kind = TYPE_LIST, .name = "list of hosts", .item = &ntp_host, .count_max = 16,
	.expected = "a list of host names or IP addresses", .single = true,
};
static const struct key ntp_keys[] = {
	{ .name = "enabled", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Whether the clock is set from the network." },
	{ .name = "servers", .type = &ntp_hosts, .normal = "none", .example = "[ntp.example.org]",
	  .help = "Time servers." },
	{ .name = "pools", .type = &ntp_hosts, .normal = "pool.ntp.org if there is no server either",
	  .example = "[0.pool.ntp.org]", .help = "Names that stand for many servers." },
	{ .name = "peers", .refused = "not supported: Berth follows servers, it is no peer" },
	{ .name = "allow", .refused = "not supported: Berth serves no time to others" },
	{ .name = "ntp_client", .refused = "there is one client; leave this key out" },
	{ .name = "config", .refused = "there is one client without such options; leave it out" },
};
static const struct type ntp = {
	.kind = TYPE_OBJECT, .name = "time settings", .keys = ntp_keys,
	.key_count = ARRAY_LEN(ntp_keys), .expected = "a mapping with \"servers\" or \"pools\"",
};

/* ---- containers ---- */
static const char *name_of(yyjson_mut_val *container)
{
	return yyjson_mut_get_str(yyjson_mut_obj_get(container, "name"));
}

static yyjson_mut_val *container_by_name(yyjson_mut_val *list, const char *name)
{
	yyjson_mut_val *c;
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, c) {
		if (strcmp(name_of(c), name) == 0)
			return c;
	}
	return NULL;
}

static const struct node_pair *declared(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->pairs[i].key->text, name) == 0)
			return &n->pairs[i];
	return NULL;
}

static bool address_overlaps(yyjson_mut_val *a, yyjson_mut_val *b)
{
	const char *ip_a = yyjson_mut_get_str(yyjson_mut_obj_get(a, "host_ip"));
	const char *ip_b = yyjson_mut_get_str(yyjson_mut_obj_get(b, "host_ip"));

	return !ip_a || !ip_b || strcmp(ip_a, ip_b) == 0;
}

/* The published port that both ask for, 0 if none. */
static int64_t shared_port(yyjson_mut_val *a, yyjson_mut_val *b)
{
	yyjson_mut_val *port_a, *port_b;
	size_t i, j, max_a, max_b;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a, "ports"), i, max_a, port_a) {
		int64_t number = yyjson_mut_get_sint(yyjson_mut_obj_get(port_a, "published"));

		yyjson_mut_arr_foreach(yyjson_mut_obj_get(b, "ports"), j, max_b, port_b) {
			if (number &&
			    number == yyjson_mut_get_sint(yyjson_mut_obj_get(port_b, "published")) &&
			    yyjson_mut_equals(yyjson_mut_obj_get(port_a, "protocol"),
					      yyjson_mut_obj_get(port_b, "protocol")) &&
			    address_overlaps(port_a, port_b))
				return number;
		}
	}
	return 0;
}

/* Why this container cannot run beside those above it: a port that is taken, a name that nobody
 * has. Told as a fault. */
static bool has_conflict(struct walk *w, const struct node *n, const struct node *at,
			 yyjson_mut_val *list, yyjson_mut_val *c)
{
	yyjson_mut_val *other;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(c, "depends_on"), i, max, other) {
		if (declared(n, yyjson_mut_get_str(other)))
			continue;
		walk_fault(w, FAULT_ERROR, at, "it depends on \"%s\", but there is no such container",
			   yyjson_mut_get_str(other));
		return true;
	}
	yyjson_mut_arr_foreach(list, i, max, other) {
		int64_t port = other == c ? 0 : shared_port(other, c);

		if (other == c)
			break;
		if (!port)
			continue;
		walk_fault(w, FAULT_ERROR, at, "port %lld of the host is already taken by \"%s\"",
			   (long long)port, name_of(other));
		return true;
	}
	return false;
}

/* A fault of another container costs this one nothing but the wait for it. */
static void forget_dropped(struct walk *w, const struct node *at, yyjson_mut_val *list,
			   yyjson_mut_val *c)
{
	yyjson_mut_val *names = yyjson_mut_obj_get(c, "depends_on");

	for (size_t i = 0; i < yyjson_mut_arr_size(names);) {
		const char *name = yyjson_mut_get_str(yyjson_mut_arr_get(names, i));

		if (container_by_name(list, name)) {
			i++;
			continue;
		}
		walk_fault(w, FAULT_WARNING, at,
			   "it is started without \"%s\", which has faults of its own", name);
		yyjson_mut_arr_remove(names, i);
	}
}

static void finish_containers(struct walk *w, const struct node *n, yyjson_mut_val *list)
{
	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);

		if (has_conflict(w, n, at, list, c)) {
			yyjson_mut_arr_add_strcpy(w->doc, w->dropped, buf_text(&w->path));
			yyjson_mut_arr_remove(list, i);
		} else {
			i++;
		}
		walk_leave(w, before);
	}
	for (size_t i = 0; i < yyjson_mut_arr_size(list); i++) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);

		forget_dropped(w, at, list, c);
		walk_leave(w, before);
	}
}

static const struct type containers = {
	.kind = TYPE_MAP, .name = "containers by name", .item = &schema_container,
	.check = check_container_name, .list_key = "name", .finish = finish_containers,
	.expected = "a mapping of names to containers",
};

/* ---- the rest ---- */
/* ---- berth ---- */
static const struct type container_name = {
	.kind = TYPE_SCALAR, .name = "container", .read = read_text, .check = check_container_name,
	.expected = "the name of a container",
};
static const struct type critical = {
	.kind = TYPE_LIST, .name = "list of containers", .item = &container_name, .count_max = 32,
	.expected = "a list of names of containers", .single = true,
};
static const struct type web_address = {
	.kind = TYPE_SCALAR, .name = "address", .read = read_text, .check = check_web_address,
	.expected = "an address such as \"https://updates.example.org/stable.json\"",
};
static const struct type certificates = {
	.kind = TYPE_SCALAR, .name = "certificates", .read = read_text,
	.expected = "certificates in PEM format",
};
static const struct key update_keys[] = {
	{ .name = "channel", .type = &web_address, .normal = "none: updates are given by hand",
	  .example = "\"https://updates.example.org/stable.json\"",
	  .help = "Where the text lies that names the newest version." },
	{ .name = "proxy", .type = &web_address, .normal = "none", .example = "\"http://192.0.2.1:3128\"",
	  .help = "The proxy that updates are downloaded through." },
	{ .name = "ca_certs", .type = &certificates, .normal = "Mozilla's",
	  .example = "\"-----BEGIN CERTIFICATE-----...\"",
	  .help = "The authorities that the update server's certificate may come from." },
	{ .name = "hold", .json = "hold_ms", .type = &type_duration, .normal = "30s", .example = "2m",
	  .help = "How long everything must be as before an update until the update is kept." },
	{ .name = "limit", .json = "limit_ms", .type = &type_duration, .normal = "5m", .example = "10m",
	  .help = "How long it may take until that begins; then the machine goes back." },
	{ .name = "critical", .type = &critical, .normal = "every container that is declared here",
	  .example = "[web]", .help = "Containers without which an update is not kept, unless they were "
				      "not healthy before it either." },
};
static const struct type update = {
	.kind = TYPE_OBJECT, .name = "update settings", .keys = update_keys,
	.key_count = ARRAY_LEN(update_keys), .expected = "a mapping with \"hold\" or \"critical\"",
};
static const struct key berth_keys[] = {
	{ .name = "update", .type = &update, .normal = "what its keys say", .example = "{hold: 1m}",
	  .help = "When a new version is kept, and when the machine goes back to the one before." },
};
static const struct type berth = {
	.kind = TYPE_OBJECT, .name = "Berth's own settings", .keys = berth_keys,
	.key_count = ARRAY_LEN(berth_keys), .expected = "a mapping",
};

static const struct key root_keys[] = {
	{ .name = "hostname", .type = &type_hostname, .normal = "the metadata's, else \"berth\"",
	  .example = "web-1", .help = "The machine's name." },
	{ .name = "ssh_authorized_keys", .type = &ssh_keys, .normal = "nobody can log in over SSH",
	  .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4"
		     "Yhwqk9a me@laptop\"]",
	  .help = "Public keys that may log in as root." },
	{ .name = "write_files", .type = &files, .normal = "none",
	  .example = "[{path: /etc/motd.local, content: \"hello\\n\"}]",
	  .help = "Files that are written at every boot, before the services start." },
	{ .name = "ntp", .type = &ntp, .normal = "pool.ntp.org", .example = "{servers: [192.0.2.1]}",
	  .help = "Where the time comes from." },
	{ .name = "containers", .type = &containers, .normal = "none",
	  .example = "{web: {image: nginx, ports: [\"80:80\"]}}",
	  .help = "Containers that run, by name, with the keys of a Compose service." },
	{ .name = "berth", .type = &berth, .normal = "nothing",
	  .example = "{update: {hold: 1m}}", .help = "Berth's own settings." },
	{ .name = "services", .refused = "containers are declared under \"containers\", with the "
					 "same keys as Compose's services" },
};

static const struct type type_instance = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .expected = "a text",
};

#define LATER "not supported yet, ignored: "
#define NEVER "not supported, ignored: "

/* cloud-init's keys that Berth does not have: one warning each, the rest goes on. */
static const struct key foreign_keys[] = {
	{ .name = "apt", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "bootcmd", .refused = LATER "use a container" },
	{ .name = "ca_certs", .refused = LATER "give certificates to the container that needs them" },
	{ .name = "chpasswd", .refused = NEVER "there are no passwords, use ssh_authorized_keys" },
	{ .name = "disable_root", .refused = NEVER "root is Berth's one account" },
	{ .name = "disk_setup", .refused = LATER "the data partition is set up by itself" },
	{ .name = "final_message", .refused = LATER "the console says when it is ready" },
	{ .name = "fqdn", .refused = LATER "use hostname" },
	{ .name = "fs_setup", .refused = LATER "the data partition is set up by itself" },
	{ .name = "growpart", .refused = NEVER "the data partition always grows with the disk" },
	{ .name = "groups", .refused = NEVER "root is Berth's one account" },
	{ .name = "keyboard", .refused = NEVER "the console's keyboard is US" },
	{ .name = "locale", .refused = NEVER "the host speaks the C locale" },
	{ .name = "manage_etc_hosts", .refused = NEVER "/etc/hosts is always written" },
	{ .name = "mounts", .refused = LATER "named volumes lie on the data partition" },
	{ .name = "network", .refused = LATER "every wired link uses DHCP" },
	{ .name = "package_update", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "package_upgrade", .refused = NEVER "Berth has no packages; the image is updated" },
	{ .name = "packages", .refused = NEVER "Berth has no packages; use a container" },
	{ .name = "password", .refused = NEVER "there are no passwords, use ssh_authorized_keys" },
	{ .name = "phone_home", .refused = LATER "nothing is sent" },
	{ .name = "power_state", .refused = LATER "the machine stays on" },
	{ .name = "preserve_hostname", .refused = NEVER "the name is set at every boot" },
	{ .name = "resize_rootfs", .refused = NEVER "the data partition always grows with the disk" },
	{ .name = "resolv_conf", .refused = LATER "name servers come from DHCP" },
	{ .name = "rsyslog", .refused = LATER "logs stay on the machine" },
	{ .name = "runcmd", .refused = LATER "use a container" },
	{ .name = "ssh", .refused = LATER "SSH takes keys only, and root's" },
	{ .name = "ssh_deletekeys", .refused = NEVER "the host key is made once and kept" },
	{ .name = "ssh_genkeytypes", .refused = NEVER "the host key is Ed25519" },
	{ .name = "ssh_import_id", .refused = LATER "use ssh_authorized_keys" },
	{ .name = "ssh_keys", .refused = LATER "the host key is made once and kept" },
	{ .name = "ssh_pwauth", .refused = NEVER "SSH takes keys only" },
	{ .name = "swap", .refused = LATER "there is no swap" },
	{ .name = "timezone", .refused = LATER "the host's clock shows UTC" },
	{ .name = "user", .refused = NEVER "root is Berth's one account" },
	{ .name = "users", .refused = LATER "root is Berth's one account; put the keys into "
				      "ssh_authorized_keys" },
	{ .name = "yum_repos", .refused = NEVER "Berth has no packages; use a container" },
};

/* NoCloud's meta-data; what else is in it belongs to the one who made the disk. */
static const struct key meta_keys[] = {
	{ .name = "local-hostname", .json = "hostname", .type = &type_hostname, .normal = "none",
	  .example = "web-1", .help = "The machine's name, if user-data has none." },
	{ .name = "instance-id", .json = "instance_id", .type = &type_instance, .normal = "none",
	  .example = "iid-1", .help = "Changes when the disk is for another machine." },
	{ .name = "public-keys", .json = "ssh_authorized_keys", .type = &ssh_keys,
	  .normal = "none", .example = "[]",
	  .help = "Public keys that may log in as root." },
};

const struct type schema_meta = {
	.kind = TYPE_OBJECT, .name = "metadata", .keys = meta_keys,
	.key_count = ARRAY_LEN(meta_keys), .open = true, .expected = "a mapping",
};

const struct type schema_root = {
	.kind = TYPE_OBJECT, .name = "configuration", .keys = root_keys,
	.key_count = ARRAY_LEN(root_keys), .extensions = true,
	.expected = "a mapping of keys such as \"hostname: berth\"",
	.foreign = foreign_keys, .foreign_count = ARRAY_LEN(foreign_keys),
};
