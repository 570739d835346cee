// SPDX-License-Identifier: Apache-2.0
// The Go agent of the truth suite: a runtime with a TLS of its own.
//
//	agent PLAN      carries out the groups of runs in that JSON file, see ../kinds.py
//
// From the environment: WW_TOOLS, CA_FILE, OTEL_EXPORTER_OTLP_ENDPOINT.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type op struct {
	Do, Script, Host, Path string
}

type run struct {
	Run, Tool string
	Span      *string
	Claim     *string
	Cents     int
	Gap       int
	Ops       []op
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func random(n int) string {
	b := make([]byte, n)
	_, err := rand.Read(b)
	check(err)
	return hex.EncodeToString(b)
}

func send(client *http.Client, url, tag, traceparent string, body any) {
	text, err := json.Marshal(body)
	check(err)
	req, err := http.NewRequest("POST", url, bytes.NewReader(text))
	check(err)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("x-tag", tag)
	if traceparent != "" {
		req.Header.Set("traceparent", traceparent)
	}
	res, err := client.Do(req)
	check(err)
	_, err = io.Copy(io.Discard, res.Body)
	check(err)
	check(res.Body.Close())
}

func text(key, value string) map[string]any {
	return map[string]any{"key": key, "value": map[string]any{"stringValue": value}}
}

func main() {
	ca, err := os.ReadFile(os.Getenv("CA_FILE"))
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	plan, err := os.ReadFile(os.Args[1])
	check(err)
	var groups [][]run
	check(json.Unmarshal(plan, &groups))
	tools := map[string][]string{}
	check(json.Unmarshal([]byte(os.Getenv("WW_TOOLS")), &tools))
	for _, group := range groups {
		for _, r := range group {
			trace, span, start := random(16), random(8), time.Now().UnixNano()
			for _, o := range r.Ops {
				host, path := tools[r.Tool][0], tools[r.Tool][2]
				if o.Host != "" {
					host, path = o.Host, o.Path
				}
				send(client, "https://"+host+path, r.Run, "00-"+trace+"-"+span+"-01",
					map[string]any{"order_id": r.Run, "amount_cents": r.Cents, "script": o.Script})
			}
			told := map[string]any{"traceId": trace, "spanId": span, "kind": 1, "startTimeUnixNano": fmt.Sprint(start),
				"endTimeUnixNano": fmt.Sprint(time.Now().UnixNano()), "status": map[string]any{"code": 1}}
			if r.Span != nil {
				told["name"] = "execute_tool"
				told["attributes"] = []any{text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", r.Tool),
					text("gen_ai.tool.call.id", "call_"+r.Run)}
			} else {
				told["name"] = "invoke_agent"
				told["attributes"] = []any{text("gen_ai.operation.name", "invoke_agent")}
			}
			if r.Claim != nil && *r.Claim == "loose" {
				told["events"] = []any{map[string]any{"name": "wirewitness.claim", "timeUnixNano": told["endTimeUnixNano"],
					"attributes": []any{text("claim.id", "claim-"+r.Run), text("claim.tool", r.Tool), text("claim.tense", "done")}}}
			}
			send(http.DefaultClient, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+"/v1/traces", "", "",
				map[string]any{"resourceSpans": []any{map[string]any{"scopeSpans": []any{map[string]any{"spans": []any{told}}}}}})
			client.CloseIdleConnections() // each on a connection of its own
			time.Sleep(time.Duration(r.Gap) * time.Millisecond)
		}
	}
	fmt.Println("done")
}
