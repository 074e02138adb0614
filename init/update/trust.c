#include "update/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

/* Unix98 terminals, which SSH uses: linux Documentation/admin-guide/devices.txt. */
enum { PTS_MAJOR_FIRST = 136, PTS_MAJOR_LAST = 143, FILE_BYTES_MAX = 4096 };

static int read_version(const char *path, const char *key, char out[MANIFEST_TEXT_MAX],
			struct err *e)
{
	autobuf struct buf text = { 0 };
	const char *p;
	int rc = file_read_at(AT_FDCWD, path, FILE_BYTES_MAX, &text, e);

	if (rc < 0)
		return rc;
	p = *key ? strstr(buf_text(&text), key) : buf_text(&text);
	p = p ? p + strlen(key) : "";
	snprintf(out, MANIFEST_TEXT_MAX, "%.*s", (int)strcspn(p, "\"\n"), p);
	return version_check(out) < 0 ? err_set(e, -EBADMSG, "\"%s\" names no version", path) : 0;
}

int trust_of_this_machine(struct trust *out, struct err *e)
{
	struct utsname u;
	int rc;

	uname(&u);
	snprintf(out->arch, sizeof(out->arch), "%.*s", MANIFEST_TEXT_MAX - 1, u.machine);
	rc = read_version("/usr/lib/os-release", "BUILD_ID=\"", out->running, e);
	return rc < 0 ? rc : read_version(TRUST_FLOOR_PATH, "", out->floor, e);
}

int trust_check(const struct trust *t, const struct manifest *m, struct err *e)
{
	const struct refusal *r = refusals_find(t->refused, m->digest);

	if (strcmp(m->arch, t->arch) != 0)
		return err_set(e, -EPERM, "%s is for %s, this machine is %s", m->version, m->arch, t->arch);
	if (r)
		return err_set(e, -EPERM, "%s is refused, because it failed here: %s (\"berth update forget "
			       "%.12s\" lets it in again)", m->version, r->reason, r->digest);
	if (version_compare(m->version, t->floor) < 0 && !(t->force && t->at_console))
		return err_set(e, -EPERM, "%s is older than %s, the oldest version that this one lets in: it "
			       "has known holes (--force at the machine's own console)", m->version, t->floor);
	if (version_compare(t->running, m->from) < 0 && !t->force)
		return err_set(e, -EPERM, "%s replaces %s or newer, this machine runs %s: install a version "
			       "between them first (or --force)", m->version, m->from, t->running);
	return 0;
}

bool trust_at_console(void)
{
	struct stat st;

	return isatty(STDIN_FILENO) && fstat(STDIN_FILENO, &st) == 0 &&
	       !(major(st.st_rdev) >= PTS_MAJOR_FIRST && major(st.st_rdev) <= PTS_MAJOR_LAST);
}
