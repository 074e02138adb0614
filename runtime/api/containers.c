/* GET /containers/json: what `docker ps` shows. */
#include <stdlib.h>
#include <string.h>

#include "api/filters.h"
#include "api/handlers.h"
#include "api/human.h"
#include "api/json.h"
#include "api/request.h"
#include "api/shape.h"
#include "api/summary.h"
#include "base/clock.h"

/* docker's rule: what a shell would need quotes for gets them. */
static void add_command(struct buf *b, const struct container *c)
{
	struct buf line = { 0 };

	for (size_t i = 0; i < c->argv.count; i++) {
		const char *arg = c->argv.items[i];

		if (i)
			buf_addc(&line, ' ');
		if (strpbrk(arg, " \t\n\"'\\$&;|<>()*?[]#~`") || !*arg)
			buf_addf(&line, "'%s'", arg);
		else
			buf_adds(&line, arg);
	}
	json_string(b, "Command", buf_text(&line));
	buf_free(&line);
}

static void add_ports(struct buf *b, const struct container *c)
{
	json_open(b, "Ports", '[');
	for (size_t i = 0; i < c->spec.ports.count && container_is_live(c); i++) {
		const struct spec_port *port = &c->spec.ports.items[i];

		json_open(b, NULL, '{');
		json_string(b, "IP", port->host_ip && *port->host_ip ? port->host_ip : "0.0.0.0");
		json_int(b, "PrivatePort", port->target);
		json_int(b, "PublicPort", shape_host_port(c, i));
		json_string(b, "Type", port->protocol ? port->protocol : "tcp");
		json_close(b, '}');
	}
	json_close(b, ']');
}

void container_summary(struct buf *b, const struct container *c, const struct sizes *sizes)
{
	int64_t now = clock_wall_ns();
	char status[HUMAN_STATUS_MAX], name[260];

	snprintf(name, sizeof(name), "/%.256s", c->name);
	json_open(b, NULL, '{');
	json_string(b, "Id", c->id);
	json_open(b, "Names", '[');
	json_string(b, NULL, name);
	json_close(b, ']');
	json_string(b, "Image", c->spec.image);
	json_string(b, "ImageID", c->image_id);
	add_command(b, c);
	json_int(b, "Created", c->created_ns / 1000000000);
	add_ports(b, c);
	if (sizes && sizes_of(sizes, c->id))
		json_int(b, "SizeRw", sizes_of(sizes, c->id)); /* docker leaves a 0 out */
	if (sizes)
		json_int(b, "SizeRootFs", sizes_of_root(sizes, c));
	json_map(b, "Labels", &c->spec.labels);
	json_string(b, "State", state_docker_name(c->state));
	json_string(b, "Status", human_status(c, now, status));
	json_open(b, "HostConfig", '{');
	json_string(b, "NetworkMode", shape_network_mode(c));
	json_close(b, '}');
	json_open(b, "NetworkSettings", '{');
	shape_networks(b, c);
	json_close(b, '}');
	shape_mounts(b, c);
	json_close(b, '}');
}

static bool is_listed(const struct container *c, bool all)
{
	return all || c->state == STATE_RUNNING || c->state == STATE_PAUSED ||
	       c->state == STATE_STOPPING || c->state == STATE_RESTARTING;
}

static void list_containers(struct request *r, const struct sizes *sizes)
{
	struct filters *filters = NULL;
	struct buf json = { 0 };
	struct err e = { 0 };
	int64_t limit = request_number(r, "limit", 0);
	int rc = filters_parse(&filters, request_query(r, "filters"), &e);
	bool all = request_flag(r, "all") || limit > 0 || filters_have(filters, "status");

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	json_open(&json, NULL, '[');
	/* The newest first. */
	for (size_t i = r->engine->count; i--;) {
		const struct container *c = r->engine->containers[i];

		if (!is_listed(c, all) || !filters_match(filters, c))
			continue;
		container_summary(&json, c, sizes);
		if (limit > 0 && --limit == 0)
			break;
	}
	json_close(&json, ']');
	buf_addc(&json, '\n');
	filters_free(filters);
	reply_json(r, MHD_HTTP_OK, &json);
}

void handle_containers(struct request *r)
{
	if (request_flag(r, "size"))
		sizes_count(r, SIZES_CONTAINERS, NULL, list_containers);
	else
		list_containers(r, NULL);
}
