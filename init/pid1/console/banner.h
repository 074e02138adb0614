/* What a person in front of a console sees. Pure: facts in, text out. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum banner_mode {
	BANNER_STATUS, /* Enter shows it again */
	BANNER_SHELL,  /* Enter gives a root shell (berth.console=shell) */
	BANNER_RESCUE, /* the same, and why */
};

struct banner {
	enum banner_mode mode;
	const char *reason;    /* of rescue mode */
	const char *hostname;
	const char *kernel;    /* "6.12.107 x86_64" */
	const char *addresses; /* lines "eth0 10.0.2.15/24\n" */
	const char *summary;   /* PID 1's answer to "summary", "" if it gave none */
	const char *motd;      /* what bootcfg says to whoever logs in, "" if nothing */
};

void banner_format(const struct banner *b, struct buf *out);
