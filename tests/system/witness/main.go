// SPDX-License-Identifier: Apache-2.0

// Command witness_xmod checks what witnesses and logs say with golang.org/x/mod only: no code of ours takes part.
//
//	witness_xmod cosigned FILE LOGKEY WITNESSKEY...      every key signed the checkpoint; prints its size
//	witness_xmod proof FILE LOGKEY [WITNESSKEY...]       a tlog-proof file; prints index and record
//	witness_xmod request LEDGER OLD                      a body for add-checkpoint, its proof made by x/mod
//	witness_xmod fork FILE LOGKEY                        two heads, both signed by the log, of one size, or the second
//	                                                     larger with a proof from another root; prints the size
//
// x/mod knows notes with plain Ed25519 signatures; the 15 lines of cosigner teach it tlog-cosignature.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }

// Verify is tlog-cosignature v1: eight bytes of time, then the signature over two lines and the text.
func (c cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), text...), sig[8:])
}

func parseKey(vkey string) (note.Verifier, error) {
	part := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(part) != 3 {
		return nil, fmt.Errorf("not a key: %q", vkey)
	}
	raw, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(raw) != 33 {
		return nil, fmt.Errorf("not a key: %q", vkey)
	}
	if raw[0] != 4 {
		return note.NewVerifier(strings.TrimSpace(vkey))
	}
	hash := sha256.Sum256(append([]byte(part[0]+"\n"), raw...))
	id := binary.BigEndian.Uint32(hash[:])
	if fmt.Sprintf("%08x", id) != part[1] {
		return nil, fmt.Errorf("wrong id in %q", vkey)
	}
	return cosigner{part[0], id, raw[1:]}, nil
}

// open wants a good signature of every key.
func open(msg []byte, vkeys []string) (tlog.Tree, error) {
	var tree tlog.Tree
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		v, err := parseKey(vkey)
		if err != nil {
			return tree, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(msg, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	if len(n.Sigs) != len(verifiers) {
		return tree, fmt.Errorf("%d of %d signatures are there", len(n.Sigs), len(verifiers))
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return tree, errors.New("not the three lines of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, errors.New("bad root")
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

func cosigned(file string, vkeys []string) error {
	msg, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	tree, err := open(msg, vkeys)
	if err == nil {
		fmt.Println(tree.N)
	}
	return err
}

// leaf is what stands in the tree for a record: its kind and the digest of salt and record.
func leaf(extra []byte) (string, string, error) {
	var r struct{ Kind, Salt, Record, Digest string }
	if err := json.Unmarshal(extra, &r); err != nil {
		return "", "", err
	}
	if r.Digest == "" {
		salt, err := hex.DecodeString(r.Salt)
		if err != nil {
			return "", "", err
		}
		digest := sha256.Sum256(append(salt, r.Record...))
		r.Digest = hex.EncodeToString(digest[:])
	}
	return fmt.Sprintf(`{"v":1,"kind":"%s","digest":"%s"}`, r.Kind, r.Digest), r.Record, nil
}

func proof(file string, vkeys []string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, checkpoint, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return errors.New("bad hash")
		}
		var h tlog.Hash
		copy(h[:], raw)
		path = append(path, h)
	}
	tree, err := open(checkpoint, vkeys)
	if err != nil {
		return err
	}
	entry, record, err := leaf(extra)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash([]byte(entry))); err != nil {
		return err
	}
	fmt.Println(index, record)
	return nil
}

type tiles struct{ dir string }

func (t tiles) Height() int                     { return height }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range want {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func request(dir, old string) error {
	vkey, err := os.ReadFile(filepath.Join(dir, "vkey"))
	if err != nil {
		return err
	}
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(msg, []string{string(vkey)})
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(old, 10, 64)
	if err != nil {
		return err
	}
	fmt.Printf("old %d\n", from)
	if from > 0 && from < tree.N {
		path, err := tlog.ProveTree(tree.N, from, tlog.TileHashReader(tree, tiles{dir}))
		if err != nil {
			return err
		}
		for _, h := range path {
			fmt.Println(base64.StdEncoding.EncodeToString(h[:]))
		}
	}
	fmt.Printf("\n%s", msg)
	return nil
}

func fork(file, vkey string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	part := strings.Split(string(data), "\n\n")
	if len(part) != 4 && len(part) != 5 {
		return errors.New("not two notes")
	}
	one, err := open([]byte(part[0]+"\n\n"+part[1]+"\n"), []string{vkey})
	if err != nil {
		return err
	}
	two, err := open([]byte(part[2]+"\n\n"+strings.TrimSuffix(part[3], "\n")+"\n"), []string{vkey})
	if err != nil {
		return err
	}
	if len(part) == 5 {
		return diverge(one, two, strings.Fields(part[4]))
	}
	if one.N != two.N || one.Hash == two.Hash {
		return errors.New("no contradiction")
	}
	fmt.Println(one.N)
	return nil
}

// diverge: the first one.N records of the larger tree have another root than one.
func diverge(one, two tlog.Tree, lines []string) error {
	var path tlog.TreeProof
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return errors.New("bad hash")
		}
		var h tlog.Hash
		copy(h[:], raw)
		path = append(path, h)
	}
	if len(path) == 0 || one.N >= two.N || path[0] == one.Hash {
		return errors.New("no contradiction")
	}
	if err := tlog.CheckTree(path[1:], two.N, two.Hash, one.N, path[0]); err != nil {
		return err
	}
	fmt.Println(one.N)
	return nil
}

func main() {
	arg := os.Args[1:]
	err := errors.New("usage: see the head of the source")
	switch {
	case len(arg) >= 3 && arg[0] == "cosigned":
		err = cosigned(arg[1], arg[2:])
	case len(arg) >= 3 && arg[0] == "proof":
		err = proof(arg[1], arg[2:])
	case len(arg) == 3 && arg[0] == "request":
		err = request(arg[1], arg[2])
	case len(arg) == 3 && arg[0] == "fork":
		err = fork(arg[1], arg[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness_xmod:", err)
		os.Exit(1)
	}
}
