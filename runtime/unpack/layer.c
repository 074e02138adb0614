#include "unpack/layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unpack/tarin.h"

/* What the first pass found out about an entry, for the second. */
struct plan {
	struct node *node;   /* NULL: nothing comes of it */
	struct node *target; /* of a hard link */
};

struct pass {
	const struct layer *layer;
	struct tarin in;
	struct err *e;
	struct entry entry;
	struct plan *plans;
	size_t plan_count, plan_room;
	uint64_t files_bytes;
};

static int open_pass(struct pass *p)
{
	if (lseek(p->layer->fd, 0, SEEK_SET) < 0)
		return err_sys(p->e, "read the layer");
	p->in = (struct tarin){ .e = p->e, .layer = true };
	return tarin_open(&p->in, p->layer->fd, LAYER_BYTES_MAX);
}

static int next_entry(struct pass *p)
{
	return tarin_next(&p->in, &p->entry);
}

static struct plan *add_plan(struct pass *p)
{
	if (p->plan_count == p->plan_room) {
		size_t room = p->plan_room ? 2 * p->plan_room : 1024;
		struct plan *plans = reallocarray(p->plans, room, sizeof(*plans));

		if (!plans)
			return NULL;
		p->plans = plans;
		p->plan_room = room;
	}
	p->plans[p->plan_count] = (struct plan){ 0 };
	return &p->plans[p->plan_count++];
}

static int note_whiteout(struct pass *p, struct plan *plan)
{
	return tree_hide(p->layer->tree, p->entry.path, p->layer->number, (long)p->plan_count - 1,
			 &plan->node, p->e);
}

static int note_opaque(struct pass *p, struct plan *plan)
{
	struct node *dir;
	int rc = tree_touch(p->layer->tree, p->entry.path, NODE_DIR, p->layer->number, &dir, p->e);

	(void)plan;
	if (rc < 0)
		return rc;
	dir->opaque = true;
	tree_hide_below(dir, p->layer->number);
	return 0;
}

static int note_ignored(struct pass *p, struct plan *plan)
{
	(void)p;
	(void)plan;
	return 0;
}

static int note_file(struct pass *p, struct plan *plan, enum node_kind kind)
{
	const struct entry *entry = &p->entry;
	struct node *n;
	int rc = tree_touch(p->layer->tree, entry->path, kind, p->layer->number, &n, p->e);

	if (rc < 0)
		return rc;
	n->entry = (long)p->plan_count - 1;
	n->mode = entry->mode;
	n->uid = entry->uid;
	n->gid = entry->gid;
	n->mtime = entry->mtime;
	n->mtime_nsec = entry->mtime_nsec;
	n->written = false;
	if (kind == NODE_SYMLINK) {
		n->target = strdup(entry->target);
		if (!n->target)
			return err_set(p->e, -ENOMEM, "out of memory");
	}
	plan->node = n;
	p->files_bytes += entry->size_bytes;
	if (p->files_bytes > LAYER_BYTES_MAX)
		return err_set(p->e, -EFBIG, "makes the layer's files larger than %llu bytes",
			       (unsigned long long)LAYER_BYTES_MAX);
	return 0;
}

static int note_dir(struct pass *p, struct plan *plan)
{
	return note_file(p, plan, NODE_DIR);
}

static int note_regular(struct pass *p, struct plan *plan)
{
	return note_file(p, plan, NODE_FILE);
}

static int note_symlink(struct pass *p, struct plan *plan)
{
	return note_file(p, plan, NODE_SYMLINK);
}

static int note_other(struct pass *p, struct plan *plan)
{
	return note_file(p, plan, NODE_OTHER);
}

/* The other name must be a file that this layer brought: a link to a lower layer's file would have
 * to copy it, and no tool makes one; a link outward is an attack. */
static int note_hardlink(struct pass *p, struct plan *plan)
{
	struct node *target = tree_find(p->layer->tree, p->entry.target);
	char *symlink = NULL;
	int rc;

	if (!target || target->layer != p->layer->number || target->entry < 0 ||
	    target->kind == NODE_DIR || target->kind == NODE_WHITEOUT)
		return err_set(p->e, -EINVAL, "is a hard link to \"%.200s\", which is no file of the "
			       "same layer before it", p->entry.target);
	if (target->kind == NODE_SYMLINK) {
		symlink = target->target;
		strcpy(p->entry.target, symlink);
	}
	rc = note_file(p, plan, target->kind);
	/* "a" as a hard link to "a" would have replaced its own target. */
	if (!rc && target->gone)
		rc = err_set(p->e, -EINVAL, "is a hard link to itself");
	plan->target = target;
	return rc;
}

static int (*const note[])(struct pass *p, struct plan *plan) = {
	[ENTRY_DIR] = note_dir,           [ENTRY_FILE] = note_regular,
	[ENTRY_SYMLINK] = note_symlink,   [ENTRY_HARDLINK] = note_hardlink,
	[ENTRY_CHAR] = note_other,        [ENTRY_BLOCK] = note_other,
	[ENTRY_FIFO] = note_other,        [ENTRY_WHITEOUT] = note_whiteout,
	[ENTRY_OPAQUE] = note_opaque,     [ENTRY_IGNORED] = note_ignored,
};

static int check_entries(struct pass *p)
{
	int rc;

	while ((rc = next_entry(p)) > 0) {
		char path[TREE_PATH_MAX];
		struct plan *plan = p->plan_count < LAYER_ENTRIES_MAX ? add_plan(p) : NULL;

		if (!plan)
			return err_set(p->e, -EFBIG, "the layer has more than %d entries",
				       LAYER_ENTRIES_MAX);
		strcpy(path, p->entry.path);
		rc = note[p->entry.kind](p, plan);
		if (rc < 0) {
			err_prefix(p->e, "entry \"%.200s\"", path);
			return rc;
		}
	}
	return rc;
}

static int check_sums(struct pass *p, struct stream_sums *sums)
{
	const struct layer *layer = p->layer;
	int rc = stream_finish(p->in.stream, sums, p->e);

	if (rc < 0)
		return rc;
	if (layer->digest && strcmp(layer->digest, sums->blob) != 0)
		return err_set(p->e, -EBADMSG, "its content has the digest %s", sums->blob);
	if (layer->diff_id && strcmp(layer->diff_id, sums->diff_id) != 0)
		return err_set(p->e, -EBADMSG, "it unpacks to diff id %s, the image's config says %s",
			       sums->diff_id, layer->diff_id);
	return 0;
}

/* A blob that is not the one meant needs no other explanation of why it does not parse. */
static void explain(struct pass *p)
{
	char digest[REF_DIGEST_MAX];

	if (p->layer->digest && !stream_blob_digest(p->layer->fd, digest) &&
	    strcmp(digest, p->layer->digest) != 0)
		err_set(p->e, 0, "its content has the digest %s", digest);
}

static int first_pass(struct pass *p, struct layer_result *out)
{
	struct node *root;
	int rc = open_pass(p);

	/* A layer has a root directory, listed or not. */
	if (!rc)
		rc = tree_touch(p->layer->tree, "", NODE_DIR, p->layer->number, &root, p->e);
	if (!rc)
		rc = check_entries(p);
	if (!rc)
		rc = check_sums(p, &out->sums);
	if (rc < 0)
		explain(p);
	out->files_bytes = p->files_bytes;
	out->entries = p->plan_count;
	tarin_close(&p->in);
	return rc;
}

static int put(struct pass *p, struct entry *entry, struct node *n)
{
	static const char opaque[] = "trusted.overlay.opaque";
	int rc = tree_path(n, entry->path);

	if (!rc && n->kind == NODE_DIR && (n->opaque || n->hides))
		rc = entry_add_xattr(entry, opaque, "y", 1);
	if (rc < 0)
		return err_code(p->e, rc, "entry \"%.200s\"", entry->path);
	n->written = true;
	return p->layer->sink->entry(p->layer->sink->ctx, entry, p->e);
}

/* Directories that the layer does not list look as they do in the layers below. */
static int put_implied(struct pass *p, struct node *dir)
{
	struct entry *entry;
	int rc = 0;

	if (!dir || dir->written || dir->entry >= 0 || dir->layer != p->layer->number)
		return 0;
	rc = put_implied(p, dir->parent);
	if (rc < 0)
		return rc;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return err_set(p->e, -ENOMEM, "out of memory");
	entry->kind = ENTRY_DIR;
	entry->mode = dir->mode;
	entry->uid = dir->uid;
	entry->gid = dir->gid;
	entry->mtime = dir->mtime;
	entry->mtime_nsec = dir->mtime_nsec;
	rc = put(p, entry, dir);
	free(entry);
	return rc;
}

static int put_planned(struct pass *p, const struct plan *plan)
{
	struct entry *entry = &p->entry;
	int rc = put_implied(p, plan->node->parent);

	if (rc < 0)
		return rc;
	if (plan->target && (plan->target->gone || !plan->target->written))
		return err_set(p->e, -EINVAL, "entry \"%.200s\": is a hard link to a file that the "
			       "layer replaces later", entry->path);
	if (plan->target)
		tree_path(plan->target, entry->target);
	if (entry->kind == ENTRY_WHITEOUT) {
		entry->kind = ENTRY_CHAR;
		entry->major = entry->minor = 0;
		entry->mode = entry->uid = entry->gid = 0;
	}
	rc = put(p, entry, plan->node);
	if (!rc && entry->kind == ENTRY_FILE)
		rc = tarin_data(&p->in, entry, p->layer->sink);
	return rc;
}

/* Opaque directories that hold nothing and are not listed have no entry to follow. */
static int put_rest(struct pass *p, struct node *dir)
{
	int rc = dir->opaque ? put_implied(p, dir) : 0;

	for (struct node *c = dir->children; !rc && c; c = c->next)
		if (!c->gone && c->kind == NODE_DIR && c->layer == p->layer->number)
			rc = put_rest(p, c);
	return rc;
}

/* Whoever filled the blob may have it open still: what was written must be what was checked. */
static int check_again(struct pass *p, const struct layer_result *first)
{
	struct stream_sums sums;
	int rc = stream_finish(p->in.stream, &sums, p->e);

	if (!rc && strcmp(sums.diff_id, first->sums.diff_id) != 0)
		rc = err_set(p->e, -EBADMSG, "the layer changed while it was read");
	return rc;
}

static int second_pass(struct pass *p, const struct layer_result *first)
{
	int rc = open_pass(p), more = 0;

	if (!rc)
		stream_again(p->in.stream);
	if (!rc)
		rc = put_implied(p, tree_root(p->layer->tree));
	for (size_t i = 0; !rc && (more = next_entry(p)) > 0; i++) {
		const struct plan *plan = &p->plans[i];

		if (i >= p->plan_count)
			rc = err_set(p->e, -EBADMSG, "the layer changed while it was read");
		else if (plan->node && !plan->node->gone && plan->node->entry == (long)i)
			rc = put_planned(p, plan);
	}
	if (!rc && more < 0)
		rc = more;
	if (!rc)
		rc = put_rest(p, tree_root(p->layer->tree));
	if (!rc)
		rc = check_again(p, first);
	tarin_close(&p->in);
	return rc;
}

int layer_unpack(const struct layer *layer, struct layer_result *out, struct err *e)
{
	struct pass *p = calloc(1, sizeof(*p));
	struct layer_result result = { 0 };
	struct err ignored;
	int rc;

	if (!p)
		return err_set(e, -ENOMEM, "out of memory");
	p->layer = layer;
	p->e = e ? e : &ignored;
	rc = first_pass(p, &result);
	if (!rc && layer->sink)
		rc = second_pass(p, &result);
	if (!rc)
		*out = result;
	free(p->plans);
	free(p);
	return rc;
}
