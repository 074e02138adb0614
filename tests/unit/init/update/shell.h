/* A shell command that has to succeed, for tests that need the build's own tools. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
	char command[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}
