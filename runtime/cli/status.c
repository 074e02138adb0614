/* status: one page that says how the machine is. Each section is a row of a table of functions;
 * a section whose source cannot be read says so and the others still print. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/initctl.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/human.h"
#include "cli/json.h"

enum { SMALL_FILE_MAX = 4 * 1024 * 1024, LABEL_WIDTH = 12 };

enum tone { PLAIN, GOOD, WARN, BAD };

static bool colours;

static const char *tone_on(enum tone t)
{
	static const char *const codes[] = { "", "\033[32m", "\033[33m", "\033[31m" };

	return colours ? codes[t] : "";
}

static const char *tone_off(enum tone t)
{
	return colours && t != PLAIN ? "\033[0m" : "";
}

static void line(const char *label, enum tone t, const char *text)
{
	printf("%-*s %s%s%s\n", LABEL_WIDTH, label, tone_on(t), text, tone_off(t));
}

static yyjson_doc *read_json(const char *path)
{
	autobuf struct buf text = { 0 };

	if (file_read_at(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL) < 0)
		return NULL;
	return yyjson_read(buf_text(&text), text.len, 0);
}

static int64_t number(yyjson_val *object, const char *key)
{
	return yyjson_get_sint(yyjson_obj_get(object, key));
}

static enum tone tone_of(const char *state)
{
	static const struct {
		const char *state;
		enum tone tone;
	} rows[] = {
		{ "ok", GOOD }, { "running", GOOD }, { "ready", GOOD }, { "up", GOOD }, { "done", GOOD },
		{ "persistent", GOOD }, { "starting", WARN }, { "late", WARN }, { "degraded", WARN },
		{ "waiting", WARN }, { "backoff", WARN }, { "stopping", WARN }, { "stopped", PLAIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].state, state))
			return rows[i].tone;
	return *state ? BAD : PLAIN;
}

static void show_machine(yyjson_val *init)
{
	char text[256], age[HUMAN_MAX];
	const char *state = text_of(init, "state"), *slot = text_of(init, "slot");
	struct utsname u = { 0 };

	uname(&u);
	snprintf(text, sizeof(text), "%s, Berth %s", u.nodename, BERTH_VERSION);
	line("machine", PLAIN, text);
	human_duration(number(init, "uptime_ms") / 1000, age);
	age[0] = (char)tolower((unsigned char)age[0]); /* docker's "About a minute" begins a sentence */
	snprintf(text, sizeof(text), "%s, up %s", state, age);
	line("state", tone_of(state), text);
	snprintf(text, sizeof(text), "%s %s%s%s", u.sysname, u.release, *slot ? ", slot " : "", slot);
	line("kernel", PLAIN, text);
}

static uint64_t meminfo(const char *all, const char *key)
{
	const char *p = strstr(all, key);

	return p ? strtoull(p + strlen(key), NULL, 10) * 1024 : 0;
}

static void show_memory(yyjson_val *init)
{
	autobuf struct buf all = { 0 };
	char used[HUMAN_MAX], total[HUMAN_MAX], text[128];
	uint64_t total_bytes, available;

	(void)init;
	file_read_at(AT_FDCWD, "/proc/meminfo", 64 * 1024, &all, NULL);
	total_bytes = meminfo(buf_text(&all), "MemTotal:");
	available = meminfo(buf_text(&all), "MemAvailable:");
	snprintf(text, sizeof(text), "%s in use of %s", human_binary(total_bytes - available, used),
		 human_binary(total_bytes, total));
	line("memory", available < total_bytes / 20 ? BAD : PLAIN, text);
}

static void show_data(yyjson_val *init)
{
	yyjson_doc *doc = read_json("/run/berth/data.json");
	yyjson_val *data = yyjson_doc_get_root(doc);
	char used[HUMAN_MAX], total[HUMAN_MAX], text[768];
	const char *state = text_of(data, "state");
	struct statvfs fs = { 0 };

	(void)init;
	statvfs("/var", &fs);
	snprintf(text, sizeof(text), "%s in use of %s, %s%s%s%s",
		 human_binary((uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize, used),
		 human_binary((uint64_t)fs.f_blocks * fs.f_frsize, total), *state ? state : "unknown",
		 *text_of(data, "device") ? " on " : "", text_of(data, "device"),
		 strcmp(state, "persistent") ? " (nothing here outlives a reboot)" : "");
	line("data", tone_of(state), text);
	if (*text_of(data, "reason"))
		line("", WARN, text_of(data, "reason"));
	yyjson_doc_free(doc);
}

static void show_network(yyjson_val *init)
{
	autodir DIR *d = opendir("/run/berth/net");
	struct dirent *entry;
	bool any = false;

	(void)init;
	while (d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);
		char path[300], text[256];
		yyjson_doc *doc;
		yyjson_val *link;

		if (len <= 5 || strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), "/run/berth/net/%s", entry->d_name);
		doc = read_json(path);
		link = yyjson_doc_get_root(doc);
		snprintf(text, sizeof(text), "%.*s  %s", (int)len - 5, entry->d_name,
			 *text_of(link, "address") ? text_of(link, "address") : "no address yet");
		line(any ? "" : "network", *text_of(link, "address") ? PLAIN : WARN, text);
		yyjson_doc_free(doc);
		any = true;
	}
	if (!any)
		line("network", WARN, "no link has an address");
}

static bool is_well(yyjson_val *container)
{
	return !strcmp(text_of(container, "State"), "running") &&
	       !strstr(text_of(container, "Status"), "(unhealthy)");
}

/* One that has ended well, or was never started, is nothing to look at. */
static bool is_ill(yyjson_val *container)
{
	const char *state = text_of(container, "State");

	return !is_well(container) && strcmp(state, "created") != 0 && strcmp(state, "paused") != 0 &&
	       strncmp(text_of(container, "Status"), "Exited (0)", 10) != 0;
}

static void show_containers(yyjson_val *init)
{
	struct err e = { "" };
	yyjson_doc *doc = call_json("GET", "/containers/json?all=1", NULL, &e);
	yyjson_val *all = yyjson_doc_get_root(doc), *c;
	size_t i, max, well = 0;
	char text[512];

	(void)init;
	yyjson_arr_foreach(all, i, max, c)
		well += is_well(c);
	snprintf(text, sizeof(text), "%zu running, %zu not", well, yyjson_arr_size(all) - well);
	putchar('\n');
	line("containers", doc ? PLAIN : WARN, doc ? text : e.text);
	yyjson_arr_foreach(all, i, max, c) {
		const char *name = yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(c, "Names")));

		snprintf(text, sizeof(text), "%s  %s", name ? name + (*name == '/') : "",
			 text_of(c, "Status"));
		if (is_ill(c))
			line("", BAD, text);
	}
	yyjson_doc_free(doc);
}

/* As on the console: a warning says that it is one, and line 0 is no place in a text. */
static void show_fault(const char *label, yyjson_val *fault)
{
	bool warning = !strcmp(text_of(fault, "level"), "warning");
	char text[1024], place[64] = "";

	if (number(fault, "line"))
		snprintf(place, sizeof(place), ":%lld:%lld", (long long)number(fault, "line"),
			 (long long)number(fault, "column"));
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", text_of(fault, "file"), place,
		 *text_of(fault, "file") ? ": " : "", warning ? "warning: " : "", text_of(fault, "path"),
		 *text_of(fault, "path") ? ": " : "", text_of(fault, "message"));
	line(label, warning ? WARN : BAD, text);
}

static void show_config(yyjson_val *init)
{
	yyjson_doc *doc = read_json("/run/berth/config.json");
	yyjson_val *root = yyjson_doc_get_root(doc), *fault;
	yyjson_val *source = yyjson_obj_get(root, "source");
	char text[1024];
	size_t i, max;

	(void)init;
	snprintf(text, sizeof(text), "%s%s%s", *text_of(source, "kind") ? text_of(source, "kind") : "none",
		 *text_of(source, "where") ? ", " : "", text_of(source, "where"));
	line("config", doc ? PLAIN : BAD, text);
	yyjson_arr_foreach(yyjson_obj_get(root, "faults"), i, max, fault)
		show_fault(i ? "" : "faults", fault);
	yyjson_doc_free(doc);
}

static void show_steps(yyjson_val *init)
{
	yyjson_val *step;
	size_t i, max;

	printf("\n%-20s %-10s %10s %10s\n", "BOOT STEP", "STATE", "START", "TOOK");
	yyjson_arr_foreach(yyjson_obj_get(init, "steps"), i, max, step) {
		enum tone t = tone_of(text_of(step, "state"));

		printf("%-20s %s%-10s%s %7lld ms %7lld ms%s%s\n", text_of(step, "name"), tone_on(t),
		       text_of(step, "state"), tone_off(t), (long long)number(step, "start_ms"),
		       (long long)number(step, "took_ms"), *text_of(step, "error") ? "  " : "",
		       text_of(step, "error"));
	}
}

static void show_services(yyjson_val *init)
{
	yyjson_val *s;
	size_t i, max;

	printf("\n%-20s %-10s %10s %10s\n", "SERVICE", "STATE", "PID", "RESTARTS");
	yyjson_arr_foreach(yyjson_obj_get(init, "services"), i, max, s) {
		enum tone t = tone_of(text_of(s, "state"));
		char pid[24] = "-";

		if (number(s, "pid") > 0)
			snprintf(pid, sizeof(pid), "%lld", (long long)number(s, "pid"));
		printf("%-20s %s%-10s%s %10s %10lld\n", text_of(s, "name"), tone_on(t), text_of(s, "state"),
		       tone_off(t), pid, (long long)number(s, "restarts"));
	}
}

static void (*const sections[])(yyjson_val *init) = {
	show_machine, show_memory, show_data, show_network, show_config,
	show_steps, show_services, show_containers, /* last: an engine that hangs hides nothing */
};

int cmd_status(const struct cli_command *self, int argc, char **argv)
{
	bool json = false;
	const struct cli_option options[] = {
		{ 0, "json", NULL, "Print what PID 1 says, as JSON", &json, NULL, NULL },
	};
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };
	yyjson_doc *doc;
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (initctl_ask("status", &answer, &e) < 0)
		return cli_fail(&e);
	if (json) {
		fputs(buf_text(&answer), stdout);
		return EXIT_OK;
	}
	colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		sections[i](yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return EXIT_OK;
}
