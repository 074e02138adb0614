/* store: what changes the image store on the machine; a short-lived process for each wish.
 *   store pull REFERENCE              progress on standard output, the result on fd 3
 *   store push REFERENCE DIGEST ID    of the image's manifest and config
 *   store search REGISTRY/TERM        the registry's JSON on standard output
 *   store login REGISTRY/ANY          are the credentials on standard input good?
 *   store clean                       what interrupted ones left
 *   store stat NAME PATH              of a container's files (copy.h), which are told on fd 4
 *   store copy-out NAME PATH
 *   store copy-in NAME PATH
 *   store export NAME
 *   store changes NAME
 *   store commit DIGEST ID            of the image's manifest and config; told on fd 4 (commit.h)
 *   store import
 *   store save                        images, told on fd 4, to standard output
 *   store load                        from standard input
 *   store usage                       sizes of the directories that are told (usage.h)
 *   store pack SOURCE AS              the host's end of berth cp (local.h)
 *   store place DIR WAS NAME
 * Options before the words: --store DIR (the one that is written, then others), --fetch PROGRAM,
 * --registries FILE, --scratch DIR, --platform OS/ARCH, --from REPOSITORY, --limit NUMBER,
 * --keep-kinds yes, --owned yes, --follow yes, --quiet yes. */
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
#include "unpack/changes.h"
#include "unpack/commit.h"
#include "unpack/copy.h"
#include "unpack/load.h"
#include "unpack/local.h"
#include "unpack/pull.h"
#include "unpack/push.h"
#include "unpack/save.h"
#include "unpack/usage.h"

enum { RESULT_FD = 3, DIRS_MAX = SESSION_STORES_MAX, EXIT_USAGE = 2 };

struct store_job {
	const char *dirs[DIRS_MAX];
	size_t dir_count;
	const char *platform, *fetch, *registries, *limit, *scratch, *keep_kinds, *owned, *follow, *quiet;
	const char *sources[PUSH_SOURCES_MAX];
	size_t source_count;
	int argc;      /* what follows the options */
	char **argv;
};

static int no_store(struct err *e)
{
	return err_set(e, -EINVAL, "no --store, or no --scratch");
}

static int run_pull(struct store_job *job, struct err *e)
{
	struct pull pull = {
		.ref = job->argv[0], .platform = job->platform, .fetch = job->fetch,
		.registries = job->registries, .dirs = job->dirs, .dir_count = job->dir_count,
		.result = RESULT_FD,
	};

	return job->dir_count ? pull_image(&pull, e) : no_store(e);
}

static int run_push(struct store_job *job, struct err *e)
{
	struct push push = {
		.ref = job->argv[0], .digest = job->argv[1], .config_digest = job->argv[2],
		.fetch = job->fetch, .registries = job->registries, .dirs = job->dirs,
		.dir_count = job->dir_count, .source_count = job->source_count,
	};

	memcpy(push.sources, job->sources, sizeof(push.sources));
	return job->dir_count ? push_image(&push, e) : no_store(e);
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
	const char *dir = job->dir_count ? job->dirs[0] : "";
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "image store \"%s\"", dir);
	session_clean(fd);
	return 0;
}

static int run_copy(struct store_job *job, int (*run)(const struct copy *c, struct err *e),
		    struct err *e)
{
	struct copy copy = {
		.scratch = job->scratch, .container = job->argv[0],
		.path = job->argc > 1 ? job->argv[1] : NULL,
		.keep_kinds = job->keep_kinds != NULL, .owned = job->owned != NULL,
	};

	return job->scratch ? run(&copy, e) : err_set(e, -EINVAL, "no --scratch");
}

static int run_stat(struct store_job *job, struct err *e)
{
	return run_copy(job, copy_stat, e);
}

static int run_copy_out(struct store_job *job, struct err *e)
{
	return run_copy(job, copy_out, e);
}

static int run_copy_in(struct store_job *job, struct err *e)
{
	return run_copy(job, copy_in, e);
}

static int run_export(struct store_job *job, struct err *e)
{
	return run_copy(job, copy_export, e);
}

static int run_changes(struct store_job *job, struct err *e)
{
	return job->scratch ? changes_print(job->scratch, e) : err_set(e, -EINVAL, "no --scratch");
}

static int run_commit(struct store_job *job, struct err *e)
{
	struct commit commit = {
		.dirs = job->dirs, .dir_count = job->dir_count, .scratch = job->scratch,
		.digest = job->argc ? job->argv[0] : NULL, .id = job->argc ? job->argv[1] : NULL,
		.platform = job->platform, .result = RESULT_FD,
	};

	if (!job->dir_count || (job->argc && !job->scratch))
		return no_store(e);
	return job->argc ? commit_image(&commit, e) : import_image(&commit, e);
}

static int run_save(struct store_job *job, struct err *e)
{
	struct save save = { .dirs = job->dirs, .dir_count = job->dir_count };

	return job->dir_count ? save_images(&save, e) : no_store(e);
}

static int run_load(struct store_job *job, struct err *e)
{
	struct load load = {
		.dirs = job->dirs, .dir_count = job->dir_count, .platform = job->platform,
		.quiet = job->quiet != NULL, .result = RESULT_FD,
	};

	return job->dir_count ? load_images(&load, e) : no_store(e);
}

static int run_usage(struct store_job *job, struct err *e)
{
	(void)job;
	return usage_print(e);
}

static int run_pack(struct store_job *job, struct err *e)
{
	return local_pack(job->argv[0], job->argv[1], job->follow != NULL, e);
}

static int run_place(struct store_job *job, struct err *e)
{
	return local_place(job->argv[0], job->argv[1], job->argv[2], job->owned != NULL, e);
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
	{ "stat", 2, run_stat },
	{ "copy-out", 2, run_copy_out },
	{ "copy-in", 2, run_copy_in },
	{ "export", 1, run_export },
	{ "changes", 1, run_changes },
	{ "commit", 2, run_commit },
	{ "import", 0, run_commit },
	{ "save", 0, run_save },
	{ "load", 0, run_load },
	{ "usage", 0, run_usage },
	{ "pack", 2, run_pack },
	{ "place", 3, run_place },
};

static bool set_option(struct store_job *job, const char *name, const char *value)
{
	const struct {
		const char *name, **value;
	} options[] = {
		{ "--limit", &job->limit },	    { "--platform", &job->platform },
		{ "--fetch", &job->fetch },	    { "--registries", &job->registries },
		{ "--scratch", &job->scratch },	    { "--keep-kinds", &job->keep_kinds },
		{ "--owned", &job->owned },	    { "--follow", &job->follow },
		{ "--quiet", &job->quiet },
	};

	if (!strcmp(name, "--store") && job->dir_count < DIRS_MAX)
		return (job->dirs[job->dir_count++] = value);
	if (!strcmp(name, "--from") && job->source_count < PUSH_SOURCES_MAX)
		return (job->sources[job->source_count++] = value);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (!strcmp(name, options[i].name))
			return (*options[i].value = value);
	return false;
}

static bool read_options(struct store_job *job)
{
	for (; job->argc > 0 && !strncmp(job->argv[0], "--", 2); job->argc -= 2, job->argv += 2)
		if (job->argc < 2 || !set_option(job, job->argv[0], job->argv[1]))
			return false;
	return true;
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
		/* Whoever is no engine hears it as everybody does. */
		if (rc < 0 && dprintf(RESULT_FD, "error %d %s\n", -rc, e.text) < 0)
			log_error("%s", e.text);
		return rc < 0;
	}
	log_error("expected COMMAND --store DIR ... (see runtime/unpack/README.md)");
	return EXIT_USAGE;
}
