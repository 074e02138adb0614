/* store: what changes the image store on the machine; a short-lived process for each wish.
 *   store pull REFERENCE              progress on standard output, the result on fd 3
 *   store push REFERENCE DIGEST ID    of the image's manifest and config
 *   store search REGISTRY/TERM        the registry's JSON on standard output
 *   store login REGISTRY/ANY          are the credentials on standard input good?
 *   store clean                       what interrupted ones left
 * Options before the words: --store DIR (the one that is written, then others), --fetch PROGRAM,
 * --registries FILE, --platform OS/ARCH, --from REPOSITORY, --limit NUMBER. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "unpack/ask.h"
#include "unpack/pull.h"
#include "unpack/push.h"

enum { RESULT_FD = 3, DIRS_MAX = SESSION_STORES_MAX, EXIT_USAGE = 2 };

struct store_job {
	const char *dirs[DIRS_MAX];
	size_t dir_count;
	const char *platform, *fetch, *registries, *limit;
	const char *sources[PUSH_SOURCES_MAX];
	size_t source_count;
	int argc;      /* what follows the options */
	char **argv;
};

static int run_pull(struct store_job *job, struct err *e)
{
	struct pull pull = {
		.ref = job->argv[0], .platform = job->platform, .fetch = job->fetch,
		.registries = job->registries, .dirs = job->dirs, .dir_count = job->dir_count,
		.result = RESULT_FD,
	};

	return pull_image(&pull, e);
}

static int run_push(struct store_job *job, struct err *e)
{
	struct push push = {
		.ref = job->argv[0], .digest = job->argv[1], .config_digest = job->argv[2],
		.fetch = job->fetch, .registries = job->registries, .dirs = job->dirs,
		.dir_count = job->dir_count, .source_count = job->source_count,
	};

	memcpy(push.sources, job->sources, sizeof(push.sources));
	return push_image(&push, e);
}

static int ask(struct store_job *job, const char *command, struct err *e)
{
	struct ask ask = {
		.command = command, .ref = job->argv[0], .limit = job->limit, .fetch = job->fetch,
		.registries = job->registries,
	};

	return ask_registry(&ask, e);
}

static int run_search(struct store_job *job, struct err *e)
{
	job->limit = job->limit ? job->limit : "0";
	return ask(job, "search", e);
}

static int run_login(struct store_job *job, struct err *e)
{
	job->limit = NULL;
	return ask(job, "login", e);
}

static int run_clean(struct store_job *job, struct err *e)
{
	autoclose int fd = open(job->dirs[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "image store \"%s\"", job->dirs[0]);
	session_clean(fd);
	return 0;
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(struct store_job *job, struct err *e);
} commands[] = {
	{ "pull", 1, run_pull },
	{ "push", 3, run_push },
	{ "search", 1, run_search },
	{ "login", 1, run_login },
	{ "clean", 0, run_clean },
};

static bool read_options(struct store_job *job)
{
	for (; job->argc > 0 && !strncmp(job->argv[0], "--", 2); job->argc -= 2, job->argv += 2) {
		const char *name = job->argv[0], *value = job->argv[1];

		if (job->argc < 2)
			return false;
		if (!strcmp(name, "--store") && job->dir_count < DIRS_MAX)
			job->dirs[job->dir_count++] = value;
		else if (!strcmp(name, "--from") && job->source_count < PUSH_SOURCES_MAX)
			job->sources[job->source_count++] = value;
		else if (!strcmp(name, "--limit"))
			job->limit = value;
		else if (!strcmp(name, "--platform"))
			job->platform = value;
		else if (!strcmp(name, "--fetch"))
			job->fetch = value;
		else if (!strcmp(name, "--registries"))
			job->registries = value;
		else
			return false;
	}
	return job->dir_count > 0;
}

int main(int argc, char **argv)
{
	struct store_job job = { .platform = "linux/amd64", .argc = argc - 2, .argv = argv + 2 };
	struct err e = { 0 };

	log_name("store");
	signal(SIGPIPE, SIG_IGN);
	/* Names in archives are bytes; with this locale libarchive leaves them as they are. */
	setlocale(LC_CTYPE, "C.UTF-8");
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
		int rc;

		if (strcmp(argv[1], commands[i].name) || !read_options(&job) ||
		    job.argc != commands[i].arguments)
			continue;
		rc = commands[i].run(&job, &e);
		if (rc < 0)
			dprintf(RESULT_FD, "error %d %s\n", -rc, e.text);
		return rc < 0;
	}
	log_error("expected COMMAND --store DIR ... (see runtime/unpack/README.md)");
	return EXIT_USAGE;
}
