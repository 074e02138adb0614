#include "bootcfg/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bootcfg/apply.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sha256.h"
#include "bootcfg/merge.h"
#include "bootcfg/origins.h"
#include "bootcfg/source.h"
#include "bootcfg/trial.h"
#include "bootcfg/understand.h"

enum { LAST_GOOD_MAX = 8 * 1024 * 1024 };

static const char run_dir[] = "/run/berth";
static const char config_name[] = "config.json";
static const char waiting_name[] = "config-waits";

/* One boot. */
struct boot {
	int root;
	struct source source;
	struct faults faults;
	yyjson_mut_doc *config;
	bool online;      /* the second stage: the network is there, or will be */
	bool waiting;     /* the source is on the network: this is until the second stage */
	bool new_host_key;
	const char *used; /* instead of the source's: "last good", "default"; NULL: the source's */
};

/* NULL if there is none that can be read. */
static yyjson_mut_doc *load_last_good(int root)
{
	autoclose int dir = path_open_in(root, TRIAL_FOLDER, O_PATH | O_DIRECTORY, 0, NULL);
	autobuf struct buf text = { 0 };
	yyjson_mut_doc *copy;
	yyjson_doc *doc;

	if (dir < 0 || file_read_at(dir, TRIAL_LAST_GOOD, LAST_GOOD_MAX, &text, NULL) < 0)
		return NULL;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	copy = doc ? yyjson_doc_mut_copy(doc, NULL) : NULL;
	yyjson_doc_free(doc);
	if (copy && !yyjson_mut_is_obj(yyjson_mut_doc_get_root(copy))) {
		yyjson_mut_doc_free(copy);
		copy = NULL;
	}
	return copy;
}

/* Of the texts as the source gave them: what a refusal holds for, until they change. */
static void digest_texts(const struct source *source, char out[SHA256_HEX_MAX])
{
	const struct buf *const texts[] = { &source->user_data, &source->meta_data,
					    &source->vendor_data, &source->network };
	struct sha256 sum;

	sha256_init(&sum);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		sha256_add(&sum, &texts[i]->len, sizeof(texts[i]->len));
		sha256_add(&sum, buf_text(texts[i]), texts[i]->len);
	}
	sha256_end_hex(&sum, out);
}

/* Not locked out either way: the keys of the refused one are let in as well. */
static void use_instead_of_refused(struct boot *b, const char *reason)
{
	yyjson_mut_doc *refused = b->config, *last_good = load_last_good(b->root);

	if (!last_good)
		return;
	b->config = last_good;
	b->used = "last good";
	merge_ssh_keys(b->config, refused);
	yyjson_mut_doc_free(refused);
	fault_add(&b->faults, FAULT_ERROR, b->source.file, 0, 0, "",
		  "this configuration was tried and is refused: %s; the last good one is used until "
		  "it changes, or until \"berth config forget\"", reason);
}

/* A source's configuration that has not passed its gate here yet is on trial (trial.h). */
static void put_on_trial(struct boot *b)
{
	static const char *const words[] = { [TRIAL_FIRST] = "first", [TRIAL_NEW] = "new" };
	yyjson_mut_val *root = yyjson_mut_doc_get_root(b->config);
	char digest[SHA256_HEX_MAX], reason[TRIAL_REASON_MAX] = "";
	autofree char *json = NULL;
	autoclose int dir = -1;
	enum trial_state state;
	struct err e = { "" };

	if (b->used || strcmp(b->source.kind, "default") == 0 || strcmp(b->source.kind, "none") == 0)
		return;
	digest_texts(&b->source, digest);
	yyjson_mut_obj_add_strcpy(b->config, root, "digest", digest);
	json = b->faults.errors ? NULL : yyjson_mut_write(b->config, 0, NULL);
	dir = path_mkdirs_in(b->root, TRIAL_FOLDER, 0700, &e);
	if (dir < 0) {
		log_warn("this configuration is not on trial: %s", e.text);
		return;
	}
	state = trial_enter(dir, digest, json, reason, &e);
	if (state == TRIAL_REFUSED)
		use_instead_of_refused(b, reason);
	else if (state == TRIAL_FIRST || state == TRIAL_NEW)
		yyjson_mut_obj_add_str(b->config, root, "trial", words[state]);
	if (e.text[0])
		log_warn("%s", e.text);
}

static yyjson_mut_doc *read_default(struct faults *faults)
{
	__attribute__((cleanup(source_free))) struct source s = { 0 };
	yyjson_mut_doc *config = NULL;

	if (source_default(&s, NULL) > 0)
		understand(&s, false, &config, faults);
	return config ? config : merge_empty();
}

/* What there is to run without the source: the last good configuration, else the image's. */
static void use_another(struct boot *b)
{
	yyjson_mut_doc *last_good = load_last_good(b->root);

	b->used = last_good ? "last good" : "default";
	b->config = last_good ? last_good : read_default(&b->faults);
}

static const char *used_name(const struct boot *b)
{
	return strcmp(b->used, "default") ? "the last good one" : "the image's default";
}

/* The source is of no use: another one, and in it the SSH keys that could be told from the text. */
static void fall_back(struct boot *b)
{
	yyjson_mut_doc *saved = b->config;

	use_another(b);
	fault_add(&b->faults, FAULT_ERROR, b->source.file, 0, 0, "",
		  "this is no configuration; %s is used instead, with the SSH keys that can be "
		  "told from the text", used_name(b));
	if (saved)
		merge_ssh_keys(b->config, saved);
	yyjson_mut_doc_free(saved);
}

/* A seed disk that cannot be read is no reason to run the image's demo. Its fault is told. */
static void prefer_last_good(struct boot *b)
{
	yyjson_mut_doc *last_good = load_last_good(b->root);

	if (!last_good)
		return;
	yyjson_mut_doc_free(b->config);
	b->config = last_good;
	b->used = "last good";
}

/* The service is dead: it is said, and the machine works as it did before. */
static void do_without(struct boot *b, const struct err *why)
{
	use_another(b);
	fault_add(&b->faults, FAULT_ERROR, b->source.kind, 0, 0, "", "%s; %s is used instead", why->text,
		  used_name(b));
}

/* Until the second stage: what there is, and no fault, since nothing is decided. Not the network
 * of the last good configuration: this disk may be a copy, on a machine elsewhere; without the
 * source's own it is DHCP. */
static void wait_for_network(struct boot *b)
{
	yyjson_mut_doc *known = b->config;
	yyjson_mut_val *root, *network = NULL;

	faults_free(&b->faults);
	b->faults = (struct faults){ 0 };
	use_another(b);
	if (known)
		network = yyjson_mut_obj_get(yyjson_mut_doc_get_root(known), "network");
	root = yyjson_mut_doc_get_root(b->config);
	yyjson_mut_obj_remove_key(root, "network");
	if (network)
		yyjson_mut_obj_add_val(b->config, root, "network",
				       yyjson_mut_val_mut_copy(b->config, network));
	if (network)
		origins_add_below(b->config, known, "network");
	yyjson_mut_doc_free(known);
}

static void read_source(struct boot *b)
{
	bool source_broken = b->faults.errors > 0; /* and a later one was taken */
	struct err e = { "" };
	int code = 0;

	if (b->online && b->source.pending) {
		code = source_fetch(&b->source, &b->faults, &e);
		if (code < 0) {
			do_without(b, &e);
			return;
		}
	}
	b->waiting = b->source.pending;
	if (!b->waiting) {
		code = understand(&b->source, b->online, &b->config, &b->faults);
		b->waiting = code == -EAGAIN;
	}
	if (b->waiting)
		wait_for_network(b);
	else if (code < 0)
		fall_back(b);
	else if (source_broken)
		prefer_last_good(b);
}

static int write_config(struct boot *b, struct err *e)
{
	autoclose int dir = path_mkdirs_in(b->root, run_dir, 0755, e);
	autofree char *json = NULL;
	size_t len;

	if (dir < 0)
		return dir;
	json = merge_result(b->config, &b->source, b->used, &b->faults, &len);
	if (!json)
		return err_set(e, -ENOMEM, "there is not enough memory for the configuration");
	return file_replace_at(dir, config_name, json, len, 0600, e);
}

static void apply_all(struct boot *b)
{
	struct apply a = {
		.root = b->root,
		.live = true,
		.config = yyjson_mut_doc_get_root(b->config),
		.faults = &b->faults,
	};

	/* Who can log in first: whatever else goes wrong. */
	apply_ssh_keys(&a);
	apply_host_key(&a);
	apply_users(&a);
	apply_hostname(&a);
	apply_timezone(&a);
	apply_ca_certs(&a);
	apply_proxy(&a);
	apply_sysctl(&a);
	apply_watchdog(&a);
	apply_log(&a);
	apply_files(&a);
	apply_container_files(&a);
	apply_ntp(&a);
	apply_stages(&a);
	apply_motd(&a);
	b->new_host_key = a.new_host_key;
}

static void tell(const struct boot *b)
{
	log_info("configuration from %s%s%s%s", b->source.where[0] ? b->source.where : "nowhere",
		 b->waiting ? ", which needs the network" : "", b->used ? ", in use: " : "",
		 b->used ? b->used : "");
	for (size_t i = 0; i < b->faults.count; i++) {
		autobuf struct buf line = { 0 };

		fault_line(&b->faults.items[i], &line);
		if (b->faults.items[i].level == FAULT_ERROR)
			log_error("%s", buf_text(&line));
		else
			log_info("%s", buf_text(&line));
	}
}

/* PID 1 starts the second stage if this file is there; it says what is waited for. */
static int ask_for_second_stage(const struct boot *b, struct err *e)
{
	autoclose int dir = path_mkdirs_in(b->root, run_dir, 0755, e);
	autobuf struct buf text = { 0 };

	if (dir < 0)
		return dir;
	buf_addf(&text, "%s\n", b->source.where);
	return file_replace_at(dir, waiting_name, buf_text(&text), text.len, 0644, e);
}

/* ---- what runs since the first stage, with what that knew ---- */

static void restart(const char *service)
{
	autobuf struct buf request = { 0 }, answer = { 0 };
	struct err e = { "" };

	buf_addf(&request, "restart %s", service);
	if (initctl_ask(buf_text(&request), &answer, &e) < 0)
		log_error("%s does not take the new configuration: %s", service, e.text);
}

static void add_part(yyjson_val *part, struct buf *out)
{
	char *json = yyjson_val_write(part, 0, NULL);

	buf_addf(out, "%s\n", json ? json : "");
	free(json);
}

/* What netup takes of config.json (init/netup/plan.c), as text. */
static void add_netup_part(int root, struct buf *out)
{
	autoclose int dir = path_open_in(root, run_dir, O_PATH | O_DIRECTORY, 0, NULL);
	autobuf struct buf text = { 0 };
	yyjson_val *config;
	yyjson_doc *doc;

	if (dir < 0 || file_read_at(dir, config_name, LAST_GOOD_MAX, &text, NULL) < 0)
		return;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	config = yyjson_doc_get_root(doc);
	add_part(yyjson_obj_get(config, "network"), out);
	add_part(yyjson_obj_get(config, "ntp"), out);
	add_part(yyjson_obj_get(yyjson_obj_get(config, "berth"), "firewall"), out);
	yyjson_doc_free(doc);
}

/* dropbear has read its key at its start; sessions outlive it. ssh-key writes the public half. */
static void renew(const struct boot *b, const struct buf *netup_before, const struct buf *netup_now)
{
	if (strcmp(buf_text(netup_before), buf_text(netup_now)) != 0)
		restart("net");
	if (b->new_host_key) {
		restart("ssh-key");
		restart("ssh");
	}
}

static int configure(struct boot *b, struct err *e)
{
	int code;

	source_find(&b->source, &b->faults);
	read_source(b);
	put_on_trial(b);
	merge_defaults(b->config);
	/* Twice: the services have their configuration even if a file's fault is not told in it. */
	code = write_config(b, e);
	apply_all(b);
	if (code == 0)
		code = write_config(b, e);
	if (code == 0 && b->waiting)
		code = ask_for_second_stage(b, e);
	return code;
}

int boot_configure(bool online)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autobuf struct buf before = { 0 }, after = { 0 };
	struct boot b = { .root = root, .online = online };
	struct err e = { "" };
	int code;

	add_netup_part(root, &before);
	code = configure(&b, &e);
	add_netup_part(root, &after);
	tell(&b);
	if (online)
		renew(&b, &before, &after);
	if (code < 0)
		log_error("%s", e.text);
	yyjson_mut_doc_free(b.config);
	source_free(&b.source);
	faults_free(&b.faults);
	return code < 0;
}
