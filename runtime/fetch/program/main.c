/* fetch: the containers' side of a registry (OCI distribution-spec, Docker registry v2). Started
 * for one pull or push, as nobody; holds the socket to the program that started it (image/talk.h),
 * and what that gives it. Credentials come on standard input, as X-Registry-Auth has them. */
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
#include "base/nobody.h"
#include "base/proxy.h"
#include "fetch/program/fetch.h"
#include "image/talk.h"

enum { AUTH_MAX = 64 * 1024, CONFIG_MAX = 16 << 20, EXIT_USAGE = 2 };

static const struct {
	const char *name;
	int (*run)(struct fetch *f, struct err *e);
} commands[] = {
	{ "pull", fetch_pull },
	{ "push", fetch_push },
	{ "search", fetch_search },
	{ "login", fetch_login },
};

static int read_credentials(struct fetch *f, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_fd(STDIN_FILENO, AUTH_MAX, &text, e);

	return rc < 0 ? rc : credentials_parse(buf_text(&text), &f->credentials, e);
}

/* Read while there are rights: the file has passwords in it. */
static int read_registries(struct fetch *f, const char *path, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = path ? file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, e) : -ENOENT;

	if (rc == -ENOENT)
		return endpoints_find(NULL, 0, f->ref.domain, &f->endpoints, e);
	return rc < 0 ? rc : endpoints_find(text.data, text.len, f->ref.domain, &f->endpoints, e);
}

/* The host's proxies, but never for what is on this machine; as with docker. */
static int set_proxies(struct err *e)
{
	static const char local[] = "localhost,127.0.0.0/8,::1";
	autofree char *all = NULL;
	const char *own;

	proxy_load();
	own = getenv("no_proxy");
	if (asprintf(&all, "%s%s%s", own ? own : "", own && *own ? "," : "", local) < 0 ||
	    setenv("no_proxy", all, 1) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

struct arguments {
	const char *command, *platform, *registries, *ref;
	int limit;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){ .command = argc > 1 ? argv[1] : NULL, .platform = "linux/amd64" };
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--platform") && i + 1 < argc)
			a->platform = argv[++i];
		else if (!strcmp(argv[i], "--registries") && i + 1 < argc)
			a->registries = argv[++i];
		else if (!strcmp(argv[i], "--limit") && i + 1 < argc)
			a->limit = atoi(argv[++i]);
		else if (*argv[i] != '-' && !a->ref)
			a->ref = argv[i];
		else
			return false;
	}
	return a->command && a->ref;
}

static int run(const struct arguments *a, struct fetch *f, struct err *e)
{
	int rc = ref_parse(&f->ref, a->ref, e);

	if (!rc)
		rc = read_credentials(f, e);
	if (!rc)
		rc = read_registries(f, a->registries, e);
	if (!rc)
		rc = set_proxies(e);
	/* Nothing that comes over the network finds a right here. */
	if (!rc)
		rc = nobody_become(e);
	/* Whoever asked is gone: no more downloads into a file that nobody sees. */
	if (!rc && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		rc = err_sys(e, "fetch");
	if (!rc && curl_global_init(CURL_GLOBAL_DEFAULT))
		rc = err_set(e, -EIO, "the HTTP client does not start");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, a->command))
			return commands[i].run(f, e);
	return err_set(e, -EINVAL, "there is no command \"%s\"", a->command);
}

int main(int argc, char **argv)
{
	struct fetch f = { .sock = TALK_FD };
	struct arguments a;
	struct err e = { 0 };
	int rc;

	log_name("fetch");
	signal(SIGPIPE, SIG_IGN);
	if (!read_arguments(argc, argv, &a)) {
		log_error("expected COMMAND [--platform OS/ARCH] [--registries FILE] REFERENCE");
		return EXIT_USAGE;
	}
	f.platform = a.platform;
	f.limit = a.limit;
	rc = run(&a, &f, &e);
	if (rc < 0 && talk_send(f.sock, -1, "error %d %s", f.status ? f.status : 500, e.text) < 0)
		log_error("%s", e.text);
	web_close(&f.web);
	endpoints_free(&f.endpoints);
	credentials_free(&f.credentials);
	return rc < 0;
}
