/* The directory that the shim and the runtime are given: bundle/config.json, the overlay stack,
 * and the three files that every container has of its own: hosts, hostname, resolv.conf. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "engine/internal.h"
#include "engine/networks.h"
#include "engine/resolver.h"
#include "engine/share.h"
#include "image/stack.h"
#include "spec/oci_make.h"

enum { HOST_FILE_MAX = 64 * 1024 };

uint32_t bundle_id_base(const struct container *c)
{
	return share_userns(c) ? share_userns_base(c) : 0;
}

static const char *hostname_of(const struct container *c, struct utsname *host,
			       char id[CONTAINER_SHORT_ID_LEN + 1])
{
	if (c->spec.hostname && *c->spec.hostname)
		return c->spec.hostname;
	if (c->net_owner)
		return hostname_of(c->net_owner, host, id);
	if ((container_uses_host_network(c) || (c->spec.uts && !strcmp(c->spec.uts, "host"))) &&
	    !uname(host))
		return host->nodename;
	return container_short_id(c, id);
}

static void add_extra_hosts(const struct container *c, struct buf *out)
{
	const struct endpoint *out_by = network_gateway(c);
	char gateway[IPV4_TEXT_MAX] = "127.0.0.1";

	if (out_by)
		ipv4_text(out_by->network->bridge.gateway, gateway);
	for (size_t i = 0; i < c->spec.extra_hosts.count; i++) {
		const char *entry = c->spec.extra_hosts.items[i];
		size_t name = strcspn(entry, ":=");
		const char *address = entry[name] ? entry + name + 1 : "";

		if (!strcmp(address, "host-gateway"))
			address = gateway;
		buf_addf(out, "%s\t%.*s\n", address, (int)name, entry);
	}
}

/* On the default bridge nobody answers for names: those of --link are written down at the start. */
static void add_linked(const struct container *c, struct buf *out)
{
	const struct endpoint *ep = network_endpoint(c->engine->networks[0], c);
	struct resolver_link link;
	char ip[IPV4_TEXT_MAX];

	for (size_t i = 0; ep && i < ep->asked.links.count; i++)
		if (resolver_link(c, ep, ep->asked.links.items[i], &link))
			buf_addf(out, "%s\t%s %s\n", ipv4_text(link.ip, ip), link.alias, link.to->name);
}

static void add_hosts(const struct container *c, const char *hostname, struct buf *out)
{
	char ip[IPV4_TEXT_MAX];

	if (container_uses_host_network(c) &&
	    !file_read_at(AT_FDCWD, c->engine->paths.hosts, HOST_FILE_MAX, out, NULL)) {
		add_extra_hosts(c, out);
		return;
	}
	buf_reset(out);
	buf_adds(out,
		 "127.0.0.1\tlocalhost\n"
		 "::1\tlocalhost ip6-localhost ip6-loopback\n"
		 "fe00::\tip6-localnet\n"
		 "ff00::\tip6-mcastprefix\n"
		 "ff02::1\tip6-allnodes\n"
		 "ff02::2\tip6-allrouters\n");
	add_extra_hosts(c, out);
	for (size_t i = 0; i < c->endpoints.count; i++) {
		const struct endpoint *ep = &c->endpoints.items[i];

		if (!ep->network)
			continue;
		buf_addf(out, "%s\t", ipv4_text(ep->ip, ip));
		if (c->spec.domainname && *c->spec.domainname)
			buf_addf(out, "%s.%s ", hostname, c->spec.domainname);
		buf_addf(out, "%s\n", hostname);
	}
	add_linked(c, out);
}

/* A resolver on the host's own loopback is out of reach from another network namespace. */
static bool reachable(const struct container *c, const char *line, size_t len)
{
	static const char word[] = "nameserver";
	const char *address = line + sizeof(word) - 1;

	if (container_uses_host_network(c) || len < sizeof(word) + 1 ||
	    strncmp(line, word, sizeof(word) - 1))
		return true;
	address += strspn(address, " \t");
	return strncmp(address, "127.", 4) && strncmp(address, "::1", 3);
}

static void add_words(struct buf *out, const char *name, const struct string_list *words)
{
	if (words->count)
		buf_adds(out, name);
	for (size_t i = 0; i < words->count; i++)
		buf_addf(out, " %s", words->items[i]);
	if (words->count)
		buf_adds(out, "\n");
}

/* Whether the container has an own line of this kind, in place of the host's. */
static bool replaced(const struct container *c, const char *line)
{
	const struct {
		const char *word;
		size_t count;
	} own[] = {
		{ "nameserver", resolver_wanted(c) ? 1 : c->spec.dns.count },
		{ "search", c->spec.dns_search.count },
		{ "options", c->spec.dns_opt.count },
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i].count && !strncmp(line, own[i].word, strlen(own[i].word)))
			return true;
	return false;
}

static bool says_ndots(const struct string_list *options)
{
	for (size_t i = 0; i < options->count; i++)
		if (!strncmp(options->items[i], "ndots:", 6))
			return true;
	return false;
}

static void add_resolv(const struct container *c, struct buf *out)
{
	autobuf struct buf host = { 0 };

	/* Ours asks those of the container, or the host's, for what it does not know; and it has to be
	 * asked for a single word before that becomes a search. */
	if (resolver_wanted(c))
		buf_adds(out, "nameserver " RESOLVER_ADDRESS "\n");
	for (size_t i = 0; i < c->spec.dns.count && !resolver_wanted(c); i++)
		buf_addf(out, "nameserver %s\n", c->spec.dns.items[i]);
	add_words(out, "search", &c->spec.dns_search);
	add_words(out, "options", &c->spec.dns_opt);
	if (resolver_wanted(c) && !says_ndots(&c->spec.dns_opt))
		buf_adds(out, "options ndots:0\n");
	/* No file yet: DHCP has not answered. The containers get it when it comes. */
	if (file_read_at(AT_FDCWD, c->engine->paths.resolv, HOST_FILE_MAX, &host, NULL) < 0)
		return;
	for (const char *line = buf_text(&host); *line;) {
		size_t len = strcspn(line, "\n");

		if (reachable(c, line, len) && !replaced(c, line))
			buf_addf(out, "%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* In place, because the container holds the file's inode as a mount. */
int bundle_write_resolv(struct container *c, bool in_place, struct err *e)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = -1;
	char path[PATH_MAX];
	int rc = container_run_dir(c, "resolv.conf", path, sizeof(path));

	if (rc < 0)
		return err_code(e, rc, "resolv.conf");
	add_resolv(c, &text);
	if (!in_place)
		return file_replace_at(AT_FDCWD, path, buf_text(&text), text.len, 0644, e);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open \"%s\"", path);
	rc = file_write_all(fd, buf_text(&text), text.len);
	return rc < 0 ? err_code(e, rc, "write \"%s\"", path) : 0;
}

static int write_run_file(struct container *c, const char *name, const struct buf *text,
			  struct err *e)
{
	char path[PATH_MAX];
	int rc = container_run_dir(c, name, path, sizeof(path));

	if (rc < 0 || !buf_ok(text))
		return err_set(e, -ENOMEM, "write \"%s\": out of memory", name);
	return file_replace_at(AT_FDCWD, path, buf_text(text), text->len, 0644, e);
}

static int write_stack(struct container *c, const struct image *image, int run_dir, struct err *e)
{
	struct stack s = { 0 };
	char upper[PATH_MAX], work[PATH_MAX];
	int rc = 0;

	container_dir(c, "upper", upper, sizeof(upper));
	container_dir(c, "work", work, sizeof(work));
	for (size_t i = image->layer_count; !rc && i--;) {
		autofree char *dir = NULL;

		rc = image_layer_dir(c->engine->store, image, i, &dir, e);
		if (!rc)
			rc = stack_add_lower(&s, dir, e);
	}
	if (!rc)
		rc = path_mkdirs(upper, 0755, e);
	if (!rc)
		rc = path_mkdirs(work, 0755, e);
	s.upper = strdup(upper);
	s.work = strdup(work);
	if (share_userns(c)) {
		s.idmap_base = share_userns_base(c);
		s.idmap_size = USERNS_SIZE;
	}
	if (!rc)
		rc = s.upper && s.work ? stack_write(&s, run_dir, "stack", e) :
					 err_set(e, -ENOMEM, "out of memory");
	stack_free(&s);
	return rc;
}

struct paths_of_volumes {
	char **items;
	size_t count;
};

static void free_paths(struct paths_of_volumes *p)
{
	for (size_t i = 0; p->items && i < p->count; i++)
		free(p->items[i]);
	free(p->items);
}

static int find_volumes(const struct container *c, struct paths_of_volumes *out, struct err *e)
{
	char path[PATH_MAX];

	out->count = c->spec.volumes.count;
	out->items = calloc(out->count + 1, sizeof(*out->items));
	for (size_t i = 0; out->items && i < out->count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];
		const char *source = v->source;

		if (!strcmp(v->type, "tmpfs"))
			continue;
		if (!strcmp(v->type, "volume")) {
			int rc = volume_path(c->engine, v->source, path, sizeof(path));

			if (rc < 0)
				return err_code(e, rc, "volume \"%s\"", v->source);
			source = path;
		} else if (access(source, F_OK) < 0) {
			return err_set(e, -EINVAL, "invalid mount config for type \"bind\": bind source "
				       "path does not exist: %s", source);
		}
		out->items[i] = strdup(source);
		if (!out->items[i])
			return err_set(e, -ENOMEM, "out of memory");
	}
	return out->items ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int write_config(struct container *c, const struct image_config *config,
			const char *hostname, struct err *e)
{
	__attribute__((cleanup(free_paths))) struct paths_of_volumes volumes = { 0 };
	autobuf struct buf text = { 0 };
	char rootfs[PATH_MAX], hosts[PATH_MAX], name[PATH_MAX], resolv[PATH_MAX];
	char cgroup[CONTAINER_ID_LEN + 16];
	const struct container *files = c->net_owner ? c->net_owner : c;
	struct share_names names;
	struct oci_context context = {
		.id = c->id, .rootfs = rootfs, .cgroup = cgroup, .hostname = hostname,
		.hosts_path = hosts, .hostname_path = name, .resolv_path = resolv,
		.init_path = c->engine->paths.init,
	};
	int rc = find_volumes(c, &volumes, e);

	if (rc < 0)
		return rc;
	container_run_dir(c, "rootfs", rootfs, sizeof(rootfs));
	container_run_dir(files, "hosts", hosts, sizeof(hosts));
	container_run_dir(files, "hostname", name, sizeof(name));
	container_run_dir(files, "resolv.conf", resolv, sizeof(resolv));
	snprintf(cgroup, sizeof(cgroup), "/containers/%s", c->id);
	context.volume_paths = (const char *const *)volumes.items;
	if (share_userns(c)) {
		context.idmap_base = share_userns_base(c);
		context.idmap_size = USERNS_SIZE;
	}
	share_namespaces(c, &names);
	context.pid_ns = *names.pid ? names.pid : NULL;
	context.net_ns = *names.net ? names.net : NULL;
	context.user_ns = *names.user ? names.user : NULL;
	rc = container_spec_to_oci(&c->spec, config, &context, &text, e);
	return rc < 0 ? rc : write_run_file(c, "bundle/config.json", &text, e);
}

static int make_dirs(struct container *c, struct err *e)
{
	static const char *const dirs[] = { "bundle", "rootfs" };
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(dirs); i++) {
		rc = container_run_dir(c, dirs[i], path, sizeof(path));
		if (!rc)
			rc = path_mkdirs(path, 0700, e);
	}
	return rc;
}

int bundle_write(struct container *c, const struct image *image, const struct image_config *config,
		 struct err *e)
{
	autobuf struct buf hosts = { 0 };
	autobuf struct buf name = { 0 };
	autoclose int run_dir = -1;
	char path[PATH_MAX], id[CONTAINER_SHORT_ID_LEN + 1];
	struct utsname host;
	const char *hostname;
	int rc = share_find_owners(c, e);

	if (!rc)
		rc = make_dirs(c, e);
	if (rc < 0)
		return rc;
	hostname = hostname_of(c, &host, id);
	container_run_dir(c, "", path, sizeof(path));
	run_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run_dir < 0)
		return err_sys(e, "open \"%s\"", path);
	add_hosts(c, hostname, &hosts);
	buf_addf(&name, "%s\n", hostname);
	rc = write_stack(c, image, run_dir, e);
	if (!rc)
		rc = write_run_file(c, "hosts", &hosts, e);
	if (!rc)
		rc = write_run_file(c, "hostname", &name, e);
	if (!rc)
		rc = bundle_write_resolv(c, false, e);
	if (!rc)
		rc = write_config(c, config, hostname, e);
	return rc;
}

int bundle_remove(struct container *c, struct err *e)
{
	autoclose int dir = open(c->engine->paths.bundles, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? err_sys(e, "open \"%s\"", c->engine->paths.bundles) :
			 path_remove_tree(dir, c->id, e);
}
