#include "bootcfg/change.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/initctl.h"
#include "bootcfg/stage.h"

/* Of the configuration, not of the machine: no change of it counts. */
static const char *const about[] = { "version", "source",  "faults",      "dropped",
				     "digest",  "trial",  "instance_id", "origins" };

/* What is not here takes effect at the next boot. */
static const struct row {
	const char *key;
	void (*apply)(struct apply *a);
	const char *restart; /* the service that has read it at its start ... */
	const char *reload;  /* ... or reads it again at a SIGHUP */
	const char *needs;   /* the file without which `restart` is stopped */
} at_once[] = {
	{ "ssh_authorized_keys", .apply = apply_ssh_keys },
	{ "disable_root", .apply = apply_ssh_keys },
	{ "users", .apply = apply_ssh_keys }, /* disable_root depends on them */
	{ "users", .apply = apply_users },
	{ "groups", .apply = apply_users },
	{ "chpasswd", .apply = apply_users },
	{ "hostname", .apply = apply_hostname },
	{ "fqdn", .apply = apply_hostname },
	{ "manage_etc_hosts", .apply = apply_hostname },
	{ "timezone", .apply = apply_timezone },
	{ "ca_certs", .apply = apply_ca_certs },
	{ "write_files", .apply = apply_files },
	{ "ntp", .apply = apply_ntp, .restart = "time", .needs = "/etc/ntp.conf" },
	{ "ntp", .reload = "net" }, /* DHCP's time servers are for who names none */
	{ "network", .reload = "net" },
	{ "container_files", .apply = apply_container_files }, /* before who reads them */
	{ "containers", .reload = "engine" },
	{ "berth", .apply = apply_proxy, .reload = "net" }, /* its firewall */
	{ "berth", .apply = apply_sysctl, .restart = "update" },
	{ "berth", .apply = apply_stages, .restart = "api-tls", .needs = STAGE_DIR "/api-tls" },
	{ "berth", .apply = apply_watchdog },
	{ "berth", .apply = apply_log, .restart = "log", .needs = "/run/berth/log-server" },
};

static const struct row *row_of(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(at_once); i++)
		if (!strcmp(at_once[i].key, key))
			return &at_once[i];
	return NULL;
}

static bool counts(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(about); i++)
		if (!strcmp(about[i], key))
			return false;
	return true;
}

/* NULL: they are the same. */
static const char *how_it_differs(yyjson_mut_val *from, yyjson_mut_val *to)
{
	if (!from || !to)
		return from == to ? NULL : from ? "gone" : "new";
	return yyjson_mut_equals(from, to) ? NULL : "changed";
}

static yyjson_mut_val *by_name(yyjson_mut_val *list, const char *name)
{
	yyjson_mut_val *item;
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, item)
		if (yyjson_mut_equals_str(yyjson_mut_obj_get(item, "name"), name))
			return item;
	return NULL;
}

static size_t add_line(struct buf *out, const char *key, const char *name, const char *how)
{
	if (!how)
		return 0;
	buf_addf(out, "%s%s%s: %s, %s\n", key, name ? "." : "", name ? name : "", how,
		 row_of(key) ? "at once" : "at the next boot");
	return 1;
}

/* Those of `these` that `others` has not (`gone`), or has not like this. */
static size_t add_containers(struct buf *out, yyjson_mut_val *these, yyjson_mut_val *others,
			     bool gone)
{
	yyjson_mut_val *item;
	size_t i, max, count = 0;

	yyjson_mut_arr_foreach(these, i, max, item) {
		const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(item, "name"));
		yyjson_mut_val *other = name ? by_name(others, name) : NULL;

		if (name && (!gone || !other))
			count += add_line(out, "containers", name,
					  gone ? "gone" : how_it_differs(other, item));
	}
	return count;
}

static size_t add_key(struct buf *out, const char *key, yyjson_mut_val *from, yyjson_mut_val *to)
{
	if (!counts(key))
		return 0;
	if (strcmp(key, "containers") != 0)
		return add_line(out, key, NULL, how_it_differs(from, to));
	return add_containers(out, to, from, false) + add_containers(out, from, to, true);
}

size_t change_list(yyjson_mut_val *from, yyjson_mut_val *to, struct buf *out)
{
	yyjson_mut_val *key, *value;
	size_t i, max, count = 0;

	yyjson_mut_obj_foreach(to, i, max, key, value) {
		const char *name = yyjson_mut_get_str(key);

		count += add_key(out, name, yyjson_mut_obj_get(from, name), value);
	}
	yyjson_mut_obj_foreach(from, i, max, key, value) {
		const char *name = yyjson_mut_get_str(key);

		if (!yyjson_mut_obj_get(to, name))
			count += add_key(out, name, value, NULL);
	}
	return count;
}

/* By its pid, as PID 1 tells it. */
static int reload(const char *service, struct err *e)
{
	autobuf struct buf answer = { 0 };
	yyjson_val *each;
	yyjson_doc *doc;
	size_t i, max;
	pid_t pid = 0;
	int rc = initctl_ask("status", &answer, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "services"), i, max, each)
		if (yyjson_equals_str(yyjson_obj_get(each, "name"), service))
			pid = (pid_t)yyjson_get_int(yyjson_obj_get(each, "pid"));
	yyjson_doc_free(doc);
	if (pid <= 0)
		return err_set(e, -ESRCH, "service %s does not run", service);
	return kill(pid, SIGHUP) < 0 ? err_sys(e, "have service %s read it again", service) : 0;
}

static int tell_service(const struct row *r, struct err *e)
{
	autobuf struct buf request = { 0 }, answer = { 0 };
	bool off = r->needs && access(r->needs, F_OK) < 0;
	int rc;

	buf_addf(&request, "%s %s", off ? "stop" : "restart", r->restart ? r->restart : "");
	rc = r->restart ? initctl_ask(buf_text(&request), &answer, e) : 0;
	return rc < 0 || !r->reload ? rc : reload(r->reload, e);
}

void change_make(yyjson_mut_val *from, struct apply *a)
{
	for (size_t i = 0; i < ARRAY_LEN(at_once); i++) {
		const struct row *r = &at_once[i];
		struct err e = { "" };

		if (!how_it_differs(yyjson_mut_obj_get(from, r->key), yyjson_mut_obj_get(a->config, r->key)))
			continue;
		if (r->apply)
			r->apply(a);
		if (a->live && tell_service(r, &e) < 0)
			fault_add(a->faults, FAULT_ERROR, "", 0, 0, r->key, "%s", e.text);
	}
	apply_motd(a);
}
