/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The path of a file as its mount namespace shows it: dentries and mounts walked up to the root. */
#pragma once

#include "lib/core.bpf.h"

#define WW_PATH_DEPTH_MAX 32

/* Filled from byte WW_PATH_BYTES_MAX downwards; the upper half only keeps the verifier at ease. */
struct ww_path_scratch {
	char bytes[2 * WW_PATH_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ww_path_scratch);
} ww_path __weak SEC(".maps");

/* Puts "/name" before what begins at *pos; false when it does not fit. */
static __always_inline bool ww_path_prepend(struct ww_path_scratch *s, struct dentry *dentry,
					    __u32 *pos)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	__u32 bytes = BPF_CORE_READ(dentry, d_name.len);
	__u32 at;

	if (bytes >= *pos)
		return false;
	at = *pos - bytes;
	bytes &= WW_PATH_BYTES_MAX - 1;
	if (bpf_probe_read_kernel(&s->bytes[at & (WW_PATH_BYTES_MAX - 1)], bytes, name) != 0)
		return false;
	at--;
	s->bytes[at & (WW_PATH_BYTES_MAX - 1)] = '/';
	*pos = at;
	return true;
}

/*
 * Writes the path to `to` (WW_PATH_BYTES_MAX bytes, zeroed by the caller), no NUL at the end.
 * Returns its length; 0 when it is too long or too deep.
 */
static __always_inline __u32 ww_path_of(struct file *file, char *to)
{
	__u32 key = 0, pos = WW_PATH_BYTES_MAX, bytes;
	struct ww_path_scratch *s = bpf_map_lookup_elem(&ww_path, &key);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	bool whole = false;

	if (!s)
		return 0;
	for (int i = 0; i < WW_PATH_DEPTH_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct mount *mount;

		if (dentry == BPF_CORE_READ(vfsmount, mnt_root)) {
			mount = container_of(vfsmount, struct mount, mnt);
			if (BPF_CORE_READ(mount, mnt_parent) == mount) {
				whole = true;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = BPF_CORE_READ(mount, mnt_parent);
			vfsmount = __builtin_preserve_access_index(&mount->mnt);
			continue;
		}
		if (parent == dentry || !ww_path_prepend(s, dentry, &pos))
			break;
		dentry = parent;
	}
	bytes = WW_PATH_BYTES_MAX - pos;
	ww_barrier(bytes);
	if (!whole || bytes == 0 || bytes > WW_PATH_BYTES_MAX)
		return 0;
	if (bpf_probe_read_kernel(to, bytes, &s->bytes[pos & (WW_PATH_BYTES_MAX - 1)]) != 0)
		return 0;
	return bytes;
}
