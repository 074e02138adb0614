/* The address of a syslog server: as in containers' logging options, an address and no name. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

enum { SYSLOG_PORT = 514 };

static const char *protocol_of(const char **text, struct err *why)
{
	static const char *const names[] = { "udp", "tcp" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(*text, names[i], 3) == 0 && strncmp(*text + 3, "://", 3) == 0) {
			*text += 6;
			return names[i];
		}
	err_set(why, -EINVAL, "%s", strncmp(*text, "tls://", 6) ?
		"it must begin with \"udp://\" or \"tcp://\"" :
		"TLS is not supported: a relay in a container can speak it");
	return NULL;
}

/* "192.0.2.1:514", "[2001:db8::1]:514". False: it is none. */
static bool split(const char *text, char address[INET6_ADDRSTRLEN], const char **port)
{
	bool six = *text == '[';
	const char *begin = text + six, *end = six ? strchr(text, ']') : text + strcspn(text, ":");
	unsigned char bytes[16];

	if (!end || (size_t)(end - begin) >= INET6_ADDRSTRLEN)
		return false;
	snprintf(address, INET6_ADDRSTRLEN, "%.*s", (int)(end - begin), begin);
	*port = end + six;
	return inet_pton(six ? AF_INET6 : AF_INET, address, bytes) == 1;
}

yyjson_mut_val *read_log_server(struct walk *w, const struct type *t, const struct node *n,
				struct err *why)
{
	const char *text = n->text, *protocol = protocol_of(&text, why), *port;
	char address[INET6_ADDRSTRLEN];
	int64_t number = SYSLOG_PORT;
	yyjson_mut_val *server;

	(void)t;
	if (!protocol)
		return NULL;
	if (!split(text, address, &port)) {
		err_set(why, -EINVAL, "it needs an IP address, an IPv6 one in brackets; names are not "
			"supported");
		return NULL;
	}
	if (*port && (*port != ':' || parse_int(port + 1, 1, 65535, &number) < 0)) {
		err_set(why, -ERANGE, "behind the address stands \":\" and a port from 1 to 65535");
		return NULL;
	}
	server = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add_str(w->doc, server, "protocol", protocol);
	yyjson_mut_obj_add_strcpy(w->doc, server, "address", address);
	yyjson_mut_obj_add_int(w->doc, server, "port", number);
	return server;
}
