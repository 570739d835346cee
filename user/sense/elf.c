/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 * 1. Bytes of the file are looked at only after they were copied into memory that we own.
 * 2. Nothing is allocated from a number in the file before that number was compared with a ceiling
 *    and with the file's size.
 * 3. A string is handed out only when its table ends in NUL (string tables are loaded with one more
 *    byte, always 0).
 */
#include "sense/elf.h"

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>

/* Ceilings, generous against the largest files in use (a browser: 60 sections, 12 segments, 40 MB
 * symbols). */
#define WW_ELF_SEGMENTS_MAX 128u
#define WW_ELF_SECTIONS_MAX 4096u
#define WW_ELF_TABLE_BYTES  (64u << 20)  /* symbol and string tables */
#define WW_ELF_SMALL_BYTES  (256u << 10) /* section names, notes, dynamic section */
#define WW_ELF_RELOCS_BYTES (128u << 20) /* looked through in pieces, not loaded */

struct table {
	uint8_t *p;
	size_t n; /* bytes, without the NUL that always follows */
};

struct symtab {
	bool tried;
	struct table symbols;
	struct table strings;
};

struct ww_elf {
	int fd;
	uint64_t bytes; /* size of the file */
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr;
	size_t phdr_count;
	Elf64_Shdr *shdr;
	size_t shdr_count;
	struct table names; /* of sections */
	struct symtab dynsym;
	struct symtab symtab;
	struct table dynamic_strings;
};

static int read_at(const struct ww_elf *e, uint64_t at, void *p, size_t n)
{
	uint8_t *to = p;

	if (at > e->bytes || n > e->bytes - at)
		return -EINVAL;
	while (n > 0) {
		ssize_t got = pread(e->fd, to, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -EIO;
		if (got == 0)
			return -EINVAL; /* became shorter */
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int table_load(const struct ww_elf *e, uint64_t at, uint64_t n, size_t max,
		      struct table *ret_table)
{
	WW_AUTO_FREE uint8_t *p = NULL;
	int r;

	if (n > max || at > e->bytes || n > e->bytes - at)
		return -EINVAL;
	p = malloc((size_t)n + 1);
	if (!p)
		return -ENOMEM;
	r = read_at(e, at, p, (size_t)n);
	if (r < 0)
		return r;
	p[n] = 0;
	ret_table->n = (size_t)n;
	ret_table->p = WW_TAKE(p);
	return 0;
}

static const char *table_string(const struct table *t, uint64_t at)
{
	return at < t->n ? (const char *)t->p + at : NULL;
}

/* Loads count records of exactly size bytes: program or section headers. */
static int headers_load(const struct ww_elf *e, uint64_t at, size_t count, size_t size,
			void **ret_headers)
{
	struct table t = {NULL, 0};
	int r;

	r = table_load(e, at, (uint64_t)count * size, count * size, &t);
	if (r == 0)
		*ret_headers = t.p;
	return r;
}

static int open_headers(struct ww_elf *e)
{
	const Elf64_Ehdr *h = &e->ehdr;
	int r;

	r = read_at(e, 0, &e->ehdr, sizeof(e->ehdr));
	if (r < 0)
		return r;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB)
		return -EINVAL;
	if (h->e_phnum == 0 || h->e_phnum > WW_ELF_SEGMENTS_MAX ||
	    h->e_phentsize != sizeof(Elf64_Phdr))
		return -EINVAL;
	r = headers_load(e, h->e_phoff, h->e_phnum, sizeof(Elf64_Phdr), (void **)&e->phdr);
	if (r < 0)
		return r;
	e->phdr_count = h->e_phnum;
	/* Section headers may be absent; damaged ones mean the same: no symbols. */
	if (h->e_shnum == 0 || h->e_shnum > WW_ELF_SECTIONS_MAX ||
	    h->e_shentsize != sizeof(Elf64_Shdr))
		return 0;
	r = headers_load(e, h->e_shoff, h->e_shnum, sizeof(Elf64_Shdr), (void **)&e->shdr);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	e->shdr_count = h->e_shnum;
	if (h->e_shstrndx < e->shdr_count) {
		const Elf64_Shdr *s = &e->shdr[h->e_shstrndx];

		r = table_load(e, s->sh_offset, s->sh_size, WW_ELF_SMALL_BYTES, &e->names);
	}
	return r == -EINVAL ? 0 : r;
}

int ww_elf_open(int fd, struct ww_elf **ret_elf)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -EIO;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->fd = fd;
	e->bytes = (uint64_t)st.st_size;
	r = open_headers(e);
	if (r < 0)
		return r;
	*ret_elf = WW_TAKE(e);
	return 0;
}

static void symtab_done(struct symtab *t)
{
	free(t->symbols.p);
	free(t->strings.p);
}

void ww_elf_free(struct ww_elf *e)
{
	if (!e)
		return;
	symtab_done(&e->dynsym);
	symtab_done(&e->symtab);
	free(e->dynamic_strings.p);
	free(e->names.p);
	free(e->shdr);
	free(e->phdr);
	free(e);
}

uint16_t ww_elf_machine(const struct ww_elf *e)
{
	return e->ehdr.e_machine;
}

static const Elf64_Shdr *section_of_type(const struct ww_elf *e, uint32_t type)
{
	for (size_t i = 0; i < e->shdr_count; i++)
		if (e->shdr[i].sh_type == type)
			return &e->shdr[i];
	return NULL;
}

/* A damaged table stays empty: only lack of memory and read errors are errors. */
static int symtab_need(const struct ww_elf *e, uint32_t type, struct symtab *t)
{
	const Elf64_Shdr *s = section_of_type(e, type);
	const Elf64_Shdr *str;
	int r;

	if (t->tried)
		return 0;
	t->tried = true;
	if (!s || s->sh_entsize != sizeof(Elf64_Sym) || s->sh_link >= e->shdr_count)
		return 0;
	str = &e->shdr[s->sh_link];
	if (str->sh_type != SHT_STRTAB)
		return 0;
	r = table_load(e, str->sh_offset, str->sh_size, WW_ELF_TABLE_BYTES, &t->strings);
	if (r == 0)
		r = table_load(e, s->sh_offset, s->sh_size, WW_ELF_TABLE_BYTES, &t->symbols);
	return r == -EINVAL ? 0 : r;
}

static size_t symtab_count(const struct symtab *t)
{
	return t->symbols.n / sizeof(Elf64_Sym);
}

static const Elf64_Sym *symtab_at(const struct symtab *t, size_t i)
{
	return (const Elf64_Sym *)(const void *)t->symbols.p + i;
}

static bool is_function(const Elf64_Sym *s)
{
	return ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
	       s->st_shndx < SHN_LORESERVE;
}

static const Elf64_Sym *symtab_find(const struct symtab *t, const char *name)
{
	const Elf64_Sym *local = NULL;

	for (size_t i = 0; i < symtab_count(t); i++) {
		const Elf64_Sym *s = symtab_at(t, i);
		const char *n;

		if (!is_function(s))
			continue;
		n = table_string(&t->strings, s->st_name);
		if (!n || strcmp(n, name) != 0)
			continue;
		if (ELF64_ST_BIND(s->st_info) != STB_LOCAL)
			return s;
		local = s;
	}
	return local;
}

int ww_elf_function(struct ww_elf *e, const char *name, struct ww_elf_symbol *ret_symbol)
{
	const Elf64_Sym *s;
	int r;

	r = symtab_need(e, SHT_DYNSYM, &e->dynsym);
	if (r < 0)
		return r;
	s = symtab_find(&e->dynsym, name);
	if (!s) {
		r = symtab_need(e, SHT_SYMTAB, &e->symtab);
		if (r < 0)
			return r;
		s = symtab_find(&e->symtab, name);
	}
	if (!s)
		return -ENOENT;
	*ret_symbol = (struct ww_elf_symbol){s->st_value, s->st_size};
	return 0;
}

static const char *symtab_name_at(const struct symtab *t, uint64_t vaddr)
{
	for (size_t i = 0; i < symtab_count(t); i++) {
		const Elf64_Sym *s = symtab_at(t, i);

		if (is_function(s) && s->st_value == vaddr)
			return table_string(&t->strings, s->st_name);
	}
	return NULL;
}

const char *ww_elf_name_at(struct ww_elf *e, uint64_t vaddr)
{
	const char *name = NULL;

	if (symtab_need(e, SHT_DYNSYM, &e->dynsym) == 0)
		name = symtab_name_at(&e->dynsym, vaddr);
	if (!name && symtab_need(e, SHT_SYMTAB, &e->symtab) == 0)
		name = symtab_name_at(&e->symtab, vaddr);
	return name;
}

static const char *reloc_name(const struct ww_elf *e, const Elf64_Rela *rel)
{
	uint32_t type = (uint32_t)ELF64_R_TYPE(rel->r_info);
	uint64_t i = ELF64_R_SYM(rel->r_info);

	if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
		return NULL;
	if (i == 0 || i >= symtab_count(&e->dynsym))
		return NULL;
	return table_string(&e->dynsym.strings, symtab_at(&e->dynsym, i)->st_name);
}

/* 0 and *ret_name set or not; -errno when the section cannot be read. */
static int section_import_at(const struct ww_elf *e, const Elf64_Shdr *s, uint64_t vaddr,
			     const char **ret_name)
{
	Elf64_Rela piece[256];
	uint64_t left = s->sh_size;
	uint64_t at = s->sh_offset;

	if (s->sh_entsize != sizeof(Elf64_Rela) || left > WW_ELF_RELOCS_BYTES)
		return 0;
	while (left >= sizeof(Elf64_Rela)) {
		size_t n = WW_ARRAY_SIZE(piece);
		int r;

		if (n > left / sizeof(Elf64_Rela))
			n = (size_t)(left / sizeof(Elf64_Rela));
		r = read_at(e, at, piece, n * sizeof(Elf64_Rela));
		if (r < 0)
			return r;
		for (size_t i = 0; i < n; i++) {
			if (piece[i].r_offset == vaddr) {
				*ret_name = reloc_name(e, &piece[i]);
				return 0;
			}
		}
		left -= n * sizeof(Elf64_Rela);
		at += n * sizeof(Elf64_Rela);
	}
	return 0;
}

const char *ww_elf_import_at(struct ww_elf *e, uint64_t vaddr)
{
	const char *name = NULL;

	if (e->ehdr.e_machine != EM_X86_64 || symtab_need(e, SHT_DYNSYM, &e->dynsym) < 0)
		return NULL;
	for (size_t i = 0; i < e->shdr_count && !name; i++)
		if (e->shdr[i].sh_type == SHT_RELA && e->shdr[i].sh_link < e->shdr_count &&
		    e->shdr[e->shdr[i].sh_link].sh_type == SHT_DYNSYM &&
		    section_import_at(e, &e->shdr[i], vaddr, &name) < 0)
			return NULL;
	return name;
}

/* The segment with these rights that holds vaddr within its bytes in the file. */
static const Elf64_Phdr *segment_with(const struct ww_elf *e, uint64_t vaddr, uint32_t flags)
{
	for (size_t i = 0; i < e->phdr_count; i++) {
		const Elf64_Phdr *p = &e->phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & flags) && vaddr >= p->p_vaddr &&
		    vaddr - p->p_vaddr < p->p_filesz && p->p_offset <= e->bytes &&
		    vaddr - p->p_vaddr < e->bytes - p->p_offset)
			return p;
	}
	return NULL;
}

static const Elf64_Phdr *segment_of(const struct ww_elf *e, uint64_t vaddr)
{
	return segment_with(e, vaddr, PF_X);
}

int ww_elf_data(const struct ww_elf *e, uint64_t vaddr, void *p, size_t n)
{
	const Elf64_Phdr *s = segment_with(e, vaddr, PF_R);
	uint64_t in;

	if (!s)
		return -ENOENT;
	in = vaddr - s->p_vaddr;
	if (n > s->p_filesz - in || n > e->bytes - s->p_offset - in)
		return -ENOENT;
	return read_at(e, s->p_offset + in, p, n) < 0 ? -EIO : 0;
}

static uint64_t next_function(const struct symtab *t, uint64_t vaddr, uint64_t end)
{
	for (size_t i = 0; i < symtab_count(t); i++) {
		const Elf64_Sym *s = symtab_at(t, i);

		if (is_function(s) && s->st_value > vaddr && s->st_value < end)
			end = s->st_value;
	}
	return end;
}

uint64_t ww_elf_room(struct ww_elf *e, uint64_t vaddr)
{
	const Elf64_Phdr *s = segment_of(e, vaddr);
	uint64_t end;

	if (!s)
		return 0;
	end = s->p_vaddr + s->p_filesz;
	if (symtab_need(e, SHT_DYNSYM, &e->dynsym) == 0)
		end = next_function(&e->dynsym, vaddr, end);
	if (symtab_need(e, SHT_SYMTAB, &e->symtab) == 0)
		end = next_function(&e->symtab, vaddr, end);
	return end - vaddr;
}

int ww_elf_offset(const struct ww_elf *e, uint64_t vaddr, uint64_t *ret_offset)
{
	const Elf64_Phdr *p = segment_of(e, vaddr);

	if (!p)
		return -ENOENT;
	*ret_offset = p->p_offset + (vaddr - p->p_vaddr);
	return 0;
}

int ww_elf_code(const struct ww_elf *e, uint64_t vaddr, void *p, size_t n, size_t *ret_n)
{
	const Elf64_Phdr *s = segment_of(e, vaddr);
	uint64_t in, left;
	int r;

	if (!s)
		return -ENOENT;
	in = vaddr - s->p_vaddr;
	left = s->p_filesz - in;
	if (left > e->bytes - s->p_offset - in)
		left = e->bytes - s->p_offset - in;
	if (n > left)
		n = (size_t)left;
	r = read_at(e, s->p_offset + in, p, n);
	if (r < 0)
		return -EIO;
	*ret_n = n;
	return 0;
}

/* Notes: name and descriptor are padded to 4 bytes each. */
static size_t notes_build_id(struct ww_slice notes, uint8_t id[WW_ELF_BUILD_ID_MAX])
{
	while (notes.n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t name, desc;

		memcpy(&h, notes.p, sizeof(h));
		name = ((uint64_t)h.n_namesz + 3) & ~UINT64_C(3);
		desc = ((uint64_t)h.n_descsz + 3) & ~UINT64_C(3);
		notes = ww_slice_sub(notes, sizeof(h), notes.n);
		if (name > notes.n || desc > notes.n - name)
			return 0;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 &&
		    memcmp(notes.p, ELF_NOTE_GNU, 4) == 0 && h.n_descsz > 0 &&
		    h.n_descsz <= WW_ELF_BUILD_ID_MAX) {
			memcpy(id, notes.p + name, h.n_descsz);
			return h.n_descsz;
		}
		notes = ww_slice_sub(notes, (size_t)(name + desc), notes.n);
	}
	return 0;
}

size_t ww_elf_build_id(const struct ww_elf *e, uint8_t id[WW_ELF_BUILD_ID_MAX])
{
	for (size_t i = 0; i < e->phdr_count; i++) {
		struct table t = {NULL, 0};
		size_t n;

		if (e->phdr[i].p_type != PT_NOTE)
			continue;
		if (table_load(e, e->phdr[i].p_offset, e->phdr[i].p_filesz, WW_ELF_SMALL_BYTES,
			       &t) < 0)
			continue;
		n = notes_build_id(ww_slice(t.p, t.n), id);
		free(t.p);
		if (n > 0)
			return n;
	}
	return 0;
}

const char *ww_elf_soname(struct ww_elf *e)
{
	const Elf64_Shdr *s = section_of_type(e, SHT_DYNAMIC);
	const Elf64_Shdr *str;
	struct table t = {NULL, 0};
	const char *name = NULL;

	if (!s || s->sh_link >= e->shdr_count)
		return NULL;
	str = &e->shdr[s->sh_link];
	if (!e->dynamic_strings.p && table_load(e, str->sh_offset, str->sh_size, WW_ELF_TABLE_BYTES,
						&e->dynamic_strings) < 0)
		return NULL;
	if (table_load(e, s->sh_offset, s->sh_size, WW_ELF_SMALL_BYTES, &t) < 0)
		return NULL;
	for (size_t i = 0; i < t.n / sizeof(Elf64_Dyn) && !name; i++) {
		Elf64_Dyn d;

		memcpy(&d, t.p + i * sizeof(d), sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SONAME)
			name = table_string(&e->dynamic_strings, d.d_un.d_val);
	}
	free(t.p);
	return name;
}

static const Elf64_Shdr *section_named(const struct ww_elf *e, const char *name)
{
	for (size_t i = 0; i < e->shdr_count; i++) {
		const char *n = table_string(&e->names, e->shdr[i].sh_name);

		if (n && strcmp(n, name) == 0)
			return &e->shdr[i];
	}
	return NULL;
}

int ww_elf_section(const struct ww_elf *e, const char *name, uint8_t **ret_bytes, size_t *ret_n)
{
	const Elf64_Shdr *s = section_named(e, name);
	struct table t;
	int r;

	if (!s || s->sh_type == SHT_NOBITS)
		return -ENOENT;
	r = table_load(e, s->sh_offset, s->sh_size, WW_ELF_TABLE_BYTES, &t);
	if (r < 0)
		return r == -EINVAL ? -ENOENT : r;
	*ret_bytes = t.p;
	*ret_n = t.n;
	return 0;
}

bool ww_elf_has_section(const struct ww_elf *e, const char *name)
{
	return section_named(e, name) != NULL;
}

bool ww_elf_has_interpreter(const struct ww_elf *e)
{
	for (size_t i = 0; i < e->phdr_count; i++) {
		if (e->phdr[i].p_type == PT_INTERP)
			return true;
	}
	return false;
}
