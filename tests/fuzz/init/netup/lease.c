/* libFuzzer: a DHCP server's words as the client's environment, a variable a line; the first byte
 * is the family. What is accepted is kept in a file's form and read back as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "netup/lease.h"

enum { VARIABLES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kept(const struct lease_file *f, int family)
{
	static char dir[32];
	struct lease_file back;

	if (!dir[0] && !mkdtemp(strcpy(dir, "/tmp/fuzz-lease-XXXXXX")))
		abort();
	if (lease_save(dir, "eth0", family, f, NULL) < 0)
		abort();
	lease_load(dir, "eth0", family, &back);
	if (!back.valid || back.lease.route_count != f->lease.route_count ||
	    back.lease.dns_count != f->lease.dns_count ||
	    back.lease.search_count != f->lease.search_count ||
	    memcmp(&back.lease.address, &f->lease.address, sizeof(back.lease.address)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int family = size && *data == '6' ? AF_INET6 : AF_INET;
	autofree char *text = calloc(1, size + 1);
	char *environment[VARIABLES_MAX] = { NULL }, *save = NULL;
	struct lease_file f = { .state = LEASE_BOUND, .valid = true };
	autobuf struct buf ignored = { 0 };
	struct err e = { "" };
	size_t n = 0;
	int code;

	if (!text || !size)
		return 0;
	memcpy(text, data + 1, size - 1);
	environment[n++] = (char *)"interface=eth0";
	for (char *l = strtok_r(text, "\n", &save); l && n < VARIABLES_MAX - 1;
	     l = strtok_r(NULL, "\n", &save))
		environment[n++] = l;
	code = lease_read(environment, family, &f.lease, &ignored, &e);
	if (code < 0 && !e.text[0])
		abort();
	if (code == 0)
		check_kept(&f, family);
	return 0;
}
