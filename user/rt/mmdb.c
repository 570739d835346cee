/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/mmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>

struct ww_mmdb {
	MMDB_s db;
	bool opened;
};

static const char *const country_path[] = {"country", "iso_code", NULL};
static const char *const subdivision_path[] = {"subdivisions", "0", "iso_code", NULL};
static const char *const organization_path[] = {"autonomous_system_organization", NULL};

void ww_mmdb_close(struct ww_mmdb *db)
{
	if (!db)
		return;
	if (db->opened)
		MMDB_close(&db->db);
	free(db);
}
WW_DEFINE_AUTO(struct ww_mmdb, ww_mmdb_close)

/* A descriptor of memory with these bytes, which nobody can change. */
static int seal(struct ww_slice file, int *ret_fd)
{
	WW_AUTO_FD int fd = memfd_create("mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < file.n;) {
		ssize_t n = write(fd, file.p + at, file.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

/* Absent is no error, another type is. */
static int word_at(MMDB_entry_s *entry, const char *const *path, struct ww_slice *ret)
{
	MMDB_entry_data_s data;
	int r = MMDB_aget_value(entry, &data, path);

	*ret = WW_SLICE_NULL;
	if (r == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
		return 0;
	if (r != MMDB_SUCCESS)
		return -EINVAL;
	if (!data.has_data)
		return 0;
	if (data.type != MMDB_DATA_TYPE_UTF8_STRING)
		return -EINVAL;
	*ret = ww_slice(data.utf8_string, data.data_size);
	return 0;
}

static int words_of(MMDB_entry_s *entry, struct ww_mmdb_words *ret)
{
	int r = word_at(entry, country_path, &ret->country);

	if (r == 0)
		r = word_at(entry, subdivision_path, &ret->subdivision);
	return r < 0 ? r : word_at(entry, organization_path, &ret->organization);
}

/* Which entries were looked at: most are pointed at by many nodes. */
struct check {
	struct ww_mmdb *db;
	ww_mmdb_word_fn ok;
	uint8_t *seen;
	char *why;
};

static int check_record(struct check *c, uint32_t node, uint8_t type, MMDB_entry_s *entry)
{
	struct ww_mmdb_words words;

	if (type == MMDB_RECORD_TYPE_SEARCH_NODE || type == MMDB_RECORD_TYPE_EMPTY)
		return 0;
	if (type != MMDB_RECORD_TYPE_DATA || entry->offset >= c->db->db.data_section_size) {
		snprintf(c->why, WW_MMDB_WHY_MAX, "node %u of its tree leads nowhere", node);
		return -EINVAL;
	}
	if (c->seen[entry->offset / 8] & 1u << entry->offset % 8)
		return 0;
	c->seen[entry->offset / 8] |= (uint8_t)(1u << entry->offset % 8);
	if (words_of(entry, &words) < 0 || !c->ok(words.country) || !c->ok(words.subdivision) ||
	    !c->ok(words.organization)) {
		snprintf(c->why, WW_MMDB_WHY_MAX,
			 "the entry at %u of its data is broken, or has no words where they are "
			 "expected",
			 entry->offset);
		return -EINVAL;
	}
	return 0;
}

static int check_all(struct ww_mmdb *db, ww_mmdb_word_fn ok, char *why)
{
	WW_AUTO_FREE uint8_t *seen = calloc(1, db->db.data_section_size / 8 + 1);
	struct check c = {db, ok, seen, why};
	MMDB_search_node_s node;
	int r = 0;

	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < db->db.metadata.node_count; i++) {
		if (MMDB_read_node(&db->db, i, &node) != MMDB_SUCCESS) {
			snprintf(why, WW_MMDB_WHY_MAX, "node %u of its tree is broken", i);
			return -EINVAL;
		}
		r = check_record(&c, i, node.left_record_type, &node.left_record_entry);
		if (r == 0)
			r = check_record(&c, i, node.right_record_type, &node.right_record_entry);
	}
	return r;
}

int ww_mmdb_open(struct ww_slice file, ww_mmdb_word_fn ok, struct ww_mmdb **ret,
		 char why[WW_MMDB_WHY_MAX])
{
	WW_AUTO(ww_mmdb_close_auto) struct ww_mmdb *db = calloc(1, sizeof(*db));
	WW_AUTO_FD int fd = -1;
	char path[32];
	int r;

	if (!db)
		return -ENOMEM;
	r = seal(file, &fd);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = MMDB_open(path, MMDB_MODE_MMAP, &db->db);
	if (r == MMDB_OUT_OF_MEMORY_ERROR)
		return -ENOMEM;
	if (r != MMDB_SUCCESS) {
		snprintf(why, WW_MMDB_WHY_MAX, "not a MaxMind DB: %s", MMDB_strerror(r));
		return -EINVAL;
	}
	db->opened = true;
	r = check_all(db, ok, why);
	if (r < 0)
		return r;
	*ret = WW_TAKE(db);
	return 0;
}

uint64_t ww_mmdb_built_s(const struct ww_mmdb *db)
{
	return db->db.metadata.build_epoch;
}

uint64_t ww_mmdb_nodes(const struct ww_mmdb *db)
{
	return db->db.metadata.node_count;
}

bool ww_mmdb_find(const struct ww_mmdb *db, const uint8_t *address, bool v6,
		  struct ww_mmdb_words *ret_words, uint8_t *ret_bits)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	unsigned above = !v6 && db->db.metadata.ip_version == 6 ? 96 : 0;
	MMDB_lookup_result_s found;
	int error;

	/* An IPv4 tree has nothing to say of an IPv6 address: an error of the library. */
	memcpy(v6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr, address, v6 ? 16 : 4);
	found = MMDB_lookup_sockaddr(
		&db->db, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four, &error);
	if (error != MMDB_SUCCESS || !found.found_entry || words_of(&found.entry, ret_words) < 0)
		return false;
	*ret_bits = found.netmask > above ? (uint8_t)(found.netmask - above) : 0;
	return true;
}
