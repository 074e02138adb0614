/* Who is called what: the networks, the names on each, and what each container may see of it. Told
 * by the engine as text, a word list a line:
 *
 *   upstream 192.0.2.53          the host's resolvers, in order
 *   network ID NAME              and then its names:
 *   name web 10.99.0.2
 *   container ID forward|shut    and then: its networks, names for it alone, its own resolvers
 *   on NETWORK-ID
 *   link db 10.99.0.3
 *   server 192.0.2.1
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { NAMES_ADDRESSES_MAX = 256, NAMES_SERVERS_MAX = 6, NAMES_ID_MAX = 65 };

union server {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct servers {
	union server items[NAMES_SERVERS_MAX];
	size_t count;
};

struct names;
struct names_view; /* one container's */

/* The text is taken over whole or not at all. 0 or -errno. */
int names_parse(const char *text, struct names **out, struct err *e);
void names_free(struct names *n);

const struct names_view *names_view(const struct names *n, const char *container); /* or NULL */

/* Addresses (host order) of `name`, at most NAMES_ADDRESSES_MAX; 0: nobody is called so. */
size_t names_addresses(const struct names *n, const struct names_view *v, const char *name,
		       uint32_t out[NAMES_ADDRESSES_MAX]);

/* "web.blue" for an address on a network that the container is on. */
bool names_of_address(const struct names *n, const struct names_view *v, uint32_t ip, char *out,
		      size_t size);

/* Its own or the host's; none when it is shut in. */
const struct servers *names_servers(const struct names *n, const struct names_view *v);
