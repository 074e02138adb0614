#include "unpack/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static const char whiteout_prefix[] = ".wh.";
static const char opaque_name[] = ".wh..wh..opq";
static const char aufs_prefix[] = ".wh..wh.";

static const struct {
	unsigned int type;
	enum entry_kind kind;
} kinds[] = {
	{ AE_IFDIR, ENTRY_DIR },    { AE_IFREG, ENTRY_FILE }, { AE_IFLNK, ENTRY_SYMLINK },
	{ AE_IFCHR, ENTRY_CHAR },   { AE_IFBLK, ENTRY_BLOCK }, { AE_IFIFO, ENTRY_FIFO },
};

static int read_kind(struct entry *out, struct archive_entry *from, struct err *e)
{
	if (archive_entry_hardlink(from)) {
		out->kind = ENTRY_HARDLINK;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type == archive_entry_filetype(from)) {
			out->kind = kinds[i].kind;
			return 0;
		}
	}
	return err_set(e, -EINVAL, "is of an unknown type (%o)", archive_entry_filetype(from));
}

/* ".wh.NAME" hides NAME of the layers below, ".wh..wh..opq" all that they have in its directory
 * (image-spec, layer.md "Whiteouts"). Makes `path` the path of what is meant. */
static int read_whiteout(struct entry *out, struct err *e)
{
	char *slash = strrchr(out->path, '/');
	char *name = slash ? slash + 1 : out->path;
	const char *hidden;

	if (strncmp(name, whiteout_prefix, sizeof(whiteout_prefix) - 1) != 0)
		return 0;
	if (!strcmp(name, opaque_name)) {
		out->kind = ENTRY_OPAQUE;
		*(slash ? slash : name) = '\0';
		if (!*out->path)
			return err_set(e, -EINVAL, "hides the whole root, which overlayfs cannot");
		return 0;
	}
	if (!strncmp(name, aufs_prefix, sizeof(aufs_prefix) - 1)) {
		out->kind = ENTRY_IGNORED;
		return 0;
	}
	hidden = name + sizeof(whiteout_prefix) - 1;
	if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
		return err_set(e, -EINVAL, "is a whiteout of no name");
	out->kind = ENTRY_WHITEOUT;
	memmove(name, hidden, strlen(hidden) + 1);
	return 0;
}

static int read_target(struct entry *out, struct archive_entry *from, struct err *e)
{
	const char *target;

	if (out->kind == ENTRY_HARDLINK) {
		struct err why = { 0 };
		const char *raw = archive_entry_hardlink(from);

		/* Some tools write "/bin/sh" for "bin/sh"; it is a name in the archive all the same. */
		if (tree_clean(raw + strspn(raw, "/"), out->target, &why) < 0 || !*out->target)
			return err_set(e, -EINVAL, "is a hard link to \"%.200s\", which is outside the "
				       "layer", raw);
		return 0;
	}
	target = archive_entry_symlink(from);
	if (!target || !*target || strlen(target) >= sizeof(out->target))
		return err_set(e, -EINVAL, "is a symlink without a target or with one longer than %zu "
			       "bytes", sizeof(out->target) - 1);
	strcpy(out->target, target);
	return 0;
}

static int read_numbers(struct entry *out, struct archive_entry *from, struct err *e)
{
	int64_t uid = archive_entry_uid(from), gid = archive_entry_gid(from);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(e, -EINVAL, "belongs to an owner that is no id");
	if (archive_entry_size(from) < 0)
		return err_set(e, -EINVAL, "has a negative size");
	out->uid = (uint32_t)uid;
	out->gid = (uint32_t)gid;
	out->mode = (uint32_t)archive_entry_perm(from) & 07777;
	out->mtime = archive_entry_mtime(from);
	out->mtime_nsec = (uint32_t)archive_entry_mtime_nsec(from);
	out->major = (uint32_t)archive_entry_rdevmajor(from);
	out->minor = (uint32_t)archive_entry_rdevminor(from);
	out->size_bytes = out->kind == ENTRY_FILE ? (uint64_t)archive_entry_size(from) : 0;
	return 0;
}

int entry_add_xattr(struct entry *entry, const char *name, const void *value, size_t len)
{
	struct xattr *x = entry->xattrs;

	/* Some tools write each one twice, in two vendors' ways. */
	while (x < entry->xattrs + entry->xattr_count && strcmp(x->name, name) != 0)
		x++;
	if (x < entry->xattrs + entry->xattr_count) {
		x->value = value;
		x->len = len;
		return 0;
	}
	if (entry->xattr_count == XATTRS_MAX || strlen(name) >= sizeof(x->name))
		return -E2BIG;
	strcpy(x->name, name);
	x->value = value;
	x->len = len;
	entry->xattr_count++;
	return 0;
}

/* struct vfs_ns_cap_data: little-endian words. Revision 3 is revision 2 and the user id of the
 * namespace that set it, which means nothing on another machine: an unprivileged builder's file
 * capabilities become what the image means by them. */
static int add_capability(struct entry *out, const unsigned char *value, size_t len)
{
	enum { REVISION_2_BYTES = 20, REVISION_3_BYTES = 24, REVISION = 3 };

	if (len == REVISION_2_BYTES && value[REVISION] == 2)
		return entry_add_xattr(out, "security.capability", value, len);
	if (len != REVISION_3_BYTES || value[REVISION] != 3)
		return 0;
	memcpy(out->capability, value, REVISION_2_BYTES);
	out->capability[REVISION] = 2;
	return entry_add_xattr(out, "security.capability", out->capability, REVISION_2_BYTES);
}

/* Kept: "user.", file capabilities. Everything else would speak to the host (labels of its
 * security modules, overlayfs's own "trusted.overlay.") and is dropped, as docker does. */
int entry_add_known_xattr(struct entry *out, const char *name, const void *value, size_t len)
{
	static const char user[] = "user.";

	if (!strcmp(name, "security.capability"))
		return add_capability(out, value, len);
	if (!strncmp(name, user, sizeof(user) - 1) && name[sizeof(user) - 1])
		return entry_add_xattr(out, name, value, len);
	return 0;
}

static int read_xattrs(struct entry *out, struct archive_entry *from, struct err *e)
{
	const char *name;
	const void *value;
	size_t len;

	archive_entry_xattr_reset(from);
	while (archive_entry_xattr_next(from, &name, &value, &len) == 0) {
		if (!name || !value)
			continue;
		/* One place is kept for overlayfs's mark of an opaque directory. */
		if (len > XATTR_VALUE_MAX || out->xattr_count == XATTRS_MAX - 1 ||
		    entry_add_known_xattr(out, name, value, len) < 0)
			return err_set(e, -E2BIG, "has more than %d extended attributes, or one "
				       "longer than %d bytes", XATTRS_MAX - 1, XATTR_VALUE_MAX);
	}
	return 0;
}

int entry_read(struct entry *out, struct archive_entry *from, bool layer, struct err *e)
{
	const char *raw = archive_entry_pathname(from);
	int rc;

	out->xattr_count = 0;
	out->target[0] = '\0';
	if (!raw)
		return err_set(e, -EINVAL, "has no name");
	/* Of a file that is copied "/x" is "x"; a layer has no absolute names. */
	rc = tree_clean(layer ? raw : raw + strspn(raw, "/"), out->path, e);
	if (!rc)
		rc = read_kind(out, from, e);
	if (!rc)
		rc = read_numbers(out, from, e);
	if (!rc && layer)
		rc = read_whiteout(out, e);
	if (!rc && (out->kind == ENTRY_SYMLINK || out->kind == ENTRY_HARDLINK))
		rc = read_target(out, from, e);
	if (!rc && out->kind != ENTRY_WHITEOUT && out->kind != ENTRY_HARDLINK)
		rc = read_xattrs(out, from, e);
	return rc;
}
