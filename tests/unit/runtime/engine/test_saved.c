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
	c->ip = 0xac110005;
	c->created_ns = 1795471960668285311;
	c->error = strdup("cannot run \"caf\xe9\"");
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
	assert_int_equal(back->ip, 0xac110005);
	assert_int_equal(back->created_ns, c->created_ns);
	assert_string_equal(back->argv.items[0], "nginx");
	assert_string_equal(back->chosen.items[0], "32768");
	assert_string_equal(back->error, "cannot run \"caf\xef\xbf\xbd\"");
	container_free(c);
	container_free(back);
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
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
