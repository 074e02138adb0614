/* containers: what Compose has at its top level, and what containers ask of each other. */
#include <string.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const char *name_of(yyjson_mut_val *container_or_dependency)
{
	return yyjson_mut_get_str(yyjson_mut_obj_get(container_or_dependency, "name"));
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
	for (size_t i = 0; n && i < n->count; i++)
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
		if (declared(n, name_of(other)) ||
		    yyjson_mut_get_bool(yyjson_mut_obj_get(other, "optional")))
			continue;
		walk_fault(w, FAULT_ERROR, at, "it depends on \"%s\", but there is no such container",
			   name_of(other));
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
static void forget_dropped(struct walk *w, const struct node *n, const struct node *at,
			   yyjson_mut_val *list, yyjson_mut_val *c)
{
	yyjson_mut_val *names = yyjson_mut_obj_get(c, "depends_on");

	for (size_t i = 0; i < yyjson_mut_arr_size(names);) {
		const char *name = name_of(yyjson_mut_arr_get(names, i));

		if (container_by_name(list, name)) {
			i++;
			continue;
		}
		if (declared(n, name))
			walk_fault(w, FAULT_WARNING, at,
				   "it is started without \"%s\", which has faults of its own", name);
		yyjson_mut_arr_remove(names, i);
	}
}

/* Takes a container away because of a fault that was just told. */
static void drop(struct walk *w, yyjson_mut_val *list, size_t i)
{
	yyjson_mut_arr_add_strcpy(w->doc, w->dropped, buf_text(&w->path));
	yyjson_mut_arr_remove(list, i);
}

static void check_together(struct walk *w, const struct node *n, yyjson_mut_val *list)
{
	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);

		if (has_conflict(w, n, at, list, c)) {
			drop(w, list, i);
		} else {
			i++;
		}
		walk_leave(w, before);
	}
	for (size_t i = 0; i < yyjson_mut_arr_size(list); i++) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);

		forget_dropped(w, n, at, list, c);
		walk_leave(w, before);
	}
}

/* ---- profiles ---- */
static bool is_active(yyjson_mut_val *container, yyjson_mut_val *active)
{
	yyjson_mut_val *profiles = yyjson_mut_obj_get(container, "profiles"), *one, *other;
	size_t i, j, max_i, max_j;

	if (!yyjson_mut_arr_size(profiles))
		return true;
	yyjson_mut_arr_foreach(profiles, i, max_i, one) {
		yyjson_mut_arr_foreach(active, j, max_j, other) {
			if (yyjson_mut_equals(one, other))
				return true;
		}
	}
	return false;
}

static bool needs_inactive(struct walk *w, const struct node *at, yyjson_mut_val *c,
			   yyjson_mut_val *inactive)
{
	yyjson_mut_val *other;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(c, "depends_on"), i, max, other) {
		if (yyjson_mut_get_bool(yyjson_mut_obj_get(other, "optional")) ||
		    !container_by_name(inactive, name_of(other)))
			continue;
		walk_fault(w, FAULT_ERROR, at,
			   "it depends on \"%s\", none of whose profiles is in berth.profiles",
			   name_of(other));
		return true;
	}
	return false;
}

/* Containers whose profiles nobody asked for do not run; that is no fault. */
static void choose_profiles(struct walk *w, const struct node *n, yyjson_mut_val *root,
			    yyjson_mut_val *list)
{
	yyjson_mut_val *active =
		yyjson_mut_obj_get(yyjson_mut_obj_get(root, "berth"), "profiles");
	yyjson_mut_val *inactive = yyjson_mut_arr(w->doc);

	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);

		if (is_active(c, active))
			i++;
		else
			yyjson_mut_arr_append(inactive, yyjson_mut_arr_remove(list, i));
		yyjson_mut_obj_remove_key(c, "profiles");
	}
	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);

		if (needs_inactive(w, at, c, inactive))
			drop(w, list, i);
		else
			i++;
		walk_leave(w, before);
	}
}

/* ---- volumes, configs, secrets ---- */
static const char *const drivers[] = { "local", NULL };
static const struct type driver = {
	SCALAR(read_text), .name = "driver", .words = drivers, .expected = "\"local\"",
};
static const struct type volume_name = {
	SCALAR(read_text), .name = "volume", .check = check_container_name,
	.expected = "a name for a volume",
};
static const struct key volume_keys[] = {
	{ .name = "name", .type = &volume_name, .normal = "its key", .example = "app-data",
	  .help = "The volume's name on the host." },
	{ .name = "driver", .type = &driver, .normal = "local", .example = "local",
	  .help = "A folder on the data partition." },
	{ .name = "driver_opts", .refused = "not supported: use mounts, and a bind" },
	{ .name = "external", .refused = "not supported: a volume is made when it is missing; leave "
					 "this key out" },
	{ .name = "labels", .refused = "not supported: volumes of the configuration have no labels" },
};
static const struct type volume = {
	OBJECT(volume_keys), .name = "volume", .expected = "a mapping, or nothing",
};
const struct type type_volume_names = {
	.kind = TYPE_MAP, .name = "volumes by name", .item = &volume, .check = check_container_name,
	.expected = "a mapping of names to volumes",
};

static const struct type content = {
	SCALAR(read_text), .name = "text", .dollars = true, .secret = true, .expected = "a text",
};
#define NO_SUCH_SOURCE "not supported: use content, or file"
static const struct key config_keys[] = {
	{ .name = "content", .type = &content, .normal = "file says it", .example = "\"listen 80\\n\"",
	  .help = "What it holds. Kept in memory." },
	{ .name = "file", .type = &type_path, .normal = "content says it",
	  .example = "/var/lib/app/app.conf", .help = "The host's file that it is." },
	{ .name = "external", .refused = NO_SUCH_SOURCE },
	{ .name = "environment", .refused = NO_SUCH_SOURCE },
	{ .name = "name", .refused = NO_SUCH_SOURCE },
	{ .name = "template_driver", .refused = "not supported: there are no templates" },
	{ .name = "driver", .refused = NO_SUCH_SOURCE },
	{ .name = "labels", .refused = "not supported: it has no labels" },
};

static void finish_config(struct walk *w, const struct node *n, yyjson_mut_val *config)
{
	if (!yyjson_mut_obj_get(config, "content") == !yyjson_mut_obj_get(config, "file"))
		walk_fault(w, FAULT_ERROR, n, "it has either \"content\" or \"file\"");
}

static const struct type config = {
	OBJECT(config_keys), .name = "config", .finish = finish_config, .atomic = true,
	.expected = "a mapping with \"content\" or \"file\"",
};
const struct type type_configs = {
	.kind = TYPE_MAP, .name = "files by name", .item = &config, .check = check_container_name,
	.expected = "a mapping of names to files",
};

/* Where a container finds them, and where the host keeps what is in the configuration itself. */
static const struct {
	const char *key, *folder;
} kinds[] = { { "configs", "/" }, { "secrets", "/run/secrets/" } };

/* The path on the host of a file for one container: its own copy, because modes differ. */
static void put_file(struct walk *w, yyjson_mut_val *files, const char *path,
		     yyjson_mut_val *reference, yyjson_mut_val *what)
{
	yyjson_mut_val *file = yyjson_mut_arr_add_obj(w->doc, files);
	yyjson_mut_val *mode = yyjson_mut_obj_get(reference, "mode");
	yyjson_mut_val *text = yyjson_mut_obj_get(what, "content");
	autobuf struct buf coded = { 0 };

	base64_encode(yyjson_mut_get_str(text), yyjson_mut_get_len(text), &coded);
	yyjson_mut_obj_add_strcpy(w->doc, file, "path", path);
	yyjson_mut_obj_add_int(w->doc, file, "permissions",
			       mode ? yyjson_mut_get_sint(mode) : 0444);
	yyjson_mut_obj_add_strcpy(w->doc, file, "content_base64", buf_text(&coded));
}

/* One reference becomes a bind. */
static void bind_file(struct walk *w, yyjson_mut_val *root, size_t kind, yyjson_mut_val *c,
		      yyjson_mut_val *reference, yyjson_mut_val *what)
{
	const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(reference, "source"));
	const char *target = yyjson_mut_get_str(yyjson_mut_obj_get(reference, "target"));
	const char *source = yyjson_mut_get_str(yyjson_mut_obj_get(what, "file"));
	yyjson_mut_val *volumes = yyjson_mut_obj_get(c, "volumes"), *bind;
	yyjson_mut_val *files = yyjson_mut_obj_get(root, "container_files");
	autobuf struct buf path = { 0 }, inside = { 0 };

	if (!volumes)
		volumes = yyjson_mut_obj_add_arr(w->doc, c, "volumes");
	if (!files)
		files = yyjson_mut_obj_add_arr(w->doc, root, "container_files");
	buf_addf(&path, "/run/berth/%s/%s/%s", kinds[kind].key, name_of(c), name);
	buf_addf(&inside, "%s%s", target && *target == '/' ? "" : kinds[kind].folder,
		 target ? target : name);
	if (!source)
		put_file(w, files, buf_text(&path), reference, what);
	bind = yyjson_mut_arr_add_obj(w->doc, volumes);
	yyjson_mut_obj_add_str(w->doc, bind, "type", "bind");
	yyjson_mut_obj_add_strcpy(w->doc, bind, "source", source ? source : buf_text(&path));
	yyjson_mut_obj_add_strcpy(w->doc, bind, "target", buf_text(&inside));
	yyjson_mut_obj_add_bool(w->doc, bind, "read_only", true);
}

/* False after a fault: a reference to what is not declared. */
static bool bind_files(struct walk *w, const struct node *at, yyjson_mut_val *root, size_t kind,
		       yyjson_mut_val *c)
{
	yyjson_mut_val *references = yyjson_mut_obj_remove_key(c, kinds[kind].key), *reference;
	yyjson_mut_val *known = yyjson_mut_obj_get(root, kinds[kind].key);
	size_t i, max;

	yyjson_mut_arr_foreach(references, i, max, reference) {
		yyjson_mut_val *name = yyjson_mut_obj_get(reference, "source");
		yyjson_mut_val *what = yyjson_mut_obj_getn(known, yyjson_mut_get_str(name),
							   yyjson_mut_get_len(name));

		if (!what) {
			walk_fault(w, FAULT_ERROR, at, "\"%s\" is not declared under \"%s\"",
				   yyjson_mut_get_str(name), kinds[kind].key);
			return false;
		}
		bind_file(w, root, kind, c, reference, what);
	}
	return true;
}

/* "volumes: {data: {name: app-data}}": what the containers call data is app-data. */
static void rename_volumes(struct walk *w, yyjson_mut_val *root, yyjson_mut_val *c)
{
	yyjson_mut_val *names = yyjson_mut_obj_get(root, "volumes"), *v;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(c, "volumes"), i, max, v) {
		const char *source = yyjson_mut_get_str(yyjson_mut_obj_get(v, "source"));
		yyjson_mut_val *name = source ? yyjson_mut_obj_get(
			yyjson_mut_obj_get(names, source), "name") : NULL;

		if (!name || *source == '/')
			continue;
		yyjson_mut_obj_remove_key(v, "source");
		yyjson_mut_obj_add_strcpy(w->doc, v, "source", yyjson_mut_get_str(name));
	}
}

static void resolve_references(struct walk *w, const struct node *n, yyjson_mut_val *root,
			       yyjson_mut_val *list)
{
	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		yyjson_mut_val *c = yyjson_mut_arr_get(list, i);
		const struct node *at = declared(n, name_of(c))->key;
		size_t before = walk_enter(w, at->text);
		bool ok = true;

		rename_volumes(w, root, c);
		for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
			ok = ok && bind_files(w, at, root, kind, c);
		if (ok)
			i++;
		else
			drop(w, list, i);
		walk_leave(w, before);
	}
}

void compose_finish(struct walk *w, const struct node *n, yyjson_mut_val *root)
{
	const struct node_pair *p = declared(n, "containers");
	yyjson_mut_val *list = yyjson_mut_obj_get(root, "containers");
	size_t before = walk_enter(w, "containers");

	if (list) {
		choose_profiles(w, p->value, root, list);
		resolve_references(w, p->value, root, list);
		check_together(w, p->value, list);
	}
	walk_leave(w, before);
	for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++)
		yyjson_mut_obj_remove_key(root, kinds[kind].key);
	yyjson_mut_obj_remove_key(root, "volumes");
}

const struct type type_containers = {
	.kind = TYPE_MAP, .name = "containers by name", .item = &schema_container,
	.check = check_container_name, .list_key = "name",
	.expected = "a mapping of names to containers",
};
