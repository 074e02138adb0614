#include "update/hostconfig.h"

#include <fcntl.h>

#include "base/file.h"

/* A megabyte of configuration, each byte of which JSON may write as six, and its defaults. */
enum { CONFIG_BYTES_MAX = 16 * 1024 * 1024 };

const char *hostconfig_path = "/run/berth/config.json";

int hostconfig_read(struct buf *out, struct err *e)
{
	return file_read_at(AT_FDCWD, hostconfig_path, CONFIG_BYTES_MAX, out, e);
}
