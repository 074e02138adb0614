#include "unpack/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "unpack/compose.h"
#include "unpack/extract.h"
#include "unpack/loadplan.h"
#include "unpack/reader.h"
#include "unpack/report.h"
#include "unpack/summary.h"

struct loading {
	const struct load *wish;
	struct session archive;          /* where it lies unpacked */
	int root;                        /* that directory */
	struct load_plan plan;
};

/* One image on its way in. */
struct image {
	const struct load_image *planned;
	struct session session;
	struct buf manifest, config;
	char digest[REF_DIGEST_MAX];
	struct compose_layer *files;     /* of a docker-save archive: what its layers' files are */
	struct summary sum;
};

/* ---- the archive ---- */

/* Only files, directories, and symlinks between them (old docker-save archives share layers so):
 * owned by us, whoever the archive says. */
static bool wanted(struct wire_record *record)
{
	struct entry *entry = &record->entry;

	entry->mode = entry->kind == ENTRY_DIR ? 0700 : 0600;
	entry->xattr_count = 0;
	return entry->kind == ENTRY_FILE || entry->kind == ENTRY_DIR || entry->kind == ENTRY_SYMLINK ||
	       entry->kind == ENTRY_HARDLINK;
}

static int take_records(struct wire *from, struct extract *x, struct err *e)
{
	struct wire_record *record = malloc(sizeof(*record));
	int rc = record ? 0 : err_set(e, -ENOMEM, "out of memory");

	while (!rc) {
		rc = wire_get(from, record, e);
		if (rc || record->kind == WIRE_END)
			break;
		if (record->kind == WIRE_FAULT)
			rc = err_set(e, -EINVAL, "%s", record->fault.text);
		else if (record->kind == WIRE_DATA || wanted(record))
			rc = extract_record(x, record, e);
	}
	free(record);
	return rc;
}

static int unpack_archive(struct loading *l, struct err *e)
{
	struct extract_place place = { .dir = ".", .strict = true, .owned = true };
	struct extract *x;
	struct reader r = { .fd = -1 };
	int rc;

	if (mkdirat(l->archive.tmp, "archive", 0700) < 0)
		return err_sys(e, "unpack the archive");
	l->root = openat(l->archive.tmp, "archive", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.root = l->root;
	x = l->root < 0 ? NULL : extract_into(&place);
	rc = x ? reader_start(&r, STDIN_FILENO, e) :
		 err_set(e, -ENOMEM, "unpack the archive: out of memory");
	if (!rc)
		rc = take_records(r.from, x, e);
	reader_end(&r);
	extract_free(x);
	return rc;
}

/* ---- documents ---- */

static int read_path(struct loading *l, const char *path, size_t max, struct buf *out,
		     struct err *e)
{
	autoclose int fd = path_open_in(l->root, path, O_RDONLY | O_NONBLOCK, 0, e);

	return fd < 0 ? fd : file_read_fd(fd, max, out, e);
}

static char *blob_path(const char *digest, char out[128])
{
	snprintf(out, 128, "blobs/sha256/%s", digest_hex(digest));
	return out;
}

static void set_digest(char out[REF_DIGEST_MAX], const struct buf *text)
{
	char hex[SHA256_HEX_MAX];

	snprintf(out, REF_DIGEST_MAX, "sha256:%s", sha256_hex(buf_text(text), text->len, hex));
}

static int read_summary(struct image *image, struct err *e)
{
	struct summary_input in = {
		.manifest = buf_text(&image->manifest), .manifest_len = image->manifest.len,
		.config = buf_text(&image->config), .config_len = image->config.len,
		.manifest_digest = image->digest,
	};

	return summary_read(&in, &image->sum, e);
}

/* The config's digest is in the manifest, which alone is known. */
static int read_oci(struct loading *l, struct image *image, struct err *e)
{
	char path[128], digest[REF_DIGEST_MAX];
	struct manifest m = { 0 };
	int rc = read_path(l, blob_path(image->planned->manifest, path), MANIFEST_MAX_BYTES,
			   &image->manifest, e);

	if (rc < 0)
		return rc;
	set_digest(digest, &image->manifest);
	if (strcmp(digest, image->planned->manifest) != 0)
		return err_set(e, -EBADMSG, "manifest %s: its content has the digest %s",
			       image->planned->manifest, digest);
	strcpy(image->digest, digest);
	rc = manifest_parse(&m, buf_text(&image->manifest), image->manifest.len, e);
	if (!rc)
		rc = read_path(l, blob_path(m.config.digest, path), CONFIG_MAX_BYTES, &image->config, e);
	manifest_free(&m);
	return rc ? rc : read_summary(image, e);
}

/* ---- documents of a docker-save archive, which may have no manifest ---- */

static int measure_layers(struct loading *l, struct image *image, struct err *e)
{
	const struct load_image *planned = image->planned;
	int rc = 0;

	image->files = calloc(planned->layer_count + 1, sizeof(*image->files));
	if (!image->files)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < planned->layer_count; i++) {
		autoclose int fd = path_open_in(l->root, planned->layers[i], O_RDONLY | O_NONBLOCK, 0, e);
		struct stat st;

		if (fd < 0)
			return fd;
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			return err_set(e, -EINVAL, "\"%s\" is not a file", planned->layers[i]);
		image->files[i].type = compose_type(fd);
		image->files[i].bytes = (uint64_t)st.st_size;
		rc = stream_blob_digest(fd, image->files[i].digest);
		if (rc < 0)
			err_code(e, rc, "read \"%s\"", planned->layers[i]);
	}
	return rc;
}

/* The one that the archive has for this config, so that the image keeps its digest. */
static bool find_manifest(struct loading *l, struct image *image)
{
	struct load_plan plan = { .count = 0 };
	struct load_image other = { .manifest = "" };
	bool found = false;

	if (loadplan_read_index(l->root, l->wish->platform, &plan, NULL) < 0)
		return false;
	for (size_t i = 0; !found && i < plan.count; i++) {
		struct image as = { .planned = &other };
		char mine[REF_DIGEST_MAX];

		strcpy(other.manifest, plan.images[i].manifest);
		set_digest(mine, &image->config);
		if (read_oci(l, &as, NULL) == 0 && !strcmp(as.sum.config_digest, mine)) {
			image->manifest = as.manifest;
			as.manifest = (struct buf){ 0 };
			strcpy(image->digest, as.digest);
			found = true;
		}
		buf_free(&as.manifest);
		buf_free(&as.config);
		summary_free(&as.sum);
	}
	loadplan_free(&plan);
	return found;
}

static int read_docker(struct loading *l, struct image *image, struct err *e)
{
	char config[REF_DIGEST_MAX];
	int rc = read_path(l, image->planned->config, CONFIG_MAX_BYTES, &image->config, e);

	if (rc < 0)
		return rc;
	set_digest(config, &image->config);
	if (!strstr(image->planned->config, digest_hex(config)))
		return err_set(e, -EBADMSG, "config \"%s\": its content has the digest %s",
			       image->planned->config, config);
	if (find_manifest(l, image))
		return read_summary(image, e);
	rc = measure_layers(l, image, e);
	if (!rc)
		rc = compose_manifest(config, image->config.len, image->files,
				      image->planned->layer_count, &image->manifest, e);
	set_digest(image->digest, &image->manifest);
	return rc ? rc : read_summary(image, e);
}

/* ---- layers ---- */

/* Under its digest, or by the name that docker's list has for it. */
static int open_archive(struct loading *l, struct image *image, size_t i, char path[PATH_MAX],
			struct err *e)
{
	char blob[128];

	snprintf(path, PATH_MAX, "%s", image->files ? image->planned->layers[i] :
		 blob_path(image->sum.layers[i].digest, blob));
	return path_open_in(l->root, path, O_RDONLY | O_NONBLOCK, 0, e);
}

/* The same file under the name by which session_commit() takes it. */
static int take_archive(struct loading *l, struct image *image, size_t i, struct err *e)
{
	struct layers_one *one = &image->sum.layers[i];
	char path[PATH_MAX], name[32], self[40];
	autoclose int fd = open_archive(l, image, i, path, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != one->blob_bytes)
		return err_set(e, -EBADMSG, "layer %s: \"%s\" is no file of %" PRIu64 " bytes", one->digest,
			       path, one->blob_bytes);
	snprintf(name, sizeof(name), "blob-%zu", i);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, image->session.tmp, name, AT_SYMLINK_FOLLOW) < 0)
		return err_sys(e, "keep layer %s", one->digest);
	one->blob = take_fd(&fd);
	return 0;
}

static int find_layer(struct loading *l, struct image *image, size_t i, struct err *e)
{
	struct layers_one *one = &image->sum.layers[i];

	one->dir = session_find_layer(&image->session, one->diff_id);
	for (size_t k = 0; one->dir < 0 && k < i; k++)
		if (!strcmp(image->sum.layers[k].diff_id, one->diff_id))
			one->dir = dup(image->sum.layers[k].dir);
	if (one->dir >= 0)
		return 0;
	one->dir = session_new_layer(&image->session, i, e);
	return one->dir < 0 ? one->dir : take_archive(l, image, i, e);
}

static void on_progress(void *arg, size_t i, uint64_t bytes, bool done)
{
	const struct image *image = arg;
	const struct layers_one *one = &image->sum.layers[i];

	if (one->blob >= 0)
		report_progress(one->diff_id, "Loading layer", done ? one->files_bytes : bytes,
				done ? one->files_bytes : 0);
}

static int load_layers(struct loading *l, struct image *image, struct layers *job, struct err *e)
{
	int rc = 0;

	*job = (struct layers){
		.all = image->sum.layers, .count = image->sum.count, .ready = -1,
		.progress = l->wish->quiet ? NULL : on_progress, .arg = image,
	};
	for (size_t i = 0; !rc && i < image->sum.count; i++)
		rc = find_layer(l, image, i, e);
	return rc || !job->count ? rc : layers_unpack(job, e);
}

/* ---- one image ---- */

static int tell(struct loading *l, const struct image *image, struct err *e)
{
	autobuf struct buf sizes = { 0 };
	int rc;

	for (size_t i = 0; i < image->sum.count; i++)
		buf_addf(&sizes, "%s%" PRIu64, i ? "," : "", image->sum.layers[i].files_bytes);
	rc = session_tell(l->wish->result, image->digest, image->sum.media_type, image->manifest.len,
			  buf_text(&sizes));
	for (size_t i = 0; !rc && i < image->planned->name_count; i++)
		if (dprintf(l->wish->result, "name %s\n", image->planned->names[i]) < 0)
			rc = -EIO;
	return rc < 0 ? err_code(e, rc, "tell the engine") : 0;
}

static int load_image(struct loading *l, const struct load_image *planned, struct err *e)
{
	struct image image = { .planned = planned, .session = { .store = -1, .tmp = -1 } };
	struct layers job;
	int rc = session_open(&image.session, l->wish->dirs, l->wish->dir_count, e);

	if (!rc)
		rc = *planned->manifest ? read_oci(l, &image, e) : read_docker(l, &image, e);
	if (!rc)
		rc = load_layers(l, &image, &job, e);
	if (!rc)
		rc = session_commit(&image.session, &job,
				    &(struct session_document){ image.config.data, image.config.len },
				    &(struct session_document){ image.manifest.data,
								image.manifest.len }, e);
	if (!rc)
		rc = tell(l, &image, e);
	for (size_t i = 0; i < image.sum.count; i++) {
		cleanup_fd(&image.sum.layers[i].blob);
		cleanup_fd(&image.sum.layers[i].dir);
	}
	session_close(&image.session);
	summary_free(&image.sum);
	buf_free(&image.manifest);
	buf_free(&image.config);
	free(image.files);
	return rc;
}

int load_images(const struct load *load, struct err *e)
{
	struct loading l = { .wish = load, .archive = { .store = -1, .tmp = -1 }, .root = -1 };
	int rc = session_open(&l.archive, load->dirs, load->dir_count, e);

	if (!rc)
		rc = unpack_archive(&l, e);
	if (!rc)
		rc = loadplan_read(l.root, load->platform, &l.plan, e);
	for (size_t i = 0; !rc && i < l.plan.count; i++)
		rc = load_image(&l, &l.plan.images[i], e);
	loadplan_free(&l.plan);
	cleanup_fd(&l.root);
	session_close(&l.archive);
	return rc;
}
