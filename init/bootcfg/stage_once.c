#include "bootcfg/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sha256.h"

/* An id is anybody's text, so the folder has its digest's name; the mark holds the id, for
 * people. */
bool stage_first_time(int root, const char *instance_id, const char *name)
{
	char digest[SHA256_HEX_MAX];
	autobuf struct buf folder = { 0 };
	autoclose int dir = -1;
	struct err e = { "" };
	struct stat st;

	sha256_hex(instance_id, strlen(instance_id), digest);
	buf_addf(&folder, "/var/lib/berth/instances/%.16s", digest);
	dir = path_mkdirs_in(root, buf_text(&folder), 0700, &e);
	if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	/* Marked before it is done: a machine that it takes down must not do it for ever. */
	if (dir >= 0 && file_replace_at(dir, name, instance_id, strlen(instance_id), 0600, &e) == 0)
		return true;
	log_error("%s is left out: that it was done could not be remembered: %s", name, e.text);
	return false;
}
