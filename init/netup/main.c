/* netup: DHCP on every wired link, and (as dhcp-event) what the DHCP client's answers change.
 * See README.md. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/netlink.h"
#include "netup/event.h"
#include "netup/ports.h"

enum { READY_FD = 3 };

extern char **environ;

struct daemon {
	struct loop *loop;
	struct netlink *list, *change, *monitor;
	struct ports *ports;
};

static void on_links(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct err e = { "" };
	int code = netlink_monitor_read(d->monitor, ports_see, d->ports, &e);

	(void)l, (void)fd, (void)events;
	/* Too many changes at once: look at everything again. */
	if (code == -ENOBUFS)
		code = netlink_links(d->list, ports_see, d->ports, &e);
	if (code < 0)
		log_error("%s", e.text);
}

static void on_signal(struct loop *l, int sig, void *arg)
{
	(void)sig, (void)arg;
	loop_stop(l, 0);
}

static void loopback_up(struct netlink *nl)
{
	struct netlink_change up = { .up = true };
	struct netlink_link lo;
	struct err e = { "" };

	if (netlink_link_get(nl, "lo", &lo, &e) < 0 ||
	    netlink_link_change(nl, lo.index, &up, &e) < 0)
		log_error("%s", e.text);
}

/* PID 1 goes on as soon as this runs: nothing waits for the network that does not need it. */
static void tell_ready(bool asked)
{
	if (asked && write(READY_FD, "\n", 1) == 1)
		close(READY_FD);
}

/* Asked before anything else is opened: a person who starts this by hand gives no fd 3. */
static bool wants_ready(void)
{
	struct stat st;

	return fstat(READY_FD, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* The monitor is opened before the list is read: a link that appears in between is in both. */
static int start(struct daemon *d, char *const *only, struct err *e)
{
	int code = loop_new(&d->loop, e);

	if (code == 0)
		code = netlink_open(&d->list, e);
	if (code == 0)
		code = netlink_open(&d->change, e);
	if (code == 0)
		code = netlink_monitor_open(&d->monitor, e);
	if (code == 0)
		code = ports_new(d->loop, d->change, only, &d->ports, e);
	if (code < 0)
		return code;
	if (!loop_signal(d->loop, SIGTERM, on_signal, d) ||
	    !loop_signal(d->loop, SIGINT, on_signal, d) ||
	    !loop_fd(d->loop, netlink_fd(d->monitor), EPOLLIN, on_links, d))
		return err_sys(e, "cannot watch the network links");
	return 0;
}

static void stop(struct daemon *d)
{
	ports_free(d->ports);
	netlink_close(d->monitor);
	netlink_close(d->change);
	netlink_close(d->list);
	if (d->loop)
		loop_free(d->loop);
}

static int run(char *const *only)
{
	bool ready_asked = wants_ready();
	struct daemon d = { 0 };
	struct err e = { "" };
	int code = start(&d, only, &e);

	if (code == 0) {
		loopback_up(d.change);
		code = netlink_links(d.list, ports_see, d.ports, &e);
	}
	if (code == 0) {
		tell_ready(ready_asked);
		if (ports_count(d.ports) == 0)
			log_warn("there is no wired network card; waiting for one to appear");
		code = loop_run(d.loop);
	}
	if (code < 0)
		log_error("%s", e.text);
	stop(&d);
	return code < 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	log_name("net");
	if (strcmp(slash ? slash + 1 : argv[0], "dhcp-event") == 0)
		return event_handle(argc > 1 ? argv[1] : "", environ);
	return run(argc > 1 ? argv + 1 : NULL);
}
