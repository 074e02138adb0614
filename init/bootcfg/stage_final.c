/* The end of a boot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/log.h"
#include "bootcfg/apply.h"
#include "bootcfg/stage.h"
#include "bootcfg/stage_shell.h"
#include "download/fetch.h"

enum { PHONE_TRIES = 10, PUBLIC_KEY_MAX = 4096, NAMES_MAX = 4096 };

static const char *text_of(yyjson_val *object, const char *key, const char *otherwise)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	return text ? text : otherwise;
}

/* ---- deferred files ---- */
static int write_deferred(int root, yyjson_val *config)
{
	autofaults struct faults faults = { 0 };
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	struct apply a = { .root = root, .live = true, .faults = &faults,
			   .config = yyjson_val_mut_copy(doc, config) };

	apply_deferred(&a);
	for (size_t i = 0; i < faults.count; i++)
		log_error("%s: %s", faults.items[i].path, faults.items[i].message);
	yyjson_mut_doc_free(doc);
	return faults.errors > 0;
}

/* ---- phone_home ---- */

/* The service ssh-key leaves what dropbearkey says: a line of it is "ssh-ed25519 AAAA...". */
static void read_public_key(struct buf *out)
{
	autobuf struct buf text = { 0 };
	const char *line;

	if (file_read_at(AT_FDCWD, "/run/berth/ssh/host_key.pub", PUBLIC_KEY_MAX, &text, NULL) < 0)
		return;
	line = strstr(buf_text(&text), "ssh-ed25519 ");
	if (line)
		buf_add(out, line, strcspn(line, "\n"));
}

static bool is_wanted(yyjson_val *post, const char *field)
{
	yyjson_val *word;
	size_t i, max;

	yyjson_arr_foreach(post, i, max, word) {
		if (yyjson_equals_str(word, field))
			return true;
	}
	return !post;
}

static void make_form(yyjson_val *config, yyjson_val *post, struct buf *form)
{
	autobuf struct buf key = { 0 };
	const struct stage_word known[] = {
		{ "hostname", text_of(config, "hostname", "") },
		{ "fqdn", text_of(config, "fqdn", text_of(config, "hostname", "")) },
		{ "instance_id", stage_instance(config) },
	};
	/* As "post: all", in cloud-init's order; what this host does not have is empty. */
	static const char *const fields[] = { "pub_key_dsa", "pub_key_rsa", "pub_key_ecdsa",
					      "pub_key_ed25519", "instance_id", "hostname", "fqdn" };

	read_public_key(&key);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *value = strcmp(fields[i], "pub_key_ed25519") == 0 ? buf_text(&key) : "";

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			if (strcmp(known[k].name, fields[i]) == 0)
				value = known[k].value;
		if (is_wanted(post, fields[i]))
			stage_form_add(form, fields[i], value);
	}
}

static void phone_home(yyjson_val *config, yyjson_val *call)
{
	const struct stage_word id = { "INSTANCE_ID", stage_instance(config) };
	autobuf struct buf url = { 0 }, form = { 0 };
	autoanswer struct fetch_answer answer = { 0 };
	yyjson_val *tries = yyjson_obj_get(call, "tries");
	static const struct fetch_way as_configured;
	struct fetch_ask ask = {
		.method = "POST",
		.way = &as_configured,
		.headers = "Content-Type: application/x-www-form-urlencoded\n",
		.tries = tries ? (unsigned)yyjson_get_sint(tries) : PHONE_TRIES,
	};
	struct err e = { "" };

	stage_fill(text_of(call, "url", ""), &id, 1, &url);
	make_form(config, yyjson_obj_get(call, "post"), &form);
	ask.url = buf_text(&url);
	ask.body = buf_text(&form);
	ask.body_bytes = form.len;
	if (fetch_ask(&ask, &answer, &e) < 0)
		log_error("phone_home: %s", e.text);
	else if (answer.status >= 200 && answer.status < 300)
		log_info("phone_home: %s was told", ask.url);
	else
		log_error("phone_home: %s answered with status %d", ask.url, answer.status);
}

/* ---- final_message ---- */

/* Every console that the kernel writes to; one that is held up is left out. */
static void say_on_consoles(const struct buf *message)
{
	autobuf struct buf names = { 0 };
	char *save = NULL;

	if (file_read_at(AT_FDCWD, "/sys/class/tty/console/active", NAMES_MAX, &names, NULL) < 0)
		return;
	for (char *name = strtok_r(names.data, " \n", &save); name; name = strtok_r(NULL, " \n", &save)) {
		autobuf struct buf path = { 0 }, line = { 0 };
		autoclose int fd = -1;

		buf_addf(&path, "/dev/%s", name);
		buf_addf(&line, "\r\n%s\r\n", buf_text(message));
		fd = open(buf_text(&path), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || file_write_all(fd, line.data, line.len) < 0)
			log_info("%s does not take the message", buf_text(&path));
	}
}

static void say_final(yyjson_val *config, const char *text)
{
	char uptime[32], stamp[64];
	time_t now = time(NULL);
	struct tm tm;
	const struct stage_word words[] = {
		{ "uptime", uptime },
		{ "timestamp", stamp },
		{ "version", BERTH_VERSION },
		{ "datasource", text_of(yyjson_obj_get(config, "source"), "kind", "none") },
	};
	autobuf struct buf message = { 0 };

	snprintf(uptime, sizeof(uptime), "%.2f", (double)clock_boot_ms() / 1000);
	strftime(stamp, sizeof(stamp), "%a, %d %b %Y %H:%M:%S %z", localtime_r(&now, &tm));
	stage_fill(text, words, ARRAY_LEN(words), &message);
	log_info("%s", buf_text(&message));
	say_on_consoles(&message);
}

/* ---- power_state ---- */
static void change_power(yyjson_val *config, yyjson_val *power)
{
	yyjson_val *condition = yyjson_obj_get(power, "condition");
	const char *mode = text_of(power, "mode", "reboot");
	const char *message = text_of(power, "message", NULL);
	int64_t minutes = yyjson_get_sint(yyjson_obj_get(power, "delay_min"));
	autobuf struct buf answer = { 0 };
	struct err e = { "" };

	if (condition && stage_program(condition, stage_instance(config)) != 0) {
		log_info("power_state: its condition does not hold, the machine stays on");
		return;
	}
	log_warn("power_state: %s in %lld minutes%s%s", mode, (long long)minutes,
		 message ? ": " : "", message ? message : "");
	for (unsigned left = (unsigned)minutes * 60; left;)
		left = sleep(left);
	if (initctl_ask(mode, &answer, &e) < 0)
		log_error("power_state: %s", e.text);
}

int stage_final(yyjson_val *config)
{
	const char *id = stage_instance(config);
	yyjson_val *call = yyjson_obj_get(config, "phone_home");
	yyjson_val *power = yyjson_obj_get(config, "power_state");
	const char *message = text_of(config, "final_message", NULL);
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int code = write_deferred(root, config);

	if (yyjson_obj_get(config, "runcmd") && stage_first_time(root, id, "runcmd"))
		code |= stage_commands(config, "runcmd");
	if (call && stage_first_time(root, id, "phone_home"))
		phone_home(config, call);
	if (message)
		say_final(config, message);
	if (power && stage_first_time(root, id, "power_state"))
		change_power(config, power);
	return code;
}
