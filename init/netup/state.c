#include "netup/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

/* musl looks at three name servers and at 255 bytes of search domains. */
enum { SERVERS_MAX = 3, SEARCH_MAX = 240, STATE_MAX = 65536 };

static const char *const state_names[] = {
	[LINK_NO_CARRIER] = "no-carrier",
	[LINK_ASKING] = "asking",
	[LINK_NO_ANSWER] = "no-answer",
	[LINK_BOUND] = "bound",
};

static void add_address(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct netlink_addr *a)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	netlink_addr_text(a, text);
	text[strcspn(text, "/")] = '\0';
	yyjson_mut_arr_add_strcpy(doc, list, text);
}

static void add_routes(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct lease *l)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, o, "routes");

	for (size_t i = 0; i < l->route_count; i++) {
		yyjson_mut_val *route = yyjson_mut_arr_add_obj(doc, list);
		const struct lease_route *r = &l->routes[i];
		char text[NETLINK_ADDR_TEXT_MAX] = "default";

		if (r->to.family)
			netlink_addr_text(&r->to, text);
		yyjson_mut_obj_add_strcpy(doc, route, "to", text);
		if (!r->via.family)
			continue;
		netlink_addr_text(&r->via, text);
		text[strcspn(text, "/")] = '\0';
		yyjson_mut_obj_add_strcpy(doc, route, "via", text);
	}
}

static void add_lease(yyjson_mut_doc *doc, yyjson_mut_val *o, const struct lease *l)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	yyjson_mut_val *list;

	yyjson_mut_obj_add_strcpy(doc, o, "address", netlink_addr_text(&l->address, text));
	add_routes(doc, o, l);
	list = yyjson_mut_obj_add_arr(doc, o, "dns");
	for (size_t i = 0; i < l->dns_count; i++)
		add_address(doc, list, &l->dns[i]);
	list = yyjson_mut_obj_add_arr(doc, o, "search");
	for (size_t i = 0; i < l->search_count; i++)
		yyjson_mut_arr_add_strcpy(doc, list, l->search[i]);
	list = yyjson_mut_obj_add_arr(doc, o, "ntp");
	for (size_t i = 0; i < l->ntp_count; i++)
		add_address(doc, list, &l->ntp[i]);
	if (l->mtu)
		yyjson_mut_obj_add_uint(doc, o, "mtu", l->mtu);
	if (l->seconds)
		yyjson_mut_obj_add_uint(doc, o, "lease_s", l->seconds);
}

void state_text(const char *link, enum link_state state, const struct lease *lease,
		struct buf *out)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc);
	autofree char *json = NULL;

	yyjson_mut_doc_set_root(doc, o);
	yyjson_mut_obj_add_str(doc, o, "link", link);
	yyjson_mut_obj_add_str(doc, o, "state", state_names[state]);
	if (lease)
		add_lease(doc, o, lease);
	json = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	if (json)
		buf_adds(out, json);
	else
		out->failed = true;
}

/* The folder of the states, locked: two events at once must not merge over each other. */
struct folder {
	char path[PATH_MAX];
	int run, net, lock;
};

/* ---- resolv.conf ---- */
struct resolver {
	struct buf servers, search;
	size_t server_count;
};

static bool has_word(const struct buf *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = buf_text(text); (p = strstr(p, word)); p += len)
		if ((p == text->data || p[-1] == ' ') && (!p[len] || strchr(" \n", p[len])))
			return true;
	return false;
}

static void add_link(struct resolver *r, yyjson_val *state)
{
	yyjson_val *item;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(state, "dns"), i, max, item) {
		const char *address = yyjson_get_str(item);

		if (!address || r->server_count == SERVERS_MAX || has_word(&r->servers, address))
			continue;
		buf_addf(&r->servers, "nameserver %s\n", address);
		r->server_count++;
	}
	yyjson_arr_foreach(yyjson_obj_get(state, "search"), i, max, item) {
		const char *name = yyjson_get_str(item);

		if (name && !has_word(&r->search, name) &&
		    r->search.len + strlen(name) < SEARCH_MAX)
			buf_addf(&r->search, " %s", name);
	}
}

static int is_state(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && *d->d_name != '.' && strcmp(d->d_name + len - 5, ".json") == 0;
}

static yyjson_doc *read_state(int dir, const char *name)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(dir, name, STATE_MAX, &text, NULL) < 0)
		return NULL;
	return yyjson_read(buf_text(&text), text.len, 0);
}

/* Links in the order of their names: which of them answered first decides nothing. */
static int write_resolver(const struct folder *f, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct resolver r = { 0 };
	struct dirent **entries = NULL;
	int n = scandir(f->path, &entries, is_state, alphasort);
	int code;

	for (int i = 0; i < n; i++) {
		yyjson_doc *doc = read_state(f->net, entries[i]->d_name);

		add_link(&r, yyjson_doc_get_root(doc));
		yyjson_doc_free(doc);
		free(entries[i]);
	}
	free(entries);
	buf_adds(&text, buf_text(&r.servers));
	if (r.search.len)
		buf_addf(&text, "search%s\n", buf_text(&r.search));
	buf_free(&r.servers);
	buf_free(&r.search);
	code = buf_ok(&text) ? 0 : -ENOMEM;
	if (code == 0)
		code = file_replace_at(f->run, "resolv.conf", buf_text(&text), text.len, 0644, e);
	return code;
}

static void folder_close(struct folder *f)
{
	cleanup_fd(&f->lock);
	cleanup_fd(&f->net);
	cleanup_fd(&f->run);
}

static int folder_open(const char *run, struct folder *f, struct err *e)
{
	int code;

	if (snprintf(f->path, sizeof(f->path), "%s/net", run) >= (int)sizeof(f->path))
		return err_set(e, -ENAMETOOLONG, "the folder's path is too long");
	code = path_mkdirs(f->path, 0755, e);
	if (code < 0)
		return code;
	f->run = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->net = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->lock = f->net < 0 ? -1 :
		  openat(f->net, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->run < 0 || f->lock < 0 || flock(f->lock, LOCK_EX) < 0)
		return err_sys(e, "cannot open %s", f->path);
	return 0;
}

int state_write(const char *run, const char *link, enum link_state state,
		const struct lease *lease, struct err *e)
{
	__attribute__((cleanup(folder_close))) struct folder f = { "", -1, -1, -1 };
	autobuf struct buf text = { 0 };
	char name[IFNAMSIZ + 8];
	int code = folder_open(run, &f, e);

	if (code < 0)
		return code;
	state_text(link, state, lease, &text);
	buf_addc(&text, '\n');
	snprintf(name, sizeof(name), "%s.json", link);
	if (!buf_ok(&text))
		return err_set(e, -ENOMEM, "there is not enough memory");
	code = file_replace_at(f.net, name, buf_text(&text), text.len, 0644, e);
	return code < 0 ? code : write_resolver(&f, e);
}

int state_remove(const char *run, const char *link, struct err *e)
{
	__attribute__((cleanup(folder_close))) struct folder f = { "", -1, -1, -1 };
	char name[IFNAMSIZ + 8];
	int code = folder_open(run, &f, e);

	if (code < 0)
		return code;
	snprintf(name, sizeof(name), "%s.json", link);
	if (unlinkat(f.net, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove %s", name);
	return write_resolver(&f, e);
}

enum link_state state_read(const char *run, const char *link)
{
	char path[PATH_MAX];
	autobuf struct buf text = { 0 };
	yyjson_doc *doc;
	const char *name;
	enum link_state found = LINK_NO_CARRIER;

	if (snprintf(path, sizeof(path), "%s/net/%s.json", run, link) >= (int)sizeof(path) ||
	    file_read_at(AT_FDCWD, path, STATE_MAX, &text, NULL) < 0)
		return LINK_NO_CARRIER;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	name = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "state"));
	for (size_t i = 0; name && i < ARRAY_LEN(state_names); i++)
		if (strcmp(state_names[i], name) == 0)
			found = (enum link_state)i;
	yyjson_doc_free(doc);
	return found;
}
