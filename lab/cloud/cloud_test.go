package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/digitalocean/godo"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

var (
	ip4   = netip.MustParseAddr("203.0.113.10")
	other = netip.MustParseAddr("203.0.113.11")
	ip6   = netip.MustParseAddr("2001:db8:ff::10")
)

type moved struct {
	ip       netip.Addr
	from, to int
}

// stage is a cloud with two droplets (1, 2) here and one (9) elsewhere, its API on a server, and what the data path was told.
type stage struct {
	*cloud.Cloud
	url   string
	mu    sync.Mutex
	moves []moved
}

func newStage(t *testing.T, o cloud.Options) *stage {
	t.Helper()
	if o.ActionTime == 0 {
		o.ActionTime = 20 * time.Millisecond
	}
	s := &stage{Cloud: cloud.New(o)}
	for _, id := range []int{1, 2} {
		s.AddDroplet(cloud.Droplet{
			ID: id, Name: map[int]string{1: "lb-1", 2: "lb-2"}[id],
			Public: netip.MustParsePrefix("198.51.100.11/24"), PublicGateway: netip.MustParseAddr("198.51.100.1"),
			Anchor: netip.MustParsePrefix("10.17.0.5/16"), AnchorGateway: netip.MustParseAddr("10.17.0.1"),
			Private: netip.MustParsePrefix("10.132.0.11/16"), Public6: netip.MustParsePrefix("2001:db8::11/64"),
		})
	}
	s.AddDroplet(cloud.Droplet{ID: 9, Region: "fra1"})
	s.AddReservedIP(cloud.ReservedIP{IP: ip4, Droplet: 1})
	s.AddReservedIP(cloud.ReservedIP{IP: other})
	s.AddReservedIP(cloud.ReservedIP{IP: ip6})
	s.OnMove(func(ip netip.Addr, from, to int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moves = append(s.moves, moved{ip, from, to})
	})
	srv := httptest.NewServer(s.API())
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *stage) client(t *testing.T, token string) *godo.Client {
	t.Helper()
	// not godo.NewFromToken: its client tries again for half a minute
	c, err := godo.New(&http.Client{Transport: bearer(token)}, godo.SetBaseURL(s.url+"/"))
	require.NoError(t, err)
	return c
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

type refusal struct {
	Message string
	Header  http.Header
}

// refused requires an error answer of the API and returns what it says.
func refused(t *testing.T, err error, status int) refusal {
	t.Helper()
	var e *godo.ErrorResponse
	require.True(t, errors.As(err, &e), "no error answer: %v", err)
	require.Equal(t, status, e.Response.StatusCode, e.Message)
	return refusal{e.Message, e.Response.Header}
}

func (s *stage) eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, 5*time.Second, 2*time.Millisecond, what)
}

func TestAssignMovesWhenTheActionCompletes(t *testing.T) {
	s := newStage(t, cloud.Options{ActionTime: 300 * time.Millisecond})
	c := s.client(t, "any")
	ctx := context.Background()

	a, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
	require.NoError(t, err)
	require.Equal(t, "in-progress", a.Status)
	require.Equal(t, "assign_ip", a.Type)
	require.Equal(t, 1, s.Holder(ip4), "moved before the action completed")
	shown, _, err := c.ReservedIPs.Get(ctx, ip4.String())
	require.NoError(t, err)
	require.True(t, shown.Locked)

	_, _, err = c.ReservedIPActions.Assign(ctx, ip4.String(), 1)
	require.Contains(t, refused(t, err, 422).Message, "already has a pending event")

	s.eventually(t, "the action completes", func() bool {
		got, _, err := c.ReservedIPActions.Get(ctx, ip4.String(), a.ID)
		require.NoError(t, err)
		return got.Status == "completed" && got.CompletedAt != nil
	})
	shown, _, err = c.ReservedIPs.Get(ctx, ip4.String())
	require.NoError(t, err)
	require.Equal(t, 2, shown.Droplet.ID)
	require.Equal(t, "lb-2", shown.Droplet.Name)
	require.False(t, shown.Locked)
	public, err := shown.Droplet.PublicIPv4()
	require.NoError(t, err)
	require.Equal(t, "198.51.100.11", public)
	byID, _, err := c.Actions.Get(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, "completed", byID.Status)
	list, _, err := c.ReservedIPActions.List(ctx, ip4.String(), nil)
	require.NoError(t, err)
	require.Len(t, list, 1)

	_, _, err = c.ReservedIPActions.Unassign(ctx, ip4.String())
	require.NoError(t, err)
	s.eventually(t, "released", func() bool { return s.Holder(ip4) == 0 })
	require.Equal(t, []moved{{ip4, 1, 2}, {ip4, 2, 0}}, s.moves)
}

func TestRefusals(t *testing.T) {
	s := newStage(t, cloud.Options{})
	c := s.client(t, "any")
	ctx := context.Background()
	assign := func(ip netip.Addr, droplet int) error {
		_, _, err := c.ReservedIPActions.Assign(ctx, ip.String(), droplet)
		return err
	}
	require.Contains(t, refused(t, assign(ip4, 9), 422).Message, "same region")
	require.Contains(t, refused(t, assign(other, 1), 422).Message, "already has a reserved IP")
	refused(t, assign(ip4, 77), 404)
	refused(t, assign(netip.MustParseAddr("203.0.113.99"), 1), 404)
	refused(t, assign(ip6, 1), 404) // IPv6 has paths of its own
	_, _, err := c.ReservedIPActions.Unassign(ctx, other.String())
	require.Contains(t, refused(t, err, 422).Message, "not assigned")
	_, _, err = c.Droplets.Get(ctx, 77)
	refused(t, err, 404)
	_, _, err = c.Actions.Get(ctx, 77)
	refused(t, err, 404)

	s.SetFault(cloud.Fault{Kind: cloud.Locked})
	require.Contains(t, refused(t, assign(ip4, 2), 422).Message, "locked")
	require.Empty(t, s.moves)
}

func TestTheOtherWords(t *testing.T) {
	s := newStage(t, cloud.Options{})
	c := s.client(t, "any")
	ctx := context.Background()

	a, _, err := c.FloatingIPActions.Assign(ctx, ip4.String(), 2)
	require.NoError(t, err)
	require.Equal(t, "floating_ip", a.ResourceType)
	s.eventually(t, "moved", func() bool { return s.Holder(ip4) == 2 })
	f, _, err := c.FloatingIPs.Get(ctx, ip4.String())
	require.NoError(t, err)
	require.Equal(t, 2, f.Droplet.ID)

	_, _, err = c.ReservedIPV6Actions.Assign(ctx, ip6.String(), 1)
	require.NoError(t, err)
	s.eventually(t, "moved", func() bool { return s.Holder(ip6) == 1 })
	got, _, err := c.ReservedIPV6s.Get(ctx, ip6.String())
	require.NoError(t, err)
	require.Equal(t, 1, got.Droplet.ID)
	require.Equal(t, "nyc3", got.RegionSlug)

	v4, _, err := c.ReservedIPs.List(ctx, &godo.ListOptions{PerPage: 1})
	require.NoError(t, err)
	require.Len(t, v4, 1)
	v4, resp, err := c.ReservedIPs.List(ctx, &godo.ListOptions{Page: 2, PerPage: 1})
	require.NoError(t, err)
	require.Len(t, v4, 1)
	require.Equal(t, 2, resp.Meta.Total)
	require.True(t, resp.Links.IsLastPage())
	v6, _, err := c.ReservedIPV6s.List(ctx, nil)
	require.NoError(t, err)
	require.Len(t, v6, 1)
	ds, _, err := c.Droplets.ListByName(ctx, "lb-2", nil)
	require.NoError(t, err)
	require.Len(t, ds, 1)
}

func TestTokens(t *testing.T) {
	s := newStage(t, cloud.Options{Tokens: map[string][]string{
		"full": {cloud.AllScopes}, "narrow": {cloud.ScopeIPRead, cloud.ScopeIPUpdate}, "reader": {cloud.ScopeIPRead, cloud.ScopeDropletRead},
	}})
	ctx := context.Background()
	_, _, err := s.client(t, "wrong").ReservedIPs.Get(ctx, ip4.String())
	refused(t, err, 401)
	_, _, err = s.client(t, "").ReservedIPs.Get(ctx, ip4.String())
	refused(t, err, 401)

	shown, _, err := s.client(t, "narrow").ReservedIPs.Get(ctx, ip4.String())
	require.NoError(t, err)
	require.Nil(t, shown.Droplet, "without droplet:read a held address reads as unassigned")
	_, _, err = s.client(t, "narrow").Droplets.Get(ctx, 1)
	refused(t, err, 403)
	_, _, err = s.client(t, "reader").ReservedIPActions.Assign(ctx, ip4.String(), 2)
	refused(t, err, 403)
	shown, _, err = s.client(t, "full").ReservedIPs.Get(ctx, ip4.String())
	require.NoError(t, err)
	require.Equal(t, 1, shown.Droplet.ID)
}

func TestRateLimits(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	s := newStage(t, cloud.Options{Hourly: 5, PerMinute: 3, Now: clock})
	c := s.client(t, "any")
	get := func() (*godo.Response, error) {
		_, r, err := c.ReservedIPs.Get(context.Background(), ip4.String())
		return r, err
	}
	for i := range 3 {
		r, err := get()
		require.NoError(t, err)
		require.Equal(t, 5, r.Limit)
		require.Equal(t, 4-i, r.Remaining)
		require.Equal(t, clock().Add(time.Hour).Unix(), r.Reset.Unix())
	}
	_, err := get()
	require.Equal(t, "60", refused(t, err, 429).Header.Get("Retry-After"))
	pass(time.Minute)
	for range 2 {
		_, err := get()
		require.NoError(t, err)
	}
	_, err = get()
	require.Empty(t, refused(t, err, 429).Header.Get("Retry-After"), "the hourly limit has no retry-after")
	pass(59 * time.Minute)
	_, err = get()
	require.NoError(t, err, "the oldest requests have left the window")
}

func TestFaults(t *testing.T) {
	ctx := context.Background()
	get := func(t *testing.T, s *stage) error {
		t.Helper()
		_, _, err := s.client(t, "any").ReservedIPs.Get(ctx, ip4.String())
		return err
	}
	t.Run("status with a count", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 503, Count: 2})
		refused(t, get(t, s), 503)
		refused(t, get(t, s), 503)
		require.NoError(t, get(t, s))
	})
	t.Run("status with retry-after, on some requests", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 429, RetryAfter: 1500 * time.Millisecond, Match: "POST "})
		require.NoError(t, get(t, s))
		_, _, err := s.client(t, "any").ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.Equal(t, "2", refused(t, err, 429).Header.Get("Retry-After"))
	})
	t.Run("latency", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Latency, Delay: 50 * time.Millisecond, Count: 1})
		begun := time.Now()
		require.NoError(t, get(t, s))
		require.GreaterOrEqual(t, time.Since(begun), 50*time.Millisecond)
	})
	t.Run("hang until cleared", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Hang})
		done := make(chan error, 1)
		c := s.client(t, "any")
		go func() { _, _, err := c.ReservedIPs.Get(ctx, ip4.String()); done <- err }()
		s.eventually(t, "the request is in", func() bool { return s.Requests() == 1 })
		select {
		case err := <-done:
			t.Fatalf("answered while it should hang: %v", err)
		case <-time.After(30 * time.Millisecond):
		}
		s.ClearFaults(cloud.Hang)
		require.NoError(t, <-done)
	})
	t.Run("drop", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Drop, Match: "GET "})
		require.ErrorIs(t, get(t, s), io.EOF)
	})
	t.Run("answer lost, work done", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.LostAnswer, Match: "POST ", Count: 1})
		_, _, err := s.client(t, "any").ReservedIPActions.Assign(ctx, ip4.String(), 2)
		refused(t, err, 502)
		s.eventually(t, "moved all the same", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("pending event that is none", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.PendingEvent, Count: 1})
		c := s.client(t, "any")
		_, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.Contains(t, refused(t, err, 422).Message, "pending event")
		_, _, err = c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
	})
	t.Run("action ends in error", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionError, Count: 1})
		c := s.client(t, "any")
		a, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		s.eventually(t, "errored", func() bool {
			got, _, err := c.Actions.Get(ctx, a.ID)
			return err == nil && got.Status == "errored"
		})
		require.Equal(t, 1, s.Holder(ip4))
		require.Empty(t, s.moves)
	})
	t.Run("action stuck, then let go", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionStuck})
		c := s.client(t, "any")
		_, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		_, _, err = c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		refused(t, err, 422)
		require.Equal(t, 1, s.Holder(ip4))
		s.ClearFaults()
		s.eventually(t, "moved", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("action cannot be asked after", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionPoll})
		c := s.client(t, "any")
		a, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		_, _, err = c.ReservedIPActions.Get(ctx, ip4.String(), a.ID)
		refused(t, err, 404)
		s.eventually(t, "moved all the same", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("none by that name", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		require.Panics(t, func() { s.SetFault(cloud.Fault{Kind: "gremlins"}) })
	})
}

func TestMetadata(t *testing.T) {
	s := newStage(t, cloud.Options{})
	srv := httptest.NewServer(s.Metadata(1))
	t.Cleanup(srv.Close)
	get := func(path string) (int, string) {
		resp, err := http.Get(srv.URL + path)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	for path, want := range map[string]string{
		"id": "1", "hostname": "lb-1", "region": "nyc3",
		"reserved_ip/ipv4/active": "true", "reserved_ip/ipv4/ip_address": "203.0.113.10",
		"floating_ip/ipv4/active": "true", "floating_ip/ipv4/ip_address": "203.0.113.10",
		"reserved_ip/ipv6/active":                 "false",
		"interfaces/public/0/anchor_ipv4/address": "10.17.0.5", "interfaces/public/0/anchor_ipv4/netmask": "255.255.0.0",
		"interfaces/public/0/anchor_ipv4/gateway": "10.17.0.1", "interfaces/private/0/ipv4/address": "10.132.0.11",
		"interfaces/public/0/ipv4/address": "198.51.100.11", "interfaces/public/0/ipv6/address": "2001:db8::11",
		"interfaces/": "private/\npublic/", "reserved_ip/ipv4/": "active\nip_address",
	} {
		code, body := get("/metadata/v1/" + path)
		require.Equal(t, http.StatusOK, code, path)
		require.Equal(t, want, body, path)
	}
	code, _ := get("/metadata/v1/reserved_ip/ipv6/ip_address")
	require.Equal(t, http.StatusNotFound, code)
	code, _ = get("/metadata/v1/id/more")
	require.Equal(t, http.StatusNotFound, code)
	_, index := get("/metadata/v1/")
	require.Contains(t, index, "id\n")

	var doc struct {
		DropletID  int `json:"droplet_id"`
		ReservedIP struct {
			IPv4 struct {
				Active bool       `json:"active"`
				IP     netip.Addr `json:"ip_address"`
			} `json:"ipv4"`
		} `json:"reserved_ip"`
		Interfaces struct {
			Public []struct {
				Anchor struct {
					IP netip.Addr `json:"ip_address"`
				} `json:"anchor_ipv4"`
			} `json:"public"`
		} `json:"interfaces"`
	}
	_, body := get("/metadata/v1.json")
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	require.Equal(t, 1, doc.DropletID)
	require.True(t, doc.ReservedIP.IPv4.Active)
	require.Equal(t, ip4, doc.ReservedIP.IPv4.IP)
	require.Equal(t, "10.17.0.5", doc.Interfaces.Public[0].Anchor.IP.String())

	require.NoError(t, s.Move(ip4, 2))
	_, active := get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "false", active)

	s.SetFault(cloud.Fault{Kind: cloud.MetadataStale})
	require.NoError(t, s.Move(ip4, 1))
	_, active = get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "false", active, "stale")
	s.ClearFaults()
	_, active = get("/metadata/v1/reserved_ip/ipv4/active")
	require.Equal(t, "true", active)

	s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus, Count: 1})
	code, _ = get("/metadata/v1/id")
	require.Equal(t, http.StatusInternalServerError, code)
	s.SetFault(cloud.Fault{Kind: cloud.MetadataHang})
	_, err := (&http.Client{Timeout: 50 * time.Millisecond}).Get(srv.URL + "/metadata/v1/id") //nolint:bodyclose // no response comes
	require.Error(t, err)
}

func TestAdmin(t *testing.T) {
	s := newStage(t, cloud.Options{})
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	srv := &http.Server{Handler: s.Admin(), ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	c, ctx := cloud.Client{Socket: path}, context.Background()

	require.NoError(t, c.SetFault(ctx, cloud.Fault{Kind: cloud.Status, Status: 500, Count: 3}))
	require.NoError(t, c.SetActionTime(ctx, time.Minute))
	require.NoError(t, c.Move(ctx, ip4, 2))
	state, err := c.State(ctx)
	require.NoError(t, err)
	require.Equal(t, time.Minute, state.ActionTime)
	require.Equal(t, []cloud.Fault{{Kind: cloud.Status, Status: 500, Count: 3}}, state.Faults)
	require.Equal(t, 2, state.Reserved[0].Droplet)
	require.Len(t, state.Droplets, 3)
	require.NoError(t, c.ClearFaults(ctx, cloud.Status))
	state, err = c.State(ctx)
	require.NoError(t, err)
	require.Empty(t, state.Faults)

	require.ErrorContains(t, c.SetFault(ctx, cloud.Fault{Kind: "gremlins"}), "there are")
	require.ErrorContains(t, c.Move(ctx, netip.MustParseAddr("203.0.113.99"), 1), "no such reserved address")
	_, err = cloud.Client{Socket: path + ".none"}.State(ctx)
	require.ErrorContains(t, err, path+".none")
}
