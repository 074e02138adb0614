/* container.json: what is written is read back, what is damaged is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/saved.h"

static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void a_record_comes_back(void **state)
{
	struct container *c = container_new(NULL), *back = container_new(NULL);
	autobuf struct buf text = { 0 };
	struct endpoint *ep;
	struct err e = { 0 };

	(void)state;
	memcpy(c->id, id, sizeof(c->id));
	c->name = strdup("web");
	c->spec.name = strdup("web");
	c->spec.image = strdup("nginx");
	c->spec.restart.policy = strdup("always");
	c->declaration = strdup("{\"name\":\"web\"}");
	c->state = STATE_RESTARTING;
	c->exit_code = 137;
	c->oom_killed = true;
	c->restarts = 4;
	c->userns = 7;
	ep = record_list_add(&c->endpoints, sizeof(*ep));
	ep->asked.name = strdup("back");
	ep->asked.ipv4_address = strdup("10.99.0.5");
	string_list_add(&ep->asked.aliases, "db");
	ep->address = strdup("10.99.0.5");
	ep->slot = 1;
	ep->ip = 0x0a630005; /* that it lives is no matter of the record */
	c->created_ns = 1795471960668285311;
	c->error = strdup("cannot run \"caf\xe9\"");
	c->runs.items = calloc(2, sizeof(*c->runs.items));
	c->runs.items[1] = (struct run){ .started_ns = 5, .finished_ns = 7, .exit_code = 3 };
	c->runs.count = 2;
	string_list_add(&c->argv, "nginx");
	string_list_add(&c->chosen, "32768");
	assert_int_equal(saved_write(c, &text, &e), 0);
	assert_int_equal(saved_read(back, text.data, text.len, &e), 0);
	assert_string_equal(back->id, id);
	assert_string_equal(back->name, "web");
	assert_string_equal(back->spec.image, "nginx");
	assert_string_equal(back->spec.restart.policy, "always");
	assert_string_equal(back->declaration, "{\"name\":\"web\"}");
	assert_int_equal(back->state, STATE_RESTARTING);
	assert_int_equal(back->exit_code, 137);
	assert_true(back->oom_killed);
	assert_int_equal(back->restarts, 4);
	assert_int_equal(back->userns, 7);
	assert_int_equal(back->endpoints.count, 1);
	ep = back->endpoints.items;
	assert_string_equal(ep->asked.name, "back");
	assert_string_equal(ep->asked.ipv4_address, "10.99.0.5");
	assert_string_equal(ep->asked.aliases.items[0], "db");
	assert_string_equal(ep->address, "10.99.0.5");
	assert_int_equal(ep->slot, 1);
	assert_int_equal(ep->ip, 0);
	assert_int_equal(back->runs.count, 2);
	assert_memory_equal(back->runs.items, c->runs.items, 2 * sizeof(*c->runs.items));
	assert_int_equal(back->created_ns, c->created_ns);
	assert_string_equal(back->argv.items[0], "nginx");
	assert_string_equal(back->chosen.items[0], "32768");
	assert_string_equal(back->error, "cannot run \"caf\xef\xbf\xbd\"");
	container_free(c);
	container_free(back);
}

/* Records of Berth before networks: an address on the bridge, or none at all. */
static void an_old_record_is_on_the_bridge(void **state)
{
	static const struct { const char *more, *address; size_t count; } rows[] = {
		{ "\"ip\":\"172.17.0.5\",\"spec\":{", "172.17.0.5", 1 },
		{ "\"spec\":{", NULL, 1 },
		{ "\"spec\":{\"network_mode\":\"host\",", NULL, 0 },
		{ "\"spec\":{\"network_mode\":\"none\",", NULL, 0 },
		/* disconnected from all of them */
		{ "\"has_endpoints\":true,\"endpoints\":[],\"spec\":{", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container *c = container_new(NULL);
		autobuf struct buf text = { 0 };
		struct err e = { 0 };

		buf_addf(&text, "{\"version\":1,\"id\":\"%s\",\"name\":\"web\",\"state\":\"exited\",%s"
			 "\"name\":\"web\",\"image\":\"nginx\"}}", id, rows[i].more);
		assert_int_equal(saved_read(c, buf_text(&text), text.len, &e), 0);
		assert_int_equal(c->endpoints.count, rows[i].count);
		if (rows[i].count)
			assert_string_equal(c->endpoints.items[0].asked.name, "bridge");
		if (rows[i].address)
			assert_string_equal(c->endpoints.items[0].address, rows[i].address);
		container_free(c);
	}
}

#define SPEC "\"spec\":{\"name\":\"web\",\"image\":\"nginx\"}"
#define ID "\"id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""

static void damage_is_refused(void **state)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "", "not JSON" },
		{ "{", "not JSON" },
		{ "[]", "not JSON" },
		{ "{\"version\":2," ID ",\"name\":\"web\",\"state\":\"exited\"," SPEC "}",
		  "version 2 is not known" },
		{ "{\"version\":1,\"id\":\"../x\",\"name\":\"web\",\"state\":\"exited\"," SPEC "}",
		  "id or name is damaged" },
		{ "{\"version\":1," ID ",\"name\":\"../x\",\"state\":\"exited\"," SPEC "}",
		  "id or name is damaged" },
		{ "{\"version\":1," ID ",\"name\":\"web\",\"state\":\"asleep\"," SPEC "}",
		  "state \"asleep\" is not known" },
		{ "{\"version\":1," ID ",\"name\":\"web\",\"state\":\"exited\",\"ip\":\"x\"," SPEC "}",
		  "address \"x\" is none" },
		{ "{\"version\":1," ID ",\"name\":\"web\",\"state\":\"exited\",\"endpoints\":[{\"asked\":"
		  "{\"name\":\"n\"},\"slot\":36}]," SPEC "}", "endpoints[0] is damaged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container *c = container_new(NULL);
		struct err e = { 0 };

		assert_true(saved_read(c, rows[i].text, strlen(rows[i].text), &e) < 0);
		assert_string_equal(e.text, rows[i].why);
		container_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(an_old_record_is_on_the_bridge),
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
