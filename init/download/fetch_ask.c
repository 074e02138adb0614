/* fetch_ask: the request goes to the program's standard input, the answer comes whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "download/fetch.h"

enum { BODY_MAX = 1024 * 1024, HEAD_MAX = 66 * 1024, SECONDS = 30, NUMBER_MAX = 24 };

void fetch_answer_free(struct fetch_answer *a)
{
	buf_free(&a->headers);
	buf_free(&a->body);
}

/* A file in memory that holds the request, at its beginning; or -errno. */
static int write_request(const struct fetch_ask *ask, struct err *e)
{
	autobuf struct buf text = { 0 };
	autoclose int file = memfd_create("request", MFD_CLOEXEC);
	int rc;

	buf_adds(&text, ask->headers ? ask->headers : "");
	buf_addc(&text, '\n');
	buf_add(&text, ask->body, ask->body ? ask->body_bytes : 0);
	rc = !buf_ok(&text) ? -ENOMEM : file < 0 ? -errno : file_write_all(file, text.data, text.len);
	if (rc == 0 && lseek(file, 0, SEEK_SET) < 0)
		rc = -errno;
	return rc < 0 ? err_code(e, rc, "write the request to \"%s\"", ask->url) : take_fd(&file);
}

static int start(const struct fetch_ask *ask, int request, int out, struct child *child,
		 struct err *e)
{
	char max[NUMBER_MAX], tries[NUMBER_MAX], seconds[NUMBER_MAX], redirects[NUMBER_MAX];
	char http[URL_BYTES_MAX + 16], https[URL_BYTES_MAX + 16];
	const char *const environment[] = { http, https, NULL };
	/* Said, because the program would ask the host's configuration else (base/proxy.h). */
	static const char *const direct[] = { "no_proxy=*", NULL };
	const char *ca = ask->way && *ask->way->ca ? ask->way->ca : NULL;
	const char *const argv[] = {
		fetch_program, "--ask", ask->method ? ask->method : "GET", "--max", max, "--tries", tries,
		"--seconds", seconds, "--redirects", redirects, ask->url, ca ? "--ca" : NULL, ca, NULL,
	};
	const struct spawn_fd fds[] = {
		{ request, STDIN_FILENO }, { out, STDOUT_FILENO }, { STDERR_FILENO, STDERR_FILENO },
	};
	struct spawn s = { .argv = argv, .fds = fds, .fd_count = ARRAY_LEN(fds), .envp = direct };

	snprintf(max, sizeof(max), "%zu", ask->max ? ask->max : (size_t)BODY_MAX);
	snprintf(tries, sizeof(tries), "%u", ask->tries ? ask->tries : 1);
	snprintf(seconds, sizeof(seconds), "%u", ask->seconds ? ask->seconds : (unsigned)SECONDS);
	snprintf(redirects, sizeof(redirects), "%u", ask->redirects);
	if (ask->way) {
		snprintf(http, sizeof(http), "http_proxy=%s", ask->way->proxy);
		snprintf(https, sizeof(https), "https_proxy=%s", ask->way->proxy);
		/* Without one of the configuration's the variables of the person who asks count. */
		s.envp = *ask->way->proxy ? environment : NULL;
	}
	return spawn(&s, child, e);
}

/* "STATUS\n", header lines, an empty line, the body. */
static int take_answer(const struct buf *text, struct fetch_answer *out, struct err *e)
{
	const char *head = strchr(buf_text(text), '\n'), *end;
	struct fetch_answer a = { .status = atoi(buf_text(text)) };

	/* No header at all: the empty line comes at once. */
	end = head ? head[1] == '\n' ? head : strstr(head, "\n\n") : NULL;
	if (!end)
		return err_set(e, -EIO, "the download program gave a strange answer");
	if (end > head)
		buf_add(&a.headers, head + 1, (size_t)(end - head));
	buf_add(&a.body, end + 2, (size_t)(text->data + text->len - end) - 2);
	if (!buf_ok(&a.headers) || !buf_ok(&a.body)) {
		fetch_answer_free(&a);
		return err_set(e, -ENOMEM, "there is not enough memory");
	}
	*out = a;
	return 0;
}

int fetch_ask(const struct fetch_ask *ask, struct fetch_answer *out, struct err *e)
{
	autoclose int request = write_request(ask, e);
	autobuf struct buf text = { 0 };
	struct child child;
	int ends[2], rc, code;

	if (request < 0)
		return request;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	rc = start(ask, request, ends[1], &child, e);
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		return rc;
	}
	rc = file_read_fd(ends[0], HEAD_MAX + (ask->max ? ask->max : (size_t)BODY_MAX), &text, e);
	close(ends[0]);
	code = spawn_wait(&child);
	if (rc < 0)
		return rc;
	if (code == 0)
		return take_answer(&text, out, e);
	return text.len ? err_set(e, -EIO, "%s", buf_text(&text)) :
			  err_set(e, -EIO, "the download of \"%s\" failed", ask->url);
}

bool fetch_header(const struct fetch_answer *a, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	for (const char *at = buf_text(&a->headers); *at; at += strcspn(at, "\n") + 1) {
		const char *value = at + len + 1;
		size_t bytes;

		if (strncasecmp(at, name, len) != 0 || at[len] != ':')
			continue;
		value += strspn(value, " \t");
		bytes = strcspn(value, "\n");
		snprintf(out, size, "%.*s", (int)(bytes < size ? bytes : size), value);
		return true;
	}
	return false;
}
