#include "bootcfg/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "bootcfg/stage_shell.h"

enum { CONFIG_MAX = 8 * 1024 * 1024 };

/* ---- scripts ---- */
static void add_quoted(struct buf *out, const char *word)
{
	buf_addc(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	buf_addc(out, '\'');
}

void stage_script(yyjson_val *commands, const char *name, struct buf *out)
{
	yyjson_val *command, *word;
	size_t i, max, j, jmax;

	yyjson_arr_foreach(commands, i, max, command) {
		if (yyjson_is_str(command))
			buf_adds(out, yyjson_get_str(command));
		yyjson_arr_foreach(command, j, jmax, word) {
			if (j)
				buf_addc(out, ' ');
			add_quoted(out, yyjson_get_str(word));
		}
		buf_addf(out,
			 "\n__code=$?; [ $__code = 0 ] || "
			 "echo \"%s: warning: %s[%zu]: exit code $__code\" >&2\n",
			 name, name, i);
	}
}

static bool is_word_char(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void stage_fill(const char *text, const struct stage_word *words, size_t count, struct buf *out)
{
	while (*text) {
		const char *name = text + 1 + (text[1] == '{');
		size_t len = 0, i;

		while (*text == '$' && is_word_char(name[len]))
			len++;
		for (i = 0; i < count && len; i++)
			if (strlen(words[i].name) == len &&
			    strncasecmp(words[i].name, name, len) == 0)
				break;
		if (!len || i == count || (text[1] == '{' && name[len] != '}')) {
			buf_addc(out, *text++);
			continue;
		}
		buf_adds(out, words[i].value);
		text = name + len + (text[1] == '{');
	}
}

/* application/x-www-form-urlencoded */
static void add_encoded(struct buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	for (; *text; text++)
		if (strchr(plain, *text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
}

void stage_form_add(struct buf *form, const char *name, const char *value)
{
	if (form->len)
		buf_addc(form, '&');
	add_encoded(form, name);
	buf_addc(form, '=');
	add_encoded(form, value);
}

/* ---- running ---- */

/* A script may be longer than an argument can be, so it is a file in memory. */
static int script_fd(const struct buf *script, struct err *e)
{
	autoclose int fd = memfd_create("script", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot keep the commands");
	if (!buf_ok(script) || file_write_all(fd, script->data, script->len) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, -ENOMEM, "there is not enough memory for the commands");
	return take_fd(&fd);
}

static int run(const char *const *argv, int script, const char *instance_id, struct err *e)
{
	autobuf struct buf id = { 0 };
	const char *envp[] = { "PATH=/usr/bin", "HOME=/root", "TERM=linux", NULL, NULL };
	struct spawn_fd fds[] = { { 1, 1 }, { 2, 2 }, { script, 3 } };
	struct spawn how = { .argv = argv, .envp = envp, .fds = fds,
			     .fd_count = script >= 0 ? 3 : 2, .cwd = "/" };
	struct child child;
	int code;

	buf_addf(&id, "INSTANCE_ID=%s", instance_id);
	envp[3] = buf_text(&id);
	code = spawn(&how, &child, e);
	return code < 0 ? code : spawn_wait(&child);
}

int stage_commands(yyjson_val *config, const char *name)
{
	static const char *const argv[] = { "/usr/bin/sh", "/proc/self/fd/3", NULL };
	yyjson_val *list = yyjson_obj_get(config, name);
	autobuf struct buf script = { 0 };
	autoclose int fd = -1;
	struct err e = { "" };
	int code;

	if (!yyjson_arr_size(list))
		return 0;
	stage_script(list, name, &script);
	fd = script_fd(&script, &e);
	code = fd < 0 ? fd : run(argv, fd, stage_instance(config), &e);
	if (code < 0)
		log_error("%s: %s", name, e.text[0] ? e.text : strerror(-code));
	else
		log_info("%s: %zu commands have run, the last with exit code %d", name,
			 yyjson_arr_size(list), code);
	return code < 0 ? 1 : 0;
}

int stage_program(yyjson_val *words, const char *instance_id)
{
	const char *argv[64] = { NULL };
	struct err e = { "" };
	yyjson_val *word;
	size_t i, max;
	int code;

	yyjson_arr_foreach(words, i, max, word) {
		if (i < ARRAY_LEN(argv) - 1)
			argv[i] = yyjson_get_str(word);
	}
	code = argv[0] ? run(argv, -1, instance_id, &e) : -EINVAL;
	if (code < 0)
		log_error("%s", e.text[0] ? e.text : "there is no program to run");
	return code;
}

const char *stage_instance(yyjson_val *config)
{
	const char *id = yyjson_get_str(yyjson_obj_get(config, "instance_id"));

	return id ? id : "iid-berth";
}

/* ---- the command ---- */
static int stage_bootcmd(yyjson_val *config)
{
	return stage_commands(config, "bootcmd");
}

static const struct {
	const char *name;
	int (*run)(yyjson_val *config);
} stages[] = { { "bootcmd", stage_bootcmd }, { "final", stage_final } };

int stage_run(const char *name)
{
	autobuf struct buf text = { 0 };
	struct err e = { "" };
	bool found = false;
	yyjson_doc *doc;
	int code = 1;

	log_name(name);
	if (file_read_at(AT_FDCWD, "/run/berth/config.json", CONFIG_MAX, &text, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	doc = yyjson_read(buf_text(&text), text.len, 0);
	for (size_t i = 0; doc && i < ARRAY_LEN(stages); i++)
		if (strcmp(stages[i].name, name) == 0) {
			code = stages[i].run(yyjson_doc_get_root(doc));
			found = true;
		}
	if (!found)
		log_error(doc ? "there is no such stage" : "\"/run/berth/config.json\" is damaged");
	yyjson_doc_free(doc);
	return code;
}
