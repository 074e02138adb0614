/* logsend: the machine's logs, to a syslog server (README.md). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/jail.h"
#include "base/log.h"
#include "logsend/sender.h"
#include "logsend/tail.h"

/* That the logs of this boot have been told from their beginning. */
static const char begun_path[] = "/run/berth/log-sent";

static int read_settings(struct settings *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(AT_FDCWD, SETTINGS_PATH, SETTINGS_TEXT_MAX, &text, e);

	return rc < 0 ? rc : settings_parse(buf_text(&text), out, e);
}

static int send_from(const struct settings *s, int64_t booted_ns, int fd)
{
	struct err e = { "" };

	if (jail_enter(JAIL_SEND, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	return sender_run(s, booted_ns, fd);
}

static int read_into(const struct settings *s, int64_t booted_ns, int fd)
{
	const struct tail_options o = {
		.kernel = s->kernel, .services = s->services, .containers = s->containers,
		.from_end = access(begun_path, F_OK) == 0, .booted_ns = booted_ns, .pipe_fd = fd,
		.service_dir = "/run/berth/log", .container_dir = "/var/lib/berth/containers",
	};
	struct err e = { "" };

	file_replace_at(AT_FDCWD, begun_path, "", 0, 0600, NULL);
	tail_run(&o, &e);
	log_error("%s", e.text);
	return 1;
}

int main(void)
{
	int64_t booted_ns = clock_wall_ns() - clock_boot_ms() * 1000000;
	struct settings settings;
	struct err e = { "" };
	int fds[2];

	log_name("log");
	signal(SIGPIPE, SIG_IGN);
	if (read_settings(&settings, &e) < 0 ||
	    (pipe2(fds, O_CLOEXEC) < 0 && err_sys(&e, "make a pipe"))) {
		log_error("%s", e.text);
		return 1;
	}
	switch (fork()) {
	case -1:
		log_error("the sender cannot be started: %s", strerror(errno));
		return 1;
	case 0:
		close(fds[1]);
		_exit(send_from(&settings, booted_ns, fds[0]));
	}
	close(fds[0]);
	return read_into(&settings, booted_ns, fds[1]);
}
