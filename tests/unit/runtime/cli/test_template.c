/* Go's templates, as far as docker's users write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/template.h"

static const char json[] =
	"{\"Name\":\"/web\",\"State\":{\"Running\":true,\"ExitCode\":0,\"Pid\":42},"
	"\"Config\":{\"Env\":[\"A=1\",\"B=2\"],\"Labels\":{\"k\":\"v\",\"com.x/y\":\"z\"}},\"Empty\":[],"
	"\"Null\":null,\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}]},"
	"\"Big\":9007199254740993}";

static const struct {
	const char *template, *out;
} rows[] = {
	{ "plain", "plain" }, { "", "" }, { "{{.Name}}", "/web" }, { "a {{ .State.Pid }} b", "a 42 b" },
	{ "{{.State.Running}} {{.State.ExitCode}}", "true 0" }, { "{{.Nothing}}", "<no value>" },
	{ "{{.State.No.Such}}", "<no value>" }, { "{{.Big}}", "9007199254740993" },
	{ "{{json .State}}", "{\"Running\":true,\"ExitCode\":0,\"Pid\":42}" },
	{ "{{.State | json}}", "{\"Running\":true,\"ExitCode\":0,\"Pid\":42}" },
	{ "{{json .Nothing}}", "null" }, { "{{.Config.Env}}", "[A=1 B=2]" },
	{ "{{.Config.Labels}}", "map[k:v com.x/y:z]" },
	{ "{{index .Config.Labels \"com.x/y\"}}", "z" }, { "{{index .Config.Labels `no`}}", "" },
	{ "{{index .Config.Env 1}}", "B=2" },
	{ "{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080" },
	{ "{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n" },
	{ "{{range $i, $e := .Config.Env}}{{$i}}:{{$e}} {{end}}", "0:A=1 1:B=2 " },
	{ "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "k=v;com.x/y=z;" },
	{ "{{range $p, $c := .Ports}}{{$p}} -> {{(index $c 0).HostPort}}{{end}}", "80/tcp -> 8080" },
	{ "{{range .Empty}}x{{else}}none{{end}}", "none" },
	{ "{{if .State.Running}}up{{else}}down{{end}}", "up" }, { "{{if .Empty}}x{{end}}", "" },
	{ "{{if eq .State.Pid 42}}yes{{end}}", "yes" }, { "{{if not .Null}}n{{end}}", "n" },
	{ "{{if and .State.Running (ne .Name \"x\")}}both{{end}}", "both" },
	{ "{{with .State}}{{.Pid}} {{$.Name}}{{end}}", "42 /web" },
	{ "{{join .Config.Env \",\"}}", "A=1,B=2" }, { "{{upper .Name}}", "/WEB" },
	{ "{{.Name | lower | printf \"%s!\"}}", "/web!" },
	{ "{{printf \"%d-%q\" .State.Pid .Name}}", "42-\"/web\"" },
	{ "{{len .Config.Env}}", "2" }, { "{{index (split .Name \"/\") 1}}", "web" },
	{ "{{truncate .Name 2}}", "/w" }, { "{{$x := .Name}}{{$x}}{{$x}}", "/web/web" },
	{ "a {{- .Name -}} b", "a/webb" }, { "{{/* no */}}x", "x" }, { "{{title \"ab cd\"}}", "Ab Cd" },
	{ "{{\"}}\"}}", "}}" },
	{ "{{if .Null}}a{{else}}{{if .Name}}b{{else}}c{{end}}{{end}}", "b" },
};

static void what_people_write(void **state)
{
	yyjson_doc *doc = yyjson_read(json, sizeof(json) - 1, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		struct err e = { 0 };

		if (template_run(rows[i].template, yyjson_doc_get_root(doc), &out, &e) < 0)
			fail_msg("%s: %s", rows[i].template, e.text);
		assert_string_equal(buf_text(&out), rows[i].out);
	}
	yyjson_doc_free(doc);
}

static const struct {
	const char *template, *said;
} faults[] = {
	{ "{{.Name", "an action is not closed" }, { "{{if .Name}}x", "{{end}} is missing" },
	{ "x{{end}}", "4: there is nothing that it ends" }, { "{{sail .Name}}", "a function is not known" },
	{ "{{index .Config.Env 9}}", "index out of range: 9" }, { "{{index .Name 1}}", "cannot be indexed" },
	{ "{{\"open}}", "an action is not closed" }, { "{{(.Name}}", "a parenthesis is not closed" },
	{ "{{}}", "a value is missing" }, { "{{join .Config.Env}}", "wrong number of arguments for join: 1" },
	{ "{{printf \"%x\" 1}}", "printf:" }, { "{{.Name ,}}", "something is not understood" },
	{ "{{((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))}}", "too deep" },
};

static void what_is_wrong_is_told(void **state)
{
	yyjson_doc *doc = yyjson_read(json, sizeof(json) - 1, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		autobuf struct buf out = { 0 };
		struct err e = { 0 };

		assert_int_equal(template_run(faults[i].template, yyjson_doc_get_root(doc), &out, &e), -EINVAL);
		if (!strstr(e.text, faults[i].said))
			fail_msg("%s: %s", faults[i].template, e.text);
	}
	yyjson_doc_free(doc);
}

static void a_shell_s_escapes(void **state)
{
	autofree char *text = template_unescape("a\\tb\\nc\\d");

	(void)state;
	assert_string_equal(text, "a\tb\nc\\d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_write),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(a_shell_s_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
