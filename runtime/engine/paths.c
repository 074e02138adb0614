#include "engine/paths.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { DATA, PROGRAM }; /* the prefix goes before data only */

static const struct row {
	const char *option;
	size_t member;
	enum kind kind;
	const char *path;
} rows[] = {
#define ROW(option, member, kind, path) \
	{ option, offsetof(struct engine_paths, member), kind, path }
	ROW("config", config, DATA, "/run/berth/config.json"),
	ROW("run", run, DATA, "/run/berth"),
	ROW("bundles", bundles, DATA, "/run/berth/containers"),
	ROW("execs", execs, DATA, "/run/berth/exec"),
	ROW("engine-run", engine_run, DATA, "/run/berth/engine"),
	ROW("socket", socket, DATA, "/run/berth/engine.sock"),
	ROW("socket-alias", socket_alias, DATA, "/run/docker.sock"),
	ROW("public-file", public_file, DATA, "/run/berth/public/machine.json"),
	ROW("resolv", resolv, DATA, "/run/berth/resolv.conf"),
	ROW("hosts", hosts, DATA, "/etc/hosts"),
	ROW("data", data, DATA, "/var/lib/berth"),
	ROW("containers", containers, DATA, "/var/lib/berth/containers"),
	ROW("volumes", volumes, DATA, "/var/lib/berth/volumes"),
	ROW("networks", networks, DATA, "/var/lib/berth/networks"),
	ROW("store-embedded", store_embedded, DATA, "/usr/share/berth/store"),
	ROW("store-pulled", store_pulled, DATA, "/var/lib/berth/store"),
	ROW("store-program", store_program, PROGRAM, "/usr/lib/berth/store"),
	ROW("fetch", fetch, PROGRAM, "/usr/lib/berth/fetch"),
	ROW("shim", shim, PROGRAM, "/usr/lib/berth/shim"),
	ROW("runtime", runtime, PROGRAM, "/usr/bin/berth-oci"),
	ROW("dns", dns, PROGRAM, "/usr/lib/berth/dns"),
	ROW("init", init, PROGRAM, "/usr/lib/berth/container-init"),
	ROW("cgroups", cgroups, PROGRAM, "/sys/fs/cgroup"),
	ROW("cgroup-shims", cgroup_shims, PROGRAM, "system/shims"),
	ROW("bridge", bridge, PROGRAM, "berth0"),
#undef ROW
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static char **member(struct engine_paths *p, const struct row *row)
{
	return (char **)((char *)p + row->member);
}

static int apply_option(struct engine_paths *p, const char *option, const char *value)
{
	for (int i = 0; i < ROW_COUNT; i++) {
		char **slot = member(p, &rows[i]);

		if (strcmp(option, rows[i].option))
			continue;
		free(*slot);
		*slot = strdup(value);
		return *slot ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

int engine_paths_init(struct engine_paths *p, int argc, char **argv, struct err *e)
{
	const char *prefix = "";

	for (int i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], "--root-prefix"))
			prefix = argv[i + 1];
	for (int i = 0; i < ROW_COUNT; i++)
		if (asprintf(member(p, &rows[i]), "%s%s", rows[i].kind == DATA ? prefix : "",
			     rows[i].path) < 0)
			return err_set(e, -ENOMEM, "out of memory");
	for (int i = 1; i < argc; i += 2) {
		int rc = -EINVAL;

		if (i + 1 < argc && !strcmp(argv[i], "--root-prefix"))
			continue;
		if (i + 1 < argc && !strncmp(argv[i], "--", 2))
			rc = apply_option(p, argv[i] + 2, argv[i + 1]);
		if (rc < 0)
			return err_set(e, rc, "unknown option \"%s\" or no value for it", argv[i]);
	}
	return 0;
}

void engine_paths_free(struct engine_paths *p)
{
	for (int i = 0; i < ROW_COUNT; i++)
		free(*member(p, &rows[i]));
	*p = (struct engine_paths){ 0 };
}
