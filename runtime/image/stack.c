#include "image/stack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

void stack_free(struct stack *s)
{
	for (size_t i = 0; i < s->lower_count; i++)
		free(s->lower[i]);
	free(s->lower);
	free(s->upper);
	free(s->work);
	*s = (struct stack){ 0 };
}

static int out_of_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "overlay stack: out of memory");
}

int stack_add_lower(struct stack *s, const char *dir, struct err *e)
{
	char **lower;

	if (s->lower_count == STACK_LOWER_MAX)
		return err_set(e, -E2BIG, "overlay stack: more than %d layers", STACK_LOWER_MAX);
	lower = reallocarray(s->lower, s->lower_count + 1, sizeof(*lower));
	if (!lower)
		return out_of_memory(e);
	s->lower = lower;
	lower[s->lower_count] = strdup(dir);
	if (!lower[s->lower_count])
		return out_of_memory(e);
	s->lower_count++;
	return 0;
}

static size_t parent_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool path_fits(const char *path)
{
	return *path == '/' && path[1] && path[strlen(path) - 1] != '/' && !strchr(path, '\n');
}

static int check(const struct stack *s, struct err *e)
{
	if (!s->lower_count)
		return err_set(e, -EINVAL, "overlay stack: no layer");
	for (size_t i = 0; i < s->lower_count; i++)
		if (!path_fits(s->lower[i]))
			return err_set(e, -EINVAL, "overlay stack: \"%s\" is not a usable absolute path",
				       s->lower[i]);
	if (!s->upper != !s->work)
		return err_set(e, -EINVAL, "overlay stack: upper and work belong together");
	if (!s->upper)
		return 0;
	/* Overlayfs wants both on one mount, and an id-mapped parent is that mount. */
	if (!path_fits(s->upper) || !path_fits(s->work) ||
	    parent_length(s->upper) != parent_length(s->work) ||
	    strncmp(s->upper, s->work, parent_length(s->upper)) != 0)
		return err_set(e, -EINVAL, "overlay stack: \"%s\" and \"%s\" must be siblings", s->upper,
			       s->work);
	return 0;
}

int stack_write(const struct stack *s, int dir, const char *name, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = check(s, e);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s->lower_count; i++)
		buf_addf(&text, "lower %s\n", s->lower[i]);
	if (s->upper)
		buf_addf(&text, "upper %s\nwork %s\n", s->upper, s->work);
	if (s->idmap_size)
		buf_addf(&text, "idmap %" PRIu32 " %" PRIu32 "\n", s->idmap_base, s->idmap_size);
	if (!buf_ok(&text))
		return out_of_memory(e);
	return file_replace_at(dir, name, text.data, text.len, 0600, e);
}

static int set_once(char **path, const char *value)
{
	if (*path)
		return -EINVAL;
	*path = strdup(value);
	return *path ? 0 : -ENOMEM;
}

static int read_lower(struct stack *s, const char *value)
{
	return stack_add_lower(s, value, NULL);
}

static int read_upper(struct stack *s, const char *value)
{
	return set_once(&s->upper, value);
}

static int read_work(struct stack *s, const char *value)
{
	return set_once(&s->work, value);
}

static int read_idmap(struct stack *s, const char *value)
{
	int end = 0;

	if (s->idmap_size || strspn(value, "0123456789 ") != strlen(value) ||
	    sscanf(value, "%" SCNu32 " %" SCNu32 "%n", &s->idmap_base, &s->idmap_size, &end) != 2 ||
	    value[end] || !s->idmap_size || s->idmap_base > UINT32_MAX - s->idmap_size)
		return -EINVAL;
	return 0;
}

static const struct {
	const char *word;
	int (*read)(struct stack *s, const char *value);
} words[] = {
	{ "lower", read_lower },
	{ "upper", read_upper },
	{ "work", read_work },
	{ "idmap", read_idmap },
};

static int read_line(struct stack *s, char *line)
{
	char *space = strchr(line, ' ');

	if (!space)
		return -EINVAL;
	*space = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].word, line))
			return words[i].read(s, space + 1);
	return -EINVAL;
}

int stack_read(struct stack *out, int dir, const char *name, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct stack s = { 0 };
	int number = 0;
	int rc = file_read_at(dir, name, STACK_FILE_MAX, &text, e);

	if (rc < 0)
		return rc;
	for (char *line = text.data, *end; !rc && line && *line; line = end) {
		end = strchrnul(line, '\n');
		if (*end)
			*end++ = '\0';
		number++;
		rc = read_line(&s, line);
		if (rc < 0)
			err_set(e, rc, "\"%s\" line %d: not a line of an overlay stack", name, number);
	}
	if (!rc)
		rc = check(&s, e);
	if (rc < 0) {
		stack_free(&s);
		return rc;
	}
	*out = s;
	return 0;
}
