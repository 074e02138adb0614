#include "oci/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/fdpass.h"
#include "yyjson.h"

static char *process_state(const struct filter *filter, pid_t pid, const struct hook_state *state)
{
	autofree char *inner = hook_state_text(state);
	yyjson_doc *parsed = inner ? yyjson_read(inner, strlen(inner), 0) : NULL;
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc && parsed ? yyjson_mut_obj(doc) : NULL;
	char *text = NULL;

	if (root) {
		yyjson_mut_val *fds = yyjson_mut_arr(doc);

		yyjson_mut_doc_set_root(doc, root);
		yyjson_mut_arr_add_str(doc, fds, "seccompFd");
		yyjson_mut_obj_add_str(doc, root, "ociVersion", state->version);
		yyjson_mut_obj_add_val(doc, root, "fds", fds);
		yyjson_mut_obj_add_int(doc, root, "pid", pid);
		if (filter->listener_metadata)
			yyjson_mut_obj_add_str(doc, root, "metadata", filter->listener_metadata);
		yyjson_mut_obj_add_val(doc, root, "state",
				       yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed)));
		text = yyjson_mut_write(doc, 0, NULL);
	}
	yyjson_mut_doc_free(doc);
	yyjson_doc_free(parsed);
	return text;
}

int listener_send(const struct filter *filter, int listener, pid_t pid,
		  const struct hook_state *state, struct err *e)
{
	autofree char *text = process_state(filter, pid, state);
	autoclose int fd = -1;
	int rc;

	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	fd = fdpass_connect(filter->listener_path, "linux.seccomp.listenerPath", e);
	rc = fd < 0 ? fd : fdpass_send(fd, listener, text);
	return rc < 0 && fd >= 0 ? err_code(e, rc, "linux.seccomp.listenerPath: send to \"%s\"",
					    filter->listener_path) :
				   rc;
}
