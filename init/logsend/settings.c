#include "logsend/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool parse_address(const char *address, unsigned port, struct settings *s)
{
	if (inet_pton(AF_INET, address, &s->to.v4.sin_addr) == 1) {
		s->to.v4.sin_family = AF_INET;
		s->to.v4.sin_port = htons((uint16_t)port);
		s->to_len = sizeof(s->to.v4);
	} else if (inet_pton(AF_INET6, address, &s->to.v6.sin6_addr) == 1) {
		s->to.v6.sin6_family = AF_INET6;
		s->to.v6.sin6_port = htons((uint16_t)port);
		s->to_len = sizeof(s->to.v6);
	}
	return s->to_len && port && port <= UINT16_MAX;
}

int settings_parse(const char *text, struct settings *out, struct err *e)
{
	struct settings s = { .to_len = 0 };
	char protocol[4], address[INET6_ADDRSTRLEN], what[64];
	unsigned port;

	if (sscanf(text, "%3s %45s %5u\n%255s\n%63[a-z ]", protocol, address, &port, s.host, what) != 5 ||
	    !parse_address(address, port, &s) || (strcmp(protocol, "udp") && strcmp(protocol, "tcp")))
		return err_set(e, -EINVAL, "\"%s\" is damaged", SETTINGS_PATH);
	s.tcp = !strcmp(protocol, "tcp");
	s.kernel = strstr(what, "kernel");
	s.services = strstr(what, "services");
	s.containers = strstr(what, "containers");
	*out = s;
	return 0;
}
