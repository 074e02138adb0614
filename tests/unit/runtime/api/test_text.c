/* Routes, versions, frames, times, filters: what the API does with text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/filters.h"
#include "api/frame.h"
#include "api/human.h"
#include "api/image_filters.h"
#include "api/image_names.h"
#include "api/json.h"
#include "api/route.h"
#include "api/timestamp.h"
#include "base/cleanup.h"
#include "engine/health.h"

static void paths_match_patterns(void **state)
{
	static const struct { const char *pattern, *path, *param; } rows[] = {
		{ "/version", "/version", "" },
		{ "/version", "/version/", NULL },
		{ "/containers/{}/json", "/containers/web/json", "web" },
		{ "/containers/{}/json", "/containers/json", NULL },
		{ "/containers/{}/json", "/containers//json", NULL },
		{ "/containers/{}/json", "/containers/a/b/json", NULL },
		{ "/containers/{}", "/containers/web", "web" },
		{ "/containers/{}", "/containers/", NULL },
		{ "/images/{*}/json", "/images/nginx/json", "nginx" },
		{ "/images/{*}/json", "/images/reg.example:5000/team/app:1/json",
		  "reg.example:5000/team/app:1" },
		{ "/images/{*}/json", "/images/json", NULL },
		{ "/images/{*}/json", "/images//json", NULL },
	};
	char param[ROUTE_PARAM_MAX], long_path[400] = "/containers/";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		*param = '\0';
		assert_int_equal(route_matches(rows[i].pattern, rows[i].path, param),
				 rows[i].param != NULL);
		if (rows[i].param)
			assert_string_equal(param, rows[i].param);
	}
	memset(long_path + 12, 'x', 300);
	assert_false(route_matches("/containers/{}", long_path, param));
}

static void methods_choose_the_row(void **state)
{
	static const struct route table[] = {
		{ "GET", "/containers/json", NULL, "list" },
		{ "GET", "/containers/{}/json", NULL, "inspect" },
		{ "DELETE", "/containers/{}", NULL, "remove" },
	};
	static const struct { const char *method, *path, *row; bool wrong; } rows[] = {
		{ "GET", "/containers/json", "list", false },
		{ "HEAD", "/containers/json", "list", false },
		{ "DELETE", "/containers/json", "remove", true },
		{ "GET", "/containers/x/json", "inspect", false },
		{ "POST", "/containers/x/json", NULL, true },
		{ "GET", "/nowhere", NULL, false },
	};
	char param[ROUTE_PARAM_MAX];
	bool wrong;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct route *r = route_find(table, ARRAY_LEN(table), rows[i].method,
						   rows[i].path, param, &wrong);

		assert_int_equal(r != NULL, rows[i].row != NULL);
		if (r)
			assert_string_equal(r->why, rows[i].row);
		else
			assert_int_equal(wrong, rows[i].wrong);
	}
}

static void versions_are_taken_off(void **state)
{
	static const struct { const char *path; int minor; const char *rest; } rows[] = {
		{ "/v1.44/info", 44, "/info" }, { "/v1.50/v1.2", 50, "/v1.2" },
		{ "/info", 0, "/info" }, { "/volumes", 0, "/volumes" }, { "/v1.24", 24, "/" },
		{ "/v1x/info", 0, "/v1x/info" }, { "/v2.0/info", -EINVAL, "/v2.0/info" },
		{ "/v1.99999999/info", -EINVAL, "/v1.99999999/info" }, { "/", 0, "/" }, { "", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *path = rows[i].path;

		assert_int_equal(route_version(&path), rows[i].minor);
		assert_string_equal(path, rows[i].rest);
	}
}

static void frames(void **state)
{
	autobuf struct buf out = { 0 };

	(void)state;
	frame_add(&out, 1, NULL, "out\n", 4, false);
	assert_int_equal(out.len, 12);
	assert_memory_equal(out.data, "\1\0\0\0\0\0\0\4out\n", 12);
	buf_reset(&out);
	frame_add(&out, 2, "2026-11-23T22:12:40.896730868Z", "err\n", 4, false);
	assert_memory_equal(out.data, "\2\0\0\0\0\0\0#2026-11-23T22:12:40.896730868Z err\n", 43);
	buf_reset(&out);
	frame_add(&out, 1, NULL, "tty", 3, true);
	assert_string_equal(out.data, "tty");
}

static void timestamps(void **state)
{
	static const struct { const char *text; int64_t ns; } rows[] = {
		{ "1795471979", 1795471979000000000 },
		{ "1795471979.069205396", 1795471979069205396 },
		{ "1795471979.5", 1795471979500000000 },
		{ "2026-11-23T22:12:59Z", 1795471979000000000 },
		{ "2026-11-23T22:12:59.069205396Z", 1795471979069205396 },
		{ "2026-11-23T23:12:59.5+01:00", 1795471979500000000 },
		{ "", 0 }, { NULL, 0 }, { "yesterday", 0 }, { "99999999999999999999", 0 },
		{ "-5", 0 }, { "Tx", 0 }, { "0001-01-01T00:00:00Z", 0 }, { "9999-12-31T23:59:59Z", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(timestamp_parse(rows[i].text), rows[i].ns);
}

/* The builder's word: any year, any zone, any nonsense. */
static void seconds_of_an_image(void **state)
{
	static const struct { const char *text; int64_t seconds; } rows[] = {
		{ "2009-02-13T23:31:30Z", 1234567890 },
		{ "2009-02-14T01:31:30.123456789+02:00", 1234567890 },
		{ "0001-01-01T00:00:00Z", -62135596800 },
		{ "-2147483648-01-01T00:00:00Z", 0 }, { "soon", 0 }, { NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(timestamp_seconds(rows[i].text), rows[i].seconds);
}

static void times_ago(void **state)
{
	static const struct { const char *text; int64_t ns; } rows[] = {
		{ "10s", 1795471969000000000 },
		{ "24h", 1795385579000000000 },
		{ "1h30m", 1795466579000000000 },
		{ "0s", 1795471979000000000 },
		{ "1795471979", 1795471979000000000 },
		{ "2026-11-23T22:12:59Z", 1795471979000000000 },
		{ "", 0 }, { "-5h", 0 }, { "yesterday", 0 },
		{ "2147483647h", 0 }, { "2147483647s1s", 0 }, { "99999999999999999999s", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(timestamp_or_ago(rows[i].text, 1795471979000000000), rows[i].ns);
}

static void image_filters_take_times_ago(void **state)
{
	static const struct { const char *json; bool match, refused; } rows[] = {
		{ "{\"until\":[\"24h\"]}", true, false },
		{ "{\"until\":[\"2010-01-01T00:00:00Z\"]}", true, false },
		{ "{\"until\":[\"2000-01-01T00:00:00Z\"]}", false, false },
		{ "{\"until\":[\"long ago\"]}", false, true },
		{ "{\"until\":[\"\"]}", false, true },
	};
	static const char config[] = "{\"created\":\"2009-06-01T00:00:00Z\"}";
	const struct image image = { .ref_count = 0 };
	yyjson_doc *doc = yyjson_read(config, sizeof(config) - 1, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_filters *f;
		struct err e = { 0 };

		assert_int_equal(image_filters_parse(&f, rows[i].json, NULL, &e) < 0, rows[i].refused);
		if (rows[i].refused) {
			assert_string_equal(e.text, "invalid filter 'until'");
			continue;
		}
		assert_int_equal(image_filters_match(f, &image, yyjson_doc_get_root(doc)), rows[i].match);
		image_filters_free(f);
	}
	yyjson_doc_free(doc);
}

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static void digests_are_named_once(void **state)
{
	static char names[][96] = {
		"docker.io/library/a:1", "docker.io/library/a:2", "reg.example/b:1",
		"reg.example/b@sha256:2222222222222222222222222222222222222222222222222222222222222222",
	};
	static const char *const expected[] = {
		"a@" DIGEST, NULL,
		"reg.example/b@sha256:2222222222222222222222222222222222222222222222222222222222222222", NULL,
	};
	char *refs[ARRAY_LEN(names)], text[REF_TEXT_MAX];
	struct image image = { .digest = DIGEST, .refs = refs, .ref_count = ARRAY_LEN(names) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		refs[i] = names[i];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(image_repo_digest(&image, i, text), expected[i] != NULL);
		if (expected[i])
			assert_string_equal(text, expected[i]);
	}
}

/* Each name is compared with those before it, and those not again with theirs: the engine answers
 * nobody meanwhile. */
static void many_names_are_no_trouble(void **state)
{
	char names[64][32], *refs[ARRAY_LEN(names)], text[REF_TEXT_MAX];
	struct image image = { .digest = DIGEST, .refs = refs, .ref_count = ARRAY_LEN(names) };

	(void)state;
	alarm(60);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(names[i], sizeof(names[i]), "reg.example/app%zu:1", i);
		refs[i] = names[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(image_repo_digest(&image, i, text));
	alarm(0);
}

static void durations_as_docker_says_them(void **state)
{
	static const struct { int64_t seconds; const char *text; } rows[] = {
		{ 0, "Less than a second" }, { 1, "1 second" }, { 59, "59 seconds" },
		{ 60, "About a minute" }, { 119, "About a minute" }, { 120, "2 minutes" },
		{ 45 * 60, "45 minutes" }, { 46 * 60, "About an hour" },
		{ 90 * 60, "2 hours" }, { 24 * 3600, "24 hours" }, { 48 * 3600, "2 days" },
		{ 14 * 86400, "2 weeks" }, { 60 * 86400, "2 months" }, { 800 * 86400, "2 years" },
	};
	char text[HUMAN_DURATION_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(human_duration(rows[i].seconds, text), rows[i].text);
}

static void status_as_docker_says_it(void **state)
{
	static const struct { enum container_state s; const char *text; } rows[] = {
		{ STATE_CREATED, "Created" }, { STATE_RUNNING, "Up 5 seconds" },
		{ STATE_PAUSED, "Up 5 seconds (Paused)" }, { STATE_STOPPING, "Up 5 seconds" },
		{ STATE_RESTARTING, "Restarting (3) 2 seconds ago" },
		{ STATE_EXITED, "Exited (3) 2 seconds ago" }, { STATE_DEAD, "Dead" },
	};
	char text[HUMAN_STATUS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container c = { .state = rows[i].s, .exit_code = 3,
				       .started_ns = 95000000000, .finished_ns = 98000000000 };

		assert_string_equal(human_status(&c, 100000000000, text), rows[i].text);
	}
}

static void status_with_a_health_check(void **state)
{
	static const struct {
		enum container_state s;
		enum health_status health;
		const char *text;
	} rows[] = {
		{ STATE_RUNNING, HEALTH_STARTING, "Up 5 seconds (health: starting)" },
		{ STATE_RUNNING, HEALTH_HEALTHY, "Up 5 seconds (healthy)" },
		{ STATE_RUNNING, HEALTH_UNHEALTHY, "Up 5 seconds (unhealthy)" },
		{ STATE_PAUSED, HEALTH_HEALTHY, "Up 5 seconds (Paused)" },
		{ STATE_EXITED, HEALTH_UNHEALTHY, NULL },
	};
	char text[HUMAN_STATUS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health health = { .status = rows[i].health };
		struct container c = { .state = rows[i].s, .started_ns = 95000000000,
				       .health = &health };

		human_status(&c, 100000000000, text);
		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(strstr(text, "health"));
	}
}

static void filters(void **state)
{
	static const struct { const char *json; int rc; bool match; } rows[] = {
		{ NULL, 0, true }, { "", 0, true }, { "{}", 0, true },
		{ "{\"name\":[\"we\"]}", 0, true }, { "{\"name\":[\"^/web$\"]}", 0, true },
		{ "{\"name\":[\"^/we$\"]}", 0, false },
		{ "{\"name\":{\"web\":true}}", 0, true }, /* as clients before 1.22 say it */
		{ "{\"status\":[\"exited\",\"running\"]}", 0, true },
		{ "{\"status\":[\"exited\"]}", 0, false },
		{ "{\"label\":[\"a=1\"]}", 0, true }, { "{\"label\":[\"a\",\"b\"]}", 0, false },
		{ "{\"label\":[\"a=2\"]}", 0, false },
		{ "{\"id\":[\"0123\"],\"name\":[\"nope\"]}", 0, false },
		{ "{\"health\":[\"healthy\"]}", 0, true }, { "{\"health\":[\"none\"]}", 0, false },
		{ "{\"ancestor\":[\"nginx\"]}", 0, true },
		{ "{\"colour\":[\"red\"]}", -EINVAL, false }, { "[]", -EINVAL, false },
		{ "{\"name\":[5]}", -EINVAL, false }, { "{", -EINVAL, false },
	};
	struct string_pair label = { (char *)"a", (char *)"1" };
	struct health health = { .status = HEALTH_HEALTHY };
	struct container c = {
		.name = (char *)"web", .state = STATE_RUNNING, .health = &health,
		.spec = { .image = (char *)"nginx:latest", .labels = { &label, 1 } },
	};

	(void)state;
	strcpy(c.id, "0123456789ab");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filters *f = NULL;
		struct err e = { 0 };

		assert_int_equal(filters_parse(&f, rows[i].json, &e), rows[i].rc);
		if (!rows[i].rc)
			assert_int_equal(filters_match(f, &c), rows[i].match);
		filters_free(f);
	}
}

static void json_puts_its_commas(void **state)
{
	autobuf struct buf b = { 0 };

	(void)state;
	json_open(&b, NULL, '{');
	json_string(&b, "a", "x\"y");
	json_open(&b, "list", '[');
	json_int(&b, NULL, 1);
	json_bool(&b, NULL, true);
	json_close(&b, ']');
	json_time(&b, "t", 0);
	json_raw(&b, "n", "null");
	json_close(&b, '}');
	assert_string_equal(b.data, "{\"a\":\"x\\\"y\",\"list\":[1,true],"
			    "\"t\":\"0001-01-01T00:00:00Z\",\"n\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_match_patterns),
		cmocka_unit_test(methods_choose_the_row),
		cmocka_unit_test(versions_are_taken_off),
		cmocka_unit_test(frames),
		cmocka_unit_test(digests_are_named_once),
		cmocka_unit_test(many_names_are_no_trouble),
		cmocka_unit_test(timestamps),
		cmocka_unit_test(seconds_of_an_image),
		cmocka_unit_test(times_ago),
		cmocka_unit_test(image_filters_take_times_ago),
		cmocka_unit_test(durations_as_docker_says_them),
		cmocka_unit_test(status_as_docker_says_it),
		cmocka_unit_test(status_with_a_health_check),
		cmocka_unit_test(filters),
		cmocka_unit_test(json_puts_its_commas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
