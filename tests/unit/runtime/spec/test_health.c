/* The health check that comes of spec and image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "spec/health.h"

/* "argv|interval timeout start_period start_interval retries", or "none". */
static const struct {
	const char *spec, *image, *plan;
} rows[] = {
	{ "{}", "{}", "none" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"/ok\",\"-v\"]}}", "/ok -v|30000 30000 0 5000 3" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"],\"Interval\":2000000000,\"Retries\":7}}",
	  "/bin/sh -c a b|2000 30000 0 5000 7" },
	{ "{}", "{\"Shell\":[\"/bin/ash\",\"-ec\"],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a\"]}}",
	  "/bin/ash -ec a|30000 30000 0 5000 3" },
	{ "{\"test\":[\"NONE\"]}", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"/ok\"]}}", "none" },
	{ "{\"timeout_ms\":50,\"start_interval_ms\":9}",
	  "{\"Healthcheck\":{\"Test\":[\"CMD\",\"/ok\"],\"Timeout\":1000000,\"StartPeriod\":3000000}}",
	  "/ok|30000 50 3 9 3" },
	{ "{\"test\":[\"CMD\",\"/mine\"]}", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"/ok\"],\"Retries\":2}}",
	  "/mine|30000 30000 0 5000 2" },
	{ "{\"interval_ms\":10}", "{}", "none" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}", "none" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"CMD\"]}}", "none" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"DANCE\",\"x\"]}}", "none" },
	{ "{}", "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":-5,\"Timeout\":1,\"Retries\":-1}}",
	  "x|30000 30000 0 5000 3" },
};

static void describe(const struct health_plan *p, struct buf *out)
{
	if (!p->test.count)
		buf_adds(out, "none");
	for (size_t i = 0; i < p->argv.count; i++)
		buf_addf(out, "%s%s", i ? " " : "", p->argv.items[i]);
	if (p->test.count)
		buf_addf(out, "|%d %d %d %d %d", (int)p->interval_ms, (int)p->timeout_ms,
			 (int)p->start_period_ms, (int)p->start_interval_ms, (int)p->retries);
}

static void what_spec_and_image_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf spec_text = { 0 }, image_text = { 0 }, said = { 0 };
		autospec struct container_spec spec;
		autoimage struct image_config image;
		struct health_plan plan;
		yyjson_doc *doc;

		buf_addf(&spec_text, "{\"name\":\"aa\",\"image\":\"i\",\"healthcheck\":%s}", rows[i].spec);
		buf_addf(&image_text, "{\"config\":%s}", rows[i].image);
		doc = yyjson_read(spec_text.data, spec_text.len, 0);
		assert_int_equal(container_spec_from_json(yyjson_doc_get_root(doc), &spec, NULL), 0);
		yyjson_doc_free(doc);
		doc = yyjson_read(image_text.data, image_text.len, 0);
		assert_int_equal(image_config_from_json(yyjson_doc_get_root(doc), &image, NULL), 0);
		yyjson_doc_free(doc);
		assert_int_equal(health_plan_make(&spec, &image, &plan), 0);
		describe(&plan, &said);
		assert_string_equal(buf_text(&said), rows[i].plan);
		health_plan_free(&plan);
	}
}

static void what_is_no_check_is_refused(void **state)
{
	static const struct {
		const char *health, *said;
	} bad[] = {
		{ "{\"test\":[\"DANCE\",\"x\"]}", "healthcheck.test: \"DANCE\" is none of" },
		{ "{\"test\":[\"CMD\"]}", "\"CMD\" needs a command" },
		{ "{\"retries\":-1}", "healthcheck.retries: -1 is out of range" },
		{ "{\"timeout_ms\":9999999999999}", "healthcheck.timeout_ms" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		autobuf struct buf text = { 0 };
		autospec struct container_spec spec = { 0 };
		struct err e = { 0 };
		yyjson_doc *doc;

		buf_addf(&text, "{\"name\":\"aa\",\"image\":\"i\",\"healthcheck\":%s}", bad[i].health);
		doc = yyjson_read(text.data, text.len, 0);
		assert_true(container_spec_from_json(yyjson_doc_get_root(doc), &spec, &e) < 0);
		assert_non_null(strstr(e.text, bad[i].said));
		yyjson_doc_free(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_spec_and_image_say),
		cmocka_unit_test(what_is_no_check_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
