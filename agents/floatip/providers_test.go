package floatip_test

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/lab/cloud"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

const secret = "dop_v1_fedcba9876543210"

// simulated is the simulated cloud with the droplets 1 and 2.
type simulated struct {
	*cloud.Cloud
	api string
}

func newSimulated(t *testing.T) *simulated {
	s := &simulated{Cloud: cloud.New(cloud.Options{
		ActionTime: 20 * time.Millisecond, PerMinute: -1, Tokens: map[string][]string{
			secret:   {cloud.AllScopes},
			"narrow": {cloud.ScopeIPRead, cloud.ScopeIPUpdate},
		},
	})}
	s.AddDroplet(cloud.Droplet{ID: 1})
	s.AddDroplet(cloud.Droplet{ID: 2})
	s.AddReservedIP(cloud.ReservedIP{IP: vip})
	api := httptest.NewServer(s.API())
	t.Cleanup(api.Close)
	t.Cleanup(func() { s.ClearFaults() })
	s.api = api.URL
	return s
}

// params are those of the resource on the droplet, with a token file.
func (s *simulated) params(t *testing.T, droplet int) map[string]string {
	metadata := httptest.NewServer(s.Metadata(droplet))
	t.Cleanup(metadata.Close)
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	return map[string]string{"ip": vip.String(), "token_file": path, "api_url": s.api,
		"metadata_url": metadata.URL}
}

func agent() *ocf.Agent { return floatip.New("test") }

func TestDigitalOceanConformance(t *testing.T) {
	missing := newSimulated(t).params(t, 1)
	missing["token_file"] = "/no/such/file"
	ocftest.Conformance(t, ocftest.Subject{
		New:    agent,
		Params: func(t *testing.T) map[string]string { return newSimulated(t).params(t, 1) },
		Wrong: map[string]string{"ip": "203.0.113.10/32", "api_url": "ftp://x",
			"provider": "nobody", "cidr_netmask": "x"},
		Missing: missing,
		Stuck: func(t *testing.T) map[string]string {
			s := newSimulated(t)
			s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 503, Match: "POST"})
			return s.params(t, 1)
		},
	})
}

func TestLANConformance(t *testing.T) {
	unused := floatiptest.NewLAN(t).Add(t, "192.0.2.1/24")
	machine := unused
	use := func(t *testing.T, m *floatiptest.Machine) {
		machine = m
		t.Cleanup(func() { machine = unused })
	}
	ip := "192.0.2.10"
	ocftest.Conformance(t, ocftest.Subject{
		New: func() *ocf.Agent {
			return floatip.NewLAN(short, func(nic string, prefix int, node string) floatip.Provider {
				return machine.On(t, lan.Config{Node: node, NIC: nic, Prefix: prefix,
					ConflictWait: 5 * time.Millisecond})
			})
		},
		Params: func(t *testing.T) map[string]string {
			use(t, floatiptest.NewLAN(t).Add(t, "192.0.2.1/24"))
			return map[string]string{"ip": ip, "provider": "lan"}
		},
		Wrong:   map[string]string{"ip": "192.0.2", "cidr_netmask": "0", "nic": "a/b"},
		Missing: map[string]string{"ip": ip, "provider": "lan", "nic": "eth7"},
		Stuck: func(t *testing.T) map[string]string {
			l := floatiptest.NewLAN(t)
			use(t, l.Add(t, "192.0.2.1/24"))
			l.Unplug(t, machine)
			return map[string]string{"ip": ip, "provider": "lan"}
		},
	})
}

func TestDigitalOceanFailover(t *testing.T) {
	s := newSimulated(t)
	a, b := ocftest.New(t, agent, s.params(t, 1)), ocftest.New(t, agent, s.params(t, 2))
	expect(t, a.Start(), ocf.Success, "")
	require.Equal(t, 1, s.Holder(vip))

	before := s.Requests()
	expect(t, a.Monitor(0), ocf.Success, "")
	expect(t, b.Probe(), ocf.NotRunning, "")
	require.Equal(t, before, s.Requests(), "monitors and probes ask the metadata service alone")

	expect(t, b.Start(), ocf.Success, "")
	require.Equal(t, 2, s.Holder(vip))
	expect(t, a.Monitor(0), ocf.NotRunning, "")
	expect(t, b.Monitor(10), ocf.Success, "")
	expect(t, b.Stop(), ocf.Success, "")
	require.Zero(t, s.Holder(vip))
}

// The metadata service tells for ever what was true before the start, and later what was true
// before the move.
func TestDigitalOceanStaleMetadata(t *testing.T) {
	s := newSimulated(t)
	a, b := ocftest.New(t, agent, s.params(t, 1)), ocftest.New(t, agent, s.params(t, 2))
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStale})
	expect(t, a.Start(), ocf.Success, "")
	expect(t, a.Monitor(0), ocf.Success, "")
	s.ClearFaults()
	s.SetFault(cloud.Fault{Kind: cloud.MetadataStale})
	expect(t, b.Start(), ocf.Success, "")
	expect(t, a.Monitor(0), ocf.Success, "") // not noticed yet
	expect(t, a.Monitor(10), ocf.NotRunning, "")
	expect(t, a.Start(), ocf.Success, "")
	require.Equal(t, 1, s.Holder(vip), "a start goes by the API")
	expect(t, b.Start(), ocf.Success, "")
	expect(t, a.Stop(), ocf.Success, "")
	require.Equal(t, 2, s.Holder(vip))
	expect(t, b.Stop(), ocf.Success, "")
	require.Zero(t, s.Holder(vip))
}

// No fault of the API brings the token into anything that is said.
func TestTokenIsNeverShown(t *testing.T) {
	s := newSimulated(t)
	params := s.params(t, 1)
	inCIB := map[string]string{"floating_ip": vip.String(), "do_token": secret, "api_url": s.api,
		"metadata_url": params["metadata_url"]}
	for _, broken := range []cloud.Fault{
		{Kind: cloud.Status, Status: 401}, {Kind: cloud.Status, Status: 403},
		{Kind: cloud.Status, Status: 404}, {Kind: cloud.Drop},
	} {
		for _, p := range []map[string]string{params, inCIB} {
			s.SetFault(broken)
			for _, action := range []string{"start", "monitor", "stop", "validate-all"} {
				r := ocftest.New(t, agent, p).Run(action,
					map[string]string{"OCF_RESKEY_CRM_meta_timeout": "800",
						"OCF_CHECK_LEVEL": "10"})
				require.NotContains(t, r.Stderr+r.Stdout, secret)
				require.NotContains(t, r.Stderr+r.Stdout, secret[7:])
			}
			s.ClearFaults()
		}
	}
}

func TestDigitalOceanReasons(t *testing.T) {
	for name, test := range map[string]struct {
		fault  cloud.Fault
		change func(map[string]string)
		code   ocf.Code
		reason string
	}{
		"a token that nobody knows": {change: func(p map[string]string) {
			delete(p, "token_file")
			p["token"] = "other"
		}, code: ocf.ErrPerm,
			reason: "cannot assign 203.0.113.10 to droplet 1: the token is refused"},
		"a token without droplet:read": {change: func(p map[string]string) {
			delete(p, "token_file")
			p["token"] = "narrow"
		}, code: ocf.ErrPerm,
			reason: "give the token the scope droplet:read"},
		"an address that nobody knows": {change: func(p map[string]string) {
			p["ip"] = "203.0.113.99"
		}, code: ocf.ErrInstalled,
			reason: "no such reserved address"},
		"the API is down": {fault: cloud.Fault{Kind: cloud.Status, Status: 503},
			code:   ocf.ErrGeneric,
			reason: `cannot assign 203.0.113.10 to droplet 1: the API says 503 "Service Unavailable"`},
		"locked": {fault: cloud.Fault{Kind: cloud.Locked}, code: ocf.ErrGeneric,
			reason: "the address is locked, another event of it is still under way"},
		"throttled": {fault: cloud.Fault{Kind: cloud.Status, Status: 429, RetryAfter: time.Minute},
			code: ocf.ErrGeneric, reason: "for another 1m0s"},
		"no metadata service": {fault: cloud.Fault{Kind: cloud.MetadataStatus},
			code:   ocf.ErrGeneric,
			reason: "cannot find out which droplet this is: the metadata service answers 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t)
			params := s.params(t, 1)
			if test.change != nil {
				test.change(params)
			}
			if test.fault.Kind != "" {
				s.SetFault(test.fault)
			}
			r := ocftest.New(t, agent, params).Run("start",
				map[string]string{"OCF_RESKEY_CRM_meta_timeout": "2000"})
			expect(t, r, test.code, test.reason)
			require.Less(t, r.Took, 2*time.Second)
		})
	}
}

// short is for a start that finds another machine with the address and is to say so.
const short = 300 * time.Millisecond

// machines are two machines on a network with the agent on each, which waits so long for another
// machine to let go of the address.
func machines(t *testing.T, patience time.Duration) (l *floatiptest.LAN, m [2]*floatiptest.Machine,
	r [2]*ocftest.Resource) {
	l = floatiptest.NewLAN(t)
	for i := range m {
		m[i] = l.Add(t, []string{"192.0.2.1/24", "192.0.2.2/24"}[i])
		r[i] = ocftest.New(t, func() *ocf.Agent {
			return floatip.NewLAN(patience, func(nic string, prefix int, _ string) floatip.Provider {
				return m[i].On(t, lan.Config{Node: []string{"a", "b"}[i], NIC: nic, Prefix: prefix,
					ConflictWait: 60 * time.Millisecond})
			})
		}, map[string]string{"ip": "192.0.2.10", "provider": "lan"})
	}
	return l, m, r
}

func TestLANFailover(t *testing.T) {
	l, m, r := machines(t, short)
	expect(t, r[0].Start(), ocf.Success, "")
	expect(t, r[0].Monitor(10), ocf.Success, "")
	expect(t, r[1].Probe(), ocf.NotRunning, "")
	expect(t, r[1].Start(), ocf.ErrGeneric,
		"192.0.2.10 is in use by another machine on the network of eth0, hardware address "+m[0].MAC.String())

	plug := l.Unplug(t, m[0])
	expect(t, r[0].Monitor(0), ocf.ErrGeneric, "192.0.2.10 cannot serve: eth0 has no carrier")
	expect(t, r[0].Probe(), ocf.ErrGeneric, "eth0 has no carrier")
	expect(t, r[1].Start(), ocf.Success, "")
	plug()
	require.Eventually(t, func() bool {
		return strings.Contains(r[0].Monitor(10).Reason, "is in use by another machine")
	}, 5*time.Second, 10*time.Millisecond)
	expect(t, r[0].Stop(), ocf.Success, "")
	expect(t, r[1].Monitor(10), ocf.Success, "")

	m[1].Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		addr, err := netlink.ParseAddr("192.0.2.10/24")
		require.NoError(t, err)
		require.NoError(t, netlink.AddrDel(link, addr))
	})
	gone := r[1].Monitor(0)
	expect(t, gone, ocf.NotRunning, "")
	require.Contains(t, gone.Stderr, "192.0.2.10 was here and no longer is")
}

// TestLANStartWaitsForTheOldHolder: a node that lost sight of the others lets go of the address a
// moment after they want it.
func TestLANStartWaitsForTheOldHolder(t *testing.T) {
	_, m, r := machines(t, time.Minute)
	expect(t, r[0].Start(), ocf.Success, "")
	started := make(chan ocftest.Result, 1)
	go func() {
		started <- r[1].Run("start", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "60000"})
	}()
	select {
	case early := <-started:
		require.FailNow(t, "it did not wait", "%+v", early)
	case <-time.After(time.Second):
	}
	expect(t, r[0].Stop(), ocf.Success, "")
	second := <-started
	expect(t, second, ocf.Success, "")
	require.Contains(t, second.Stderr, "192.0.2.10 is in use by another machine on the network of "+
		"eth0, hardware address "+m[0].MAC.String())
	require.Contains(t, second.Stderr, "trying again")
	expect(t, r[1].Monitor(10), ocf.Success, "")
}

// TestLANStartsAtTheSameTime: two nodes of which each believes that it should have the address see
// each other's questions. One gets it all the same.
func TestLANStartsAtTheSameTime(t *testing.T) {
	_, _, r := machines(t, 3*time.Second)
	var wg sync.WaitGroup
	var results [2]ocftest.Result
	for i := range r {
		wg.Go(func() { results[i] = r[i].Start() })
	}
	wg.Wait()
	codes := []ocf.Code{results[0].Code, results[1].Code}
	require.ElementsMatch(t, []ocf.Code{ocf.Success, ocf.ErrGeneric}, codes)
}

// TestLANOneStrayAnswer: a monitor that hears of another machine with the address asks again before
// it gives the address up.
func TestLANOneStrayAnswer(t *testing.T) {
	asked, answers := 0, 0
	p := newPair(t)
	stray := func() *ocf.Agent {
		return floatip.NewLAN(short, func(string, int, string) floatip.Provider {
			return &strayAnswers{Server: p.Server("a"), asked: &asked, answers: &answers}
		})
	}
	r := ocftest.New(t, stray, map[string]string{"ip": vip.String(), "provider": "lan"})
	expect(t, r.Start(), ocf.Success, "")
	answers = 1
	expect(t, r.Monitor(10), ocf.Success, "")
	require.Equal(t, 2, asked)
	asked, answers = 0, 100
	expect(t, r.Monitor(10), ocf.ErrGeneric, "in use by another machine")
	require.Equal(t, 3, asked)
}

// strayAnswers is a provider whose first answers to who holds the address are of another machine.
type strayAnswers struct {
	*floatiptest.Server
	asked, answers *int
}

func (s *strayAnswers) Holder(ctx context.Context, ip netip.Addr) (string, error) {
	if *s.asked++; *s.asked <= *s.answers {
		return "", fault.Errorf(fault.Conflict, "%s is in use by another machine", ip)
	}
	return s.Server.Holder(ctx, ip)
}

// Monitors keep announcing the address for a while, for neighbours that missed the start.
func TestLANMonitorAnnounces(t *testing.T) {
	l, m, r := machines(t, short)
	client := l.Add(t, "192.0.2.3/24")
	ip := netip.MustParseAddr("192.0.2.10")
	mislead := func() {
		client.Do(t, func() {
			link, err := netlink.LinkByName("eth0")
			require.NoError(t, err)
			require.NoError(t, netlink.NeighSet(&netlink.Neigh{
				LinkIndex: link.Attrs().Index, State: netlink.NUD_REACHABLE, IP: ip.AsSlice(),
				HardwareAddr: m[1].MAC,
			}))
		})
	}
	learnt := func() (ok bool) {
		client.Do(t, func() {
			list, err := netlink.NeighList(0, netlink.FAMILY_V4)
			require.NoError(t, err)
			for _, n := range list {
				ok = ok || n.IP.Equal(ip.AsSlice()) && n.HardwareAddr.String() == m[0].MAC.String()
			}
		})
		return ok
	}
	expect(t, r[0].Start(), ocf.Success, "")
	mislead()
	require.False(t, learnt())
	// The kernel holds what it learnt for up to a second against a newer claim
	// (net.ipv4.neigh.*.locktime).
	require.Eventually(t, func() bool {
		return r[0].Monitor(0).Code == ocf.Success && learnt()
	}, 5*time.Second, 50*time.Millisecond)

	mislead()
	silent := r[0].With("announce_for", "0")
	for range 3 {
		expect(t, silent.Monitor(0), ocf.Success, "")
	}
	require.False(t, learnt())
}
