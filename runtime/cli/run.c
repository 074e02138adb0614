/* run and create. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/create_body.h"
#include "cli/stream.h"

struct run {
	struct create_options create;
	bool detach;
	const char *keys;
	char id[65];
};

/* docker's: what could not be run is told by the sentence. */
static int run_failed(const struct err *e)
{
	static const struct { const char *sentence; int code; } rows[] = {
		{ "executable file not found", 127 }, { "no such file or directory", 127 },
		{ "permission denied", 126 }, { "exec format error", 126 }, { "is a directory", 126 },
	};

	cli_fail(e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcasestr(e->text, rows[i].sentence))
			return rows[i].code;
	return EXIT_USAGE;
}

static int read_options(const struct cli_command *self, int argc, char **argv, struct run *r,
			int *code)
{
	struct create_options *o = &r->create;
	const struct cli_option options[] = {
		{ 0, "add-host", "HOST:IP", "One more line of /etc/hosts", NULL, NULL, &o->hosts },
		{ 0, "cap-add", "CAP", "Give a capability", NULL, NULL, &o->cap_add },
		{ 0, "cap-drop", "CAP", "Take a capability", NULL, NULL, &o->cap_drop },
		{ 0, "cpus", "NUMBER", "Processors at most, 0.5 is half of one", NULL, &o->cpus, NULL },
		{ 0, "cpuset-cpus", "LIST", "Processors to run on", NULL, &o->cpuset, NULL },
		{ 'd', "detach", NULL, "Print the ID and leave it running", &r->detach, NULL, NULL },
		{ 0, "detach-keys", "KEYS", "Keys that detach", NULL, &r->keys, NULL },
		{ 0, "dns", "IP", "A resolver", NULL, NULL, &o->dns },
		{ 0, "entrypoint", "PROGRAM", "Instead of the image's", NULL, &o->entrypoint, NULL },
		{ 'e', "env", "NAME=VALUE", "Set a variable", NULL, NULL, &o->env },
		{ 0, "expose", "PORT", "A port that is told, not published", NULL, NULL, &o->expose },
		{ 0, "group-add", "GROUP", "One more group", NULL, NULL, &o->groups },
		{ 0, "health-cmd", "COMMAND", "Tells whether it is healthy", NULL, &o->health_cmd, NULL },
		{ 0, "health-interval", "TIME", "Between two checks (30s)", NULL, &o->health_interval,
		  NULL },
		{ 0, "health-retries", "NUMBER", "Failures that make it unhealthy (3)", NULL,
		  &o->health_retries, NULL },
		{ 0, "health-start-interval", "TIME", "Between two checks in the start period (5s)", NULL,
		  &o->health_start_interval, NULL },
		{ 0, "health-start-period", "TIME", "Failures do not count so long", NULL,
		  &o->health_start_period, NULL },
		{ 0, "health-timeout", "TIME", "A check may take so long (30s)", NULL, &o->health_timeout,
		  NULL },
		{ 'h', "hostname", "NAME", "Host name", NULL, &o->hostname, NULL },
		{ 0, "init", NULL, "An init before the program", &o->init, NULL, NULL },
		{ 'i', "interactive", NULL, "Keep stdin open", &o->interactive, NULL, NULL },
		{ 'l', "label", "NAME=VALUE", "Set a label", NULL, NULL, &o->labels },
		{ 0, "log-driver", "NAME", "json-file or none", NULL, &o->log_driver, NULL },
		{ 0, "log-opt", "NAME=VALUE", "max-size, max-file", NULL, NULL, &o->log_options },
		{ 'm', "memory", "BYTES", "Memory at most", NULL, &o->memory, NULL },
		{ 0, "memory-swap", "BYTES", "Memory and swap at most", NULL, &o->memory_swap, NULL },
		{ 0, "name", "NAME", "The container's name", NULL, &o->name, NULL },
		{ 0, "network", "MODE", "bridge, host or none", NULL, &o->network, NULL },
		{ 0, "no-healthcheck", NULL, "None, not even the image's", &o->no_health, NULL, NULL },
		{ 0, "pids-limit", "NUMBER", "Processes at most", NULL, &o->pids, NULL },
		{ 0, "platform", "OS/CPU", "Of the image", NULL, &o->platform, NULL },
		{ 0, "privileged", NULL, "All rights on the host", &o->privileged, NULL, NULL },
		{ 'p', "publish", "[IP:]HOST:PORT", "Publish a port", NULL, NULL, &o->ports },
		{ 'P', "publish-all", NULL, "Publish what is exposed", &o->publish_all, NULL, NULL },
		{ 0, "read-only", NULL, "Nothing of the root can be written", &o->read_only, NULL, NULL },
		{ 0, "restart", "POLICY", "no, always, unless-stopped, on-failure[:N]", NULL,
		  &o->restart, NULL },
		{ 0, "rm", NULL, "Remove it when it has ended", &o->remove, NULL, NULL },
		{ 0, "security-opt", "OPTION", "seccomp, no-new-privileges ...", NULL, NULL,
		  &o->security },
		{ 0, "shm-size", "BYTES", "Size of /dev/shm", NULL, &o->shm_size, NULL },
		{ 0, "stop-signal", "SIGNAL", "Signal that stops it", NULL, &o->stop_signal, NULL },
		{ 0, "stop-timeout", "SECONDS", "Until it is killed", NULL, &o->stop_timeout, NULL },
		{ 0, "sysctl", "NAME=VALUE", "Set a kernel parameter", NULL, NULL, &o->sysctls },
		{ 0, "tmpfs", "DIR[:OPTIONS]", "A directory in memory", NULL, NULL, &o->tmpfs },
		{ 't', "tty", NULL, "With a terminal", &o->tty, NULL, NULL },
		{ 'u', "user", "USER[:GROUP]", "Run as this user", NULL, &o->user, NULL },
		{ 0, "userns", "MODE", "host: no user namespace", NULL, &o->userns, NULL },
		{ 'v', "volume", "SOURCE:DIR[:OPTIONS]", "A volume or a host's path", NULL, NULL,
		  &o->volumes },
		{ 'w', "workdir", "DIR", "Run in this directory", NULL, &o->workdir, NULL },
	};

	return cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, code);
}

static int create(struct run *r, bool attach, int count, char **words, struct err *e)
{
	autofree char *body = create_body(&r->create, attach, words[0], count - 1, words + 1, e);
	autobuf struct buf target = { 0 };
	yyjson_doc *doc;

	if (!body)
		return -EINVAL;
	buf_adds(&target, "/containers/create?name=");
	http_escape(&target, r->create.name ? r->create.name : "");
	buf_adds(&target, "&platform=");
	http_escape(&target, r->create.platform ? r->create.platform : "");
	doc = call_json("POST", buf_text(&target), body, e);
	if (!doc)
		return -EIO;
	snprintf(r->id, sizeof(r->id), "%s", yyjson_get_str(yyjson_obj_get(
		 yyjson_doc_get_root(doc), "Id")));
	yyjson_doc_free(doc);
	return 0;
}

static int start(const struct run *r, struct err *e)
{
	autobuf struct buf target = { 0 }, answer = { 0 };

	call_target(&target, r->id, "/start");
	return http_call(cli_host(), "POST", buf_text(&target), NULL, &answer, e);
}

/* Streams and wait are there before the start: nothing that comes of it is missed. */
static int join(const struct run *r, struct stream *s, struct http_response *wait, struct err *e)
{
	autobuf struct buf target = { 0 }, waited = { 0 };
	int rc;

	call_target(&target, r->id, s->in ? "/attach?stream=1&stdout=1&stderr=1&stdin=1" :
					    "/attach?stream=1&stdout=1&stderr=1");
	call_target(&waited, r->id, r->create.remove ? "/wait?condition=removed" :
						       "/wait?condition=next-exit");
	rc = http_upgrade(cli_host(), buf_text(&target), NULL, s->http, e);
	if (rc < 0)
		return rc;
	rc = http_request(cli_host(), "POST", buf_text(&waited), NULL, wait, e);
	if (!rc) {
		rc = start(r, e);
		if (rc < 0)
			http_close(wait);
	}
	if (rc < 0)
		http_close(s->http);
	return rc < 0 ? rc : 0;
}

static int run_attached(struct run *r, struct stream *s, struct err *e)
{
	autobuf struct buf size = { 0 }, signals = { 0 };
	struct http_response http, wait;
	int rc;

	call_target(&size, r->id, "/resize");
	call_target(&signals, r->id, "/kill?signal=");
	s->http = &http;
	s->resize = buf_text(&size);
	s->kill = s->tty ? NULL : buf_text(&signals);
	rc = join(r, s, &wait, e);
	if (rc < 0)
		return run_failed(e);
	rc = stream_run(s, e);
	http_close(&http);
	if (rc == STREAM_ENDED)
		return call_wait_code(&wait);
	http_close(&wait);
	return rc < 0 ? cli_fail(e) : EXIT_OK;
}

int cmd_run(const struct cli_command *self, int argc, char **argv)
{
	struct run r = { .keys = STREAM_DEFAULT_KEYS };
	struct stream s = { .http = NULL };
	struct err e = { 0 };
	int code, n = read_options(self, argc, argv, &r, &code);

	if (n < 0)
		return code;
	s.tty = r.create.tty;
	s.in = r.create.interactive;
	if (stream_keys_parse(r.keys, &s.keys, &e) < 0 ||
	    (!r.detach && s.tty && s.in && call_terminal(&e) < 0)) {
		cli_fail(&e);
		return EXIT_USAGE;
	}
	if (create(&r, !r.detach, n, argv, &e) < 0) {
		cli_fail(&e);
		return EXIT_USAGE;
	}
	if (!r.detach)
		return run_attached(&r, &s, &e);
	if (start(&r, &e) < 0)
		return run_failed(&e);
	puts(r.id);
	return EXIT_OK;
}

int cmd_create(const struct cli_command *self, int argc, char **argv)
{
	struct run r = { .keys = STREAM_DEFAULT_KEYS };
	struct err e = { 0 };
	int code, n = read_options(self, argc, argv, &r, &code);

	if (n < 0)
		return code;
	if (create(&r, true, n, argv, &e) < 0)
		return cli_fail(&e);
	puts(r.id);
	return EXIT_OK;
}
