#include "engine/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/bridge.h"
#include "spec/record_table.h"
#include "yyjson.h"

enum { VERSION = 1 };

static const struct record_field endpoint_fields[] = {
	F_OBJ(endpoint, asked, &spec_network_type),
	F_STR(endpoint, address),
	F_INT(endpoint, slot),
	F_END,
};
RECORD_TYPE(endpoint_type, endpoint, endpoint_fields);

static const struct record_field run_fields[] = {
	F_INT_REQ(run, started_ns),
	F_INT_REQ(run, finished_ns),
	F_INT_REQ(run, exit_code),
	F_END,
};
RECORD_TYPE(run_type, run, run_fields);

struct saved {
	int64_t version;
	char *id, *name, *declaration, *image_id;
	struct string_list argv, chosen;
	int64_t created_ns, started_ns, finished_ns;
	char *state;
	int64_t exit_code;
	bool oom_killed, stopped_by_hand, interrupted;
	char *error;
	int64_t restarts, userns;
	char *ip; /* of a record without endpoints: on the default bridge */
	char *boot_id;
	bool has_endpoints;
	struct endpoint_list endpoints;
	struct run_list runs;
};

static const struct record_field fields[] = {
	F_INT_REQ(saved, version),
	F_STR_REQ(saved, id),
	F_STR_REQ(saved, name),
	F_STR(saved, declaration),
	F_STR(saved, image_id),
	F_STRS(saved, argv),
	F_STRS(saved, chosen),
	F_INT(saved, created_ns),
	F_INT(saved, started_ns),
	F_INT(saved, finished_ns),
	F_STR_REQ(saved, state),
	F_INT(saved, exit_code),
	F_BOOL(saved, oom_killed),
	F_BOOL(saved, stopped_by_hand),
	F_BOOL(saved, interrupted),
	F_STR(saved, error),
	F_INT(saved, restarts),
	F_INT(saved, userns),
	F_STR(saved, ip),
	F_STR(saved, boot_id),
	F_BOOL(saved, has_endpoints),
	F_LIST(saved, endpoints, &endpoint_type),
	F_LIST(saved, runs, &run_type),
	F_END,
};
RECORD_TYPE(saved_type, saved, fields);

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

static void free_mut_doc(yyjson_mut_doc **doc)
{
	yyjson_mut_doc_free(*doc);
}

int saved_write(const struct container *c, struct buf *out, struct err *e)
{
	struct saved s = {
		.version = VERSION,
		.id = (char *)c->id, .name = c->name, .declaration = c->declaration,
		.image_id = c->image_id, .argv = c->argv, .chosen = c->chosen,
		.created_ns = c->created_ns, .started_ns = c->started_ns,
		.finished_ns = c->finished_ns,
		.state = (char *)state_name(c->state),
		.exit_code = c->exit_code, .oom_killed = c->oom_killed,
		.stopped_by_hand = c->stopped_by_hand, .interrupted = c->interrupted,
		.error = c->error,
		.restarts = c->restarts, .userns = c->userns,
		.boot_id = c->boot_id, .has_endpoints = true, .endpoints = c->endpoints,
		.runs = c->runs,
	};
	__attribute__((cleanup(free_mut_doc))) yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? record_write(&saved_type, &s, doc) : NULL;
	yyjson_mut_val *spec = doc ? container_spec_to_json(&c->spec, doc) : NULL;
	autofree char *text = NULL;
	size_t len;

	if (root && spec && yyjson_mut_obj_add_val(doc, root, "spec", spec)) {
		yyjson_mut_doc_set_root(doc, root);
		text = yyjson_mut_write(doc, 0, &len);
	}
	if (!text)
		return err_set(e, -ENOMEM, "container.json: out of memory");
	buf_add(out, text, len);
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "container.json: out of memory");
}

static bool id_valid(const char *id)
{
	return strlen(id) == CONTAINER_ID_LEN &&
	       strspn(id, "0123456789abcdef") == CONTAINER_ID_LEN;
}

void endpoint_clear(struct endpoint *ep)
{
	record_free(&endpoint_type, ep);
}

/* A record of Berth before networks: the default bridge, or none. */
static int old_endpoints(struct container *c, const struct saved *s)
{
	struct endpoint *ep;

	if (s->has_endpoints || !container_has_wires(c))
		return 0;
	ep = record_list_add(&c->endpoints, sizeof(*ep));
	if (!ep)
		return -ENOMEM;
	ep->asked.name = strdup("bridge");
	ep->address = s->ip ? strdup(s->ip) : NULL;
	return ep->asked.name && (!s->ip || ep->address) ? 0 : -ENOMEM;
}

static int check_endpoints(const struct saved *s, struct err *e)
{
	uint32_t ip;

	for (size_t i = 0; i < s->endpoints.count; i++) {
		const struct endpoint *ep = &s->endpoints.items[i];

		if (!ep->asked.name || (ep->address && ipv4_parse(ep->address, &ip) < 0) ||
		    ep->slot < 0 || ep->slot >= WIRES_MAX)
			return err_set(e, -EINVAL, "endpoints[%zu] is damaged", i);
	}
	return 0;
}

static int take_members(struct container *c, struct saved *s, struct err *e)
{
	uint32_t ip;

	if (s->version != VERSION)
		return err_set(e, -EINVAL, "version %lld is not known", (long long)s->version);
	if (!id_valid(s->id) || !container_name_valid(s->name))
		return err_set(e, -EINVAL, "id or name is damaged");
	if (state_parse(s->state, &c->state) < 0)
		return err_set(e, -EINVAL, "state \"%s\" is not known", s->state);
	if (s->ip && ipv4_parse(s->ip, &ip) < 0)
		return err_set(e, -EINVAL, "address \"%s\" is none", s->ip);
	if (check_endpoints(s, e) < 0)
		return -EINVAL;
	memcpy(c->id, s->id, sizeof(c->id));
	c->name = take_ptr(s->name);
	c->declaration = take_ptr(s->declaration);
	c->image_id = take_ptr(s->image_id);
	c->argv = s->argv;
	c->chosen = s->chosen;
	s->argv = s->chosen = (struct string_list){ 0 };
	c->created_ns = s->created_ns;
	c->started_ns = s->started_ns;
	c->finished_ns = s->finished_ns;
	c->exit_code = s->exit_code;
	c->oom_killed = s->oom_killed;
	c->stopped_by_hand = s->stopped_by_hand;
	c->interrupted = s->interrupted;
	c->error = take_ptr(s->error);
	c->restarts = s->restarts;
	c->userns = s->userns;
	c->boot_id = take_ptr(s->boot_id);
	c->endpoints = s->endpoints;
	s->endpoints = (struct endpoint_list){ 0 };
	c->runs = s->runs;
	s->runs = (struct run_list){ 0 };
	return old_endpoints(c, s) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

int saved_read(struct container *c, const char *text, size_t len, struct err *e)
{
	__attribute__((cleanup(free_doc))) yyjson_doc *doc = yyjson_read(text, len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct saved s;
	int rc;

	if (!yyjson_is_obj(root))
		return err_set(e, -EINVAL, "not JSON");
	rc = container_spec_from_json(yyjson_obj_get(root, "spec"), &c->spec, e);
	if (rc < 0)
		return rc;
	rc = record_read(&saved_type, root, "", &s, e);
	if (rc < 0)
		return rc;
	rc = take_members(c, &s, e);
	record_free(&saved_type, &s);
	return rc;
}
