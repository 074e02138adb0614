/* "ps": which processes of the host are in the container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/spawn.h"
#include "oci/args.h"
#include "oci/cgroup_query.h"
#include "oci/commands.h"
#include "oci/program.h"
#include "oci/state.h"

enum { OUTPUT_MAX_BYTES = 16 << 20 };

struct pids {
	pid_t *items;
	size_t count;
};

static bool has(const struct pids *pids, long pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->items[i] == pid)
			return true;
	return false;
}

static void print_json(const struct pids *pids)
{
	putchar('[');
	for (size_t i = 0; i < pids->count; i++)
		printf("%s%d", i ? "," : "", pids->items[i]);
	puts("]");
}

/* ---- the table: the host's ps, and of it the container's lines ---- */

static int run_ps(char **options, int count, struct buf *out, struct err *e)
{
	autofree const char **argv = calloc((size_t)count + 3, sizeof(*argv));
	autofree char *program = NULL;
	int ends[2], rc = argv ? 0 : -ENOMEM;
	struct child child;

	if (rc < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_code(e, rc < 0 ? rc : -errno, "run ps");
	rc = program_find("ps", getenv("PATH"), &program, e);
	argv[0] = program;
	argv[1] = "-ef";
	for (int i = 0; i < count; i++)
		argv[1 + i] = options[i];
	if (!rc)
		rc = spawn(&(struct spawn){ .argv = argv,
					    .fds = (struct spawn_fd[]){ { ends[1], 1 }, { 2, 2 } },
					    .fd_count = 2 },
			   &child, e);
	close(ends[1]);
	if (!rc) {
		rc = file_read_fd(ends[0], OUTPUT_MAX_BYTES, out, e);
		if (spawn_wait(&child) != 0 && !rc)
			rc = err_set(e, -EIO, "ps failed");
	}
	close(ends[0]);
	return rc;
}

/* The word of that index, cut off there; NULL: there are not so many. */
static const char *word_at(char *line, int index)
{
	char *rest = NULL, *word = strtok_r(line, " \t", &rest);

	while (word && index--)
		word = strtok_r(NULL, " \t", &rest);
	return word;
}

static int find_column(const char *header)
{
	for (int i = 0;; i++) {
		autofree char *copy = strdup(header);
		const char *word = copy ? word_at(copy, i) : NULL;

		if (!word || !strcmp(word, "PID"))
			return word ? i : -1;
	}
}

static int print_table(char *text, const struct pids *pids, struct err *e)
{
	char *rest = NULL, *line = strtok_r(text, "\n", &rest);
	int column = line ? find_column(line) : -1;

	if (column < 0)
		return err_set(e, -EINVAL, "ps: there is no column PID in what it prints");
	puts(line);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		autofree char *copy = strdup(line);
		const char *word = copy ? word_at(copy, column) : NULL;

		if (word && has(pids, atol(word)))
			puts(line);
	}
	return 0;
}

static int show(const struct pids *pids, bool json, char **options, int count, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc;

	if (json) {
		print_json(pids);
		return 0;
	}
	rc = run_ps(options, count, &text, e);
	if (!rc && !text.len)
		rc = err_set(e, -EIO, "ps printed nothing");
	return rc < 0 ? rc : print_table(text.data, pids, e);
}

int cmd_ps(const struct options *o, int argc, char **argv, struct err *e)
{
	const char *format = "table";
	const struct arg args[] = {
		ARG_TEXT("format", 'f', &format, "table (of the host's ps, whose options follow the ID) "
						 "or json"),
		ARG_END,
	};
	autostate struct state s = { 0 };
	struct pids pids = { 0 };
	autoclose int dir = -1;
	int next = args_parse(args, argc, argv, e), rc;

	if (next < 0)
		return next;
	if (next >= argc)
		return err_set(e, -EINVAL, "\"ps\" needs a container ID");
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_set(e, -EINVAL, "--format is table or json, not \"%s\"", format);
	dir = state_load(o->root, argv[next], false, &s, e);
	rc = dir < 0 ? dir : state_need_cgroup(&s, e);
	if (!rc)
		rc = cgroup_pids(s.cgroup, &pids.items, &pids.count, e);
	if (!rc)
		rc = show(&pids, !strcmp(format, "json"), argv + next + 1, argc - next - 1, e);
	free(pids.items);
	return rc < 0 || !fflush(stdout) ? rc : err_sys(e, "write the answer");
}
