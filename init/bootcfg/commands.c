#include "bootcfg/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "bootcfg/config.h"
#include "bootcfg/understand.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print_faults(FILE *to, const struct faults *faults)
{
	size_t hidden = faults->errors + faults->warnings - faults->count;

	for (size_t i = 0; i < faults->count; i++) {
		autobuf struct buf line = { 0 };

		fault_line(&faults->items[i], &line);
		fprintf(to, "%s\n", buf_text(&line));
	}
	if (hidden)
		fprintf(to, "and %zu more\n", hidden);
}

/* 0, -EBADMSG as understand_text, or another -errno when the file cannot be read. */
static int parse_file(const char *path, yyjson_mut_doc **out, struct faults *faults)
{
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	int code = file_read_at(AT_FDCWD, path, CONFIG_TEXT_MAX, &text, &e);

	if (code < 0) {
		log_error("%s", e.text);
		return code;
	}
	code = understand_text(&text, base_name(path), false, out, faults);
	if (code != -EAGAIN)
		return code;
	fault_add(faults, FAULT_WARNING, base_name(path), 0, 0, "",
		  "what it includes is on the network and is not looked at here");
	return 0;
}

int command_check(int count, char **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *config = NULL;
		int code = parse_file(files[i], &config, &faults);

		print_faults(stdout, &faults);
		yyjson_mut_doc_free(config);
		bad |= code < 0 || faults.errors > 0;
	}
	return bad;
}

int command_show(int count, char **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		autofaults struct faults faults = { 0 };
		yyjson_mut_doc *config = NULL;
		autofree char *json = NULL;
		int code = parse_file(files[i], &config, &faults);

		print_faults(stderr, &faults);
		json = config ? yyjson_mut_write(config, YYJSON_WRITE_PRETTY, NULL) : NULL;
		if (json)
			printf("%s\n", json);
		yyjson_mut_doc_free(config);
		bad |= code < 0 || faults.errors > 0;
	}
	return bad;
}
