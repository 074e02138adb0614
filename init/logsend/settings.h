/* The server, as bootcfg writes it for this program: /run/berth/log-server. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SETTINGS_PATH "/run/berth/log-server"

enum { SETTINGS_TEXT_MAX = 1024, SETTINGS_HOST_MAX = 256 };

struct settings {
	bool tcp;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t to_len;
	char host[SETTINGS_HOST_MAX]; /* this machine, in the messages */
	bool kernel, services, containers;
};

/* Three lines: "udp|tcp ADDRESS PORT", the host's name, words of what is sent. 0 or -EINVAL. */
int settings_parse(const char *text, struct settings *out, struct err *e);
