/* machine.json: what anybody on the machine may know, for the demo's page and the like. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/health.h"
#include "engine/internal.h"
#include "engine/version.h"

enum { SOON_MS = 20, AGAIN_MS = 10000, MEMINFO_MAX = 16 * 1024 };

int64_t memory_bytes(const char *key)
{
	autobuf struct buf text = { 0 };
	const char *line;
	long long kb = 0;

	if (file_read_at(AT_FDCWD, "/proc/meminfo", MEMINFO_MAX, &text, NULL) < 0)
		return 0;
	line = strstr(buf_text(&text), key);
	if (line && sscanf(line + strlen(key), ": %lld", &kb) != 1)
		kb = 0;
	return kb * 1024;
}

static void add_string(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	buf_add_json_string(out, value, strlen(value));
	buf_addc(out, ',');
}

static void add_containers(const struct engine *en, struct buf *out)
{
	buf_adds(out, "\"containers\":[");
	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		buf_adds(out, i ? ",{" : "{");
		add_string(out, "name", c->name);
		add_string(out, "image", c->spec.image);
		add_string(out, "state", state_docker_name(c->state));
		if (c->health)
			add_string(out, "health", health_name(c->health->status));
		buf_addf(out, "\"started_unix\":%lld}", (long long)(c->started_ns / 1000000000));
	}
	buf_adds(out, "],");
}

static int write_public(struct engine *en, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct utsname u = { 0 };
	char dir[PATH_MAX];
	int rc;

	uname(&u);
	buf_adds(&text, "{");
	add_string(&text, "version", BERTH_VERSION);
	add_string(&text, "hostname", u.nodename);
	add_string(&text, "kernel", u.release);
	buf_addf(&text, "\"boot_ms\":%lld,\"started_unix\":%lld,", (long long)en->boot_ms,
		 (long long)((clock_wall_ns() / 1000000 - clock_boot_ms()) / 1000));
	add_containers(en, &text);
	buf_addf(&text, "\"memory\":{\"total_bytes\":%lld,\"available_bytes\":%lld}}\n",
		 (long long)memory_bytes("MemTotal"), (long long)memory_bytes("MemAvailable"));
	snprintf(dir, sizeof(dir), "%s", en->paths.public_file);
	*strrchr(dir, '/') = '\0';
	rc = path_mkdirs(dir, 0755, e);
	if (!rc)
		rc = buf_ok(&text) ? file_replace_at(AT_FDCWD, en->paths.public_file, text.data,
						     text.len, 0644, e) : -1;
	return rc;
}

static void refresh(struct loop *l, void *arg)
{
	struct engine *en = arg;
	struct err e = { 0 };

	if (write_public(en, &e) < 0)
		log_warn("%s", e.text);
	/* Memory changes without an event of ours. */
	en->public_timer = loop_timer(l, AGAIN_MS, refresh, en);
}

void public_soon(struct engine *en)
{
	loop_remove(en->loop, en->public_timer);
	en->public_timer = loop_timer(en->loop, SOON_MS, refresh, en);
}
