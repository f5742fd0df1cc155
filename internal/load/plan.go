// Package load makes HTTP requests like many visitors, and reports how they fared: who was refused,
// who was cut off after asking, who waited longest, and for how long nobody was served. It runs in
// the calling process; package lab runs it inside a node.
//
// It imports nothing of ours. Open plan.go first.
package load

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Plan says what is requested, by how many clients, and for how long. It continues until Requests
// have been made, For is over or the context ends, whichever comes first.
type Plan struct {
	// URL is http://ADDRESS[:PORT]/PATH; a name in place of the address is looked up once.
	URL string
	// Unix is the path of a socket that is connected to in place of the URL's address.
	Unix string `json:",omitempty"`
	// Clients is how many requests may be under way at once. Zero is one client, or, with Every, no
	// bound: a request is then made regardless of the earlier ones.
	Clients int
	// Requests is how many are made; no limit if zero.
	Requests int
	// For is how long requests are made; no limit if zero.
	For time.Duration
	// Every is the time between the beginnings of two requests, over all clients; as soon as a
	// client is free if zero.
	Every time.Duration
	// Timeout is after how long a request counts as failed, from before the connection is made; two
	// seconds if zero.
	Timeout time.Duration
	// KeepAlive reuses a connection for the next request if the server agrees. Without it, each
	// request has a new connection.
	KeepAlive bool
}

// target is where a checked plan connects to, and what it sends.
type target struct {
	network, address string
	request          []byte
}

func (p Plan) check() (target, error) {
	var t target
	wrong := func(format string, a ...any) (target, error) {
		return t, fmt.Errorf("load: %s: %w", p.URL, fmt.Errorf(format, a...))
	}
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return wrong("give a URL of the form http://address/path")
	}
	if p.Clients < 0 || p.Requests < 0 || p.For < 0 || p.Every < 0 || p.Timeout < 0 {
		return wrong(
			"clients %d, requests %d, for %s, every %s, time-out %s: none of them can be negative",
			p.Clients, p.Requests, p.For, p.Every, p.Timeout)
	}
	if p.Unix != "" {
		t.network, t.address = "unix", p.Unix
	} else {
		port := u.Port()
		if port == "" {
			port = "80"
		}
		a, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(u.Hostname(), port))
		if err != nil {
			return wrong("%w", err)
		}
		if a.Port == 0 {
			return wrong("port 0 cannot be connected to")
		}
		if a.IP == nil || a.IP.IsUnspecified() {
			return wrong("the unspecified address cannot be connected to")
		}
		t.network, t.address = "tcp", a.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: hawser-load\r\n", u.RequestURI(),
		u.Host)
	if !p.KeepAlive {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n")
	t.request = []byte(b.String())
	return t, nil
}

// endless says whether only the context ends the plan.
func (p Plan) endless() bool { return p.Requests == 0 && p.For == 0 }

var errEndless = errors.New("load: a plan without Requests and For ends only with its context, " +
	"and this one never does")
