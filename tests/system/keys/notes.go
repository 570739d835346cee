// SPDX-License-Identifier: Apache-2.0

// Command notes opens a signed note with golang.org/x/mod under each of the given keys, one by one, and prints its
// text. No code of ours takes part.
//
//	notes NOTE VKEY...
package main

import (
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func open(path string, vkeys []string) (string, error) {
	msg, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := ""
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return "", err
		}
		n, err := note.Open(msg, note.VerifierList(verifier))
		if err != nil {
			return "", fmt.Errorf("under %s: %w", vkey, err)
		}
		text = n.Text
	}
	return text, nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: notes NOTE VKEY...")
		os.Exit(2)
	}
	text, err := open(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Print(text)
}
