/* containers: what Compose has at its top level, and what containers ask of each other. */
#include <string.h>

#include "base/cleanup.h"
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

		forget_dropped(w, n, at, list, c);
		walk_leave(w, before);
	}
}

const struct type type_containers = {
	.kind = TYPE_MAP, .name = "containers by name", .item = &schema_container,
	.check = check_container_name, .list_key = "name", .finish = finish_containers,
	.expected = "a mapping of names to containers",
};
