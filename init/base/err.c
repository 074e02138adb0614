#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append_reason(struct err *e, int code)
{
	size_t used = strlen(e->text);

	snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror(-code));
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = -errno;
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	append_reason(e, code);
	return code;
}

int err_code(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	append_reason(e, code);
	return code;
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char rest[ERR_TEXT_MAX];
	va_list ap;
	int used;

	if (!e)
		return;
	memcpy(rest, e->text, sizeof(rest));
	va_start(ap, fmt);
	used = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (used < 0 || (size_t)used >= sizeof(e->text))
		return;
	snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s", rest);
}
