/* netup: the network's daemon; as dhcp-event what its DHCP clients start; and "netup reload" and
 * "netup wait", which talk to the daemon. See README.md. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/netlink.h"
#include "base/path.h"
#include "netup/control.h"
#include "netup/event.h"
#include "netup/manager.h"
#include "netup/netup.h"

/* A burst of changes, our own among them, is looked at once. */
enum { READY_FD = 3, GATHER_MS = 20, RELOAD_MS = 60000, WAIT_S = 60 };

extern char **environ;

struct daemon {
	struct manager m;
	struct netlink *monitor, *adverts;
	struct loop_source *soon;
	bool matters;
};

static void on_soon(struct loop *l, void *arg)
{
	struct daemon *d = arg;

	(void)l;
	d->soon = NULL;
	manager_settle(&d->m);
	control_tell(&d->m);
}

static void settle_soon(struct daemon *d)
{
	if (!d->soon)
		d->soon = loop_timer(d->m.loop, GATHER_MS, on_soon, d);
}

static void see_change(const struct netlink_link *l, void *arg)
{
	struct daemon *d = arg;

	d->matters = d->matters || manager_cares(&d->m, l);
}

static void on_links(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct err e = { "" };
	int code;

	(void)l, (void)fd, (void)events;
	d->matters = false;
	code = netlink_monitor_read(d->monitor, see_change, d, &e);
	if (code < 0 && code != -ENOBUFS)
		log_error("%s", e.text);
	if (d->matters || code == -ENOBUFS)
		settle_soon(d);
}

static void hear_advert(int index, const uint8_t *option, size_t size, void *arg)
{
	struct daemon *d = arg;

	d->matters = manager_hears(&d->m, index, option, size) || d->matters;
}

static void on_adverts(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct err e = { "" };

	(void)l, (void)fd, (void)events;
	d->matters = false;
	if (netlink_advert_read(d->adverts, hear_advert, d, &e) < 0)
		log_error("%s", e.text);
	if (d->matters)
		settle_soon(d);
}

static void on_leases(struct loop *l, int fd, uint32_t events, void *arg)
{
	char news[4096];

	(void)l, (void)events;
	while (read(fd, news, sizeof(news)) > 0)
		;
	settle_soon(arg);
}

static void on_end(struct loop *l, int sig, void *arg)
{
	(void)sig, (void)arg;
	loop_stop(l, 0);
}

static void on_hangup(struct loop *l, int sig, void *arg)
{
	struct daemon *d = arg;
	struct err e = { "" };

	(void)l, (void)sig;
	if (manager_load(&d->m, &e) < 0)
		log_error("%s", e.text);
	control_tell(&d->m);
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

/* For all links, those to come included. */
static void set_sysctls(void)
{
	static const char *const files[] = {
		/* A route whose cable is out does not hide the next one. */
		"/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown",
		"/proc/sys/net/ipv6/conf/all/ignore_routes_with_linkdown",
		/* An address that goes does not take others of its network with it. */
		"/proc/sys/net/ipv4/conf/all/promote_secondaries",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_put_at(AT_FDCWD, files[i], "1", NULL);
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

static int watch_leases(struct daemon *d, struct err *e)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (path_mkdirs(NETUP_LEASES, 0755, e) < 0 || fd < 0 ||
	    inotify_add_watch(fd, NETUP_LEASES, IN_MOVED_TO) < 0 ||
	    !loop_fd(d->m.loop, fd, EPOLLIN, on_leases, d))
		return err_sys(e, "cannot watch %s", NETUP_LEASES);
	return 0;
}

/* The monitor is opened before the links are read: a link that appears in between is in both. */
static int start(struct daemon *d, struct err *e)
{
	int code = loop_new(&d->m.loop, e);

	if (code == 0)
		code = netlink_open(&d->m.list, e);
	if (code == 0)
		code = netlink_open(&d->m.nl, e);
	if (code == 0)
		code = netlink_monitor_open(&d->monitor, e);
	if (code == 0)
		code = netlink_advert_open(&d->adverts, e);
	if (code == 0)
		code = watch_leases(d, e);
	if (code == 0)
		code = control_listen(&d->m, e);
	if (code < 0)
		return code;
	if (!loop_signal(d->m.loop, SIGTERM, on_end, d) ||
	    !loop_signal(d->m.loop, SIGINT, on_end, d) ||
	    !loop_signal(d->m.loop, SIGHUP, on_hangup, d) ||
	    !loop_fd(d->m.loop, netlink_fd(d->monitor), EPOLLIN, on_links, d) ||
	    !loop_fd(d->m.loop, netlink_fd(d->adverts), EPOLLIN, on_adverts, d))
		return err_sys(e, "cannot watch the network links");
	return 0;
}

static void stop(struct daemon *d)
{
	manager_free(&d->m);
	netlink_close(d->monitor);
	netlink_close(d->adverts);
	netlink_close(d->m.nl);
	netlink_close(d->m.list);
	if (d->m.loop)
		loop_free(d->m.loop);
}

static int run(char *const *only)
{
	bool ready_asked = wants_ready();
	struct daemon d = { .m = { .only = only, .online = "offline" } };
	struct err e = { "" };
	int code = start(&d, &e);

	if (code < 0) {
		log_error("%s", e.text);
		stop(&d);
		return 1;
	}
	loopback_up(d.m.nl);
	set_sysctls();
	if (manager_load(&d.m, &e) < 0)
		log_error("%s; every wired link uses DHCP", e.text);
	tell_ready(ready_asked);
	if (d.m.count == 0)
		log_warn("there is no wired network card; waiting for one to appear");
	code = loop_run(d.m.loop);
	stop(&d);
	return code < 0;
}

static int wait_online(const char *seconds)
{
	int s = seconds ? atoi(seconds) : WAIT_S;

	return control_ask("wait\n", (s > 0 && s < 100000 ? s : WAIT_S) * 1000);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	log_name("net");
	if (strcmp(slash ? slash + 1 : argv[0], "dhcp-event") == 0)
		return event_handle(NETUP_LEASES, argc > 1 ? argv[1] : "", environ);
	if (argc == 2 && strcmp(argv[1], "reload") == 0)
		return control_ask("reload\n", RELOAD_MS);
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "wait") == 0)
		return wait_online(argc > 2 ? argv[2] : NULL);
	return run(argc > 1 ? argv + 1 : NULL);
}
