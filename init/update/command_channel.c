/* check, fetch: what the channel on a web server has. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "update/bundle.h"
#include "update/channel.h"
#include "update/command.h"
#include "update/facts.h"
#include "update/store.h"
#include "update/trust.h"

int command_channel(const char *url, struct settings *settings, int store, struct channel *out,
		    struct err *e)
{
	struct keyring keys = { 0 };
	int rc;

	facts_settings(settings);
	if (!url)
		url = settings->channel;
	if (!*url)
		return err_set(e, -ENOENT, "no channel is configured (berth.update.channel), and none was given");
	rc = keyring_load(&keys, TRUST_KEYS_PATH, e);
	return rc < 0 ? rc : channel_fetch(url, &settings->way, &keys, store, out, e);
}

bool command_is_running(const struct machine *m, const char *version, const struct channel *c)
{
	struct slot_record r;

	if (m->store >= 0 && store_read_slot(m->store, m->slots.running, &r, NULL) == 0 && *r.digest)
		return !strcmp(r.digest, c->digest);
	return !strcmp(version, c->version);
}

static void print_answer(const struct machine *m, const struct trust *self, const struct channel *c)
{
	const struct refusal *r = refusals_find(self->refused, c->digest);

	printf("running  %s\nchannel  %s has %s, %llu.%llu MiB\n", self->running, c->name, c->version,
	       (unsigned long long)(c->bytes >> 20),
	       (unsigned long long)((c->bytes & ((1 << 20) - 1)) * 10 >> 20));
	if (command_is_running(m, self->running, c))
		printf("         which is running\n");
	else if (r)
		printf("         which is refused, because it failed here: %s\n", r->reason);
	else
		printf("         berth update install\n");
}

int command_check(int argc, char **argv)
{
	automachine struct machine m = { .store = -1 };
	struct settings settings;
	struct refusals refused = { 0 };
	struct trust self = { .refused = &refused };
	struct channel c;
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 1))
		return EXIT_USAGE;
	if (machine_open(&m, &e) < 0 || trust_of_this_machine(&self, &e) < 0 ||
	    command_channel(argc > 1 ? argv[1] : NULL, &settings, m.store, &c, &e) < 0)
		return command_failed(&e);
	if (m.store >= 0)
		store_read_refusals(m.store, &refused);
	print_answer(&m, &self, &c);
	return EXIT_OK;
}

/* ---- fetch ---- */

/* What arrived is the bundle that the channel names: its manifest is; the rest is checked by the
 * installation, chunk by chunk. */
static int check_fetched(int store, const char *name, const struct channel *c, struct err *e)
{
	automanifest struct manifest m = { 0 };
	struct keyring keys = { 0 };
	autoclose int fd = openat(store, name, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? err_sys(e, "open \"%s\"", name) : keyring_load(&keys, TRUST_KEYS_PATH, e);

	if (!rc)
		rc = bundle_read_start(fd, &keys, &m, NULL, e);
	if (!rc && strcmp(m.digest, c->digest) != 0)
		rc = err_set(e, -EBADMSG, "the server's bundle is not the one that its channel names");
	return rc;
}

/* A part that an earlier try left, also before a reboot, is gone on with. */
static int fetch(int store, const struct channel *c, const struct fetch_way *way, struct err *e)
{
	char part[SHA256_HEX_MAX + 8];
	autoclose int fd = -1;
	struct fetch_request r = { .url = c->bundle, .way = way, .parts = -1 };
	struct fetch f;
	struct stat st;
	int rc;

	snprintf(part, sizeof(part), "%s.part", c->digest);
	fd = openat(store, part, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open \"%s\"", part);
	if ((uint64_t)st.st_size < c->bytes) {
		r.into = fd;
		r.offset = (uint64_t)st.st_size;
		r.max = c->bytes - r.offset;
		rc = fetch_start(&r, &f, e);
		if (!rc)
			rc = fetch_end(&f, e);
		if (rc < 0)
			return rc;
	}
	rc = check_fetched(store, part, c, e);
	if (rc < 0) {
		unlinkat(store, part, 0);
		return rc;
	}
	if (fsync(fd) < 0 || renameat(store, part, store, FETCHED_NAME) < 0 || fsync(store) < 0)
		return err_sys(e, "keep what was fetched");
	return 0;
}

int command_fetch(int argc, char **argv)
{
	struct settings settings;
	struct channel c;
	autoclose int store = -1;
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 1))
		return EXIT_USAGE;
	store = store_open(STORE_PATH, &e);
	if (store < 0 || command_channel(argc > 1 ? argv[1] : NULL, &settings, store, &c, &e) < 0 ||
	    fetch(store, &c, &settings.way, &e) < 0)
		return command_failed(&e);
	log_info("%s is in %s; berth update install installs it", c.version, STORE_PATH "/" FETCHED_NAME);
	return EXIT_OK;
}
