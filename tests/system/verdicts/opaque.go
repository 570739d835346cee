// SPDX-License-Identifier: Apache-2.0
// A tool call by a runtime with a TLS of its own; the monitor cannot read it where its functions are hidden.
//
//	opaque ORDER post|skip    posts the refund, or only talks to another service; says done either way
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

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

func send(client *http.Client, url, tag, body string) {
	req, err := http.NewRequest("POST", url, bytes.NewBufferString(body))
	check(err)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("x-tag", tag)
	res, err := client.Do(req)
	check(err)
	_, err = io.Copy(io.Discard, res.Body)
	check(err)
	check(res.Body.Close())
}

func main() {
	order, mode := os.Args[1], os.Args[2]
	ca, err := os.ReadFile(os.Getenv("CA_FILE"))
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	tag := os.Getenv("AGENT_TAG") + "-" + order + "-tool"
	start := time.Now().UnixNano()
	if mode == "post" {
		send(client, "https://payments.test/v1/refunds", tag, fmt.Sprintf(`{"order_id":%q,"amount_cents":100}`, order))
	} else {
		send(client, "https://other.test/v1/other", tag, "{}")
	}
	send(http.DefaultClient, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+"/v1/traces", tag, fmt.Sprintf(
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":%q,"spanId":%q,"name":"t","kind":1,
		"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":1},"attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},
		{"key":"gen_ai.tool.name","value":{"stringValue":"refund_order"}},
		{"key":"gen_ai.tool.call.id","value":{"stringValue":%q}}]}]}]}]}`,
		random(16), random(8), start, time.Now().UnixNano(), "call_"+random(12)))
}
