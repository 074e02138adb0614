/* Leases as files, written by the DHCP clients' events and read by the daemon. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "netup/lease.h"

enum { FILE_MAX = 65536 };

static const char *const states[] = {
	[LEASE_ASKING] = "asking", [LEASE_NO_ANSWER] = "no-answer", [LEASE_BOUND] = "bound",
};

static void file_name(const char *link, int family, char out[IFNAMSIZ + 2])
{
	snprintf(out, IFNAMSIZ + 2, "%s.%c", link, family == AF_INET ? '4' : '6');
}

static void add_hosts(yyjson_mut_doc *doc, yyjson_mut_val *o, const char *key,
		      const struct netlink_addr *list, size_t count)
{
	yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, o, key);
	char text[NETLINK_ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_add_strcpy(doc, array, netlink_addr_text(&list[i], text));
}

static void add_address(yyjson_mut_doc *doc, yyjson_mut_val *o, const char *key,
			const struct netlink_addr *a)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	if (a->family)
		yyjson_mut_obj_add_strcpy(doc, o, key, netlink_addr_text(a, text));
}

static void add_lease(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct lease *l)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, o, "routes");

	add_address(doc, o, "address", &l->address);
	for (size_t i = 0; i < l->route_count; i++) {
		yyjson_mut_val *route = yyjson_mut_arr_add_obj(doc, list);

		add_address(doc, route, "to", &l->routes[i].to);
		add_address(doc, route, "via", &l->routes[i].via);
	}
	add_hosts(doc, o, "dns", l->dns, l->dns_count);
	add_hosts(doc, o, "ntp", l->ntp, l->ntp_count);
	list = yyjson_mut_obj_add_arr(doc, o, "search");
	for (size_t i = 0; i < l->search_count; i++)
		yyjson_mut_arr_add_str(doc, list, l->search[i]);
	yyjson_mut_obj_add_uint(doc, o, "mtu", l->mtu);
	yyjson_mut_obj_add_uint(doc, o, "lease_s", l->seconds);
}

int lease_save(const char *dir, const char *link, int family, const struct lease_file *f,
	       struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc);
	autofree char *json = NULL;
	autoclose int fd = -1;
	char name[IFNAMSIZ + 2];
	size_t len = 0;
	int code = path_mkdirs(dir, 0755, e);

	yyjson_mut_doc_set_root(doc, o);
	yyjson_mut_obj_add_str(doc, o, "state", states[f->state]);
	yyjson_mut_obj_add_sint(doc, o, "until_ms", f->until_ms);
	if (f->valid)
		add_lease(doc, o, &f->lease);
	json = yyjson_mut_write(doc, 0, &len);
	yyjson_mut_doc_free(doc);
	if (code < 0)
		return code;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !json)
		return err_sys(e, "cannot keep the lease in %s", dir);
	file_name(link, family, name);
	return file_replace_at(fd, name, json, len, 0644, e);
}

/* ---- back ---- */
static bool take_address(yyjson_val *v, struct netlink_addr *out)
{
	const char *text = yyjson_get_str(v);

	return text && netlink_addr_parse(text, out) == 0;
}

static void take_hosts(yyjson_val *list, struct netlink_addr *out, size_t *count)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, v) {
		if (*count < LEASE_HOSTS_MAX && take_address(v, &out[*count]))
			(*count)++;
	}
}

static void take_lists(yyjson_val *root, struct lease *l)
{
	yyjson_val *v;
	size_t i, max;

	take_hosts(yyjson_obj_get(root, "dns"), l->dns, &l->dns_count);
	take_hosts(yyjson_obj_get(root, "ntp"), l->ntp, &l->ntp_count);
	yyjson_arr_foreach(yyjson_obj_get(root, "search"), i, max, v) {
		if (l->search_count < LEASE_NAMES_MAX && yyjson_get_len(v) < LEASE_NAME_LEN &&
		    yyjson_is_str(v))
			strcpy(l->search[l->search_count++], yyjson_get_str(v));
	}
	yyjson_arr_foreach(yyjson_obj_get(root, "routes"), i, max, v) {
		struct lease_route *r = &l->routes[l->route_count];

		if (l->route_count == LEASE_ROUTES_MAX)
			break;
		take_address(yyjson_obj_get(v, "to"), &r->to);
		take_address(yyjson_obj_get(v, "via"), &r->via);
		l->route_count++;
	}
}

void lease_load(const char *dir, const char *link, int family, struct lease_file *out)
{
	char name[IFNAMSIZ + 2], path[PATH_MAX];
	autobuf struct buf text = { 0 };
	const char *state;
	yyjson_doc *doc;
	yyjson_val *root;

	*out = (struct lease_file){ .state = LEASE_ASKING };
	file_name(link, family, name);
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    file_read_at(AT_FDCWD, path, FILE_MAX, &text, NULL) < 0)
		return;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	root = yyjson_doc_get_root(doc);
	state = yyjson_get_str(yyjson_obj_get(root, "state"));
	for (size_t i = 0; state && i < ARRAY_LEN(states); i++)
		if (strcmp(states[i], state) == 0)
			out->state = (enum lease_state)i;
	out->until_ms = yyjson_get_sint(yyjson_obj_get(root, "until_ms"));
	out->lease.mtu = (unsigned)yyjson_get_uint(yyjson_obj_get(root, "mtu"));
	out->lease.seconds = (unsigned)yyjson_get_uint(yyjson_obj_get(root, "lease_s"));
	snprintf(out->lease.link, sizeof(out->lease.link), "%s", link);
	take_lists(root, &out->lease);
	out->valid = (take_address(yyjson_obj_get(root, "address"), &out->lease.address) ||
		      out->lease.dns_count || out->lease.ntp_count || out->lease.search_count) &&
		     (!out->until_ms || out->until_ms > clock_boot_ms());
	yyjson_doc_free(doc);
}

void lease_remove(const char *dir, const char *link, int family)
{
	char name[IFNAMSIZ + 2], path[PATH_MAX];

	file_name(link, family, name);
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
		unlink(path);
}
