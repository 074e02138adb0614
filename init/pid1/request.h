/* One line that a client of /run/berth/init.sock sends: VERB or VERB NAME. Pure. */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum { REQUEST_LINE_MAX = 128, REQUEST_NAME_MAX = 32 };

enum request_verb {
	REQUEST_STATUS,
	REQUEST_SUMMARY,
	REQUEST_START,
	REQUEST_STOP,
	REQUEST_RESTART,
	REQUEST_REBOOT,
	REQUEST_POWEROFF,
	REQUEST_HALT,
	REQUEST_RESCUE, /* reboot, and the next boot is a rescue */
	REQUEST_WATCHDOG,
};

struct request {
	enum request_verb verb;
	char name[REQUEST_NAME_MAX]; /* of a service, or seconds or "off"; "" where the verb takes none */
};

/* `line` without its newline. 0, or -EINVAL with a sentence. */
int request_parse(const char *line, size_t len, struct request *out, struct err *e);
