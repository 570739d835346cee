// SPDX-License-Identifier: Apache-2.0

// Command ledger_xmod checks a ledger directory with golang.org/x/mod only: no code of ours takes part.
//
//	ledger_xmod LEDGER [KEPT]
//
// It verifies the signed checkpoint, authenticates the tiles against its root, proves records and older trees,
// rebuilds the root from the entries alone, and follows salted digests to the records. KEPT is a directory of
// earlier checkpoints, each of which must be a prefix of the tree.
//
// Four things differ between the Go checksum database and the C2SP layout: the first line of the tree text is the log's
// own, tile paths have no height, entries lie in bundles, and the empty tree has a root.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type ledger struct {
	dir  string
	key  note.Verifier
	tree tlog.Tree
}

func readNote(path string, key note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	msg, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	n, err := note.Open(msg, note.VerifierList(key))
	if err != nil {
		return tree, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != key.Name() {
		return tree, fmt.Errorf("%s: not the three lines of %s", path, key.Name())
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, fmt.Errorf("%s: bad size", path)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, fmt.Errorf("%s: bad root", path)
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// tilePath is x/mod's path without the height.
func tilePath(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

func (l *ledger) Height() int { return height }

func (l *ledger) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles gives exactly the bytes of each tile; a partial tile may live on only in the full one.
func (l *ledger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(l.dir, tilePath(t)))
		if errors.Is(err, fs.ErrNotExist) && t.W < 1<<height {
			full := t
			full.W = 1 << height
			data, err = os.ReadFile(filepath.Join(l.dir, tilePath(full)))
			if err == nil && len(data) == tlog.HashSize<<height {
				data = data[:t.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", tilePath(t), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

// entries splits every bundle of the tree.
func (l *ledger) entries() ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n<<height < l.tree.N; n++ {
		width := l.tree.N - n<<height
		if width > 1<<height {
			width = 1 << height
		}
		t := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		path := strings.Replace(tilePath(t), "tile/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(l.dir, path))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s ends early", path)
			}
			size := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+size])
			data = data[2+size:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s has %d bytes too many", path, len(data))
		}
	}
	return all, nil
}

// rebuild makes the whole tree from the entries alone, with x/mod's own storage scheme in memory.
func rebuild(entries [][]byte) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, e := range entries {
		hashes, err := tlog.StoredHashes(int64(i), e, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return reader, nil
}

// checkTiles compares every byte of every tile of the tree with the rebuilt one. (The authentication inside
// x/mod 0.7 passes over some tiles, so it alone would not show every flipped bit.)
func (l *ledger) checkTiles(rebuilt tlog.HashReader) error {
	for level := 0; l.tree.N>>(height*level) > 0; level++ {
		count := l.tree.N >> (height * level)
		for n := int64(0); n<<height < count; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: 1 << height}
			if left := count - n<<height; left < int64(t.W) {
				t.W = int(left)
			}
			want, err := tlog.ReadTileData(t, rebuilt)
			if err != nil {
				return err
			}
			got, err := l.ReadTiles([]tlog.Tile{t})
			if err != nil {
				return err
			}
			if !bytes.Equal(got[0], want) {
				return fmt.Errorf("%s does not follow from the entries", tilePath(t))
			}
		}
	}
	return nil
}

func (l *ledger) checkRecords(entries [][]byte, reader tlog.HashReader) error {
	step := int64(len(entries))/500 + 1
	for i := int64(0); i < l.tree.N; i += step {
		proof, err := tlog.ProveRecord(l.tree.N, i, reader)
		if err != nil {
			return err
		}
		hash := tlog.RecordHash(entries[i])
		if err := tlog.CheckRecord(proof, l.tree.N, l.tree.Hash, i, hash); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

func (l *ledger) checkTrees(older []tlog.Tree, reader tlog.HashReader) error {
	for _, old := range older {
		if old.N == 0 {
			continue // every tree extends the empty one; x/mod has no proof for that
		}
		proof, err := tlog.ProveTree(l.tree.N, old.N, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, l.tree.N, l.tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("tree %d: %w", old.N, err)
		}
	}
	return nil
}

// olderTrees are prefixes of the tree, their roots taken from the tiles.
func (l *ledger) olderTrees(reader tlog.HashReader) ([]tlog.Tree, error) {
	var older []tlog.Tree
	for n := int64(1); n < l.tree.N; n += l.tree.N/100 + 1 {
		hash, err := tlog.TreeHash(n, reader)
		if err != nil {
			return nil, err
		}
		older = append(older, tlog.Tree{N: n, Hash: hash})
	}
	return older, nil
}

func (l *ledger) kept(dir string) ([]tlog.Tree, error) {
	var trees []tlog.Tree
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		tree, err := readNote(filepath.Join(dir, n.Name()), l.key)
		if err != nil {
			return nil, err
		}
		if strconv.FormatInt(tree.N, 10) != n.Name() {
			return nil, fmt.Errorf("%s holds size %d", n.Name(), tree.N)
		}
		trees = append(trees, tree)
	}
	return trees, nil
}

// checkPayload follows each leaf's salted digest to the record's bytes; erased ones (state 2) have none. Whole
// segments may be missing once the log has pruned: each is named by the index of its first record.
func (l *ledger) checkPayload(entries [][]byte) error {
	names, err := filepath.Glob(filepath.Join(l.dir, "records", "*"))
	if err != nil {
		return err
	}
	sort.Strings(names)
	_, err = os.Stat(filepath.Join(l.dir, "pruned"))
	pruned := err == nil
	i := 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		first, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			return err
		}
		if pruned && first > i {
			i = first
		}
		for ; len(data) > 0 && i < len(entries); i++ {
			if len(data) < 8 || len(data)-8 < int(binary.BigEndian.Uint32(data)) {
				return fmt.Errorf("%s ends early", name)
			}
			body := data[8 : 8+binary.BigEndian.Uint32(data)]
			data = data[8+len(body):]
			if binary.BigEndian.Uint64(body[1:]) != uint64(i) {
				return fmt.Errorf("record %d is out of place", i)
			}
			kind := body[10 : 10+int(body[9])]
			salted := body[10+len(kind):]
			digest := sha256.Sum256(salted)
			want := fmt.Sprintf(`{"v":1,"kind":"%s","digest":"%s"}`, kind, hex.EncodeToString(digest[:]))
			if body[0] == 1 && (string(entries[i]) != want || !json.Valid(salted[32:])) {
				return fmt.Errorf("record %d does not have the digest in its leaf", i)
			}
		}
	}
	if i != len(entries) {
		return fmt.Errorf("%d of %d records are there", i, len(entries))
	}
	return nil
}

func check(dir, keptDir string) error {
	vkey, err := os.ReadFile(filepath.Join(dir, "vkey"))
	if err != nil {
		return err
	}
	l := &ledger{dir: dir}
	if l.key, err = note.NewVerifier(strings.TrimSpace(string(vkey))); err != nil {
		return err
	}
	if l.tree, err = readNote(filepath.Join(dir, "checkpoint"), l.key); err != nil {
		return err
	}
	if l.tree.N == 0 {
		empty := sha256.Sum256(nil)
		if !bytes.Equal(empty[:], l.tree.Hash[:]) {
			return errors.New("wrong root of the empty tree")
		}
		return nil
	}
	entries, err := l.entries()
	if err != nil {
		return err
	}
	rebuilt, err := rebuild(entries)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(l.tree.N, rebuilt)
	if err != nil {
		return err
	}
	if root != l.tree.Hash {
		return errors.New("the entries do not give the signed root")
	}
	if err := l.checkTiles(rebuilt); err != nil {
		return err
	}
	reader := tlog.TileHashReader(l.tree, l)
	if root, err = tlog.TreeHash(l.tree.N, reader); err != nil || root != l.tree.Hash {
		return fmt.Errorf("the tiles do not give the signed root (%v)", err)
	}
	if err := l.checkRecords(entries, reader); err != nil {
		return err
	}
	older, err := l.olderTrees(reader)
	if err != nil {
		return err
	}
	if keptDir != "" {
		more, err := l.kept(keptDir)
		if err != nil {
			return err
		}
		older = append(older, more...)
	}
	if err := l.checkTrees(older, reader); err != nil {
		return err
	}
	return l.checkPayload(entries)
}

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: ledger_xmod LEDGER [KEPT]")
		os.Exit(2)
	}
	kept := ""
	if len(os.Args) == 3 {
		kept = os.Args[2]
	}
	if err := check(os.Args[1], kept); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}
