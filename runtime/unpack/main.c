/* unpack embed: builds the embedded image store (see embed.h and README.md). */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "unpack/embed.h"

enum { LIST_MAX_BYTES = 1024 * 1024 };

static const char usage[] =
	"usage: unpack embed [--platform OS/ARCH] [--images FILE] --out TAR [REFERENCE=PATH...]\n"
	"\n"
	"Writes the image store that is embedded in Berth's root as one tar.\n"
	"  REFERENCE=PATH  an image and its OCI layout (directory or tar) or docker-save archive\n"
	"  --images FILE   lines \"REFERENCE PATH\"; \"#\" begins a comment\n"
	"  --platform      of an image for several (default linux/amd64)\n"
	"  --out TAR       the output\n";

static int add_image(struct embed *job, const char *ref, const char *path, struct err *e)
{
	struct embed_image *images =
		reallocarray(job->images, job->count + 1, sizeof(*images));

	if (!images)
		return err_set(e, -ENOMEM, "out of memory");
	job->images = images;
	images[job->count].ref = strdup(ref);
	images[job->count].path = strdup(path);
	job->count++;
	return 0;
}

/* A reference has no "=", a path may: the first one divides. */
static int add_argument(struct embed *job, const char *text, struct err *e)
{
	autofree char *ref = strdup(text);
	char *equals = ref ? strchr(ref, '=') : NULL;

	if (!equals || equals == ref || !equals[1])
		return err_set(e, -EINVAL, "\"%s\": expected REFERENCE=PATH", text);
	*equals = '\0';
	return add_image(job, ref, equals + 1, e);
}

static int add_line(struct embed *job, char *line, struct err *e)
{
	static const char blank[] = " \t\r";
	char *ref, *path, *end;

	line[strcspn(line, "#")] = '\0';
	ref = line + strspn(line, blank);
	if (!*ref)
		return 0;
	path = ref + strcspn(ref, blank);
	if (*path)
		*path++ = '\0';
	path += strspn(path, blank);
	end = path + strcspn(path, blank);
	if (!*path || end[strspn(end, blank)])
		return err_set(e, -EINVAL, "expected two words, REFERENCE and PATH");
	*end = '\0';
	return add_image(job, ref, path, e);
}

static int add_list(struct embed *job, const char *file, struct err *e)
{
	autobuf struct buf text = { 0 };
	int number = 0;
	int rc = file_read_at(AT_FDCWD, file, LIST_MAX_BYTES, &text, e);

	for (char *line = text.data, *end; !rc && line && *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		number++;
		rc = add_line(job, line, e);
		if (rc < 0)
			err_prefix(e, "%s:%d", file, number);
	}
	return rc;
}

static int add_option(struct embed *job, const char *name, const char *value, struct err *e)
{
	if (!value)
		return err_set(e, -EINVAL, "\"%s\" needs a value", name);
	if (!strcmp(name, "--platform"))
		job->platform = value;
	else if (!strcmp(name, "--out"))
		job->out = value;
	else if (!strcmp(name, "--images"))
		return add_list(job, value, e);
	else
		return err_set(e, -EINVAL, "unknown option \"%s\" (try --help)", name);
	return 0;
}

static int read_arguments(struct embed *job, char **argv, struct err *e)
{
	int rc = 0;

	for (; !rc && *argv; argv++) {
		if (!strncmp(*argv, "--", 2)) {
			rc = add_option(job, argv[0], argv[1], e);
			argv += argv[1] != NULL;
		} else {
			rc = add_argument(job, *argv, e);
		}
	}
	if (!rc && !job->out)
		rc = err_set(e, -EINVAL, "\"--out\" is missing (try --help)");
	return rc;
}

int main(int argc, char **argv)
{
	struct embed job = { .platform = "linux/amd64" };
	struct err e = { 0 };
	int rc;

	log_name("unpack");
	/* Names in archives are bytes; with this locale libarchive leaves them as they are. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "embed") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	rc = read_arguments(&job, argv + 2, &e);
	if (!rc)
		rc = embed_images(&job, &e);
	for (size_t i = 0; i < job.count; i++) {
		free((char *)(uintptr_t)job.images[i].ref);
		free((char *)(uintptr_t)job.images[i].path);
	}
	free(job.images);
	if (rc < 0)
		log_error("%s", e.text);
	return rc < 0;
}
