#include "oci/late_hooks.h"

#include <string.h>

#include "oci/config.h"
#include "oci/report.h"

void late_hooks_run(int dir, const struct state *s, enum hook_kind kind, const char *status)
{
	autoconfig struct config c = { 0 };
	struct err e = { 0 };
	const struct hook_state told = {
		.version = s->ociVersion,
		.id = s->id,
		.status = status,
		.bundle = s->bundle,
		.pid = strcmp(status, "stopped") != 0 ? (pid_t)s->pid : 0,
		.annotations = &s->annotations,
	};

	if (!s->hooks)
		return;
	if (config_read(dir, &c, &e) < 0)
		report_warn("hooks are not run: %s", e.text);
	else
		hooks_run_all(c.spec.hooks, kind, &told);
}
