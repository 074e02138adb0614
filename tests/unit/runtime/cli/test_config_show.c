#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/config_show.h"
#include "cli/json.h"

static const struct {
	const char *what, *config, *origins, *text;
} rows[] = {
	{ "nothing", "{\"source\":{\"kind\":\"none\",\"where\":\"\"}}", "{}", "# from nowhere (none)\n" },
	{ "what holds for all of it",
	  "{\"version\":1,\"source\":{\"kind\":\"nocloud\",\"where\":\"/dev/vdb\",\"used\":\"last good\"},"
	  "\"trial\":\"new\",\"digest\":\"aa\",\"dropped\":[\"containers.web\"],"
	  "\"faults\":[{\"level\":\"error\",\"file\":\"user-data\",\"line\":3,\"path\":\"a.b\","
	  "\"message\":\"no\"}]}",
	  "{}", "# from /dev/vdb (nocloud); in use instead: last good; on trial\n"
	  "# error: user-data:3: a.b: no\n# left out: containers.web\n" },
	{ "a value and nobody's", "{\"hostname\":\"web-1\",\"ntp\":{\"enabled\":true,\"servers\":[]}}",
	  "{\"user-data\":{\"hostname\":2}}",
	  "hostname: web-1                             # user-data:2\n"
	  "ntp:\n"
	  "  enabled: true                             # default\n"
	  "  servers: []                               # default\n" },
	{ "the last file counts; one without a line", "{\"hostname\":\"b\",\"fqdn\":\"c\"}",
	  "{\"vendor-data\":{\"hostname\":9,\"fqdn\":1},\"user-data[2]\":{\"hostname\":2},\"x\":{\"fqdn\":0}}",
	  "hostname: b                                 # user-data[2]:2\n"
	  "fqdn: c                                     # x\n" },
	{ "texts that YAML would take for something else",
	  "{\"a\":\"0644\",\"b\":\"no\",\"c\":\"x: y\",\"d\":\"[hidden]\",\"e\":\"two\\nlines\","
	  "\"f\":\"/bin/sh -c\",\"*\":7,"
	  "\"g\":\"\",\"h\":\"a:\",\"i\":null}", "{}",
	  "a: \"0644\"                                   # default\n"
	  "b: \"no\"                                     # default\n"
	  "c: \"x: y\"                                   # default\n"
	  "d: \"[hidden]\"                               # default\n"
	  "e: \"two\\nlines\"                             # default\n"
	  "f: /bin/sh -c                               # default\n"
	  "\"*\": 7                                      # default\n"
	  "g: \"\"                                       # default\n"
	  "h: \"a:\"                                     # default\n"
	  "i: null                                     # default\n" },
	{ "items with names, lists in lists, what no room is left beside",
	  "{\"containers\":[{\"name\":\"web\",\"ports\":[{\"host\":80},{\"host\":90}],\"env\":{\"A\":\"x\"}}],"
	  "\"runcmd\":[[\"a\",\"b\"],\"a line that is longer than forty-four characters\"]}",
	  "{\"u\":{\"containers\":1,\"containers.web\":2,\"containers.web.ports\":3,\"containers.web.ports[1]\":4,"
	  "\"runcmd\":7}}",
	  "containers:\n"
	  "  - name: web                               # u:2\n"
	  "    ports:\n"
	  "      - host: 80                            # u:3\n"
	  "      - host: 90                            # u:4\n"
	  "    env:\n"
	  "      A: x                                  # u:2\n"
	  "runcmd:\n"
	  "  -\n"
	  "    - a                                     # u:7\n"
	  "    - b                                     # u:7\n"
	  "  - a line that is longer than forty-four characters  # u:7\n" },
	{ "what is gone says nothing of what replaced it",
	  "{\"containers\":[{\"name\":\"web\",\"image\":\"b\",\"restart\":\"no\"}],\"list\":[1]}",
	  "{\"low\":{\"containers.web\":1,\"containers.web.restart\":2,\"list\":3,\"list[0]\":3},"
	  "\"high\":{\"containers.web\":5,\"containers.web.image\":6,\"list\":7}}",
	  "containers:\n"
	  "  - name: web                               # high:5\n"
	  "    image: b                                # high:6\n"
	  "    restart: \"no\"                           # high:5\n"
	  "list:\n"
	  "  - 1                                       # high:7\n" },
	{ "keys of several files", "{\"ssh_authorized_keys\":[\"a\",\"b\"]}",
	  "{\"low\":{\"ssh_authorized_keys[0]\":1,\"ssh_authorized_keys\":1},\"high\":{\"ssh_authorized_keys\":5,"
	  "\"ssh_authorized_keys[1]\":6}}",
	  "ssh_authorized_keys:\n"
	  "  - a                                       # low:1\n"
	  "  - b                                       # high:6\n" },
};

static void texts(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autodoc yyjson_doc *config = yyjson_read(rows[i].config, strlen(rows[i].config), 0);
		autodoc yyjson_doc *origins = yyjson_read(rows[i].origins, strlen(rows[i].origins), 0);
		const struct config_show c = { yyjson_doc_get_root(config), yyjson_doc_get_root(origins) };
		autobuf struct buf out = { 0 };
		const char *got;

		assert_true(config && origins);
		assert_int_equal(config_show_text(&c, &out), 0);
		got = buf_text(&out);
		if (strncmp(rows[i].text, "# ", 2) != 0 && strncmp(got, "# from nowhere ()\n", 18) == 0)
			got += 18;
		if (strcmp(got, rows[i].text) != 0)
			fail_msg("%s:\n%s", rows[i].what, got);
	}
}

static void json(void **unused)
{
	static const char config[] = "{\"source\":{\"kind\":\"fw_cfg\"},\"hostname\":\"a\","
		"\"ntp\":{\"enabled\":true},"
		"\"origins\":{\"u\":{}}}", origins[] = "{\"u\":{\"hostname\":4}}";
	autodoc yyjson_doc *c = yyjson_read(config, strlen(config), 0), *result = NULL;
	autodoc yyjson_doc *o = yyjson_read(origins, strlen(origins), 0);
	const struct config_show show = { yyjson_doc_get_root(c), yyjson_doc_get_root(o) };
	autobuf struct buf out = { 0 };
	yyjson_val *sources;

	(void)unused;
	assert_int_equal(config_show_json(&show, &out), 0);
	result = yyjson_read(out.data, out.len, 0);
	sources = yyjson_obj_get(yyjson_doc_get_root(result), "sources");
	assert_string_equal(text_of(sources, "hostname"), "u:4");
	assert_string_equal(text_of(sources, "ntp.enabled"), "default");
	assert_int_equal(yyjson_obj_size(sources), 2);
	assert_string_equal(text_of(yyjson_doc_get_root(result), "hostname"), "a");
	assert_non_null(yyjson_obj_get(yyjson_doc_get_root(result), "source"));
	assert_null(yyjson_obj_get(yyjson_doc_get_root(result), "origins"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(json) };

	return cmocka_run_group_tests_name("config show", tests, NULL, NULL);
}
