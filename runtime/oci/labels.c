#include "oci/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "oci/sys.h"

enum { SELINUX_MAGIC = (int)0xf97cff8c };

static bool has_apparmor(void)
{
	autobuf struct buf text = { 0 };

	return !file_read_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text,
			     NULL) &&
	       buf_text(&text)[0] == 'Y';
}

static bool has_selinux(void)
{
	struct statfs fs;

	return !statfs("/sys/fs/selinux", &fs) && (int)fs.f_type == SELINUX_MAGIC;
}

static bool given(const char *word)
{
	return word && word[0];
}

/* Without AppArmor everything is unconfined, so that wish is met. */
static bool wants_profile(const struct oci_process *p)
{
	return given(p->apparmorProfile) && strcmp(p->apparmorProfile, "unconfined") != 0;
}

int labels_check(const struct oci_process *p, struct err *e)
{
	if (wants_profile(p) && !has_apparmor())
		return err_set(e, -EOPNOTSUPP,
			       "process.apparmorProfile: \"%s\": AppArmor is not enabled in this kernel",
			       p->apparmorProfile);
	if (given(p->selinuxLabel) && !has_selinux())
		return err_set(e, -EOPNOTSUPP,
			       "process.selinuxLabel: \"%s\": SELinux is not enabled in this kernel",
			       p->selinuxLabel);
	return 0;
}

int labels_check_mounts(const char *label, struct err *e)
{
	return given(label) && !has_selinux() ?
		       err_set(e, -EOPNOTSUPP,
			       "linux.mountLabel: \"%s\": SELinux is not enabled in this kernel", label) :
		       0;
}

/* CVE-2019-19921, CVE-2025-52881: below this very mount only. thread-self is a link in it. */
static int put(int proc, const char *path, const char *text)
{
	autoclose int fd = sys_openat2(proc, path, O_WRONLY,
				       RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int apply_profile(const char *profile, int proc, struct err *e)
{
	autofree char *text = NULL;
	int rc;

	if (asprintf(&text, "exec %s", profile) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	rc = put(proc, "thread-self/attr/apparmor/exec", text);
	if (rc == -ENOENT) /* before Linux 5.1 all modules shared one file */
		rc = put(proc, "thread-self/attr/exec", text);
	return rc < 0 ? err_code(e, rc, "apply AppArmor profile \"%s\"", profile) : 0;
}

int labels_apply(const struct oci_process *p, int proc, struct err *e)
{
	int rc = wants_profile(p) ? apply_profile(p->apparmorProfile, proc, e) : 0;

	if (rc < 0 || !given(p->selinuxLabel))
		return rc;
	rc = put(proc, "thread-self/attr/exec", p->selinuxLabel);
	return rc < 0 ? err_code(e, rc, "apply SELinux label \"%s\"", p->selinuxLabel) : 0;
}
