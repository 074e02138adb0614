#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/commands.h"
#include "oci/state.h"

/* Source: runtime-spec runtime.md, "State"; rootfs, created and owner are runc's. */
static char *state_text(const struct state *s, enum status status)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
	yyjson_mut_val *notes = root ? yyjson_mut_obj(doc) : NULL;
	char *text = NULL;

	if (notes) {
		yyjson_mut_doc_set_root(doc, root);
		yyjson_mut_obj_add_str(doc, root, "ociVersion", s->ociVersion);
		yyjson_mut_obj_add_str(doc, root, "id", s->id);
		yyjson_mut_obj_add_int(doc, root, "pid",
				       status == STATUS_STOPPED ? 0 : s->pid);
		yyjson_mut_obj_add_str(doc, root, "status", status_name(status));
		yyjson_mut_obj_add_str(doc, root, "bundle", s->bundle);
		yyjson_mut_obj_add_str(doc, root, "rootfs", s->rootfs);
		yyjson_mut_obj_add_str(doc, root, "created", s->created);
		for (size_t i = 0; i < s->annotations.count; i++)
			yyjson_mut_obj_add_str(doc, notes, s->annotations.items[i].name,
					       s->annotations.items[i].value);
		if (s->annotations.count)
			yyjson_mut_obj_add_val(doc, root, "annotations", notes);
		yyjson_mut_obj_add_str(doc, root, "owner", "");
		text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, NULL);
	}
	yyjson_mut_doc_free(doc);
	return text;
}

int cmd_state(const struct options *o, int argc, char **argv, struct err *e)
{
	autostate struct state s = { 0 };
	autofree char *text = NULL;
	autoclose int dir = -1;
	const char *id;
	int rc = command_only_id(argc, argv, &id, e);

	dir = rc < 0 ? rc : state_load(o->root, id, false, &s, e);
	if (dir < 0)
		return dir;
	text = state_text(&s, state_status(dir, &s));
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	return puts(text) < 0 ? err_sys(e, "write the state") : 0;
}
