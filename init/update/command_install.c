/* install: from a file, standard input or a web server into the slot that is not running. The order
 * that a power cut cannot break: the slot out of the boot state, its content (install.h), what is
 * known of it, and last one sector of boot state. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "update/command.h"
#include "update/configtrial.h"
#include "update/facts.h"
#include "update/install.h"
#include "update/source.h"
#include "update/store.h"
#include "update/trust.h"

enum { BAR_COLUMNS = 40, EVENT_PERCENT = 25 };

/* ---- progress: a bar on a terminal, a line now and then elsewhere ---- */

struct shown {
	bool terminal;
	const char *doing;
	int percent;
};

static void show(void *arg, const struct install_progress *p)
{
	static const char hashes[] = "########################################";
	struct shown *s = arg;
	int percent = (int)(p->done * 100 / p->total);
	int columns = percent * BAR_COLUMNS / 100;

	if (s->doing == p->doing && percent < s->percent + (s->terminal ? 1 : EVENT_PERCENT))
		return;
	s->percent = s->doing == p->doing ? percent : 0;
	s->doing = p->doing;
	if (s->terminal)
		fprintf(stderr, "\r  %-10s [%-*.*s] %3d %%", p->doing, BAR_COLUMNS, columns, hashes, percent);
	else
		log_info("%s, %d %%", p->doing, percent);
}

static void show_end(const struct shown *s)
{
	if (s->terminal && s->doing)
		fputc('\n', stderr);
}

/* ---- the steps ---- */

/* One at a time: two would write the same slot. Returns an fd that holds the lock. */
static int lock(struct err *e)
{
	int fd = open("/run/berth/update.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "open \"/run/berth/update.lock\"");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return err_set(e, -EBUSY, "another update is being installed");
	}
	return fd;
}

static int check_trust(const struct manifest *m, bool force, const struct machine *machine,
		       struct err *e)
{
	struct refusals refused = { 0 };
	struct trust trust = { .refused = &refused, .force = force, .at_console = trust_at_console() };
	int rc = trust_of_this_machine(&trust, e);

	if (rc < 0)
		return rc;
	if (machine->store >= 0)
		store_read_refusals(machine->store, &refused);
	return trust_check(&trust, m, e);
}

static int fill_slot(struct machine *machine, enum slot target, struct source *source, bool whole,
		     struct err *e)
{
	struct shown shown = { .terminal = isatty(STDERR_FILENO) };
	const struct install in = {
		.manifest = &source->manifest, .boot = machine->slots.boot[target],
		.root = machine->slots.root[target], .chunk = source_chunk, .chunk_arg = source,
		.progress = show, .progress_arg = &shown,
	};
	uint64_t fetched, all;
	int rc = install_check_room(&in, e);

	if (!rc)
		rc = bootstate_disarm(&machine->state, target, e);
	if (!rc)
		rc = source_begin(source, &machine->slots, whole, e);
	if (!rc)
		rc = slots_write_state(&machine->slots, &machine->state, e);
	if (!rc)
		rc = install_write(&in, e);
	show_end(&shown);
	if (!rc)
		rc = source_end(source, &fetched, &all, e);
	if (!rc && *source->url)
		log_info("downloaded %llu of %llu bytes, the running version had the rest",
			 (unsigned long long)fetched, (unsigned long long)all);
	return rc;
}

/* What is known of the slot is written before the slot may be booted, so that its gate finds how
 * the machine was. Where nothing can be kept the update goes on without. */
static void write_down(const struct machine *machine, enum slot target, const struct manifest *m,
		       const struct before *before)
{
	struct slot_record r = { .result = RESULT_INSTALLED, .time_ns = clock_wall_ns(),
				 .before = *before };
	struct err e = { "" };

	memcpy(r.digest, m->digest, sizeof(r.digest));
	memcpy(r.version, m->version, sizeof(r.version));
	configtrial_read(r.config);
	if (machine->store < 0 || store_write_slot(machine->store, target, &r, &e) < 0)
		log_warn("what was installed cannot be written down: %s", e.text);
}

struct wish {
	bool force, whole;
	const char *from;             /* NULL: what was fetched, or the channel's */
	char digest[SHA256_HEX_MAX];  /* of the manifest that it must be; empty: any */
};

/* A signature alone lets a server hand out an older bundle under a newer one's name. */
static int check_digest(const struct wish *w, const struct manifest *m, struct err *e)
{
	if (!*w->digest || !strcmp(w->digest, m->digest))
		return 0;
	return err_set(e, -EBADMSG, "the bundle, %s, is not the one that the channel names", m->version);
}

/* Where the bundle is. `address` is room for one. */
static int resolve(struct wish *w, int store, struct settings *settings,
		   char address[URL_BYTES_MAX], const char **out, struct err *e)
{
	struct channel c;
	int rc;

	*out = w->from;
	facts_settings(settings);
	if (w->from)
		return 0;
	*out = STORE_PATH "/" FETCHED_NAME;
	if (store >= 0 && faccessat(store, FETCHED_NAME, R_OK, 0) == 0)
		return 0;
	rc = command_channel(NULL, settings, store, &c, e);
	if (rc < 0)
		return rc;
	snprintf(address, URL_BYTES_MAX, "%s", c.bundle);
	memcpy(w->digest, c.digest, sizeof(w->digest));
	*out = address;
	return 0;
}

static int install(struct wish *w, struct err *e)
{
	automachine struct machine machine = { .store = -1 };
	__attribute__((cleanup(source_close))) struct source source = { .fd = -1 };
	char address[URL_BYTES_MAX];
	struct settings settings;
	struct keyring keys = { 0 };
	struct before before;
	const char *from;
	enum slot target;
	int rc = machine_open(&machine, e);

	if (!rc)
		rc = resolve(w, machine.store, &settings, address, &from, e);
	if (!rc)
		rc = keyring_load(&keys, TRUST_KEYS_PATH, e);
	if (!rc)
		rc = source_open(&source, from, &settings.way, &keys, e);
	if (!rc)
		rc = check_digest(w, &source.manifest, e);
	if (rc < 0)
		return rc;
	log_info("%s, signed: %s", source.manifest.version, source.comment);
	rc = check_trust(&source.manifest, w->force, &machine, e);
	if (rc < 0)
		return rc;
	facts_all(&settings, &before);
	target = slot_other(machine.slots.running);
	rc = fill_slot(&machine, target, &source, w->whole, e);
	if (rc == -EBADMSG && !w->from && machine.store >= 0)
		unlinkat(machine.store, FETCHED_NAME, 0); /* to be fetched anew */
	if (rc < 0)
		return rc;
	write_down(&machine, target, &source.manifest, &before);
	bootstate_arm(&machine.state, target);
	rc = slots_write_state(&machine.slots, &machine.state, e);
	if (rc < 0)
		return rc;
	if (machine.store >= 0)
		unlinkat(machine.store, FETCHED_NAME, 0);
	log_info("%s is in slot %c and verified; the next boot tries it", source.manifest.version,
		 slot_letter(target));
	return 0;
}

int command_install(int argc, char **argv)
{
	struct wish wish = { .force = command_flag(&argc, argv, "--force"),
			     .whole = command_flag(&argc, argv, "--whole") };
	bool reboot = command_flag(&argc, argv, "--reboot");
	const char *digest = command_option(&argc, argv, "--digest");
	autoclose int held = -1;
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 1))
		return EXIT_USAGE;
	wish.from = argc > 1 ? argv[1] : NULL;
	snprintf(wish.digest, sizeof(wish.digest), "%s", digest ? digest : "");
	held = lock(&e);
	if (held < 0)
		return command_failed(&e);
	if (install(&wish, &e) < 0 || (reboot && command_reboot(&e) < 0))
		return command_failed(&e);
	return EXIT_OK;
}
