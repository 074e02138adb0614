/* "create". */
#include "oci/create_command.h"

#include <errno.h>

#include "oci/commands.h"
#include "oci/inherit.h"
#include "oci/protect.h"
#include "oci/state.h"

int create_take_options(struct create *c, const struct create_options *x, int argc, char **argv,
			int next, struct err *e)
{
	int rc = command_id(argc, argv, next, &c->id, e);

	if (rc < 0)
		return rc;
	if (x->no_pivot)
		return err_set(e, -EOPNOTSUPP,
			       "--no-pivot: a container whose root is only moved or chrooted can be "
			       "left, so the root is always pivoted");
	rc = inherit_preserve(x->preserve_fds, &c->preserve_fds, e);
	if (!rc)
		rc = inherit_listen(&c->preserve_fds, e);
	if (!rc)
		rc = inherit_close_rest(c->preserve_fds, e);
	return rc < 0 ? rc : state_check_id(c->id, e);
}

int cmd_create(const struct options *o, int argc, char **argv, struct err *e)
{
	struct create c = CREATE_INIT(o->root);
	struct create_options x = { 0 };
	const struct arg rows[] = { CREATE_ARGS(&c, &x), ARG_END };
	int rc = args_parse(rows, argc, argv, e);

	if (rc < 0)
		return rc;
	rc = create_take_options(&c, &x, argc, argv, rc, e);
	if (!rc)
		rc = create_read(&c, e);
	if (!rc)
		rc = protect_self(c.config.spec.linux_, o->argv, e);
	if (!rc)
		rc = create_container(&c, e);
	create_release(&c);
	return rc;
}
