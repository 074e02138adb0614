#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static const char *name = "berth";

void log_name(const char *n)
{
	name = n;
}

__attribute__((format(printf, 2, 0)))
static void emit(const char *level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	int head = snprintf(line, sizeof(line), "%s: %s", name, level);
	size_t room = sizeof(line) - (size_t)head - 1;
	int body = vsnprintf(line + head, room, fmt, ap);
	size_t len;

	if (head < 0 || body < 0)
		return;
	len = (size_t)head + ((size_t)body < room ? (size_t)body : room - 1);
	line[len++] = '\n';
	/* Nobody can be told when the log itself cannot be written. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("warning: ", fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("error: ", fmt, ap);
	va_end(ap);
}
