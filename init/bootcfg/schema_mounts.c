/* What of the host a container sees: its ports and its mounts. */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct type port_number = {
	SCALAR(read_int), .name = "port", .min = 1, .max = 65535,
	.expected = "a port from 1 to 65535",
};
static const struct type octal_mode = {
	SCALAR(read_octal), .name = "octal mode", .max = 07777,
	.expected = "an octal mode such as \"1777\"",
};

/* ---- ports ---- */
static const char *const protocols[] = { "tcp", "udp", NULL };
static const struct type protocol = {
	SCALAR(read_text), .name = "protocol", .words = protocols, .expected = "\"tcp\" or \"udp\"",
};
static const struct type host_address = {
	SCALAR(read_text), .name = "IP address", .check = check_address,
	.expected = "an IP address of the host",
};
static const char *const port_modes[] = { "host", "ingress", NULL };
static const struct type port_mode = {
	SCALAR(read_text), .name = "mode", .words = port_modes, .expected = "\"host\"",
};
static const struct key port_keys[] = {
	{ .name = "target", .type = &port_number, .required = true, .example = "80",
	  .help = "The port in the container." },
	{ .name = "published", .type = &port_number, .normal = "one is chosen", .example = "8080",
	  .help = "The port of the host." },
	{ .name = "host_ip", .type = &host_address, .normal = "every address",
	  .example = "127.0.0.1", .help = "The host's address that it is bound to." },
	{ .name = "protocol", .type = &protocol, .normal = "tcp", .example = "udp",
	  .help = "The protocol." },
	{ .name = "mode", .type = &port_mode, .normal = "host", .example = "host",
	  .help = "Means nothing on one host." },
	{ .name = "name", .type = &type_text, .normal = "none", .example = "http",
	  .help = "A name for people." },
	{ .name = "app_protocol", .type = &type_text, .normal = "none", .example = "http",
	  .help = "What is spoken there, for people." },
};

/* Only for people or for many hosts: the spec has no place for it. */
static void finish_port(struct walk *w, const struct node *n, yyjson_mut_val *port)
{
	static const char *const words[] = { "mode", "name", "app_protocol" };

	(void)w, (void)n;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		yyjson_mut_obj_remove_key(port, words[i]);
	if (!yyjson_mut_obj_get(port, "protocol"))
		yyjson_mut_obj_add_str(w->doc, port, "protocol", "tcp");
}

static const struct type port = {
	OBJECT(port_keys), .name = "port", .read = read_ports, .splice = true,
	.finish = finish_port, .expected = "a port such as \"8080:80\", \"127.0.0.1:53:53/udp\" or "
					   "\"8000-8010:80-90\"",
};
const struct type type_ports = {
	.kind = TYPE_LIST, .name = "list of ports", .item = &port,
	.expected = "a list of ports such as \"8080:80\"",
};

/* ---- volumes ---- */
static const char *const volume_types[] = { "volume", "bind", "tmpfs", NULL };
static const struct type volume_type = {
	SCALAR(read_text), .name = "kind of mount", .words = volume_types,
	.expected = "\"volume\", \"bind\" or \"tmpfs\"",
};
static const char *const propagations[] = { "private", "rprivate", "shared", "rshared", "slave",
					    "rslave", NULL };
static const struct type propagation = {
	SCALAR(read_text), .name = "propagation", .words = propagations,
	.expected = "\"rprivate\", \"private\", \"rslave\", \"slave\", \"rshared\" or \"shared\"",
};
static const struct key bind_keys[] = {
	{ .name = "propagation", .json = "bind_propagation", .type = &propagation,
	  .normal = "rprivate", .example = "rslave", .help = "Whether mounts below are shared." },
	{ .name = "create_host_path", .refused = "not supported yet: the host's path must exist" },
	{ .name = "selinux", .refused = "not supported: Berth has no SELinux; leave this key out" },
};
static const struct type bind_options = {
	OBJECT(bind_keys), .name = "bind", .expected = "a mapping",
};
static const struct key volume_option_keys[] = {
	{ .name = "nocopy", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Do not fill a new volume from the image." },
	{ .name = "subpath", .refused = "not supported yet" },
};
static const struct type volume_options = {
	OBJECT(volume_option_keys), .name = "volume options", .expected = "a mapping",
};
static const struct key tmpfs_keys[] = {
	{ .name = "size", .json = "tmpfs_size", .type = &type_bytes, .normal = "half the memory",
	  .example = "64m", .help = "Its size." },
	{ .name = "mode", .json = "tmpfs_mode", .type = &octal_mode, .normal = "1777",
	  .example = "\"0700\"", .help = "Its mode, octal." },
};
static const struct type tmpfs_options = {
	OBJECT(tmpfs_keys), .name = "tmpfs options", .expected = "a mapping",
};
static const struct key volume_keys[] = {
	{ .name = "type", .type = &volume_type, .required = true, .example = "volume",
	  .help = "A named volume, a folder of the host, or memory." },
	{ .name = "source", .type = &type_text, .normal = "a volume without a name",
	  .example = "data", .help = "The volume's name, or the host's path." },
	{ .name = "target", .type = &type_path, .required = true, .example = "/data",
	  .help = "The path in the container." },
	{ .name = "read_only", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether the container may only read it." },
	{ .name = "bind", .type = &bind_options, .flatten = true, .normal = "none",
	  .example = "{propagation: rslave}", .help = "Options of a bind." },
	{ .name = "volume", .type = &volume_options, .flatten = true, .normal = "none",
	  .example = "{nocopy: true}", .help = "Options of a volume." },
	{ .name = "tmpfs", .type = &tmpfs_options, .flatten = true, .normal = "none",
	  .example = "{size: 64m}", .help = "Options of a tmpfs." },
	{ .name = "consistency", .refused = "not supported: it means nothing here; leave it out" },
};

static void finish_volume(struct walk *w, const struct node *n, yyjson_mut_val *volume)
{
	const char *type = yyjson_mut_get_str(yyjson_mut_obj_get(volume, "type"));
	const char *source = yyjson_mut_get_str(yyjson_mut_obj_get(volume, "source"));

	if (!type || n->kind != NODE_MAP)
		return;
	if (strcmp(type, "bind") == 0 && (!source || *source != '/'))
		walk_fault(w, FAULT_ERROR, n, "a bind needs a \"source\" that begins with \"/\"");
	if (strcmp(type, "volume") == 0 && source && check_container_name(source))
		walk_fault(w, FAULT_ERROR, n, "\"%.80s\" is no name for a volume", source);
	if (strcmp(type, "tmpfs") == 0 && source)
		walk_fault(w, FAULT_ERROR, n, "a tmpfs has no \"source\"");
}

static const struct type volume = {
	OBJECT(volume_keys), .name = "mount", .read = read_volume, .finish = finish_volume,
	.expected = "a mount such as \"data:/data\" or \"/srv/www:/www:ro\"",
};
const struct type type_volumes = {
	.kind = TYPE_LIST, .name = "list of mounts", .item = &volume,
	.expected = "a list of mounts such as \"data:/data\"",
};
static const struct type tmpfs = {
	SCALAR(read_tmpfs), .name = "tmpfs",
	.expected = "a path such as \"/run:size=16m,mode=0755\"",
};
const struct type type_tmpfs_list = {
	.kind = TYPE_LIST, .name = "list of paths", .item = &tmpfs, .single = true,
	.expected = "a path, or a list of paths",
};

/* ---- configs and secrets ---- */
static const struct key use_keys[] = {
	{ .name = "source", .type = &type_text, .required = true, .example = "site",
	  .help = "Its name at the top level." },
	{ .name = "target", .type = &type_text, .normal = "its name", .example = "/etc/site.conf",
	  .help = "Its path in the container." },
	{ .name = "mode", .type = &octal_mode, .normal = "0444", .example = "\"0400\"",
	  .help = "Its mode, octal." },
	{ .name = "uid", .refused = "not supported: it belongs to root; mode says who may read it" },
	{ .name = "gid", .refused = "not supported: it belongs to root; mode says who may read it" },
};

static yyjson_mut_val *read_use(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	yyjson_mut_val *o = yyjson_mut_obj(w->doc);

	(void)t, (void)why;
	yyjson_mut_obj_add_val(w->doc, o, "source", walk_text(w, n->text, n->len));
	return o;
}

static const struct type use = {
	OBJECT(use_keys), .name = "file", .read = read_use,
	.expected = "the name of a file at the top level, or a mapping with \"source\"",
};
const struct type type_config_uses = {
	.kind = TYPE_LIST, .name = "list of files", .item = &use,
	.expected = "a list of names of files at the top level",
};
