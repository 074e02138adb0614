/* The list of networks and its mirror on disk. */
#include "engine/networks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/internal.h"
#include "spec/record_table.h"
#include "yyjson.h"

enum { FILE_MAX_BYTES = 1 << 20 };

static const struct record_field fields[] = {
	F_STR_REQ(network, id),
	F_STR_REQ(network, name),
	F_INT(network, created_ns),
	F_BOOL(network, internal),
	F_BOOL(network, attachable),
	F_STR_REQ(network, link),
	F_STR_REQ(network, subnet),
	F_STR_REQ(network, gateway),
	F_STR(network, ip_range),
	F_INT(network, mtu),
	F_MAP(network, labels),
	F_MAP(network, options),
	F_END,
};
RECORD_TYPE(network_type, network, fields);

/* The same on every machine: they belong to it, nobody makes them. */
static const struct {
	const char *name, *driver, *id;
} builtins[] = {
	{ "bridge", "bridge", "b1d9e000000000000000000000000000000000000000000000000000000000b0" },
	{ "host", "host", "b1d9e000000000000000000000000000000000000000000000000000000000a0" },
	{ "none", "null", "b1d9e000000000000000000000000000000000000000000000000000000000c0" },
};

void network_clear(struct network *n)
{
	pool_free(&n->pool);
	record_free(&network_type, n);
}

void network_free(struct network *n)
{
	if (!n)
		return;
	network_clear(n);
	free(n);
}

void networks_free(struct engine *en)
{
	for (size_t i = 0; i < en->network_count; i++)
		network_free(en->networks[i]);
	free(en->networks);
	netlink_close(en->netlink);
}

/* ---- the list ---- */

int networks_add(struct engine *en, struct network *n)
{
	struct network **grown = reallocarray(en->networks, en->network_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	en->networks = grown;
	en->networks[en->network_count++] = n;
	return 0;
}

void networks_drop(struct engine *en, const struct network *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < en->network_count; i++)
		if (en->networks[i] != n)
			en->networks[kept++] = en->networks[i];
	en->network_count = kept;
}

int network_find(const struct engine *en, const char *text, struct network **out, struct err *e)
{
	struct network *found = NULL;
	size_t len = strlen(text), begin_so = 0;

	if (!strcmp(text, "default"))
		text = "bridge";
	for (size_t i = 0; i < en->network_count; i++) {
		struct network *n = en->networks[i];

		if (!strcmp(n->name, text) || !strcmp(n->id, text)) {
			*out = n;
			return 0;
		}
		if (len && !strncmp(n->id, text, len)) {
			found = n;
			begin_so++;
		}
	}
	if (begin_so > 1)
		return err_set(e, -EINVAL, "network %.128s is ambiguous (%zu matches found based on ID "
			       "prefix)", text, begin_so);
	if (!found)
		return err_set(e, -ENOENT, "network %.128s not found", text);
	*out = found;
	return 0;
}

/* ---- on disk ---- */

static int network_path(const struct engine *en, const char *id, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s.json", en->paths.networks, id);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

void network_unlink(const struct engine *en, const struct network *n)
{
	char path[PATH_MAX];

	if (!network_path(en, n->id, path, sizeof(path)))
		unlink(path);
}

int network_save(const struct engine *en, const struct network *n, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? record_write(&network_type, n, doc) : NULL;
	autofree char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	int rc;

	if (root) {
		yyjson_mut_doc_set_root(doc, root);
		text = yyjson_mut_write(doc, 0, &len);
	}
	yyjson_mut_doc_free(doc);
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	rc = network_path(en, n->id, path, sizeof(path));
	if (rc < 0)
		return err_code(e, rc, "network \"%s\"", n->name);
	rc = path_mkdirs(en->paths.networks, 0711, e);
	return rc < 0 ? rc : file_replace_at(AT_FDCWD, path, text, len, 0600, e);
}

static int load_one(struct engine *en, int dir, const char *file, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct network *n = calloc(1, sizeof(*n));
	yyjson_doc *doc = NULL;
	int rc = n ? file_read_at(dir, file, FILE_MAX_BYTES, &text, e) : -ENOMEM;

	if (!rc) {
		doc = yyjson_read(buf_text(&text), text.len, 0);
		rc = doc ? record_read(&network_type, yyjson_doc_get_root(doc), "", n, e) :
			   err_set(e, -EINVAL, "not JSON");
		yyjson_doc_free(doc);
	}
	if (!rc && (strlen(n->id) != CONTAINER_ID_LEN || strncmp(n->id, file, CONTAINER_ID_LEN)))
		rc = err_set(e, -EINVAL, "it is the record of another network");
	if (!rc) {
		n->driver = "bridge";
		rc = networks_add(en, n);
	}
	if (rc < 0)
		network_free(n);
	return rc;
}

static int by_creation(const void *a, const void *b)
{
	const struct network *x = *(struct network *const *)a, *y = *(struct network *const *)b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int add_builtins(struct engine *en)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		struct network *n = calloc(1, sizeof(*n));

		if (!n)
			return -ENOMEM;
		n->builtin = true;
		n->driver = builtins[i].driver;
		n->id = strdup(builtins[i].id);
		n->name = strdup(builtins[i].name);
		n->created_ns = clock_wall_ns();
		if (!i)
			n->link = strdup(en->paths.bridge);
		if (!n->id || !n->name || (!i && !n->link) || networks_add(en, n) < 0) {
			network_free(n);
			return -ENOMEM;
		}
	}
	return 0;
}

int networks_load(struct engine *en)
{
	autodir DIR *d = opendir(en->paths.networks);
	struct dirent *entry;
	int rc = add_builtins(en);

	while (!rc && d && (entry = readdir(d))) {
		struct err e = { 0 };

		if (strlen(entry->d_name) != CONTAINER_ID_LEN + strlen(".json"))
			continue;
		if (load_one(en, dirfd(d), entry->d_name, &e) < 0)
			log_error("network %.12s cannot be read: %s", entry->d_name, e.text);
	}
	if (!rc)
		qsort(en->networks + ARRAY_LEN(builtins), en->network_count - ARRAY_LEN(builtins),
		      sizeof(*en->networks), by_creation);
	return rc;
}

/* ---- who is on it ---- */

const struct endpoint *network_endpoint(const struct network *n, const struct container *c)
{
	for (size_t i = 0; i < c->endpoints.count; i++)
		if (c->endpoints.items[i].network == n)
			return &c->endpoints.items[i];
	return NULL;
}

bool network_wanted(const struct engine *en, const struct network *n)
{
	for (size_t i = 0; i < en->count; i++)
		for (size_t k = 0; k < en->containers[i]->endpoints.count; k++)
			if (!strcmp(en->containers[i]->endpoints.items[k].asked.name, n->name))
				return true;
	return false;
}

struct rule_network *networks_rules(const struct engine *en, size_t *count)
{
	struct rule_network *rows = calloc(en->network_count + 1, sizeof(*rows));

	*count = 0;
	for (size_t i = 0; rows && i < en->network_count; i++) {
		const struct network *n = en->networks[i];
		const char *metadata = string_map_get(&n->options, "org.berth.metadata");

		if (n->ready)
			rows[(*count)++] = (struct rule_network){
				.bridge = n->bridge.name, .subnet = n->bridge.subnet,
				.internal = n->internal,
				.metadata = n->builtin || (metadata && !strcmp(metadata, "true")),
			};
	}
	return rows;
}

void network_event(struct engine *en, const struct network *n, const char *action,
		   const struct container *c)
{
	struct string_pair pairs[] = {
		{ (char *)"name", n->name }, { (char *)"type", (char *)n->driver },
		{ (char *)"container", c ? (char *)c->id : NULL },
	};

	events_put(en->events, "network", action, n->id, &(struct string_map){ pairs, c ? 3 : 2 });
}
