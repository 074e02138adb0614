/* install: from a file or standard input into the slot that is not running. The order that a power
 * cut cannot break: the slot out of the boot state, its content (install.h), what is known of it,
 * and last one sector of boot state. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "update/bundle.h"
#include "update/command.h"
#include "update/facts.h"
#include "update/install.h"
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

struct source {
	int fd;
	char *stored;
};

static int next_chunk(void *arg, const struct image *image, uint32_t i, void *out, struct err *e)
{
	struct source *s = arg;

	return bundle_read_chunk(s->fd, image, i, s->stored, out, e);
}

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

static int read_manifest(int fd, bool force, struct manifest *m, const struct machine *machine,
			 struct err *e)
{
	char comment[SIGNATURE_COMMENT_MAX];
	struct keyring keys = { 0 };
	struct refusals refused;
	struct trust trust = { .refused = &refused, .force = force, .at_console = trust_at_console() };
	int rc = trust_of_this_machine(&trust, e);

	if (!rc)
		rc = keyring_load(&keys, TRUST_KEYS_PATH, e);
	if (!rc)
		rc = bundle_read_start(fd, &keys, m, comment, e);
	if (rc < 0)
		return rc;
	log_info("%s, signed: %s", m->version, comment);
	store_read_refusals(machine->store, &refused);
	return trust_check(&trust, m, e);
}

static int fill_slot(struct machine *machine, enum slot target, const struct manifest *m, int fd,
		     struct err *e)
{
	autofree char *stored = malloc(CHUNK_BYTES);
	struct source source = { fd, stored };
	struct shown shown = { .terminal = isatty(STDERR_FILENO) };
	const struct install in = {
		.manifest = m, .boot = machine->slots.boot[target], .root = machine->slots.root[target],
		.chunk = next_chunk, .chunk_arg = &source, .progress = show, .progress_arg = &shown,
	};
	int rc = stored ? install_check_room(&in, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		rc = bootstate_disarm(&machine->state, target, e);
	if (!rc)
		rc = slots_write_state(&machine->slots, &machine->state, e);
	if (!rc)
		rc = install_write(&in, e);
	show_end(&shown);
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
	if (machine->store < 0 || store_write_slot(machine->store, target, &r, &e) < 0)
		log_warn("what was installed cannot be written down: %s", e.text);
}

static int install(int fd, bool force, struct err *e)
{
	automachine struct machine machine = { .store = -1 };
	automanifest struct manifest m = { 0 };
	struct settings settings;
	struct before before;
	enum slot target;
	int rc = machine_open(&machine, e);

	if (!rc)
		rc = read_manifest(fd, force, &m, &machine, e);
	if (rc < 0)
		return rc;
	facts_settings(&settings);
	facts_all(&settings, &before);
	target = slot_other(machine.slots.running);
	rc = fill_slot(&machine, target, &m, fd, e);
	if (rc < 0)
		return rc;
	write_down(&machine, target, &m, &before);
	bootstate_arm(&machine.state, target);
	rc = slots_write_state(&machine.slots, &machine.state, e);
	if (!rc)
		log_info("%s is in slot %c and verified; the next boot tries it", m.version,
			 slot_letter(target));
	return rc;
}

int command_install(int argc, char **argv)
{
	bool force = command_flag(&argc, argv, "--force");
	bool reboot = command_flag(&argc, argv, "--reboot");
	autoclose int held = -1, fd = -1;
	struct err e = { "" };

	if (!command_words(argc, argv, 1, 1))
		return EXIT_USAGE;
	held = lock(&e);
	if (held < 0)
		return command_failed(&e);
	fd = strcmp(argv[1], "-") ? open(argv[1], O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (fd < 0) {
		err_sys(&e, "open \"%s\"", argv[1]);
		return command_failed(&e);
	}
	if (install(fd, force, &e) < 0 || (reboot && command_reboot(&e) < 0))
		return command_failed(&e);
	return EXIT_OK;
}
