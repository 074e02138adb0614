#include "update/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/netlink.h"
#include "base/spawn.h"
#include "update/hostconfig.h"
#include "update/routers.h"

enum {
	JSON_BYTES_MAX = 1 << 20,
	ROUTES_BYTES_MAX = 256 * 1024,
	HOLD_MS = 30 * 1000,
	LIMIT_MS = 300 * 1000,
	LINKS_MAX = 64,
};

static yyjson_doc *read_json(const char *path)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(AT_FDCWD, path, JSON_BYTES_MAX, &text, NULL) < 0)
		return NULL;
	return yyjson_read(buf_text(&text), text.len, 0);
}

/* ---- settings ---- */

static void add_name(struct settings *s, yyjson_val *name)
{
	if (yyjson_is_str(name) && s->critical_count < CRITICAL_MAX)
		snprintf(s->critical[s->critical_count++], NAME_MAX_BYTES, "%s", yyjson_get_str(name));
}

static void read_way(yyjson_val *update, struct settings *out)
{
	static const char ca_path[] = "/run/berth/update-ca.pem";
	yyjson_val *ca = yyjson_obj_get(update, "ca_certs");
	const char *channel = yyjson_get_str(yyjson_obj_get(update, "channel"));
	const char *proxy = yyjson_get_str(yyjson_obj_get(update, "proxy"));

	snprintf(out->channel, sizeof(out->channel), "%s", channel ? channel : "");
	snprintf(out->way.proxy, sizeof(out->way.proxy), "%s", proxy ? proxy : "");
	if (yyjson_is_str(ca) && file_replace_at(AT_FDCWD, ca_path, yyjson_get_str(ca),
						 yyjson_get_len(ca), 0644, NULL) == 0)
		snprintf(out->way.ca, sizeof(out->way.ca), "%s", ca_path);
}

void facts_settings(struct settings *out)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc = hostconfig_read(&text, NULL) < 0 ? NULL :
							     yyjson_read(buf_text(&text), text.len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *each, *list;
	yyjson_val *update = yyjson_obj_get(yyjson_obj_get(root, "berth"), "update");
	size_t i, count;

	*out = (struct settings){ .hold_ms = HOLD_MS, .limit_ms = LIMIT_MS };
	read_way(update, out);
	if (yyjson_is_int(yyjson_obj_get(update, "hold_ms")))
		out->hold_ms = yyjson_get_sint(yyjson_obj_get(update, "hold_ms"));
	if (yyjson_is_int(yyjson_obj_get(update, "limit_ms")))
		out->limit_ms = yyjson_get_sint(yyjson_obj_get(update, "limit_ms"));
	list = yyjson_obj_get(update, "critical");
	out->critical_known = yyjson_is_arr(list);
	if (out->critical_known)
		yyjson_arr_foreach(list, i, count, each)
			add_name(out, each);
	else
		yyjson_arr_foreach(yyjson_obj_get(root, "containers"), i, count, each)
			add_name(out, yyjson_obj_get(each, "name"));
	yyjson_doc_free(doc);
}

/* ---- the host ---- */

/* Links that lead out of the machine: devices, and what is made of them. Bridges and the like are
 * the containers' and come and go with these. */
struct links {
	int index[LINKS_MAX];
	bool has_address[LINKS_MAX];
	unsigned count;
};

static void add_link(const struct netlink_link *link, void *arg)
{
	static const char *const kinds[] = { "", "bond", "vlan" };
	struct links *l = arg;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(link->kind, kinds[i]) && !(link->flags & IFF_LOOPBACK) && l->count < LINKS_MAX)
			l->index[l->count++] = link->index;
}

static void add_address(int index, const struct netlink_addr *addr, uint8_t protocol, void *arg)
{
	struct links *l = arg;

	(void)protocol;
	if (addr->family == AF_INET6 && addr->bytes[0] == 0xfe)
		return; /* link-local: it comes without any network */
	for (unsigned i = 0; i < l->count; i++)
		l->has_address[i] |= l->index[i] == index;
}

static unsigned links_with_address(void)
{
	autonetlink struct netlink *nl = NULL;
	struct links l = { 0 };
	unsigned count = 0;

	if (netlink_open(&nl, NULL) < 0 || netlink_links(nl, add_link, &l, NULL) < 0 ||
	    netlink_addrs(nl, 0, AF_UNSPEC, add_address, &l, NULL) < 0)
		return 0;
	for (unsigned i = 0; i < l.count; i++)
		count += l.has_address[i];
	return count;
}

/* proc_net(5): the columns are interface, destination, gateway ... */
static bool has_route(const char *path, const char *pattern)
{
	autobuf struct buf text = { 0 };

	return file_read_at(AT_FDCWD, path, ROUTES_BYTES_MAX, &text, NULL) == 0 &&
	       strstr(buf_text(&text), pattern);
}

int facts_data(struct err *e)
{
	yyjson_doc *doc = read_json("/run/berth/data.json");
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *reason = yyjson_get_str(yyjson_obj_get(root, "reason"));
	int rc = 0;

	if (!yyjson_equals_str(yyjson_obj_get(root, "state"), "persistent"))
		rc = err_set(e, -EAGAIN, "/var is in memory: %s",
			     reason && *reason ? reason : "nobody looked for a data partition");
	yyjson_doc_free(doc);
	return rc;
}

void facts_host(struct before *out)
{
	*out = (struct before){ .known = true, .data = facts_data(NULL) == 0,
				.links = links_with_address() };
	out->route = has_route("/proc/net/route", "\t00000000\t") ||
		     has_route("/proc/net/ipv6_route", "\n00000000000000000000000000000000 00 ");
	routers_ask(&out->router4, &out->router6);
}

/* ---- containers ---- */

/* What the program says, its exit code other than 0 an error. */
static int ask_program(const char *const *argv, struct buf *out, struct err *e)
{
	int ends[2], rc, code;
	struct child c;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	{
		const struct spawn_fd fds[] = { { ends[1], STDOUT_FILENO } };
		const struct spawn s = { .argv = argv, .fds = fds, .fd_count = 1 };

		rc = spawn(&s, &c, e);
	}
	close(ends[1]);
	if (rc == 0)
		rc = file_read_fd(ends[0], JSON_BYTES_MAX, out, e);
	close(ends[0]);
	if (rc < 0)
		return rc;
	code = spawn_wait(&c);
	return code ? err_set(e, -EIO, "\"%s\" ended with code %d", argv[0], code) : 0;
}

static uint64_t text_hash(const char *text)
{
	uint64_t h = 14695981039346656037ULL;

	for (; text && *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ULL;
	return h;
}

static int judge_state(const char *name, yyjson_val *state, uint64_t *since, struct err *e)
{
	yyjson_val *health = yyjson_obj_get(yyjson_obj_get(state, "Health"), "Status");
	const char *status = yyjson_get_str(yyjson_obj_get(state, "Status"));

	*since = text_hash(yyjson_get_str(yyjson_obj_get(state, "StartedAt")));
	if (!yyjson_get_bool(yyjson_obj_get(state, "Running")))
		return err_set(e, -EAGAIN, "container \"%s\" is not running, it is %s", name,
			       status ? status : "unknown");
	if (yyjson_is_str(health) && !yyjson_equals_str(health, "healthy"))
		return err_set(e, -EAGAIN, "container \"%s\" is %s", name, yyjson_get_str(health));
	return 0;
}

int facts_judge(const char *name, const char *inspected, size_t len, uint64_t *since, struct err *e)
{
	yyjson_doc *doc = yyjson_read(inspected, len, 0);
	yyjson_val *first = yyjson_arr_get_first(yyjson_doc_get_root(doc));
	int rc = judge_state(name, yyjson_obj_get(first, "State"), since, e);

	yyjson_doc_free(doc);
	return rc;
}

int facts_container(const char *name, uint64_t *since, struct err *e)
{
	const char *const argv[] = { "/usr/bin/berth", "inspect", name, NULL };
	autobuf struct buf text = { 0 };
	int rc = ask_program(argv, &text, NULL);

	if (rc < 0)
		return err_set(e, rc, "container \"%s\" is not there", name);
	return facts_judge(name, buf_text(&text), text.len, since, e);
}

void facts_all(const struct settings *s, struct before *out)
{
	uint64_t since;

	facts_host(out);
	for (unsigned i = 0; i < s->critical_count; i++)
		if (facts_container(s->critical[i], &since, NULL) == 0)
			memcpy(out->healthy[out->healthy_count++], s->critical[i], NAME_MAX_BYTES);
}

/* ---- services ---- */

int facts_services(uint64_t *restarts, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc;
	yyjson_val *root, *each;
	size_t i, count;
	int rc = initctl_ask("status", &text, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	root = yyjson_doc_get_root(doc);
	*restarts = 0;
	yyjson_arr_foreach(yyjson_obj_get(root, "services"), i, count, each) {
		const char *name = yyjson_get_str(yyjson_obj_get(each, "name"));
		const char *state = yyjson_get_str(yyjson_obj_get(each, "state"));

		/* Time is nobody's fault: an unreachable server must not cost an update. */
		if (!name || !state || !strcmp(name, "time") || !strncmp(name, "console", 7))
			continue;
		*restarts += yyjson_get_uint(yyjson_obj_get(each, "restarts"));
		if (rc == 0 && (!strcmp(state, "failed") || !strcmp(state, "backoff") ||
				!strcmp(state, "starting") || !strcmp(state, "waiting")))
			rc = err_set(e, -EAGAIN, "service %s is %s", name, state);
	}
	yyjson_doc_free(doc);
	return rc;
}
