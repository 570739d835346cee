// SPDX-License-Identifier: Apache-2.0

// client CASE ADDRESS COUNT: TLS in the ways of Go's programs. CA_FILE: whom to trust.
//
//	plain     the exchanges of capture/traffic.py, one connection after the other, TLS 1.2 and 1.3
//	parallel  the same, all connections at a time, buffers on the goroutines' stacks, which grow meanwhile
//	h1 NAME, h2 NAME   requests with paths that occur once, by net/http: 100 goroutines; HTTP/1.1 with
//	          connections kept alive, HTTP/2 by ALPN
//	late NAME FIFO     four connections, one request on each; then "ready", and COUNT more when the FIFO ends
//	reset     connections that the peer resets: a write that fails
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func config(i int) *tls.Config {
	c := &tls.Config{ServerName: "server.test", RootCAs: x509.NewCertPool()}
	pem, err := os.ReadFile(os.Getenv("CA_FILE"))
	check(err)
	c.RootCAs.AppendCertsFromPEM(pem)
	if i%3 == 1 {
		c.MaxVersion = tls.VersionTLS12
	}
	return c
}

func dial(address string, i int) *tls.Conn {
	c := config(i)
	c.InsecureSkipVerify = true // the truth's server has another name
	conn, err := tls.Dial("tcp", address, c)
	check(err)
	return conn
}

// Takes stack, so that the runtime moves it elsewhere before the call goes on below it.
//
//go:noinline
func deeper(n int, f func()) byte {
	var room [1024]byte
	if n > 0 {
		return deeper(n-1, f) + room[n%1024]
	}
	f()
	return room[0]
}

//go:noinline
func readSome(conn *tls.Conn, left int) int {
	var into [3000]byte // on the stack: a static call does not let it escape
	if left > len(into) {
		left = len(into)
	}
	n, err := conn.Read(into[:left])
	if n == 0 { // the end may come with the last bytes
		check(err)
	}
	return n
}

func exchange(conn *tls.Conn, n, m, how int) {
	text := make([]byte, 12+n)
	binary.BigEndian.PutUint32(text, uint32(n))
	binary.BigEndian.PutUint32(text[4:], uint32(m))
	binary.BigEndian.PutUint32(text[8:], uint32(how))
	for i := range text[12:] {
		text[12+i] = byte(i*7 + i/251)
	}
	_, err := conn.Write(text)
	check(err)
	for left := m; left > 0; {
		deeper(left%40, func() { left -= readSome(conn, left) })
	}
}

var sizes = [][2]int{{0, 1}, {200, 1200}, {16384, 16384}, {16385, 100000}, {70000, 255}, {1000, 5000}, {1 << 20, 4 << 20}}

// mode 0: the first FIN is ours, 2: the server's.
func one(address string, i int, sizes [][2]int) {
	conn, mode, rounds := dial(address, i), i%2*2, 2+i%3
	for k := 0; k < rounds; k++ {
		size, how := sizes[(i+k)%len(sizes)], mode
		if k+1 == rounds {
			how |= 4
		}
		exchange(conn, size[0], size[1], how)
	}
	if mode == 2 {
		_, err := io.Copy(io.Discard, conn)
		check(err)
	}
	check(conn.CloseWrite())
	raw := conn.NetConn().(*net.TCPConn)
	check(raw.CloseWrite())
	_, err := io.Copy(io.Discard, raw)
	check(err)
	conn.Close()
}

func reset(address string, i int) {
	conn := dial(address, i)
	exchange(conn, 1000+i, 2000, 0)
	exchange(conn, 0, 0, 0) // says that the answer is here
	raw := conn.NetConn().(*net.TCPConn)
	for {
		_, err := io.Copy(io.Discard, raw) // until the reset is here
		if err != nil {
			break
		}
	}
	if n, err := conn.Write(make([]byte, 5000)); err == nil {
		panic(fmt.Sprint("written after the reset: ", n))
	}
	conn.Close()
}

func path(name string, i int) string {
	letters := ""
	for k := 0; k < 4; k++ {
		letters += string(rune('a' + i%26))
		i /= 26
	}
	return "/t/" + name + "-" + letters + strings.Repeat("x", 4+int(letters[0])%7)
}

func get(client *http.Client, address, name string, i int) {
	url := "https://" + address + path(name, i)
	var r *http.Response
	var err error
	if i%3 == 0 {
		r, err = client.Get(url)
	} else {
		r, err = client.Post(url, "text/plain", bytes.NewReader(make([]byte, i%3*700)))
	}
	check(err)
	body, err := io.ReadAll(r.Body)
	check(err)
	r.Body.Close()
	if r.StatusCode != 200 || len(body) == 0 {
		panic(r.Status)
	}
}

func requests(address, name string, count int, h2 bool) {
	transport := &http.Transport{TLSClientConfig: config(0), ForceAttemptHTTP2: h2, MaxIdleConnsPerHost: 100}
	client := &http.Client{Transport: transport}
	var all sync.WaitGroup
	for g := 0; g < 100; g++ {
		all.Add(1)
		go func(g int) {
			defer all.Done()
			for i := g; i < count; i += 100 {
				get(client, address, name, i)
			}
		}(g)
	}
	all.Wait()
	transport.CloseIdleConnections()
}

func late(address, name string, count int, fifo string) {
	var clients [4]*http.Client
	for i := range clients {
		clients[i] = &http.Client{Transport: &http.Transport{TLSClientConfig: config(0), MaxConnsPerHost: 1}}
		get(clients[i], address, "before-"+name, i)
	}
	fmt.Println("ready 0")
	_, err := os.ReadFile(fifo)
	check(err)
	for i := 0; i < count; i++ {
		get(clients[i%4], address, name, i)
	}
}

func main() {
	mode, address := os.Args[1], os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	switch mode {
	case "plain", "reset":
		for i := 0; i < count; i++ {
			if mode == "plain" {
				one(address, i, sizes)
			} else {
				reset(address, i)
			}
		}
	case "parallel":
		var all sync.WaitGroup
		for i := 0; i < count; i++ {
			all.Add(1)
			go func(i int) {
				defer all.Done()
				one(address, i, sizes[:len(sizes)-1])
			}(i)
		}
		all.Wait()
	case "h1", "h2":
		requests(address, os.Args[4], count, mode == "h2")
	case "late":
		late(address, os.Args[4], count, os.Args[5])
	}
}
