/* Networks in bodies: NetworkingConfig of a container's making, the bodies of /networks. */
#include "api/body_network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* ---- an endpoint ---- */

static const struct body_key address_keys[] = {
	{ "IPv4Address", take_string, offsetof(struct spec_network, ipv4_address) },
	{ NULL, NULL, 0 },
};

static int take_addresses(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "IPAMConfig.", v, address_keys, member, e);
}

/* What inspect tells of an endpoint is no wish; clients send it back as they got it. */
static const struct body_key endpoint_keys[] = {
	{ "Aliases", take_strings, offsetof(struct spec_network, aliases) },
	{ "DNSNames", take_nothing, 0 },
	{ "EndpointID", take_nothing, 0 },
	{ "Gateway", take_nothing, 0 },
	{ "GlobalIPv6Address", take_nothing, 0 },
	{ "GlobalIPv6PrefixLen", take_nothing, 0 },
	{ "GwPriority", take_int, offsetof(struct spec_network, gw_priority) },
	{ "IPAMConfig", take_addresses, 0 },
	{ "IPAddress", take_nothing, 0 },
	{ "IPPrefixLen", take_nothing, 0 },
	{ "IPv6Gateway", take_nothing, 0 },
	{ "Links", take_strings, offsetof(struct spec_network, links) },
	{ "MacAddress", take_string, offsetof(struct spec_network, mac_address) },
	{ "NetworkID", take_nothing, 0 },
	{ NULL, NULL, 0 },
};

static int take_endpoint(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return yyjson_is_null(v) ? 0 : body_walk(b, "EndpointConfig.", v, endpoint_keys, member, e);
}

static int take_endpoints(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	yyjson_val *key, *item;
	size_t i, max;

	(void)member;
	if (!yyjson_is_obj(v) || yyjson_obj_size(v) > RECORD_ITEMS_MAX)
		return err_set(e, -EINVAL, "expected an object");
	yyjson_obj_foreach(v, i, max, key, item) {
		struct spec_network *n = record_list_add(&b->spec.networks, sizeof(*n));
		int rc = n ? take_string(b, &n->name, key, e) : body_no_memory(e);

		if (!rc)
			rc = take_endpoint(b, n, item, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const struct body_key networking_keys[] = {
	{ "EndpointsConfig", take_endpoints, 0 },
	{ NULL, NULL, 0 },
};

int take_networking(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "NetworkingConfig.", v, networking_keys, member, e);
}

/* ---- connect and disconnect ---- */

static const struct body_key connect_keys[] = {
	{ "Container", take_string, offsetof(struct body_connect, container) },
	{ "EndpointConfig", take_endpoint, offsetof(struct body_connect, asked) },
	{ "Force", take_bool, offsetof(struct body_connect, force) },
	{ NULL, NULL, 0 },
};

int body_connect_read(struct body_connect *out, const char *json, size_t len, struct err *e)
{
	struct body b = { .publish_all = false };
	int rc;

	*out = (struct body_connect){ .container = NULL };
	rc = body_parse(&b, json, len, connect_keys, out, e);
	if (!rc && !out->container)
		rc = err_set(e, -EINVAL, "the request names no container");
	return rc;
}

void body_connect_free(struct body_connect *c)
{
	free(c->container);
	record_free(&spec_network_type, &c->asked);
}

/* ---- create ---- */

static int only(yyjson_val *v, const char *word, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (text && (!*text || !strcmp(text, word)))
		return 0;
	return err_set(e, -ENOTSUP, "\"%.64s\" is not supported (\"%s\" is)", text ? text : "", word);
}

static int take_driver(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "bridge", e);
}

static int take_scope(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "local", e);
}

static int take_ipam_driver(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return only(v, "default", e);
}

static int take_ipv4(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	return yyjson_is_true(v) ? 0 : err_set(e, -ENOTSUP, "a network without IPv4 is not supported");
}

static const struct body_key subnet_keys[] = {
	{ "Gateway", take_string, offsetof(struct network, gateway) },
	{ "IPRange", take_string, offsetof(struct network, ip_range) },
	{ "Subnet", take_string, offsetof(struct network, subnet) },
	{ NULL, NULL, 0 },
};

static int take_subnets(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	if (!yyjson_is_arr(v) || yyjson_arr_size(v) > 1)
		return err_set(e, -ENOTSUP, "one subnet is supported");
	return yyjson_arr_size(v) ? body_walk(b, "IPAM.Config.", yyjson_arr_get_first(v), subnet_keys,
					      member, e) : 0;
}

static const struct body_key ipam_keys[] = {
	{ "Config", take_subnets, 0 },
	{ "Driver", take_ipam_driver, 0 },
	{ NULL, NULL, 0 },
};

static int take_ipam(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "IPAM.", v, ipam_keys, member, e);
}

static const struct body_key create_keys[] = {
	{ "Attachable", take_bool, offsetof(struct network, attachable) },
	{ "CheckDuplicate", take_nothing, 0 }, /* always */
	{ "Driver", take_driver, 0 },
	{ "EnableIPv4", take_ipv4, 0 },
	{ "IPAM", take_ipam, 0 },
	{ "Internal", take_bool, offsetof(struct network, internal) },
	{ "Labels", take_map, offsetof(struct network, labels) },
	{ "Name", take_string, offsetof(struct network, name) },
	{ "Options", take_map, offsetof(struct network, options) },
	{ "Scope", take_scope, 0 },
	{ NULL, NULL, 0 },
};

static int option_link(struct network *n, const char *value, struct err *e)
{
	return body_replace(&n->link, value, e);
}

static int option_mtu(struct network *n, const char *value, struct err *e)
{
	char *end;

	n->mtu = strtol(value, &end, 10);
	return *value && !*end && n->mtu > 0 ? 0 : err_set(e, -EINVAL, "invalid MTU \"%.32s\"", value);
}

static int option_metadata(struct network *n, const char *value, struct err *e)
{
	(void)n;
	return !strcmp(value, "true") || !strcmp(value, "false") ? 0 :
	       err_set(e, -EINVAL, "org.berth.metadata: \"%.32s\" is neither true nor false", value);
}

static int option_always(struct network *n, const char *value, struct err *e)
{
	(void)n;
	return !strcmp(value, "true") ? 0 : err_set(e, -ENOTSUP, "\"%.32s\" is not supported", value);
}

static const struct {
	const char *name;
	int (*take)(struct network *n, const char *value, struct err *e);
} options[] = {
	{ "com.docker.network.bridge.name", option_link },
	{ "com.docker.network.driver.mtu", option_mtu },
	{ "com.docker.network.bridge.enable_icc", option_always },
	{ "com.docker.network.bridge.enable_ip_masquerade", option_always },
	{ "org.berth.metadata", option_metadata },
};

static int take_option(struct network *n, const struct string_pair *o, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int rc;

		if (strcmp(options[i].name, o->name))
			continue;
		rc = options[i].take(n, o->value, e);
		if (rc < 0)
			err_prefix(e, "%s", o->name);
		return rc;
	}
	return err_set(e, -ENOTSUP, "Options.%.100s is not supported", o->name);
}

int body_network_read(struct network *out, const char *json, size_t len, struct err *e)
{
	struct body b = { .publish_all = false };
	int rc;

	*out = (struct network){ .id = NULL };
	rc = body_parse(&b, json, len, create_keys, out, e);
	for (size_t i = 0; !rc && i < out->options.count; i++)
		rc = take_option(out, &out->options.items[i], e);
	return rc;
}
