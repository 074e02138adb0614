#include "pid1/steps.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "pid1/say.h"

static const char *const names[] = {
	[STEP_OK] = "ok", [STEP_LATE] = "late", [STEP_FAILED] = "failed",
};

const char *step_state_name(enum step_state s)
{
	return names[s];
}

static void on_alarm(int sig)
{
	(void)sig; /* its purpose is the EINTR */
}

/* Repeats, so that a call that is tried again after EINTR is interrupted again. */
static void set_alarm(int ms)
{
	struct sigaction action = { .sa_handler = ms ? on_alarm : SIG_IGN };
	struct itimerval timer = {
		.it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
		.it_interval = { .tv_sec = ms ? 1 : 0 },
	};

	sigaction(SIGALRM, &action, NULL); /* no SA_RESTART */
	setitimer(ITIMER_REAL, &timer, NULL);
}

static struct step_result run_one(const struct step *s, struct machine *m)
{
	struct step_result r = { .name = s->name, .on_failure = s->on_failure };
	struct err text = { 0 };
	int rc;

	r.start_ms = clock_boot_ms();
	set_alarm(s->deadline_ms);
	rc = s->run(m, &text);
	set_alarm(0);
	r.took_ms = clock_boot_ms() - r.start_ms;
	r.state = rc < 0 ? STEP_FAILED : r.took_ms > s->deadline_ms ? STEP_LATE : STEP_OK;
	if (rc < 0 && !text.text[0])
		err_set(&text, rc, "%s", strerror(-rc));
	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1, text.text);
	return r;
}

void steps_run(const struct step *steps, size_t count, struct machine *m, struct step_log *log,
	       const struct step_result **rescue)
{
	for (size_t i = 0; i < count && log->count < STEPS_MAX; i++) {
		struct step_result *r = &log->results[log->count++];

		*r = run_one(&steps[i], m);
		say_outcome(r->name, names[r->state], r->took_ms, r->text);
		if (r->state == STEP_FAILED && r->on_failure == STEP_RESCUE && !*rescue)
			*rescue = r;
	}
}

bool steps_degraded(const struct step_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->results[i].state == STEP_FAILED && log->results[i].on_failure != STEP_IGNORE)
			return true;
	return false;
}
