/* shim: stays with one container for its whole life, whatever becomes of the engine (README.md). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "shim/shim.h"

static const char usage[] =
	"usage: shim --id ID --dir DIR [--log FILE --log-max-size BYTES --log-max-file N]\n"
	"            [--syslog udp://ADDRESS[:PORT]|unix:///PATH [--syslog-tag TAG]\n"
	"             [--syslog-facility N] [--syslog-format rfc3164|rfc5424|rfc5424micro]]\n"
	"            [--runtime PROGRAM] [--status-fd N]\n"
	"            [--tty] [--stdin] [--stdin-once]\n"
	"            [[--await-client] [--time-limit MS] -- ARGUMENT...]\n"
	"                                  one more program: RUNTIME exec ARGUMENT...\n";

static int set_text(const char **out, const char *value)
{
	*out = value;
	return 0;
}

static int set_number(uint64_t *out, const char *value, uint64_t max)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 10);
	return errno || *end || end == value || *value == '-' || *out > max ? -EINVAL : 0;
}

static int set_id(struct options *o, const char *v) { return set_text(&o->id, v); }
static int set_dir(struct options *o, const char *v) { return set_text(&o->dir, v); }
static int set_log(struct options *o, const char *v) { return set_text(&o->log, v); }
static int set_runtime(struct options *o, const char *v) { return set_text(&o->runtime, v); }

static int set_syslog(struct options *o, const char *v) { return set_text(&o->syslog.address, v); }
static int set_tag(struct options *o, const char *v) { return set_text(&o->syslog.tag, v); }
static int set_format(struct options *o, const char *v) { return set_text(&o->syslog.format, v); }

static int set_facility(struct options *o, const char *v)
{
	uint64_t n;
	int rc = set_number(&n, v, 23);

	o->syslog.facility = (unsigned int)n;
	return rc;
}

static int set_log_max_size(struct options *o, const char *v)
{
	return set_number(&o->log_max_bytes, v, UINT64_MAX);
}

static int set_log_max_file(struct options *o, const char *v)
{
	uint64_t n;
	int rc = set_number(&n, v, 1000);

	o->log_max_files = (unsigned int)n;
	return rc;
}

static int set_time_limit(struct options *o, const char *v)
{
	return set_number(&o->time_limit_ms, v, INT64_MAX);
}

static int set_status_fd(struct options *o, const char *v)
{
	uint64_t n;
	int rc = set_number(&n, v, 1024);

	o->status_fd = (int)n;
	return rc;
}

static const struct {
	const char *name;
	int (*set)(struct options *o, const char *value);
} table[] = {
	{ "--id", set_id },
	{ "--dir", set_dir },
	{ "--log", set_log },
	{ "--log-max-size", set_log_max_size },
	{ "--log-max-file", set_log_max_file },
	{ "--runtime", set_runtime },
	{ "--syslog", set_syslog },
	{ "--syslog-facility", set_facility },
	{ "--syslog-format", set_format },
	{ "--syslog-tag", set_tag },
	{ "--status-fd", set_status_fd },
	{ "--time-limit", set_time_limit },
};

static int read_option(struct options *o, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!strcmp(table[i].name, name))
			return value ? table[i].set(o, value) : -EINVAL;
	return -EINVAL;
}

static bool read_flag(struct options *o, const char *name)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--tty", &o->tty },
		{ "--stdin", &o->stdin_open },
		{ "--stdin-once", &o->stdin_once },
		{ "--await-client", &o->await_client },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (!strcmp(flags[i].name, name))
			return *flags[i].flag = true;
	return false;
}

static int read_options(struct options *o, char **argv)
{
	while (*argv) {
		if (!strcmp(*argv, "--")) {
			o->exec_args = (const char *const *)argv + 1;
			break;
		}
		if (read_flag(o, *argv)) {
			argv++;
			continue;
		}
		if (read_option(o, argv[0], argv[1]) < 0)
			return -EINVAL;
		argv += 2;
	}
	return o->id && o->dir ? 0 : -EINVAL;
}

/* Nobody may be listening any more: the container lives on all the same. */
static void tell(struct shim *s, const char *text)
{
	int fd = s->options->status_fd;

	if (fd < 0)
		return;
	file_write_all(fd, text, strlen(text));
	close(fd);
}

static int open_syslog(struct shim *s, struct err *e)
{
	struct syslog *syslog;
	int rc = syslog_open(&syslog, &s->options->syslog, e);

	if (rc < 0)
		return rc;
	s->log = logfile_of_syslog(syslog);
	return s->log ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int prepare(struct shim *s, struct err *e)
{
	const struct options *o = s->options;
	int rc;

	s->dir = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return err_sys(e, "open \"%s\"", o->dir);
	/* What a container leaves behind when its runtime or its init goes comes to us. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, "become a subreaper");
	rc = loop_new(&s->loop, e);
	if (!rc && o->syslog.address)
		rc = open_syslog(s, e);
	else if (!rc && o->log)
		rc = logfile_open(&s->log, o->log, o->log_max_bytes, o->log_max_files, e);
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++) {
		s->outputs[i].fd = -1;
		s->outputs[i].shim = s;
		s->outputs[i].lines.stream = (enum log_stream)i;
	}
	return rc;
}

static int start(struct shim *s, struct err *e)
{
	char text[32];
	int rc = prepare(s, e);

	if (rc < 0)
		return rc;
	rc = shim_create(s, e);
	if (!rc)
		rc = shim_listen(s, e);
	if (rc < 0) {
		shim_delete(s);
		return rc;
	}
	snprintf(text, sizeof(text), "created %d\n", (int)s->pid);
	tell(s, text);
	return 0;
}

int main(int argc, char **argv)
{
	/* Static: its two line buffers are used page by page. */
	static struct shim s = { .dir = -1, .listener = -1, .cgroup = -1, .input.fd = -1 };
	struct options o = {
		.log_max_bytes = 10 * 1024 * 1024, .log_max_files = 3,
		.runtime = "/usr/bin/berth-oci", .status_fd = -1,
		.syslog = { .tag = "container", .format = "", .facility = 3 },
	};
	struct err e = { 0 };
	char text[sizeof(e.text) + 16];

	log_name("shim");
	if (argc < 2 || read_options(&o, argv + 1) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	/* Only SIGKILL ends it: who stops the machine stops containers, and shims go with them. */
	for (const int *sig = (const int[]){ SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1,
					     SIGUSR2, 0 }; *sig; sig++)
		signal(*sig, SIG_IGN);
	s.options = &o;
	if (start(&s, &e) < 0) {
		snprintf(text, sizeof(text), "error: %s\n", e.text);
		tell(&s, text);
		return 1;
	}
	if (shim_watch(&s, &e) < 0)
		log_error("container %s: %s", o.id, e.text);
	logfile_close(s.log);
	/* The record is read before the cgroup goes; the engine sees the end when all is done. */
	if (shim_record(&s, &e) < 0)
		log_error("container %s: %s", o.id, e.text);
	shim_delete(&s);
	shim_let_go(&s);
	attach_finish(&s);
	return 0;
}
