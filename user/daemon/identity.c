/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/identity.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "rt/file.h"

#define PROGRAM_BYTES_MAX (64u << 20)

/* The file that is running, also when another one stands in its place by now. */
static void write_program(struct ww_jsonw *w)
{
	WW_AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct ww_sha256 h;

	ww_jsonw_object(w, "program");
	if (fd >= 0 && ww_file_sha256(fd, PROGRAM_BYTES_MAX, &h) == 0)
		ww_jsonw_hex(w, "sha256", ww_slice(h.b, sizeof(h.b)));
	else
		ww_jsonw_null(w, "sha256");
	ww_jsonw_end_object(w);
}

static void write_digest(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d)
{
	ww_jsonw_hex(w, key, ww_slice(d->b, sizeof(d->b)));
}

void ww_identity_tables(const struct ww_tables *t, struct ww_jsonw *w)
{
	struct ww_sha256 all = ww_tables_digest(t);
	const struct ww_tables_file *table;

	ww_jsonw_object(w, "tables");
	write_digest(w, "sha256", &all);
	ww_jsonw_array(w, "files");
	for (unsigned i = 0; (table = ww_tables_at(t, i)) != NULL; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "name", table->name);
		write_digest(w, "sha256", &table->digest);
		ww_jsonw_cstr(w, "shape", table->shape);
		ww_jsonw_cstr(w, "asOf", table->as_of);
		if (!table->db)
			ww_jsonw_u64(w, "rows", table->rows);
		if (table->published)
			write_digest(w, "source", &table->source);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

void ww_identity_write(const struct ww_live *l, const struct ww_sha256 *contracts,
		       const struct ww_tables *tables, const struct ww_policy *policy,
		       uint32_t cap_bytes, struct ww_jsonw *w)
{
	char boot_id[64] = "", libbpf[32];
	struct utsname uts;

	uname(&uts);
	if (ww_file_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) < 0)
		boot_id[0] = '\0';
	snprintf(libbpf, sizeof(libbpf), "%u.%u", libbpf_major_version(), libbpf_minor_version());
	ww_jsonw_cstr(w, "host", uts.nodename);
	ww_jsonw_cstr(w, "machine", uts.machine);
	ww_jsonw_cstr(w, "kernel", uts.release);
	ww_jsonw_cstr(w, "bootId", boot_id[0] ? boot_id : NULL);
	ww_jsonw_u64(w, "bootNs", ww_boot_now().ns);
	ww_jsonw_hex(w, "contracts", ww_slice(contracts->b, sizeof(contracts->b)));
	if (tables)
		ww_identity_tables(tables, w);
	if (policy)
		write_digest(w, "policy", &policy->digest);
	ww_jsonw_u64(w, "captureCapBytes", cap_bytes);
	write_program(w);
	ww_live_programs(l, w);
	ww_jsonw_object(w, "libraries");
	ww_jsonw_cstr(w, "libbpf", libbpf);
	ww_jsonw_cstr(w, "libcrypto", OpenSSL_version(OPENSSL_VERSION_STRING));
	ww_jsonw_end_object(w);
}
