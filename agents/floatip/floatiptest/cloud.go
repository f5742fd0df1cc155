package floatiptest

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/internal/fault"
)

// Cloud is a cloud in memory that keeps each address exclusive. Its fields may be set between
// calls.
type Cloud struct {
	// Delay is how long an accepted assign or release takes to have effect.
	Delay time.Duration
	// Lag is how far a server's own view lags behind the cloud's.
	Lag time.Duration

	mu    sync.Mutex
	ips   map[netip.Addr]*held
	down  map[string]error // servers that cannot reach the cloud, and how that shows
	blind map[string]error // servers that cannot see their own addresses, and how that shows
	calls int
}

type held struct {
	now, before string
	since       time.Time // when now began, which may be in the future
}

// NewCloud returns a cloud that has these addresses, held by nobody.
func NewCloud(ips ...netip.Addr) *Cloud {
	c := &Cloud{ips: map[netip.Addr]*held{}, down: map[string]error{}, blind: map[string]error{}}
	for _, ip := range ips {
		c.ips[ip] = &held{}
	}
	return c
}

// Server returns the cloud as it is used on the server. Its type implements floatip.Provider and
// floatip.Local.
func (c *Cloud) Server(name string) *Server { return &Server{cloud: c, name: name} }

// Server is a Provider on one server of a Cloud.
type Server struct {
	cloud *Cloud
	name  string
}

// Down makes the server's calls to the cloud fail with the error, until it is nil.
func (c *Cloud) Down(server string, err error) { c.set(c.down, server, err) }

// Blind makes the server's queries of its own state fail with the error, until it is nil.
func (c *Cloud) Blind(server string, err error) { c.set(c.blind, server, err) }

func (c *Cloud) set(in map[string]error, server string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(in, server)
		return
	}
	in[server] = err
}

// Calls returns how many requests the cloud has had. What servers see by themselves does not count.
func (c *Cloud) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// Move gives the address to the server at once, as an operator does by hand.
func (c *Cloud) Move(ip netip.Addr, server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ips[ip].to(server, time.Now())
}

func (h *held) to(server string, at time.Time) {
	h.before, h.now, h.since = h.at(time.Now()), server, at
}

func (h *held) at(t time.Time) string {
	if t.Before(h.since) {
		return h.before
	}
	return h.now
}

// call does what every call to the cloud begins with. The caller holds mu if it returns no error.
func (s *Server) call(ctx context.Context, ip netip.Addr) (*held, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Errorf(fault.Unknown, "the cloud was not asked: %w", err)
	}
	s.cloud.mu.Lock()
	s.cloud.calls++
	if err := s.cloud.down[s.name]; err != nil {
		s.cloud.mu.Unlock()
		return nil, err
	}
	h := s.cloud.ips[ip]
	if h == nil {
		s.cloud.mu.Unlock()
		return nil, fault.Errorf(fault.NotFound, "the cloud has no address %s", ip)
	}
	return h, nil
}

// Self returns the server's name.
func (s *Server) Self(context.Context) (string, error) { return s.name, nil }

// Holder returns the name of the server that has the address.
func (s *Server) Holder(ctx context.Context, ip netip.Addr) (string, error) {
	h, err := s.call(ctx, ip)
	if err != nil {
		return "", err
	}
	defer s.cloud.mu.Unlock()
	return h.at(time.Now()), nil
}

// Assign gives the address to the server after the cloud's Delay.
func (s *Server) Assign(ctx context.Context, ip netip.Addr, server string) error {
	h, err := s.call(ctx, ip)
	if err != nil {
		return err
	}
	defer s.cloud.mu.Unlock()
	if h.now != server {
		h.to(server, time.Now().Add(s.cloud.Delay))
	}
	return nil
}

// Release takes the address from the server after the cloud's Delay.
func (s *Server) Release(ctx context.Context, ip netip.Addr, server string) error {
	h, err := s.call(ctx, ip)
	if err != nil {
		return err
	}
	defer s.cloud.mu.Unlock()
	if h.now == server {
		h.to("", time.Now().Add(s.cloud.Delay))
	}
	return nil
}

// Here returns what the server sees by itself, as it was the cloud's Lag ago.
func (s *Server) Here(_ context.Context, ip netip.Addr) (bool, error) {
	s.cloud.mu.Lock()
	defer s.cloud.mu.Unlock()
	if err := s.cloud.blind[s.name]; err != nil {
		return false, err
	}
	h := s.cloud.ips[ip]
	return h != nil && h.at(time.Now().Add(-s.cloud.Lag)) == s.name, nil
}
