#include "netup/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { CONFIG_MAX = 8 * 1024 * 1024 };

const char *plan_text(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	return text ? text : "";
}

bool plan_bool(yyjson_val *object, const char *key, bool otherwise)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	return yyjson_is_bool(v) ? yyjson_get_bool(v) : otherwise;
}

int64_t plan_number(yyjson_val *object, const char *key, int64_t otherwise)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	return yyjson_is_int(v) ? yyjson_get_sint(v) : otherwise;
}

bool plan_is(yyjson_val *link, const char *kind)
{
	return strcmp(plan_text(link, "kind"), kind) == 0;
}

bool plan_mac(yyjson_val *object, const char *key, uint8_t out[6])
{
	unsigned b[6];

	if (sscanf(plan_text(object, key), "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3],
		   &b[4], &b[5]) != 6)
		return false;
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	return true;
}

static bool has_own_time(yyjson_val *root)
{
	yyjson_val *ntp = yyjson_obj_get(root, "ntp");

	return !plan_bool(ntp, "enabled", true) ||
	       yyjson_arr_size(yyjson_obj_get(ntp, "servers")) ||
	       yyjson_arr_size(yyjson_obj_get(ntp, "pools"));
}

int plan_load(const char *path, struct plan *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int code = file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, e);
	yyjson_val *root, *network;

	*out = (struct plan){ 0 };
	if (code < 0)
		return code == -ENOENT ? 0 : code;
	out->doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!out->doc)
		return err_set(e, -EBADMSG, "\"%s\" is no JSON", path);
	root = yyjson_doc_get_root(out->doc);
	network = yyjson_obj_get(root, "network");
	out->links = yyjson_obj_get(network, "links");
	if (!yyjson_is_arr(out->links))
		out->links = NULL;
	out->faulty = plan_bool(network, "faulty", false);
	out->firewall = yyjson_obj_get(yyjson_obj_get(root, "berth"), "firewall");
	out->api = yyjson_obj_get(yyjson_obj_get(root, "berth"), "api");
	out->own_time = has_own_time(root);
	return 0;
}

void plan_free(struct plan *p)
{
	yyjson_doc_free(p->doc);
	*p = (struct plan){ 0 };
}

yyjson_val *plan_link(const struct plan *p, const char *name)
{
	yyjson_val *link;
	size_t i, max;

	yyjson_arr_foreach(p->links, i, max, link) {
		if (strcmp(plan_text(link, "name"), name) == 0)
			return link;
	}
	return NULL;
}

yyjson_val *plan_master(const struct plan *p, const char *name)
{
	yyjson_val *link, *member;
	size_t i, j, max, count;

	yyjson_arr_foreach(p->links, i, max, link) {
		yyjson_arr_foreach(yyjson_obj_get(link, "interfaces"), j, count, member) {
			if (yyjson_equals_str(member, name))
				return link;
		}
	}
	return NULL;
}

/* ---- which definition a card belongs to ---- */
static bool matches_name(yyjson_val *link, yyjson_val *match, const struct card *card)
{
	const char *pattern = plan_text(match, "name"), *given = plan_text(link, "set-name");

	/* A card that has its new name already: the pattern was for the old one. */
	return !*pattern || fnmatch(pattern, card->name, 0) == 0 ||
	       fnmatch(pattern, card->first_name, 0) == 0 || strcmp(given, card->name) == 0;
}

static bool matches_driver(yyjson_val *match, const struct card *card)
{
	yyjson_val *drivers = yyjson_obj_get(match, "driver"), *pattern;
	size_t i, max;

	if (!drivers)
		return true;
	yyjson_arr_foreach(drivers, i, max, pattern) {
		if (yyjson_is_str(pattern) &&
		    fnmatch(yyjson_get_str(pattern), card->driver, 0) == 0)
			return true;
	}
	return false;
}

static bool matches(yyjson_val *link, const struct card *card)
{
	yyjson_val *match = yyjson_obj_get(link, "match");
	uint8_t mac[6];

	if (!plan_is(link, "ethernet"))
		return false;
	if (!match)
		return strcmp(plan_text(link, "name"), card->name) == 0;
	if (yyjson_obj_size(match) == 0)
		return false;
	if (yyjson_obj_get(match, "macaddress") &&
	    (!plan_mac(match, "macaddress", mac) || memcmp(mac, card->mac, 6) != 0))
		return false;
	return matches_name(link, match, card) && matches_driver(match, card);
}

yyjson_val *plan_card(const struct plan *p, const struct card *card)
{
	yyjson_val *link;
	size_t i, max;

	yyjson_arr_foreach(p->links, i, max, link) {
		if (matches(link, card))
			return link;
	}
	return NULL;
}

/* ---- DHCP ---- */
bool plan_dhcp4(yyjson_val *link)
{
	return !link || plan_bool(link, "faulty", false) || plan_bool(link, "dhcp4", false);
}

enum plan_dhcp6 plan_dhcp6(yyjson_val *link)
{
	if (!link || plan_bool(link, "faulty", false))
		return DHCP6_IF_ASKED;
	if (!yyjson_obj_get(link, "dhcp6"))
		return plan_bool(link, "accept-ra", true) ? DHCP6_IF_ASKED : DHCP6_OFF;
	return plan_bool(link, "dhcp6", false) ? DHCP6_ON : DHCP6_OFF;
}

yyjson_val *plan_overrides(yyjson_val *link, int family)
{
	return yyjson_obj_get(link, family == AF_INET ? "dhcp4-overrides" : "dhcp6-overrides");
}
