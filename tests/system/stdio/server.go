// SPDX-License-Identifier: Apache-2.0

// A tool server in a language that makes its system calls itself: it answers every request, and its calls are logged as those of
// server.py are.
//
//	server LOG
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

type message struct {
	ID     *json.RawMessage `json:"id"`
	Method string           `json:"method"`
	Params struct {
		Name      string
		Arguments struct{ Order, Mode string }
	} `json:"params"`
}

func main() {
	log, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line, &m) != nil || m.ID == nil {
			continue
		}
		out := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"{}"}]}}`, *m.ID)
		if m.Method == "tools/call" {
			fmt.Fprintf(log, `{"server":%d,"id":%s,"tool":"%s","order":"%s","mode":"%s","in":%d,"out":%d,"effect":"done"}`+"\n",
				os.Getpid(), *m.ID, m.Params.Name, m.Params.Arguments.Order, m.Params.Arguments.Mode, len(line)-1, len(out))
		}
		fmt.Println(out)
	}
}
