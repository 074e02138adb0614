#include "cli/config_show.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "cli/json.h"

enum { COLUMN = 44 }; /* where the sources stand, if there is room */

/* A path that a file names (init/bootcfg/origins.h). */
struct written {
	const char *path, *file;
	long line;   /* 0: somewhere in it */
	size_t rank; /* of the file: the later one counts */
};

struct shower {
	struct written *written; /* by path, then by rank; owned */
	size_t count;
	struct buf path;         /* of the value that is looked at */
	struct buf *out;         /* lines; or NULL and ... */
	yyjson_mut_doc *doc;
	yyjson_mut_val *sources; /* ... path -> source */
};

/* The value that is looked at: what stands in front of it, and where it comes from. */
struct place {
	unsigned indent;
	const char *key;           /* NULL: an item */
	bool dash;                 /* the first line of an item begins with it */
	const struct written *origin; /* NULL: nobody has written it */
	bool whole;                /* within a value that no other file is merged into */
};

static int compare(const void *a, const void *b)
{
	const struct written *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	return order ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

static int index_origins(struct shower *s, yyjson_val *origins)
{
	yyjson_val *file, *paths, *path, *line;
	size_t i, max, k, k_max, room = 0;

	yyjson_obj_foreach(origins, i, max, file, paths)
		room += yyjson_obj_size(paths);
	s->written = calloc(room + 1, sizeof(*s->written));
	if (!s->written)
		return -ENOMEM;
	yyjson_obj_foreach(origins, i, max, file, paths)
		yyjson_obj_foreach(paths, k, k_max, path, line)
			s->written[s->count++] = (struct written){ yyjson_get_str(path), yyjson_get_str(file),
								   (long)yyjson_get_sint(line), i };
	qsort(s->written, s->count, sizeof(*s->written), compare);
	return 0;
}

/* The last file that names the path, or NULL. */
static const struct written *find(const struct shower *s, const char *path)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->written[middle].path, path) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && strcmp(s->written[low - 1].path, path) == 0 ? &s->written[low - 1] : NULL;
}

/* Within a list, or an item that replaced another one, another file's line is of what is gone. */
static const struct written *origin_of(const struct shower *s, const struct place *above)
{
	const struct written *own = find(s, buf_text(&s->path));

	if (!own || (above->whole && above->origin && strcmp(own->file, above->origin->file) != 0))
		return above->origin;
	return own;
}

static void add_source(const struct written *w, struct buf *out)
{
	if (!w)
		buf_adds(out, "default");
	else if (w->line > 0)
		buf_addf(out, "%s:%ld", w->file, w->line);
	else
		buf_adds(out, w->file);
}

/* ---- YAML ---- */

static bool is_plain(const char *text)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null" };
	size_t len = strlen(text);

	if (!isalpha((unsigned char)*text) && *text != '/')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	for (const char *at = text; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("/._@+-=:, ", *at))
			return false;
	return text[len - 1] != ' ' && text[len - 1] != ':' && !strstr(text, ": ");
}

static void add_scalar(yyjson_val *v, struct buf *out)
{
	const char *text = yyjson_get_str(v);
	autofree char *json = NULL;

	if (text && is_plain(text)) {
		buf_adds(out, text);
		return;
	}
	json = yyjson_val_write(v, 0, NULL);
	buf_adds(out, json ? json : "null");
}

static void add_front(const struct place *p, struct buf *line)
{
	for (unsigned i = 0; i < p->indent; i++)
		buf_addc(line, ' ');
	if (p->dash)
		buf_adds(line, "- ");
	if (p->key && is_plain(p->key))
		buf_adds(line, p->key);
	else if (p->key)
		buf_add_json_string(line, p->key, strlen(p->key));
	if (p->key)
		buf_addc(line, ':');
}

static void add_leaf(struct shower *s, yyjson_val *v, const struct place *p)
{
	autobuf struct buf line = { 0 }, source = { 0 };

	add_source(p->origin, &source);
	if (!s->out) {
		yyjson_mut_obj_add(s->sources, yyjson_mut_strcpy(s->doc, buf_text(&s->path)),
				   yyjson_mut_strcpy(s->doc, buf_text(&source)));
		return;
	}
	add_front(p, &line);
	if (p->key)
		buf_addc(&line, ' ');
	add_scalar(v, &line);
	while (line.len + 2 < COLUMN)
		buf_addc(&line, ' ');
	buf_addf(s->out, "%s  # %s\n", buf_text(&line), buf_text(&source));
}

static void show(struct shower *s, yyjson_val *v, const struct place *p);

static void show_below(struct shower *s, yyjson_val *v, const struct place *above, struct place *p,
		       size_t path_before)
{
	p->origin = origin_of(s, above);
	show(s, v, p);
	s->path.len = path_before;
	if (s->path.data)
		s->path.data[path_before] = '\0';
}

/* Where what belongs to this value begins. */
static unsigned indent_below(const struct place *p)
{
	return p->indent + (p->dash ? 2 : 0) + (p->key ? 2 : 0);
}

static void show_object(struct shower *s, yyjson_val *object, const struct place *p)
{
	bool dash = p->dash && !p->key; /* the first key stands in the item's own line */
	yyjson_val *key, *item;
	size_t i, max;

	yyjson_obj_foreach(object, i, max, key, item) {
		size_t before = s->path.len;
		struct place below = { .indent = dash ? p->indent : indent_below(p), .dash = dash,
				       .key = yyjson_get_str(key), .whole = p->whole };

		buf_addf(&s->path, before ? ".%s" : "%s", below.key);
		show_below(s, item, p, &below, before);
		dash = false;
	}
}

static void show_list(struct shower *s, yyjson_val *list, const struct place *p)
{
	bool keys = strcmp(buf_text(&s->path), "ssh_authorized_keys") == 0; /* added, file by file */
	yyjson_val *item;
	size_t i, max;

	yyjson_arr_foreach(list, i, max, item) {
		const char *name = yyjson_get_str(yyjson_obj_get(item, "name"));
		struct place below = { .indent = indent_below(p), .dash = true, .whole = true };
		struct place above = *p;
		size_t before = s->path.len;

		/* Those with names replace each other one by one. */
		above.whole = p->whole || !(name || keys);
		if (name)
			buf_addf(&s->path, ".%s", name);
		else
			buf_addf(&s->path, "[%zu]", i);
		show_below(s, item, &above, &below, before);
	}
}

static void show(struct shower *s, yyjson_val *v, const struct place *p)
{
	autobuf struct buf line = { 0 };

	if (!yyjson_is_ctn(v) || unsafe_yyjson_get_len(v) == 0) {
		add_leaf(s, v, p);
		return;
	}
	if (s->out && (p->key || yyjson_is_arr(v))) {
		add_front(p, &line);
		if (!p->key) /* a list in a list */
			line.len--;
		buf_addf(s->out, "%.*s\n", (int)line.len, buf_text(&line));
	}
	if (yyjson_is_obj(v))
		show_object(s, v, p);
	else
		show_list(s, v, p);
}

/* ---- the whole ---- */

/* Of the configuration, and no values of it. */
static bool is_about(const char *key)
{
	static const char *const about[] = { "version", "source", "faults", "dropped", "digest", "trial",
					     "origins" };

	for (size_t i = 0; i < ARRAY_LEN(about); i++)
		if (strcmp(key, about[i]) == 0)
			return true;
	return false;
}

static void show_all(struct shower *s, yyjson_val *config)
{
	yyjson_val *key, *item;
	size_t i, max;

	yyjson_obj_foreach(config, i, max, key, item) {
		struct place top = { .key = yyjson_get_str(key) };
		const struct place nothing = { .origin = NULL };

		if (is_about(top.key))
			continue;
		buf_adds(&s->path, top.key);
		show_below(s, item, &nothing, &top, 0);
	}
	buf_free(&s->path);
}

/* What holds for all of it, as comments. */
static void add_head(yyjson_val *config, struct buf *out)
{
	yyjson_val *source = yyjson_obj_get(config, "source"), *each;
	const char *used = text_of(source, "used"), *where = text_of(source, "where");
	const char *trial = text_of(config, "trial");
	size_t i, max;

	buf_addf(out, "# from %s (%s)%s%s%s\n", *where ? where : "nowhere", text_of(source, "kind"),
		 *used ? "; in use instead: " : "", used, *trial ? "; on trial" : "");
	yyjson_arr_foreach(yyjson_obj_get(config, "faults"), i, max, each) {
		const char *path = text_of(each, "path");

		buf_addf(out, "# %s: %s:%lld: %s%s%s\n", text_of(each, "level"), text_of(each, "file"),
			 (long long)yyjson_get_sint(yyjson_obj_get(each, "line")), path, *path ? ": " : "",
			 text_of(each, "message"));
	}
	yyjson_arr_foreach(yyjson_obj_get(config, "dropped"), i, max, each)
		buf_addf(out, "# left out: %s\n", yyjson_get_str(each));
}

int config_show_text(const struct config_show *c, struct buf *out)
{
	struct shower s = { .out = out };

	if (index_origins(&s, c->origins) < 0)
		return -ENOMEM;
	add_head(c->config, out);
	show_all(&s, c->config);
	free(s.written);
	return buf_ok(out) ? 0 : -ENOMEM;
}

int config_show_json(const struct config_show *c, struct buf *out)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_val_mut_copy(doc, c->config);
	struct shower s = { .doc = doc, .sources = yyjson_mut_obj(doc) };
	autofree char *json = NULL;

	if (root && s.sources && index_origins(&s, c->origins) == 0) {
		show_all(&s, c->config);
		yyjson_mut_obj_remove_key(root, "origins");
		yyjson_mut_obj_add_val(doc, root, "sources", s.sources);
		yyjson_mut_doc_set_root(doc, root);
		json = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, NULL);
	}
	yyjson_mut_doc_free(doc);
	free(s.written);
	buf_adds(out, json ? json : "");
	return json && buf_ok(out) ? 0 : -ENOMEM;
}
