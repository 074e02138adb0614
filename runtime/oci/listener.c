#include "oci/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "yyjson.h"

static int connect_to(const char *path, struct err *e)
{
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, -ENAMETOOLONG, "linux.seccomp.listenerPath: \"%s\" is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "linux.seccomp.listenerPath: connect to \"%s\"", path);
	return take_fd(&fd);
}

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
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { .iov_base = text, .iov_len = text ? strlen(text) : 0 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	fd = connect_to(filter->listener_path, e);
	if (fd < 0)
		return fd;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &listener, sizeof(listener));
	/* The fd goes with the first bytes; a long state may take more than one call. */
	n = sendmsg(fd, &m, MSG_NOSIGNAL);
	if (n < 0 || file_write_all(fd, text + n, data.iov_len - (size_t)n) < 0)
		return err_sys(e, "linux.seccomp.listenerPath: send to \"%s\"", filter->listener_path);
	return 0;
}
