/* ExposedPorts, PortBindings, PublishAllPorts: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]} */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "base/cleanup.h"

struct port_name {
	int64_t number;
	char protocol[8];
};

static int parse_name(const char *text, struct port_name *out, struct err *e)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	char *end;
	long number = strtol(text, &end, 10);
	const char *protocol = *end == '/' ? end + 1 : "tcp";

	if (end == text || (*end && *end != '/') || number < 1 || number > 65535)
		return err_set(e, -EINVAL, "invalid port \"%.64s\"", text);
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcmp(protocol, protocols[i]))
			continue;
		out->number = number;
		strcpy(out->protocol, protocol);
		return 0;
	}
	return err_set(e, -EINVAL, "invalid protocol in port \"%.64s\"", text);
}

int take_exposed(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	(void)b;
	yyjson_obj_foreach(v, i, max, key, item) {
		struct port_name name;
		char text[24];
		int rc = parse_name(yyjson_get_str(key), &name, e);

		(void)item;
		if (rc < 0)
			return rc;
		snprintf(text, sizeof(text), "%d/%s", (int)name.number, name.protocol);
		if (string_list_add(member, text) < 0)
			return body_no_memory(e);
	}
	return 0;
}

static int add_port(struct container_spec *spec, const struct port_name *name, const char *ip,
		    int64_t first, int64_t last)
{
	struct spec_port *port = record_list_add(&spec->ports, sizeof(*port));

	if (!port)
		return -ENOMEM;
	port->target = name->number;
	port->published = first;
	port->published_end = last;
	port->protocol = strdup(name->protocol);
	port->host_ip = ip && *ip ? strdup(ip) : NULL;
	return !port->protocol || (ip && *ip && !port->host_ip) ? -ENOMEM : 0;
}

/* "", "8000", "8000-8010". */
static int parse_host_port(const char *text, int64_t *first, int64_t *last)
{
	char *end;

	*first = *last = 0;
	if (!text || !*text)
		return 0;
	*first = strtol(text, &end, 10);
	if (end == text || (*end && *end != '-'))
		return -EINVAL;
	if (*end) {
		text = end + 1;
		*last = strtol(text, &end, 10);
		if (end == text || *end || *last < *first || *first < 1)
			return -EINVAL;
	}
	return *first < 0 || *first > 65535 || *last > 65535 ? -EINVAL : 0;
}

static int take_binding(struct body *b, const struct port_name *name, yyjson_val *v, struct err *e)
{
	const char *ip = yyjson_get_str(yyjson_obj_get(v, "HostIp"));
	const char *port = yyjson_get_str(yyjson_obj_get(v, "HostPort"));
	int64_t first, last;

	if (parse_host_port(port, &first, &last) < 0)
		return err_set(e, -EINVAL, "invalid host port \"%.32s\"", port);
	return add_port(&b->spec, name, ip, first, last) < 0 ? body_no_memory(e) : 0;
}

int take_ports(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max, n, bindings;
	yyjson_val *key, *list, *item;

	(void)member;
	yyjson_obj_foreach(v, i, max, key, list) {
		struct port_name name;
		int rc = parse_name(yyjson_get_str(key), &name, e);

		yyjson_arr_foreach(list, n, bindings, item)
			if (!rc)
				rc = take_binding(b, &name, item, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool published(const struct container_spec *spec, const struct port_name *name)
{
	for (size_t i = 0; i < spec->ports.count; i++) {
		const struct spec_port *port = &spec->ports.items[i];

		if (port->target == name->number &&
		    !strcmp(port->protocol ? port->protocol : "tcp", name->protocol))
			return true;
	}
	return false;
}

int body_publish_all(struct body *b, const struct image_config *image)
{
	const struct string_list *lists[] = { &b->spec.expose, &image->ExposedPorts };

	for (size_t l = 0; b->publish_all && l < ARRAY_LEN(lists); l++) {
		for (size_t i = 0; i < lists[l]->count; i++) {
			struct port_name name;

			/* What an image has that is no port is its own matter. */
			if (parse_name(lists[l]->items[i], &name, NULL) < 0 ||
			    published(&b->spec, &name))
				continue;
			if (add_port(&b->spec, &name, NULL, 0, 0) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}
