/* What the configuration leaves for a later moment of the boot. A stage is a service of PID 1 that
 * is started only if its file in /run/berth/stage is there: `bootcfg stage NAME`.
 *   bootcmd  every boot, before network and containers
 *   final    every boot, last: deferred files, runcmd, phone_home, final_message, power_state;
 *            those that are for once are remembered in /var/lib/berth/instances/ID/NAME */
#pragma once

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"

#define STAGE_DIR "/run/berth/stage"

/* The script of a list of commands as cloud-init makes it: one shell for all of them, a text as it
 * is, a list with each word quoted; and each exit code that is not 0 is said. Pure. */
void stage_script(yyjson_val *commands, const char *name, struct buf *out);

/* "$uptime" and its like, also as "${uptime}" and in capitals. Pure. */
struct stage_word {
	const char *name, *value;
};
void stage_fill(const char *text, const struct stage_word *words, size_t count, struct buf *out);

/* The body of a form: "a=b&c=d". Pure. */
void stage_form_add(struct buf *form, const char *name, const char *value);

/* Runs one, out of /run/berth/config.json. Exit code. */
int stage_run(const char *name);

/* ---- stage_once.c ---- */

/* Whether `name` was not done yet for this instance; from now on it was. */
bool stage_first_time(int root, const char *instance_id, const char *name);

/* ---- stage_final.c ---- */
int stage_final(yyjson_val *config);
