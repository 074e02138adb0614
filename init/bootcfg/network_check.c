/* What links say of each other. A link that refers to nothing is taken out, and a member that is
 * not there is forgotten: the others go on. */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/network.h"

/* The blocks of version 2, each a mapping of names; under version 1 there are none. */
static const char *const blocks[] = {
	"ethernets", "bonds", "bridges", "vlans", "tunnels", "dummy-devices",
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
	const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));

	return text ? text : "";
}

yyjson_mut_val *network_link(yyjson_mut_val *links, const char *name)
{
	yyjson_mut_val *link;
	size_t i, max;

	yyjson_mut_arr_foreach(links, i, max, link) {
		if (strcmp(text_of(link, "name"), name) == 0)
			return link;
	}
	return NULL;
}

/* A fault of the link, told where the link stands. */
static void fault_link(struct walk *w, const struct node *n, yyjson_mut_val *link,
		       enum fault_level level, const char *key, const char *sentence,
		       const char *other)
{
	const struct node *at = n, *found;
	size_t before = w->path.len;

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		found = node_value(node_value(n, blocks[i]), text_of(link, "name"));
		if (!found)
			continue;
		at = node_value(found, key) ? node_value(found, key) : found;
		walk_enter(w, blocks[i]);
		break;
	}
	walk_enter(w, text_of(link, "name"));
	if (*key)
		walk_enter(w, key);
	walk_fault(w, level, at, "%s \"%s\"", sentence, other);
	walk_leave(w, before);
	if (level == FAULT_ERROR && !yyjson_mut_obj_get(link, "faulty"))
		yyjson_mut_obj_add_bool(w->doc, link, "faulty", true);
}

/* The link under this name stands above `link` in the list: the name is there twice. */
static bool is_twice(yyjson_mut_val *links, yyjson_mut_val *link)
{
	return network_link(links, text_of(link, "name")) != link;
}

/* A name that another link will get by set-name. */
static bool is_taken(yyjson_mut_val *links, yyjson_mut_val *link)
{
	const char *name = text_of(link, "set-name");
	yyjson_mut_val *other;
	size_t i, max;

	yyjson_mut_arr_foreach(links, i, max, other) {
		if (other == link)
			continue;
		if (strcmp(text_of(other, "set-name"), name) == 0)
			return true;
		if (!yyjson_mut_obj_get(other, "match") && strcmp(text_of(other, "name"), name) == 0)
			return true;
	}
	return false;
}

/* Follows VLANs down to what carries them. */
static bool is_circle(yyjson_mut_val *links, yyjson_mut_val *link)
{
	size_t steps = 0, all = yyjson_mut_arr_size(links);

	while (link && *text_of(link, "link") && steps++ <= all)
		link = network_link(links, text_of(link, "link"));
	return steps > all;
}

/* A link without what it is made of; the walk has told it. */
static bool is_half(yyjson_mut_val *link)
{
	static const struct {
		const char *kind, *keys[2];
	} rows[] = { { "vlan", { "id", "link" } }, { "wireguard", { "mode", "key" } } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(text_of(link, "kind"), rows[i].kind) == 0)
			return !yyjson_mut_obj_get(link, rows[i].keys[0]) ||
			       !yyjson_mut_obj_get(link, rows[i].keys[1]);
	return false;
}

/* Why the link cannot be: told. */
static bool is_impossible(struct walk *w, const struct node *n, yyjson_mut_val *links,
			  yyjson_mut_val *link)
{
	const char *under = text_of(link, "link"), *name = text_of(link, "set-name");

	if (is_half(link))
		return true;
	if (is_twice(links, link)) {
		fault_link(w, n, link, FAULT_ERROR, "", "another link has this name too:",
			   text_of(link, "name"));
		return true;
	}
	if (*under && !network_link(links, under)) {
		fault_link(w, n, link, FAULT_ERROR, "link", "there is no link defined as", under);
		return true;
	}
	if (*under && is_circle(links, link)) {
		fault_link(w, n, link, FAULT_ERROR, "link", "the VLAN would carry itself through",
			   under);
		return true;
	}
	if (*name && is_taken(links, link)) {
		fault_link(w, n, link, FAULT_ERROR, "set-name", "another link has this name too:",
			   name);
		yyjson_mut_obj_remove_key(link, "set-name");
	}
	return false;
}

/* ---- members ---- */

/* The bond or bridge above this one in the list that has the member as well. */
static bool is_member_elsewhere(yyjson_mut_val *links, yyjson_mut_val *master, const char *member)
{
	yyjson_mut_val *other, *name;
	size_t i, j, max, count;

	yyjson_mut_arr_foreach(links, i, max, other) {
		if (other == master)
			return false;
		yyjson_mut_arr_foreach(yyjson_mut_obj_get(other, "interfaces"), j, count, name) {
			if (yyjson_mut_equals_str(name, member))
				return true;
		}
	}
	return false;
}

enum { STEPS_MAX = 1000 }; /* of honest texts, a few dozen */

/* Whether `name` is, through members and VLANs, part of `link`. */
static bool contains(yyjson_mut_val *links, yyjson_mut_val *link, const char *name, size_t *steps)
{
	yyjson_mut_val *item;
	size_t i, max;

	if (!link || ++*steps > STEPS_MAX)
		return link != NULL;
	if (strcmp(text_of(link, "name"), name) == 0)
		return true;
	if (*text_of(link, "link") &&
	    contains(links, network_link(links, text_of(link, "link")), name, steps))
		return true;
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(link, "interfaces"), i, max, item) {
		if (contains(links, network_link(links, yyjson_mut_get_str(item)), name, steps))
			return true;
	}
	return false;
}

static const char *member_fault(yyjson_mut_val *links, yyjson_mut_val *master, const char *member)
{
	yyjson_mut_val *link = network_link(links, member);
	size_t steps = 0;

	if (!link)
		return "there is no link defined as";
	if (is_member_elsewhere(links, master, member))
		return "another bond or bridge has it already:";
	if (contains(links, link, text_of(master, "name"), &steps))
		return "the link would be a member of itself through";
	return strcmp(text_of(link, "kind"), "wireguard") == 0 ?
		"a tunnel carries no Ethernet and cannot be a member:" : NULL;
}

static size_t place_of(yyjson_mut_val *members, const char *name)
{
	yyjson_mut_val *item;
	size_t i, max;

	yyjson_mut_arr_foreach(members, i, max, item) {
		if (yyjson_mut_equals_str(item, name))
			return i;
	}
	return max;
}

static void check_members(struct walk *w, const struct node *n, yyjson_mut_val *links,
			  yyjson_mut_val *master)
{
	yyjson_mut_val *members = yyjson_mut_obj_get(master, "interfaces");

	for (size_t i = 0; i < yyjson_mut_arr_size(members);) {
		const char *member = yyjson_mut_get_str(yyjson_mut_arr_get(members, i));
		const char *why = i != place_of(members, member) ? "this member is there twice:" :
					  member_fault(links, master, member);

		if (!why) {
			i++;
			continue;
		}
		fault_link(w, n, master, FAULT_ERROR, "interfaces", why, member);
		yyjson_mut_arr_remove(members, i);
	}
}

/* Addresses belong on the bond or bridge; netplan says nothing, and nothing works. */
static void warn_of_addresses(struct walk *w, const struct node *n, yyjson_mut_val *links,
			      yyjson_mut_val *master)
{
	static const char *const keys[] = { "addresses", "routes" };
	yyjson_mut_val *name;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(master, "interfaces"), i, max, name) {
		yyjson_mut_val *link = network_link(links, yyjson_mut_get_str(name));

		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (yyjson_mut_obj_get(link, keys[k]))
				fault_link(w, n, link, FAULT_WARNING, keys[k],
					   "this is not used: the link is a member of",
					   text_of(master, "name"));
	}
}

static void check_primary(struct walk *w, const struct node *n, yyjson_mut_val *master)
{
	yyjson_mut_val *parameters = yyjson_mut_obj_get(master, "parameters"), *name;
	const char *primary = text_of(parameters, "primary");
	size_t i, max;

	if (!*primary)
		return;
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(master, "interfaces"), i, max, name) {
		if (yyjson_mut_equals_str(name, primary))
			return;
	}
	fault_link(w, n, master, FAULT_ERROR, "parameters", "the primary link is no member:",
		   primary);
	yyjson_mut_obj_remove_key(parameters, "primary");
}

void network_check(struct walk *w, const struct node *n, yyjson_mut_val *network)
{
	yyjson_mut_val *links = yyjson_mut_obj_get(network, "links");

	for (size_t i = 0; i < yyjson_mut_arr_size(links);) {
		if (is_impossible(w, n, links, yyjson_mut_arr_get(links, i))) {
			yyjson_mut_arr_remove(links, i);
			i = 0; /* one that stands before it may have been on it */
		} else {
			i++;
		}
	}
	for (size_t i = 0; i < yyjson_mut_arr_size(links); i++) {
		check_members(w, n, links, yyjson_mut_arr_get(links, i));
		check_primary(w, n, yyjson_mut_arr_get(links, i));
	}
	for (size_t i = 0; i < yyjson_mut_arr_size(links); i++)
		warn_of_addresses(w, n, links, yyjson_mut_arr_get(links, i));
}
