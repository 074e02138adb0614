/* save, load, import, commit: images as archives, and out of files. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/progress.h"

static void add_query(struct buf *target, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(target, "%c%s=", strchr(buf_text(target), '?') ? '&' : '?', key);
	http_escape(target, value);
}

/* "NAME" or "NAME:TAG", which the API takes apart. */
static void add_name(struct buf *target, const char *name)
{
	const char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');
	size_t len = colon && (!slash || colon > slash) ? (size_t)(colon - name) : strlen(name);
	autofree char *repo = strndup(name, len);

	add_query(target, "repo", repo);
	add_query(target, "tag", name[len] ? name + len + 1 : NULL);
}

static void add_changes(struct buf *target, const struct cli_list *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		add_query(target, "changes", changes->items[i]);
}

/* Standard input, or the file; an fd or -errno. */
static int open_archive(const char *file, struct err *e)
{
	int fd;

	if (!file || !strcmp(file, "-"))
		return isatty(STDIN_FILENO) ? err_set(e, -EINVAL, "an archive is expected on standard input, "
						      "or a file") : dup(STDIN_FILENO);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open \"%s\"", file) : fd;
}

/* Sends it and shows what comes. */
static int send_archive(const char *target, const char *file, FILE *to, struct err *e)
{
	autobuf struct buf ignored = { 0 };
	autoclose int fd = open_archive(file, e);
	struct http_response answer;
	int rc;

	if (fd < 0)
		return fd;
	signal(SIGPIPE, SIG_IGN);
	rc = http_upload(cli_host(), "POST", target, fd, &answer, e);
	if (rc < 0)
		return rc;
	return answer.status >= 400 ? http_finish(&answer, &ignored, e) : progress_show(&answer, to, e);
}

int cmd_save(const struct cli_command *self, int argc, char **argv)
{
	const char *output = NULL;
	const struct cli_option options[] = {
		{ 'o', "output", "FILE", "In place of standard output", NULL, &output, NULL },
		{ 0, "platform", "OS/CPU", "an image is kept for one platform", NULL, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&target, "/images/get");
	for (int i = 0; i < n; i++)
		add_query(&target, "names", argv[i]);
	return call_download(buf_text(&target), output, &e) < 0 ? cli_fail(&e) : EXIT_OK;
}

/* docker's API has the platform of load as JSON. */
static void add_platform(struct buf *target, const char *platform)
{
	autobuf struct buf json = { 0 };
	const char *slash = strchr(platform, '/'), *rest = slash ? strchr(slash + 1, '/') : NULL;
	size_t len = slash ? rest ? (size_t)(rest - slash) - 1 : strlen(slash + 1) : 0;

	buf_adds(&json, "{\"os\":");
	buf_add_json_string(&json, platform, slash ? (size_t)(slash - platform) : strlen(platform));
	buf_adds(&json, ",\"architecture\":");
	buf_add_json_string(&json, slash ? slash + 1 : "", len);
	buf_adds(&json, ",\"variant\":");
	buf_add_json_string(&json, rest ? rest + 1 : "", strlen(rest ? rest + 1 : ""));
	buf_adds(&json, "}");
	add_query(target, "platform", buf_text(&json));
}

int cmd_load(const struct cli_command *self, int argc, char **argv)
{
	const char *input = NULL, *platform = NULL;
	bool quiet = false;
	const struct cli_option options[] = {
		{ 'i', "input", "FILE", "In place of standard input", NULL, &input, NULL },
		{ 0, "platform", "OS/CPU", "Of an image for several", NULL, &platform, NULL },
		{ 'q', "quiet", NULL, "Show no progress", &quiet, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&target, "/images/load");
	add_query(&target, "quiet", quiet || !isatty(STDOUT_FILENO) ? "1" : NULL);
	if (platform)
		add_platform(&target, platform);
	return send_archive(buf_text(&target), input, stdout, &e) < 0 ? cli_fail(&e) : EXIT_OK;
}

int cmd_import(const struct cli_command *self, int argc, char **argv)
{
	static struct cli_list changes;
	const char *message = NULL, *platform = NULL;
	const struct cli_option options[] = {
		{ 'c', "change", "LINE", "An instruction of a Dockerfile", NULL, NULL, &changes },
		{ 'm', "message", "TEXT", "For its history", NULL, &message, NULL },
		{ 0, "platform", "OS/CPU", "That it is for", NULL, &platform, NULL },
	};
	autobuf struct buf target = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&target, "/images/create?fromSrc=-");
	if (n > 1)
		add_name(&target, argv[1]);
	add_query(&target, "message", message);
	add_query(&target, "platform", platform);
	add_changes(&target, &changes);
	return send_archive(buf_text(&target), argv[0], stdout, &e) < 0 ? cli_fail(&e) : EXIT_OK;
}

int cmd_commit(const struct cli_command *self, int argc, char **argv)
{
	static struct cli_list changes;
	const char *author = NULL, *message = NULL;
	bool pause = true;
	const struct cli_option options[] = {
		{ 'a', "author", "TEXT", "Who made it", NULL, &author, NULL },
		{ 'c', "change", "LINE", "An instruction of a Dockerfile", NULL, NULL, &changes },
		{ 'm', "message", "TEXT", "For its history", NULL, &message, NULL },
		{ 'p', "pause", NULL, "Freeze the container meanwhile, unless =false", &pause, NULL, NULL },
	};
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&target, "/commit");
	add_query(&target, "container", argv[0]);
	if (n > 1)
		add_name(&target, argv[1]);
	add_query(&target, "author", author);
	add_query(&target, "comment", message);
	add_query(&target, "pause", pause ? "true" : "false");
	add_changes(&target, &changes);
	doc = call_json("POST", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	puts(text_of(yyjson_doc_get_root(doc), "Id"));
	return EXIT_OK;
}
