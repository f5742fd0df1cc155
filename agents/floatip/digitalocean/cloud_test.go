package digitalocean_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/lab/cloud"
)

const token = "dop_v1_0123456789abcdef"

var (
	ip4   = netip.MustParseAddr("203.0.113.10")
	other = netip.MustParseAddr("203.0.113.11")
	ip6   = netip.MustParseAddr("2001:db8:ff::10")
)

// stage is the simulated cloud with two droplets in one data centre, 1 and 2, and one in another,
// 9.
type stage struct {
	*cloud.Cloud
	api  string
	mu   sync.Mutex
	logs []string
}

func newStage(t *testing.T, o cloud.Options) *stage {
	if o.ActionTime == 0 {
		o.ActionTime = 20 * time.Millisecond
	}
	s := &stage{Cloud: cloud.New(o)}
	for _, d := range []cloud.Droplet{{ID: 1}, {ID: 2}, {ID: 9, Region: "fra1"}} {
		s.AddDroplet(d)
	}
	for _, ip := range []netip.Addr{ip4, other, ip6} {
		s.AddReservedIP(cloud.ReservedIP{IP: ip})
	}
	api := httptest.NewServer(s.API())
	t.Cleanup(api.Close)
	t.Cleanup(func() { s.ClearFaults() })
	s.api = api.URL
	return s
}

// on is the provider as it runs on the droplet.
func (s *stage) on(t *testing.T, droplet int) *digitalocean.Provider {
	metadata := httptest.NewServer(s.Metadata(droplet))
	t.Cleanup(metadata.Close)
	return digitalocean.New(digitalocean.Config{
		API: s.api, Metadata: metadata.URL, CacheDir: t.TempDir(),
		Token: func() (string, error) { return token, nil },
		Log: func(format string, args ...any) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logs = append(s.logs, fmt.Sprintf(format, args...))
		},
	}).Hurry(300 * time.Millisecond)
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestConformanceOnTheSimulatedCloud(t *testing.T) {
	for _, ip := range []netip.Addr{ip4, ip6} {
		t.Run(ip.String(), func(t *testing.T) {
			floatiptest.Conformance(t, func(t *testing.T) floatiptest.World {
				s := newStage(t, cloud.Options{PerMinute: -1})
				return floatiptest.World{
					IP: ip, A: s.on(t, 1), B: s.on(t, 2), Exclusive: true,
					Outage: func(*testing.T) func() {
						s.SetFault(cloud.Fault{Kind: cloud.Hang})
						return func() { s.ClearFaults(cloud.Hang) }
					},
				}
			})
		})
	}
}

// Each way in which the API may misbehave while an address is moved to droplet 1, and what comes of
// it.
func TestAssign(t *testing.T) {
	const posts = "POST /v2/reserved_ips"
	for name, test := range map[string]struct {
		faults []cloud.Fault
		before int // the holder before
		// gives up: the kind and the text; nothing: it succeeds
		kind   fault.Kind
		reason string
		limit  time.Duration
		passes time.Duration // when the faults end
	}{
		"undisturbed":             {},
		"held by another droplet": {before: 2},
		"pending event, twice": {faults: []cloud.Fault{{Kind: cloud.PendingEvent,
			Count: 2}}},
		"server errors": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 503,
			Count: 2}, {Kind: cloud.Status, Status: 500, Count: 1, Match: posts}}},
		"connections dropped": {faults: []cloud.Fault{{Kind: cloud.Drop, Count: 3}}},
		"one request hangs": {faults: []cloud.Fault{{Kind: cloud.Hang, Match: posts}},
			passes: 500 * time.Millisecond},
		"the answer to the order lost": {faults: []cloud.Fault{{Kind: cloud.LostAnswer, Count: 1,
			Match: posts}}},
		"the action cannot be polled": {faults: []cloud.Fault{{Kind: cloud.ActionPoll}}},
		"the polling fails with 500": {faults: []cloud.Fault{{Kind: cloud.ActionPoll,
			Status: 500}}},
		"an action errored": {faults: []cloud.Fault{{Kind: cloud.ActionError,
			Count: 1}}},
		"429 with retry-after": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			Count: 1, RetryAfter: time.Second}}},
		"429 without": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			Count: 2}}},
		"the metadata service lags": {faults: []cloud.Fault{{Kind: cloud.MetadataStale}}},
		"the metadata service hangs": {faults: []cloud.Fault{{Kind: cloud.MetadataHang,
			Match: "region"}}},
		"the order does not come through": {
			faults: []cloud.Fault{{Kind: cloud.PendingEvent}}, limit: 1500 * time.Millisecond,
			kind: fault.Busy,
			reason: `cannot assign 203.0.113.10 to droplet 1: another event of the address or the droplet is still under way (the API says 422 ` +
				`"The reserved IP already has a pending event."`,
		},
		"locked for good": {
			faults: []cloud.Fault{{Kind: cloud.Locked}}, limit: 1500 * time.Millisecond,
			kind: fault.Busy,
			// and that the time is over, between two requests or in one
			reason: "cannot assign 203.0.113.10 to droplet 1: the address is locked, another " +
				"event of it is still under way; the control panel shows which",
		},
		"actions stuck": {
			faults: []cloud.Fault{{Kind: cloud.ActionStuck}}, limit: 1500 * time.Millisecond,
			before: 2, kind: fault.Busy,
			reason: "(in-progress) and the address is still held by droplet 2",
		},
		"every action errored": {
			faults: []cloud.Fault{{Kind: cloud.ActionError}}, kind: fault.Busy,
			reason: "cannot assign 203.0.113.10 to droplet 1: the API accepted it 3 times and " +
				"the address is held by nobody",
		},
		"down": {
			faults: []cloud.Fault{{Kind: cloud.Status, Status: 503}}, limit: 1500 * time.Millisecond,
			kind:   fault.Unknown,
			reason: `cannot assign 203.0.113.10 to droplet 1: the API says 503 "Service Unavailable"`,
		},
		"hangs": {
			faults: []cloud.Fault{{Kind: cloud.Hang}}, limit: 1200 * time.Millisecond,
			kind:   fault.Unknown,
			reason: "cannot assign 203.0.113.10 to droplet 1: no answer from http://127.0.0.1",
		},
		"throttled for longer than there is time": {
			faults: []cloud.Fault{{Kind: cloud.Status, Status: 429, RetryAfter: 47 * time.Second}},
			limit:  5 * time.Second, kind: fault.Throttled,
			reason: "the API refuses further requests with this token, for another 47s (the API " +
				"says " +
				"429",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, cloud.Options{})
			p := s.on(t, 1)
			require.NoError(t, s.Move(ip4, test.before))
			for _, f := range test.faults {
				s.SetFault(f)
			}
			if test.limit == 0 {
				test.limit = 30 * time.Second
			}
			if test.passes != 0 {
				defer time.AfterFunc(test.passes, func() { s.ClearFaults() }).Stop()
			}
			ctx := within(t, test.limit)
			began := time.Now()
			err := p.Assign(ctx, ip4, "1")
			took := time.Since(began)
			if test.reason == "" {
				require.NoError(t, err)
				require.Equal(t, 1, s.Holder(ip4))
				return
			}
			require.ErrorContains(t, err, test.reason)
			require.NotContains(t, err.Error(), token)
			require.Equal(t, test.kind, fault.Of(err))
			require.Less(t, took, test.limit+5*time.Second, "it does not outlive its time")
			if test.kind == fault.Throttled {
				require.Less(t, took, test.limit, "it does not wait for what cannot come in time")
			}
		})
	}
}

// The order is given once although its answer was lost, and once although the first tries met a
// pending event.
func TestHolderIsReadBeforeEachOrder(t *testing.T) {
	s := newStage(t, cloud.Options{ActionTime: 300 * time.Millisecond})
	s.SetFault(cloud.Fault{Kind: cloud.LostAnswer, Count: 1, Match: "POST"})
	require.NoError(t, s.on(t, 1).Assign(within(t, 20*time.Second), ip4, "1"))
	require.Equal(t, 1, s.actions(t), "the address is locked while the first order is carried out")
}

func (s *stage) actions(t *testing.T) int {
	var list struct {
		Actions []struct{ ID int }
	}
	getJSON(t, s.api+"/v2/reserved_ips/"+ip4.String()+"/actions", &list)
	return len(list.Actions)
}

func TestAssignDenied(t *testing.T) {
	for name, test := range map[string]struct {
		scopes []string
		reason string
	}{
		"a token that is not known": {nil,
			`the token is refused (the API says 401 "Unable to authenticate you"`},
		"no right to assign": {[]string{cloud.ScopeIPRead, cloud.ScopeDropletRead},
			"the token lacks a right (the API says 403"},
		"no right to read": {[]string{cloud.ScopeIPUpdate},
			"it needs the scopes reserved_ip:read, reserved_ip:update and droplet:read"},
		"no right to see droplets": {[]string{cloud.ScopeIPRead, cloud.ScopeIPUpdate},
			"the token may not see droplets, so the API names none, whoever holds the address: " +
				"give the token the scope droplet:read"},
	} {
		t.Run(name, func(t *testing.T) {
			tokens := map[string][]string{"another": {cloud.AllScopes}}
			if test.scopes != nil {
				tokens[token] = test.scopes
			}
			s := newStage(t, cloud.Options{Tokens: tokens})
			err := s.on(t, 1).Assign(within(t, 10*time.Second), ip4, "1")
			require.ErrorContains(t, err, test.reason)
			require.Equal(t, fault.Denied, fault.Of(err))
			require.NotContains(t, err.Error(), token)
		})
	}
}

func TestAssignElsewhere(t *testing.T) {
	s := newStage(t, cloud.Options{})
	err := s.on(t, 9).Assign(within(t, 10*time.Second), ip4, "9")
	require.ErrorContains(t, err, "the address is reserved in nyc3, the droplet is in fra1, and "+
		"a reserved address serves its own data centre only: "+
		"keep the resource off this node")
	require.Equal(t, fault.Misplaced, fault.Of(err))
	require.Zero(t, s.actions(t))

	// Without the metadata service the API says so.
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus, Match: "region"})
	err = s.on(t, 9).Assign(within(t, 10*time.Second), ip4, "9")
	require.ErrorContains(t, err, "the address and the droplet are in different data centres")
	require.Equal(t, fault.Misplaced, fault.Of(err))

	err = s.on(t, 1).Assign(within(t, 10*time.Second), netip.MustParseAddr("203.0.113.99"), "1")
	require.ErrorContains(t, err, "no such reserved address (the API says 404")
	require.ErrorContains(t, err, "check the parameter ip, and that the token belongs to the "+
		"team that reserved it")
	require.Equal(t, fault.NotFound, fault.Of(err))

	require.NoError(t, s.Move(other, 1))
	err = s.on(t, 1).Assign(within(t, 10*time.Second), ip4, "1")
	require.ErrorContains(t, err, "the droplet holds the reserved address 203.0.113.11 already, "+
		"and can hold one only")
	require.Equal(t, fault.Misplaced, fault.Of(err))
}

// TestReserved: an address that is not one of the account is told apart from an API that cannot say.
func TestReserved(t *testing.T) {
	s := newStage(t, cloud.Options{})
	p := s.on(t, 1)
	require.NoError(t, p.Reserved(within(t, 10*time.Second), ip4))
	require.NoError(t, p.Reserved(within(t, 10*time.Second), ip6))
	for ip, has := range map[string]string{
		"203.0.113.77":   "it has 203.0.113.10, 203.0.113.11. Correct ip",
		"2001:db8:ff::1": "it has 2001:db8:ff::10. Correct ip",
	} {
		err := p.Reserved(within(t, 10*time.Second), netip.MustParseAddr(ip))
		require.ErrorContains(t, err,
			ip+" is no reserved IP of the account that the token belongs to; "+has)
		require.Equal(t, fault.NotFound, fault.Of(err))
	}
	for i := range 9 {
		s.AddReservedIP(cloud.ReservedIP{IP: netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + i)})})
	}
	err := p.Reserved(within(t, 10*time.Second), netip.MustParseAddr("203.0.113.77"))
	require.ErrorContains(t, err, " and 3 more. Correct ip")

	empty := &stage{Cloud: cloud.New(cloud.Options{})}
	api := httptest.NewServer(empty.API())
	defer api.Close()
	empty.api = api.URL
	empty.AddDroplet(cloud.Droplet{ID: 1})
	err = empty.on(t, 1).Reserved(within(t, 10*time.Second), ip4)
	require.ErrorContains(t, err, "it has none (IPv4)")

	s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 503})
	err = p.Reserved(within(t, time.Second), ip4)
	require.ErrorContains(t, err, "cannot find out whether 203.0.113.10 is reserved: the API says 503")
	require.Equal(t, fault.Unknown, fault.Of(err))
	s.ClearFaults()
	s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 401})
	require.Equal(t, fault.Denied, fault.Of(p.Reserved(within(t, time.Second), ip4)))
}

// To a token without droplet:read every address seems to have no holder: that is unknown, unless
// the token is shown to see droplets.
func TestTokenThatCannotSeeDroplets(t *testing.T) {
	s := newStage(t, cloud.Options{Tokens: map[string][]string{token: {cloud.ScopeIPRead,
		cloud.ScopeIPUpdate}}})
	require.NoError(t, s.Move(ip4, 1))
	holder, err := s.on(t, 1).Holder(within(t, 5*time.Second), ip4)
	require.ErrorContains(t, err, "give the token the scope droplet:read")
	require.Equal(t, fault.Denied, fault.Of(err))
	require.Empty(t, holder)
	err = s.on(t, 1).Release(within(t, 5*time.Second), ip4, "1")
	require.ErrorContains(t, err, "give the token the scope droplet:read")
	require.Equal(t, 1, s.Holder(ip4))

	// The same answer of the API with a token that sees, while the metadata service lags behind a
	// release.
	s = newStage(t, cloud.Options{})
	require.NoError(t, s.Move(ip4, 1))
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStale})
	require.NoError(t, s.on(t, 1).Release(within(t, 5*time.Second), ip4, "1"))
	holder, err = s.on(t, 1).Holder(within(t, 5*time.Second), ip4)
	require.NoError(t, err)
	require.Empty(t, holder)
}

func TestRelease(t *testing.T) {
	s := newStage(t, cloud.Options{})
	p := s.on(t, 1)
	require.NoError(t, p.Release(within(t, 5*time.Second), netip.MustParseAddr("203.0.113.99"),
		"1"), "what does not exist is not here")

	require.NoError(t, s.Move(ip4, 1))
	s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 503})
	err := p.Release(within(t, 300*time.Millisecond), ip4, "1")
	require.ErrorContains(t, err, "cannot unassign 203.0.113.10 from droplet 1: the API says 503")
	require.Equal(t, fault.Unknown, fault.Of(err))
	s.ClearFaults()

	s.SetFault(cloud.Fault{Kind: cloud.PendingEvent, Count: 2})
	s.SetFault(cloud.Fault{Kind: cloud.LostAnswer, Count: 1, Match: "POST"})
	require.NoError(t, p.Release(within(t, 20*time.Second), ip4, "1"))
	require.Zero(t, s.Holder(ip4))
}

// An assign that is still under way when the address is released must not bring it here afterwards.
func TestReleaseWaitsForWhatIsUnderWay(t *testing.T) {
	s := newStage(t, cloud.Options{ActionTime: 400 * time.Millisecond})
	p := s.on(t, 1)
	require.ErrorContains(t, p.Assign(within(t, 200*time.Millisecond), ip4, "1"),
		"the API accepted it")
	require.Zero(t, s.Holder(ip4))
	require.NoError(t, p.Release(within(t, 20*time.Second), ip4, "1"))
	require.Zero(t, s.Holder(ip4))
}

func TestSelf(t *testing.T) {
	s := newStage(t, cloud.Options{})
	p := s.on(t, 2)
	id, err := p.Self(t.Context())
	require.NoError(t, err)
	require.Equal(t, "2", id)
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus})
	id, err = p.Self(t.Context())
	require.NoError(t, err, "it is asked once a boot")
	require.Equal(t, "2", id)
	p.BootID(write(t, "another-boot\n"))
	p.Firmware(t.TempDir())
	_, err = p.Self(t.Context())
	require.ErrorContains(t, err, "cannot find out which droplet this is: the metadata service "+
		"answers 500")
}

func TestHere(t *testing.T) {
	s := newStage(t, cloud.Options{})
	p := s.on(t, 1)
	expect := func(ip netip.Addr, want bool) {
		t.Helper()
		here, err := p.Here(t.Context(), ip)
		require.NoError(t, err)
		require.Equal(t, want, here)
	}
	expect(ip4, false)
	require.NoError(t, s.Move(other, 1))
	expect(ip4, false) // some address is here, and not this one
	require.NoError(t, s.Move(other, 0))
	require.NoError(t, s.Move(ip4, 1))
	require.NoError(t, s.Move(ip6, 1))
	expect(ip4, true)
	expect(ip6, true)
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStatus, Count: 2})
	expect(ip4, true)
	s.SetFault(cloud.Fault{Kind: cloud.MetadataHang})
	_, err := p.Here(t.Context(), ip4)
	require.ErrorContains(t, err, "the metadata service does not answer")
	s.ClearFaults()
	before := s.Requests()
	expect(ip4, true)
	require.Equal(t, before, s.Requests(), "it makes no API request")
	require.Equal(t, strconv.Itoa(s.Holder(ip4)), "1")
}
