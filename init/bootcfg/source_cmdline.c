/* berth.config=BASE64 and berth.config-url=URL on the kernel command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/base64.h"
#include "bootcfg/source.h"

enum { CMDLINE_MAX = 65536 };

bool cmdline_value(const char *cmdline, const char *name, struct buf *out)
{
	size_t len = strlen(name);
	const char *at = cmdline;

	for (; (at = strstr(at, name)); at++) {
		/* "NAME=value", or the kernel's way of quoting: "\"NAME=two words\"" */
		bool quoted = at > cmdline && at[-1] == '"';
		const char *before = quoted ? at - 1 : at;

		if (at[len] != '=' || (before > cmdline && !strchr(" \t\n", before[-1])))
			continue;
		at += len + 1;
		if (!quoted && *at == '"') {
			quoted = true;
			at++;
		}
		buf_add(out, at, strcspn(at, quoted ? "\"" : " \t\n"));
		return true;
	}
	return false;
}

int cmdline_config(const char *cmdline, struct buf *out, struct err *e)
{
	size_t out_len;

	if (!cmdline_value(cmdline, "berth.config", out))
		return 0;
	if (!buf_ok(out))
		return -ENOMEM;
	if (out->len == 0)
		return 0;
	if (base64_decode(out->data, out->len, (unsigned char *)out->data, out->len, &out_len) < 0)
		return err_set(e, -EINVAL, "the text of berth.config= is no base64");
	out->len = out_len;
	out->data[out_len] = '\0';
	return 1;
}

int cmdline_read(struct buf *out, struct err *e)
{
	return file_read_at(AT_FDCWD, "/proc/cmdline", CMDLINE_MAX, out, e);
}

int source_cmdline(struct source *out, struct err *e)
{
	struct source s = { .kind = "cmdline", .file = "berth.config" };
	autobuf struct buf line = { 0 };
	int code = cmdline_read(&line, e);

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

int source_cmdline_url(struct source *out, struct err *e)
{
	struct source s = { .kind = "url", .file = "user-data", .pending = true };
	autobuf struct buf line = { 0 }, url = { 0 };
	int code = cmdline_read(&line, e);

	if (code < 0 || !cmdline_value(buf_text(&line), "berth.config-url", &url))
		return code;
	if (strncmp(buf_text(&url), "http://", 7) && strncmp(buf_text(&url), "https://", 8))
		return err_set(e, -EINVAL, "berth.config-url= is no http:// or https:// address");
	if (url.len >= sizeof(s.where))
		return err_set(e, -EINVAL, "the address in berth.config-url= has more than %zu bytes",
			       sizeof(s.where) - 1);
	snprintf(s.where, sizeof(s.where), "%s", buf_text(&url));
	*out = s;
	return 1;
}
