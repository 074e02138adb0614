/* Who holds a port of the host: looked up in /proc, for error sentences only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HOLDER_TEXT_MAX = 64 };

/* Writes "\"dropbear\" (pid 93)". 0, or -ENOENT when it cannot be told. */
int port_holder(bool udp, uint16_t port, char out[HOLDER_TEXT_MAX]);

/* The inode of the socket bound to `port` in the text of /proc/net/tcp, tcp6, udp or udp6; 0 if
 * none. Of tcp sockets only listening ones count. */
unsigned long socket_inode(const char *table, bool udp, uint16_t port);
