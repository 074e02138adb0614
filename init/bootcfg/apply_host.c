/* The host's own settings: names, time zone, authorities, proxies, kernel settings, host key. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/path.h"
#include "bootcfg/apply.h"
#include "base/base64.h"

enum { AUTHORITIES_MAX = 4 * 1024 * 1024, KEY_MAX = 1024 };

static const char authorities[] = "/usr/share/berth/ca-certificates.pem";
static const char key_dir[] = "/var/lib/berth/ssh";
static const char key_name[] = "dropbear_ed25519_host_key";

static void fault(struct apply *a, const char *path, const struct err *e)
{
	fault_add(a->faults, FAULT_ERROR, "", 0, 0, path, "%s", e->text);
}

/* ---- names ---- */
static void add_hosts(struct apply *a, const char *name, struct buf *out)
{
	const char *fqdn = yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "fqdn"));

	buf_adds(out, "127.0.0.1 localhost\n");
	if (fqdn && strcmp(fqdn, name) != 0)
		buf_addf(out, "127.0.1.1 %s %s\n", fqdn, name);
	else
		buf_addf(out, "127.0.1.1 %s\n", name);
	buf_adds(out, "::1 localhost ip6-localhost ip6-loopback\n");
}

void apply_hostname(struct apply *a)
{
	const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "hostname"));
	yyjson_mut_val *manage = yyjson_mut_obj_get(a->config, "manage_etc_hosts");
	autobuf struct buf text = { 0 }, hosts = { 0 };
	struct err e = { "" };

	buf_addf(&text, "%s\n", name);
	if (a->live && sethostname(name, strlen(name)) < 0) {
		err_sys(&e, "cannot set the host name");
		fault(a, "hostname", &e);
	}
	if (apply_text(a, "/etc", 0755, "hostname", &text, 0644, &e) < 0)
		fault(a, "hostname", &e);
	if (yyjson_mut_is_false(manage))
		return;
	add_hosts(a, name, &hosts);
	if (apply_text(a, "/etc", 0755, "hosts", &hosts, 0644, &e) < 0)
		fault(a, "hostname", &e);
}

/* ---- time zone ---- */
void apply_timezone(struct apply *a)
{
	const char *zone = yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "timezone"));
	autobuf struct buf text = { 0 }, target = { 0 };
	autoclose int etc = -1;
	struct err e = { "" };

	etc = path_mkdirs_in(a->root, "/etc", 0755, &e);
	if (etc < 0) {
		fault(a, "timezone", &e);
		return;
	}
	unlinkat(etc, "localtime", 0);
	if (!zone)
		return;
	buf_addf(&text, "%s\n", zone);
	buf_addf(&target, "/usr/share/zoneinfo/%s", zone);
	if (symlinkat(buf_text(&target), etc, "localtime") < 0)
		err_sys(&e, "cannot make /etc/localtime");
	else
		apply_text(a, "/etc", 0755, "timezone", &text, 0644, &e);
	if (e.text[0])
		fault(a, "timezone", &e);
}

/* ---- authorities ---- */

/* The program has left it, so that what it mounts to look for its source stays its own. */
static int enter_host_namespace(struct err *e)
{
	autoclose int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNS) < 0 ? err_sys(e, "cannot enter the host's mounts") : 0;
}

/* The image's file lies in a root that nobody writes: ours is mounted over it, so that every
 * program that trusts the one trusts the other. */
static int put_over(struct apply *a, const struct buf *text, struct err *e)
{
	int code = apply_text(a, "/run/berth", 0755, "ca-certificates.pem", text, 0644, e);

	if (code < 0 || !a->live)
		return code;
	if (mount("/run/berth/ca-certificates.pem", authorities, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "cannot put the certificates in place");
	return 0;
}

void apply_ca_certs(struct apply *a)
{
	yyjson_mut_val *ca = yyjson_mut_obj_get(a->config, "ca_certs"), *one;
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	size_t i, max;
	int code = 0;

	if (!yyjson_mut_obj_size(ca) && access("/run/berth/ca-certificates.pem", F_OK) < 0)
		return;
	if (a->live && enter_host_namespace(&e) < 0) {
		fault(a, "ca_certs", &e);
		return;
	}
	if (a->live)
		while (umount2(authorities, MNT_DETACH) == 0)
			;
	if (!yyjson_mut_obj_size(ca))
		return;
	if (!yyjson_mut_get_bool(yyjson_mut_obj_get(ca, "remove_defaults"))) {
		autoclose int fd = path_open_in(a->root, authorities, O_RDONLY, 0, &e);

		code = fd < 0 ? fd : file_read_fd(fd, AUTHORITIES_MAX, &text, &e);
	}
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(ca, "trusted"), i, max, one) {
		buf_addf(&text, "\n%s\n", yyjson_mut_get_str(one));
	}
	if (code == 0)
		code = put_over(a, &text, &e);
	if (code < 0)
		fault(a, "ca_certs", &e);
}

/* ---- proxies ---- */

/* Environment variables for every program that fetches something (base/proxy.h). The services of
 * clouds answer on the machine's own link alone: at the next boot the second stage asks them while
 * the last good configuration's proxy is in force. */
void apply_proxy(struct apply *a)
{
	static const struct {
		const char *key, *variable;
	} rows[] = { { "http", "http_proxy" }, { "https", "https_proxy" } };
	static const char metadata[] = "169.254.169.254,168.63.129.16"; /* the second: Azure's */
	yyjson_mut_val *proxy = yyjson_mut_obj_get(yyjson_mut_obj_get(a->config, "berth"), "proxy");
	yyjson_mut_val *direct = yyjson_mut_obj_get(proxy, "no_proxy"), *host;
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	size_t i, max;

	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		const char *url = yyjson_mut_get_str(yyjson_mut_obj_get(proxy, rows[r].key));

		if (url)
			buf_addf(&text, "%s=%s\n", rows[r].variable, url);
	}
	if (text.len) {
		buf_addf(&text, "no_proxy=%s", metadata);
		yyjson_mut_arr_foreach(direct, i, max, host) {
			buf_addf(&text, ",%s", yyjson_mut_get_str(host));
		}
		buf_addc(&text, '\n');
	}
	if (apply_text(a, "/run/berth", 0755, "proxy", &text, 0600, &e) < 0)
		fault(a, "berth.proxy", &e);
}

/* ---- kernel settings ---- */
static int set_sysctl(struct apply *a, const char *name, const char *value, struct err *e)
{
	autobuf struct buf path = { 0 };
	autoclose int fd = -1;

	buf_addf(&path, "/proc/sys/%s", name);
	/* A name with a slash in it is written as the path is: its dots are an interface's. */
	for (char *p = path.data + strlen("/proc/sys/"); !strchr(name, '/') && *p; p++)
		if (*p == '.')
			*p = '/';
	fd = path_open_in(a->root, buf_text(&path), O_WRONLY, 0, NULL);
	if (fd < 0)
		return err_set(e, -ENOENT, "this kernel has no such setting");
	if (file_write_all(fd, value, strlen(value)) < 0)
		return err_set(e, -EINVAL, "the kernel does not take \"%.80s\"", value);
	return 0;
}

void apply_sysctl(struct apply *a)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(yyjson_mut_obj_get(a->config, "berth"), "sysctl");
	yyjson_mut_val *name, *value;
	size_t i, max;

	yyjson_mut_obj_foreach(list, i, max, name, value) {
		const char *setting = yyjson_mut_get_str(name), *text = yyjson_mut_get_str(value);
		autobuf struct buf path = { 0 };
		struct err e = { "" };

		if (!setting || !text || set_sysctl(a, setting, text, &e) == 0)
			continue;
		buf_addf(&path, "berth.sysctl.%s", setting);
		fault(a, buf_text(&path), &e);
	}
}

/* ---- SSH's host key ---- */
static int write_host_key(struct apply *a, const char *coded, struct err *e)
{
	autobuf struct buf old = { 0 };
	autoclose int dir = path_mkdirs_in(a->root, key_dir, 0700, e);
	unsigned char bytes[KEY_MAX];
	size_t len;
	int code;

	if (dir < 0)
		return dir;
	if (base64_decode(coded, strlen(coded), bytes, sizeof(bytes), &len) < 0)
		return err_set(e, -EINVAL, "the key is damaged");
	if (file_read_at(dir, key_name, KEY_MAX, &old, NULL) == 0 && old.len == len &&
	    memcmp(old.data, bytes, len) == 0)
		return 0;
	code = file_replace_at(dir, key_name, bytes, len, 0600, e);
	a->new_host_key = code == 0;
	return code;
}

void apply_host_key(struct apply *a)
{
	yyjson_mut_val *key = yyjson_mut_obj_get(yyjson_mut_obj_get(a->config, "ssh_keys"),
						 "ed25519_private");
	const char *coded = yyjson_mut_get_str(yyjson_mut_obj_get(key, "dropbear_base64"));
	struct err e = { "" };

	if (coded && write_host_key(a, coded, &e) < 0)
		fault(a, "ssh_keys", &e);
}

/* ---- the watchdogs, which are PID 1's ---- */
void apply_watchdog(struct apply *a)
{
	yyjson_mut_val *berth = yyjson_mut_obj_get(a->config, "berth");
	yyjson_mut_val *seconds = yyjson_mut_obj_get(berth, "watchdog_s");
	autobuf struct buf request = { 0 }, answer = { 0 };
	struct err e = { "" };

	if (seconds && !yyjson_mut_get_sint(seconds))
		buf_adds(&request, "watchdog off");
	else
		buf_addf(&request, "watchdog %lld", seconds ? (long long)yyjson_mut_get_sint(seconds) : 60LL);
	if (a->live && initctl_ask(buf_text(&request), &answer, &e) < 0)
		fault(a, "berth.watchdog", &e);
}

/* ---- the log server ---- */
void apply_log(struct apply *a)
{
	static const char *const all[] = { "kernel", "services", "containers" };
	yyjson_mut_val *log = yyjson_mut_obj_get(yyjson_mut_obj_get(a->config, "berth"), "log");
	yyjson_mut_val *server = yyjson_mut_obj_get(log, "server"), *word;
	yyjson_mut_val *what = yyjson_mut_obj_get(log, "what");
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	size_t i, max;

	if (!server) {
		autoclose int dir = path_mkdirs_in(a->root, "/run/berth", 0755, NULL);

		if (dir >= 0)
			unlinkat(dir, "log-server", 0);
		return;
	}
	buf_addf(&text, "%s %s %lld\n%s\n", yyjson_mut_get_str(yyjson_mut_obj_get(server, "protocol")),
		 yyjson_mut_get_str(yyjson_mut_obj_get(server, "address")),
		 (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(server, "port")),
		 yyjson_mut_get_str(yyjson_mut_obj_get(a->config, "hostname")));
	yyjson_mut_arr_foreach(what, i, max, word)
		buf_addf(&text, "%s ", yyjson_mut_get_str(word));
	for (i = 0; !what && i < ARRAY_LEN(all); i++)
		buf_addf(&text, "%s ", all[i]);
	buf_addc(&text, '\n');
	if (apply_text(a, "/run/berth", 0755, "log-server", &text, 0600, &e) < 0)
		fault(a, "berth.log", &e);
}
