#include "oci/report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

static const char *log_path;
static bool log_json;

void report_to(const char *path, bool json)
{
	log_path = path;
	log_json = json;
}

static void write_log(const char *level, const char *text)
{
	char now[CLOCK_RFC3339_MAX];
	autobuf struct buf line = { 0 };
	autoclose int fd = -1;

	if (!log_path)
		return;
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	clock_rfc3339(clock_wall_ns(), now);
	if (log_json) {
		buf_addf(&line, "{\"level\":\"%s\",\"msg\":", level);
		buf_add_json_string(&line, text, strlen(text));
		buf_addf(&line, ",\"time\":\"%s\"}\n", now);
	} else {
		buf_addf(&line, "time=\"%s\" level=%s msg=", now, level);
		buf_add_json_string(&line, text, strlen(text));
		buf_addc(&line, '\n');
	}
	if (fd >= 0 && buf_ok(&line))
		file_write_all(fd, line.data, line.len);
}

void report_error(const char *text)
{
	log_error("%s", text);
	write_log("error", text);
}

void report_warn(const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_warn("%s", text);
	write_log("warning", text);
}
