package cloud_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
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
