// SPDX-License-Identifier: Apache-2.0

// client PORT TRUTH: as client.py, by Go's own resolver.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	c, err := net.Dial("tcp", "go.test:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	local := c.LocalAddr().(*net.TCPAddr).Port
	peer := c.RemoteAddr().(*net.TCPAddr).IP.String()
	c.Close()
	f, err := os.OpenFile(os.Args[2], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(f, `{"pid": %d, "local": %d, "peer": "%s", "names": ["go.test"], "to": "process"}`+"\n", os.Getpid(), local, peer)
	f.Close()
}
