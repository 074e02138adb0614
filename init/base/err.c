#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts what does not fit: a sentence that is too long is still a sentence. */
static void append(struct err *e, const char *text)
{
	size_t used = strlen(e->text), len = strnlen(text, sizeof(e->text) - 1 - used);

	memcpy(e->text + used, text, len);
	e->text[used + len] = '\0';
}

static void append_reason(struct err *e, int code)
{
	append(e, ": ");
	append(e, strerror(-code));
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
	int code = errno ? -errno : -EIO;
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

	if (!e)
		return;
	memcpy(rest, e->text, sizeof(rest));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	append(e, ": ");
	append(e, rest);
}
