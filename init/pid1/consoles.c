#include "pid1/consoles.h"

#include <stdio.h>

#include "pid1/machine.h"
#include "pid1/say.h"

#define PROGRAM "/usr/lib/berth/console"

static struct {
	struct service_def def;
	char name[SERVICE_NAME_MAX];
	const char *argv[5];
} seats[SAY_CONSOLES_MAX];

const struct service_def *consoles_service(const struct machine *m, int i)
{
	const char *tty = say_console_name(i);
	bool rescue = m->state == MACHINE_RESCUE;

	if (!tty)
		return NULL;
	snprintf(seats[i].name, sizeof(seats[i].name), "console-%s", tty);
	seats[i].argv[0] = PROGRAM;
	seats[i].argv[1] = tty;
	if (rescue) {
		seats[i].argv[2] = "rescue";
		seats[i].argv[3] = machine_rescue_reason(m);
	} else if (m->options.console_shell) {
		seats[i].argv[2] = "shell";
	}
	seats[i].def = (struct service_def){
		.name = seats[i].name,
		.argv = seats[i].argv,
		/* After the boot's last lines; rescue mode waits for nobody. */
		.after = { rescue ? NULL : "net", "engine", "ssh" },
		.kind = SVC_DAEMON,
		.in_rescue = true,
		.console = true,
		.start_ms = 5000,
		.stop_ms = 300, /* an interactive shell ignores SIGTERM */
		.oom_score_adj = -500,
	};
	return &seats[i].def;
}
