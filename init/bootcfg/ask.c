#include "bootcfg/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "bootcfg/config.h"
#include "download/fetch.h"

static int once(const struct ask *a, struct fetch_ask *question, struct fetch_answer *answer,
		struct err *e)
{
	int code = fetch_ask(question, answer, e);

	/* While it starts, a service says so in several ways. */
	if (code == 0 && !a->answered && (answer->status >= 500 || answer->status == 429)) {
		code = err_set(e, -EAGAIN, "\"%s\" says %d", question->url, answer->status);
		fetch_answer_free(answer);
		*answer = (struct fetch_answer){ 0 };
	}
	return code;
}

static int ask_until_answered(struct ask *a, struct fetch_ask *question,
			      struct fetch_answer *answer, struct err *e)
{
	int64_t end = clock_boot_ms() + ASK_WAIT_MS;
	int code;

	question->seconds = ASK_FIRST_S;
	while ((code = once(a, question, answer, e)) < 0 && clock_boot_ms() < end)
		usleep(ASK_AGAIN_MS * 1000);
	if (code < 0)
		err_prefix(e, "no answer within %d s", ASK_WAIT_MS / 1000);
	return code;
}

/* `patient`: until the first answer is there, for a bounded time. */
static int ask_any(struct ask *a, const struct ask_words *w, bool patient, struct buf *out,
		   struct err *e)
{
	autobuf struct buf url = { 0 }, lines = { 0 };
	autoanswer struct fetch_answer answer = { 0 };
	struct fetch_ask question = {
		.method = w->method, .body = w->body, .body_bytes = w->body ? strlen(w->body) : 0,
		.max = CONFIG_TEXT_MAX, .redirects = a->redirects,
		.seconds = a->answered ? ASK_LATER_S : ASK_FIRST_S,
		.tries = a->answered ? ASK_LATER_TRIES : 1,
	};
	int code;

	buf_addf(&url, "%s%s", a->base, w->path);
	buf_addf(&lines, "%s%s", a->headers, w->headers ? w->headers : "");
	if (!buf_ok(&url) || !buf_ok(&lines))
		return err_set(e, -ENOMEM, "there is not enough memory");
	question.url = url.data;
	question.headers = buf_text(&lines);
	code = a->answered || !patient ? once(a, &question, &answer, e) :
					 ask_until_answered(a, &question, &answer, e);
	if (code < 0)
		return code;
	a->answered |= patient;
	buf_reset(out);
	buf_add(out, buf_text(&answer.body), answer.body.len);
	return answer.status;
}

int ask_send(struct ask *a, const struct ask_words *w, struct buf *out, struct err *e)
{
	return ask_any(a, w, true, out, e);
}

int ask_try(struct ask *a, const struct ask_words *w, struct buf *out, struct err *e)
{
	return ask_any(a, w, false, out, e);
}

int ask_get(struct ask *a, const char *path, struct buf *out, struct err *e)
{
	return ask_send(a, &(struct ask_words){ .method = "GET", .path = path }, out, e);
}

static int judge(const struct ask *a, const char *path, int status, bool may_miss, struct buf *out,
		 struct err *e)
{
	if (status < 0 || status == 200)
		return status < 0 ? status : 0;
	buf_reset(out);
	if (may_miss && (status == 404 || status == 204))
		return 0;
	return err_set(e, -EIO, "\"%s%s\": the answer is %d, 200 was expected", a->base, path, status);
}

int ask_need(struct ask *a, const char *path, struct buf *out, struct err *e)
{
	return judge(a, path, ask_get(a, path, out, e), false, out, e);
}

int ask_maybe(struct ask *a, const char *path, struct buf *out, struct err *e)
{
	return judge(a, path, ask_get(a, path, out, e), true, out, e);
}
