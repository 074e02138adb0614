/* What PID 1's gate and people decide about the configuration on trial. */
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "bootcfg/commands.h"
#include "bootcfg/trial.h"

static int open_folder(struct err *e)
{
	int rc = path_mkdirs(TRIAL_FOLDER, 0700, e), fd;

	if (rc < 0)
		return rc;
	fd = open(TRIAL_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open \"%s\"", TRIAL_FOLDER) : fd;
}

static int said(int rc, const struct err *e)
{
	if (rc < 0)
		log_error("%s", e->text);
	return rc < 0;
}

int command_keep(int count, char **arguments)
{
	struct err e = { "" };
	autoclose int folder = open_folder(&e);
	int rc = folder < 0 ? folder : change_confirm(&e);

	(void)count;
	(void)arguments;
	if (rc >= 0)
		rc = trial_keep(folder, &e);
	/* The gate of this boot has nothing to decide about it any more. */
	if (rc >= 0)
		rc = file_replace_at(AT_FDCWD, "/run/berth/config-kept", "", 0, 0600, &e);
	return said(rc, &e);
}

int command_refuse(int count, char **reason)
{
	const char *beside = count > 1 ? reason[1] : NULL;
	struct err e = { "" };
	autoclose int folder = open_folder(&e);

	return said(folder < 0 ? folder : trial_refuse(folder, reason[0], beside, &e), &e);
}

int command_give_back(int count, char **arguments)
{
	struct err e = { "" };
	autoclose int folder = open_folder(&e);

	(void)count;
	(void)arguments;
	return said(folder < 0 ? folder : trial_give_back(folder, &e), &e);
}

int command_forget(int count, char **beside)
{
	struct err e = { "" };
	autoclose int folder = open_folder(&e);
	int forgotten = folder < 0 ? folder : trial_forget(folder, count ? beside[0] : NULL, &e);

	if (forgotten >= 0)
		log_info("%d refused configuration%s forgotten", forgotten, forgotten == 1 ? "" : "s");
	return said(forgotten, &e);
}
