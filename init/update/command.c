#include "update/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/initctl.h"
#include "base/log.h"
#include "update/store.h"

int machine_open(struct machine *m, struct err *e)
{
	struct err ignored = { "" };
	int rc;

	m->store = store_open(STORE_PATH, &ignored);
	if (m->store < 0)
		log_warn("%s", ignored.text);
	rc = slots_find(&m->slots, e);
	if (!rc && m->slots.in_memory)
		rc = err_set(e, -ENODEV, "the system runs in memory: its next version is what the network "
			     "brings at the next boot");
	return rc < 0 ? rc : slots_read_state(&m->slots, &m->state, e);
}

void machine_close(struct machine *m)
{
	if (m->store >= 0)
		close(m->store);
	m->store = -1;
}

int command_failed(const struct err *e)
{
	log_error("%s", e->text);
	return EXIT_FAILED;
}

bool command_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], name) != 0)
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(argv[0]));
		--*argc;
		return true;
	}
	return false;
}

const char *command_option(int *argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], name) != 0)
			continue;
		memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof(argv[0]));
		*argc -= 2;
		return value;
	}
	return NULL;
}

bool command_words(int argc, char **argv, int min, int max)
{
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1]) {
			log_error("%s: there is no option \"%s\" (berth update --help)", argv[0], argv[i]);
			return false;
		}
	if (argc - 1 >= min && argc - 1 <= max)
		return true;
	log_error("%s: expected %s (berth update --help)", argv[0],
		  argc - 1 < min ? "an argument" : "fewer arguments");
	return false;
}

int command_reboot(struct err *e)
{
	autobuf struct buf answer = { 0 };

	return initctl_ask("reboot", &answer, e);
}
