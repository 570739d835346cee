// SPDX-License-Identifier: Apache-2.0

// A QUIC server and client on quic-go, each with a log of its own: what was offered, and every datagram that it sent or got.
//
//	peer server ADDR CERT KEY LOG CONNECTIONS [retry] [drop=N]
//	peer client ADDR LOG SERVER-LOG [connected] [hold] [gso] [resume] NAME/ALPN,...[/BYTES]...
//
// The server prints "ready PORT", echoes one stream per connection, and ends after so many of them. drop: the first N datagrams
// that arrive are thrown away. The client makes its connections one after the other over one socket, and leaves it open until it
// has got all that the server has sent. hold: the first datagram never leaves; gso: the first two leave as one packet.
// An ALPN of digits is that many bytes of made-up names.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/lucas-clemente/quic-go"
	"golang.org/x/sys/unix"
)

// udp(7): neither is in the syscall packages at hand.
const solUDP, udpSegment = 17, 103

type sums struct {
	Kind         string `json:"kind"`
	Local        string `json:"local"`
	BytesIn      int    `json:"bytesIn"`
	BytesOut     int    `json:"bytesOut"`
	DatagramsIn  int    `json:"datagramsIn"`
	DatagramsOut int    `json:"datagramsOut"`
	Early        int    `json:"early"`
	Dropped      int    `json:"dropped"`
	Merged       bool   `json:"merged"`
}

// Says when there is a session to resume.
type tickets struct {
	tls.ClientSessionCache
	here chan struct{}
	once sync.Once
}

func (t *tickets) Put(key string, session *tls.ClientSessionState) {
	t.ClientSessionCache.Put(key, session)
	if session != nil {
		t.once.Do(func() { close(t.here) })
	}
}

// Counts what passes; no more than a net.PacketConn, so that quic-go reads and writes datagram by datagram.
type counted struct {
	conn                  *net.UDPConn
	mu                    sync.Mutex
	arrived               sync.Cond // a datagram
	s                     sums
	drop                  int // arriving
	hold, connected, join bool
	first                 []byte
}

func (c *counted) Close() error                       { return c.conn.Close() }
func (c *counted) LocalAddr() net.Addr                { return c.conn.LocalAddr() }
func (c *counted) SetDeadline(t time.Time) error      { return c.conn.SetDeadline(t) }
func (c *counted) SetReadDeadline(t time.Time) error  { return c.conn.SetReadDeadline(t) }
func (c *counted) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

func (c *counted) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.conn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		c.mu.Lock()
		c.s.BytesIn += n
		c.s.DatagramsIn++
		c.arrived.Broadcast()
		dropped := c.drop > 0
		if dropped {
			c.drop--
			c.s.Dropped++
		}
		c.mu.Unlock()
		if !dropped {
			return n, from, nil
		}
	}
}

func (c *counted) WriteTo(b []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold {
		c.hold = false
		c.s.Dropped++
		return len(b), nil
	}
	c.s.BytesOut += len(b)
	c.s.DatagramsOut++
	if c.join && c.first == nil {
		c.first = append([]byte{}, b...)
		return len(b), nil
	}
	if c.join {
		c.join = false
		return len(b), c.writeTwo(b, to)
	}
	if c.connected {
		return c.conn.Write(b)
	}
	return c.conn.WriteTo(b, to)
}

// Both in one call, for the kernel to cut in pieces of the first one's size (UDP_SEGMENT of udp(7)).
func (c *counted) writeTwo(b []byte, to net.Addr) error {
	oob := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	h.Level, h.Type = solUDP, udpSegment
	h.SetLen(unix.CmsgLen(2))
	oob[unix.CmsgLen(0)] = byte(len(c.first))
	oob[unix.CmsgLen(0)+1] = byte(len(c.first) >> 8)
	_, _, err := c.conn.WriteMsgUDP(append(c.first, b...), oob, to.(*net.UDPAddr))
	c.s.Merged = err == nil
	return err
}

func (c *counted) sums(kind string) sums {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Kind, s.Local = kind, c.conn.LocalAddr().String()
	return s
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func put(to io.Writer, v any) {
	line, err := json.Marshal(v)
	must(err)
	_, err = to.Write(append(line, '\n'))
	must(err)
}

var config = quic.Config{MaxIdleTimeout: 120 * time.Second, HandshakeIdleTimeout: 120 * time.Second, DisablePathMTUDiscovery: true}

type hello struct {
	Kind string   `json:"kind"`
	Peer string   `json:"peer"`
	SNI  string   `json:"sni"`
	ALPN []string `json:"alpn"`
}

func server(args []string) {
	addr, err := net.ResolveUDPAddr("udp", args[0])
	must(err)
	conn, err := net.ListenUDP("udp", addr)
	must(err)
	cert, err := tls.LoadX509KeyPair(args[1], args[2])
	must(err)
	temporary := args[3] + ".part"
	log, err := os.Create(temporary)
	must(err)
	count, err := strconv.Atoi(args[4])
	must(err)
	c := &counted{conn: conn}
	cfg := config
	cfg.RequireAddressValidation = func(net.Addr) bool { return false }
	for _, word := range args[5:] {
		if word == "retry" {
			cfg.RequireAddressValidation = func(net.Addr) bool { return true }
		} else {
			_, err = fmt.Sscanf(word, "drop=%d", &c.drop)
			must(err)
		}
	}
	var mu sync.Mutex
	t := &tls.Config{}
	t.GetConfigForClient = func(i *tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		put(log, hello{"hello", i.Conn.RemoteAddr().String(), i.ServerName, i.SupportedProtos})
		return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: i.SupportedProtos[len(i.SupportedProtos)-1:], SessionTicketKey: [32]byte{1}}, nil
	}
	l, err := quic.ListenEarly(c, t, &cfg)
	must(err)
	fmt.Println("ready", conn.LocalAddr().(*net.UDPAddr).Port)
	os.Stdout.Close()
	for ; count > 0; count-- {
		q, err := l.Accept(context.Background())
		must(err)
		s, err := q.AcceptStream(context.Background())
		must(err)
		data, err := io.ReadAll(s)
		must(err)
		_, err = s.Write(data)
		must(err)
		must(s.Close())
		<-q.Context().Done()
	}
	l.Close()
	mu.Lock()
	put(log, c.sums("server"))
	must(os.Rename(temporary, args[3]))
}

func names(spec string) []string {
	var out []string

	for _, word := range strings.Split(spec, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			out = append(out, word)
		}
		for ; n > 0; n -= 101 {
			out = append(out, fmt.Sprintf("made-up-%092d", n))
		}
	}
	return out
}

func connect(c *counted, to net.Addr, t *tls.Config, spec string) {
	part := strings.Split(spec, "/")
	size := 1000
	if len(part) > 2 {
		var err error
		size, err = strconv.Atoi(part[2])
		must(err)
	}
	t = t.Clone()
	t.ServerName, t.NextProtos = part[0], names(part[1])
	early := t.ClientSessionCache != nil
	q, err := quic.DialEarly(c, to, part[0], t, &config)
	must(err)
	if !early {
		<-q.HandshakeComplete().Done()
	}
	s, err := q.OpenStream()
	must(err)
	sent := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
	_, err = s.Write(sent)
	must(err)
	must(s.Close())
	got, err := io.ReadAll(s)
	must(err)
	if !bytes.Equal(got, sent) {
		must(fmt.Errorf("echo of %d bytes is %d", len(sent), len(got)))
	}
	<-q.HandshakeComplete().Done()
	if q.ConnectionState().TLS.Used0RTT {
		c.s.Early++
	}
	if early { // what the next connection resumes comes behind the handshake
		<-t.ClientSessionCache.(*tickets).here
	}
	q.CloseWithError(0, "")
}

// All that the server has sent is here: then nothing is on its way to a closed socket.
func drain(c *counted, path string) {
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	must(err)
	_, err = unix.InotifyAddWatch(watch, filepath.Dir(path), unix.IN_MOVED_TO)
	must(err)
	text, missing := os.ReadFile(path)
	for missing != nil {
		_, err = unix.Read(watch, make([]byte, 4096))
		must(err)
		text, missing = os.ReadFile(path)
	}
	var s sums
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	must(json.Unmarshal(lines[len(lines)-1], &s))
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.s.DatagramsIn < s.DatagramsOut {
		c.arrived.Wait()
	}
}

func client(args []string) {
	to, err := net.ResolveUDPAddr("udp", args[0])
	must(err)
	log, err := os.Create(args[1])
	must(err)
	t := &tls.Config{InsecureSkipVerify: true}
	c := &counted{}
	c.arrived.L = &c.mu
	var specs []string
	for _, word := range args[3:] {
		switch word {
		case "connected":
			c.connected = true
		case "hold":
			c.hold = true
		case "gso":
			c.join = true
		case "resume":
			t.ClientSessionCache = &tickets{tls.NewLRUClientSessionCache(4), make(chan struct{}), sync.Once{}}
		default:
			specs = append(specs, word)
		}
	}
	if c.connected {
		c.conn, err = net.DialUDP("udp", nil, to)
	} else {
		c.conn, err = net.ListenUDP("udp4", nil)
	}
	must(err)
	for _, spec := range specs {
		connect(c, to, t, spec)
	}
	drain(c, args[2])
	put(log, c.sums("client"))
	must(c.conn.Close())
}

func main() {
	if os.Args[1] == "server" {
		server(os.Args[2:])
	} else {
		client(os.Args[2:])
	}
}
