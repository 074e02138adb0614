#include "pid1/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "pid1/machine.h"

enum { ID_DIGITS = 32 };

#define KEPT "/var/lib/berth/machine-id"

int identity_step_hostname(struct machine *m, struct err *say)
{
	static const char name[] = "berth";

	(void)m;
	return sethostname(name, sizeof(name) - 1) < 0 ? err_sys(say, "set the host name") : 0;
}

int identity_step_version(struct machine *m, struct err *say)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_sys(say, "ask the kernel for its name");
	err_set(say, 0, "Berth %s%s%s, Linux %s", BERTH_VERSION, *m->options.slot ? ", slot " : "",
		m->options.slot, name.release);
	return 0;
}

bool identity_is_machine_id(const char *text, size_t len)
{
	if (len == ID_DIGITS + 1 && text[ID_DIGITS] == '\n')
		len--;
	return len == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS &&
	       strspn(text, "0") != ID_DIGITS;
}

static int make_id(char id[ID_DIGITS + 2], struct err *e)
{
	unsigned char raw[ID_DIGITS / 2];

	/* Not waiting for a full pool, which can take a second on the first boot: the id must be its
	 * own, not secret, and the pool has seen the hardware's serial numbers, the time of day and
	 * the cycle counter at every interrupt so far. */
	if (getrandom(raw, sizeof(raw), GRND_INSECURE) != sizeof(raw))
		return err_sys(e, "make a machine id");
	/* As a version 4 UUID, which is what some who read it take it for. */
	raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
	memcpy(id + ID_DIGITS, "\n", 2);
	return 0;
}

int identity_step_machine_id(struct machine *m, struct err *say)
{
	autobuf struct buf kept = { 0 };
	char id[ID_DIGITS + 2];
	bool fresh;
	int rc = 0;

	(void)m;
	fresh = file_read_at(AT_FDCWD, KEPT, 64, &kept, NULL) < 0 ||
		!identity_is_machine_id(buf_text(&kept), kept.len);
	if (fresh) {
		rc = make_id(id, say);
		if (rc >= 0)
			rc = file_replace_at(AT_FDCWD, KEPT, id, strlen(id), 0444, say);
	} else {
		snprintf(id, sizeof(id), "%.*s\n", ID_DIGITS, kept.data);
	}
	if (rc >= 0)
		rc = file_replace_at(AT_FDCWD, "/etc/machine-id", id, strlen(id), 0444, say);
	if (rc >= 0 && fresh)
		err_set(say, 0, "made");
	return rc;
}
