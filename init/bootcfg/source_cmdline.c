/* berth.config=BASE64 on the kernel command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "bootcfg/base64.h"
#include "bootcfg/source.h"

static const char parameter[] = "berth.config=";

enum { CMDLINE_MAX = 65536 };

int cmdline_config(const char *cmdline, struct buf *out, struct err *e)
{
	const char *at = cmdline;
	size_t len, out_len;

	while ((at = strstr(at, parameter)) && at != cmdline && !strchr(" \t\n", at[-1]))
		at++;
	if (!at)
		return 0;
	at += sizeof(parameter) - 1;
	at += *at == '"';
	len = strcspn(at, "\" \t\n");
	buf_add(out, at, len);
	if (!buf_ok(out))
		return -ENOMEM;
	if (len == 0)
		return 0;
	if (base64_decode(out->data, len, (unsigned char *)out->data, len, &out_len) < 0)
		return err_set(e, -EINVAL, "the text of berth.config= is no base64");
	out->len = out_len;
	out->data[out_len] = '\0';
	return 1;
}

int source_cmdline(struct source *out, struct err *e)
{
	struct source s = { .kind = "cmdline", .file = "berth.config" };
	autobuf struct buf line = { 0 };
	int code = file_read_at(AT_FDCWD, "/proc/cmdline", CMDLINE_MAX, &line, e);

	if (code == 0)
		code = cmdline_config(buf_text(&line), &s.user_data, e);
	if (code <= 0) {
		source_free(&s);
		return code;
	}
	snprintf(s.where, sizeof(s.where), "kernel command line");
	*out = s;
	return 1;
}
