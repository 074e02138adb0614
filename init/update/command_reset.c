/* reset: what `berth reset` asks, and how the next boot is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/initctl.h"
#include "base/log.h"
#include "update/reset.h"
#include "update/volume.h"

enum { EXIT_USAGE = 2, HOST_BYTES_MAX = 65 };

static const char usage[] =
	"Usage:  berth reset [--keep-data] [--erase NAME]\n\n"
	"Back to the state of a machine that was just installed; it restarts. Everything on the data\n"
	"partition is lost: volumes, images, containers, logs, the configuration that was installed,\n"
	"SSH host key, machine id, the history of boots and updates. With --keep-data volumes, images,\n"
	"the installed configuration, host key and machine id stay. The version stays in any case.\n"
	"The machine's name is asked for, or given with --erase.\n";

static bool confirmed(bool keep_data, const char *erase)
{
	char host[HOST_BYTES_MAX] = "", line[HOST_BYTES_MAX + 2] = "";

	gethostname(host, sizeof(host) - 1);
	if (erase)
		return !strcmp(erase, host);
	fprintf(stderr, "%s on this machine will be LOST. Type its name, %s, to go on: ",
		keep_data ? "Everything but volumes and images" : "EVERYTHING", host);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, host);
}

static int mark_for_reset(bool keep_data, struct err *e)
{
	struct volume v = { 0 };
	autobuf struct buf answer = { 0 };
	autoclose int var = -1;
	int rc = volume_find(&v, e);

	if (rc < 0)
		return rc;
	if (!keep_data) {
		rc = *v.disk ? volume_set_empty(&v, true, e) :
			       err_set(e, -ENOTSUP, "%s was named by berth.data=: blank its first MiB", v.device);
	} else {
		var = open("/var", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = var < 0 ? err_sys(e, "open /var") : reset_mark(var, e);
	}
	if (rc < 0)
		return rc;
	rc = initctl_ask("reboot", &answer, e);
	if (rc < 0)
		err_prefix(e, "the machine is reset when it starts the next time, but does not restart");
	return rc;
}

int reset_command(int argc, char **argv)
{
	const char *erase = NULL;
	bool keep_data = false;
	struct err e = { 0 };

	log_name("reset");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(usage, stdout) < 0;
		if (!strcmp(argv[i], "--keep-data"))
			keep_data = true;
		else if (!strcmp(argv[i], "--erase") && i + 1 < argc)
			erase = argv[++i];
		else
			return fputs(usage, stderr) < 0 ? 1 : EXIT_USAGE;
	}
	if (!confirmed(keep_data, erase))
		err_set(&e, -EPERM, "nothing was changed: that is not this machine's name");
	else if (mark_for_reset(keep_data, &e) == 0)
		return 0;
	log_error("%s", e.text);
	return 1;
}
