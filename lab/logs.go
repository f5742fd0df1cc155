package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Access is a line of an application server's log.
type Access struct {
	At       time.Time
	Balancer string // the node that asked, or its address if it is not one of the lab's
	Client   string // what it sent in X-Forwarded-For; "-" if nothing
	Request  string // GET / HTTP/1.1
	Status   int
}

// AppLog returns what the application server has logged since the lab came up, oldest first.
func (l *Lab) AppLog(app string) ([]Access, error) {
	n, err := l.Node(app)
	if err != nil {
		return nil, err
	}
	if n.Role != AppServer {
		return nil, fmt.Errorf("lab: %s is not an application server", app)
	}
	b, err := os.ReadFile(l.Disk(app) + "/var/log/nginx/access.log")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lab: the log of %s: %w", app, err)
	}
	var log []Access
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\n") {
			break // nginx is writing it
		}
		a, err := parseAccess(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("lab: the log of %s: %w", app, err)
		}
		for _, lb := range l.Nodes(Balancer) {
			if a.Balancer == lb.Private.Addr().String() {
				a.Balancer = lb.Name
			}
		}
		log = append(log, a)
	}
	return log, nil
}

// parseAccess reads a line of the log format "forwarded" in nginx.conf.
func parseAccess(line string) (Access, error) {
	wrong := func(what string) (Access, error) {
		return Access{}, fmt.Errorf("%s in the line %q",
			what, line)
	}
	quoted := strings.Split(line, `"`) // nginx escapes a quote as \x22
	if len(quoted) != 5 {
		return wrong("not two quoted fields")
	}
	plain := strings.Fields(quoted[0])
	if len(plain) != 3 {
		return wrong("not three fields before the first quote")
	}
	seconds, err := strconv.ParseFloat(plain[0], 64)
	if err != nil {
		return wrong("no time")
	}
	if _, err := netip.ParseAddr(plain[1]); err != nil {
		return wrong("no address")
	}
	status, err := strconv.Atoi(plain[2])
	if err != nil {
		return wrong("no status")
	}
	at := time.UnixMilli(int64(seconds * 1000))
	return Access{
		At: at, Balancer: plain[1], Status: status, Client: quoted[1], Request: quoted[3],
	}, nil
}
