package floatip_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

var vip = netip.MustParseAddr("203.0.113.10")

// pair is a cloud in memory and the agent on two nodes of it.
type pair struct {
	*floatiptest.Cloud
	a, b *ocftest.Resource
}

func newPair(t *testing.T) *pair {
	p := &pair{Cloud: floatiptest.NewCloud(vip)}
	node := func(name string) *ocftest.Resource {
		agent := func() *ocf.Agent {
			return floatip.NewWith(true, func(*ocf.Call) floatip.Provider { return p.Server(name) })
		}
		return ocftest.New(t, agent, map[string]string{"ip": vip.String(), "provider": "test"})
	}
	p.a, p.b = node("a"), node("b")
	return p
}

func (p *pair) holder(t *testing.T) string {
	holder, err := p.Server("x").Holder(t.Context(), vip)
	require.NoError(t, err)
	return holder
}

func expect(t *testing.T, r ocftest.Result, code ocf.Code, reason string) {
	t.Helper()
	require.Equal(t, code, r.Code, "%s", r.Stderr)
	if reason == "" {
		require.Empty(t, r.Reason)
		return
	}
	require.Contains(t, r.Reason, reason)
}

var errDown = fault.Errorf(fault.Unknown, "the cloud cannot be reached")

func TestEveryFaultHasACode(t *testing.T) {
	for _, kind := range fault.Kinds() {
		code, ok := floatip.CodeOf(kind)
		require.True(t, ok, "%v", kind)
		require.NotEqual(t, ocf.ErrConfigured, code, "%v: 6 is for wrong parameters alone", kind)
		require.NotEqual(t, ocf.NotRunning, code, "%v: a fault never says not here", kind)
		require.NotContains(t, kind.String(), "Kind(")
		if kind.Passing() {
			require.Equal(t, ocf.ErrGeneric, code, "%v", kind)
		}
	}
}

func TestMovesFromNodeToNode(t *testing.T) {
	p := newPair(t)
	p.Delay = 30 * time.Millisecond
	for range 2 {
		expect(t, p.a.Start(), ocf.Success, "")
		require.Equal(t, "a", p.holder(t))
		expect(t, p.a.Monitor(0), ocf.Success, "")
		expect(t, p.b.Probe(), ocf.NotRunning, "")
		expect(t, p.a.Stop(), ocf.Success, "")
		require.Empty(t, p.holder(t))
		expect(t, p.a.Monitor(0), ocf.NotRunning, "")
		expect(t, p.b.Start(), ocf.Success, "")
		require.Equal(t, "b", p.holder(t))
		expect(t, p.b.Stop(), ocf.Success, "")
	}
}

// The node that had the address was cut off and never stopped it.
func TestTakesFromANodeThatIsGone(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	expect(t, p.b.Start(), ocf.Success, "")
	require.Equal(t, "b", p.holder(t))
	expect(t, p.a.Monitor(0), ocf.NotRunning, "")
	expect(t, p.a.Stop(), ocf.Success, "")
	require.Equal(t, "b", p.holder(t),
		"the stop of the old holder takes nothing away from the new one")
}

func TestMonitorAsksTheProviderOnlyWhenItMust(t *testing.T) {
	p := newPair(t)
	p.Lag = 300 * time.Millisecond
	expect(t, p.a.Start(), ocf.Success, "")
	expect(t, p.a.Monitor(0), ocf.Success, "") // what the node sees lags: asked
	require.Eventually(t, func() bool {
		before := p.Calls()
		return p.a.Monitor(0).Code == ocf.Success && p.Calls() == before
	}, 10*time.Second, 20*time.Millisecond, "a steady monitor costs no request")
	before := p.Calls()
	expect(t, p.a.Monitor(10), ocf.Success, "")
	require.Equal(t, before+1, p.Calls(), "at level 10 the provider is asked")
	before = p.Calls()
	expect(t, p.b.Probe(), ocf.NotRunning, "")
	expect(t, p.b.Monitor(0), ocf.NotRunning, "")
	require.Equal(t, before, p.Calls(), "nothing contradicts that it is not on b")
}

// Nodes are probed again whenever somebody cleans up. The old holder may still see the address that
// has just been moved.
func TestProbeOfAnOldHolder(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	p.Lag = time.Hour
	p.Move(vip, "b")
	expect(t, p.a.Probe(), ocf.NotRunning, "")
	p.Down("a", errDown)
	expect(t, p.a.Probe(), ocf.Success, "") // there is nothing else to go by
}

func TestMonitorDuringOutages(t *testing.T) {
	p := newPair(t)
	blind := errors.New("the metadata service does not answer")

	p.Blind("a", blind)
	p.Down("a", errDown)
	expect(t, p.a.Probe(), ocf.ErrGeneric,
		"the metadata service does not answer; the cloud cannot be reached")
	expect(t, p.a.Monitor(0), ocf.ErrGeneric, "the metadata service does not answer")
	p.Down("a", nil)
	expect(t, p.a.Probe(), ocf.NotRunning, "") // the API knows
	p.Blind("a", nil)

	expect(t, p.a.Start(), ocf.Success, "")
	p.Blind("a", blind)
	expect(t, p.a.Monitor(0), ocf.DegradedCode,
		"the metadata service does not answer; 203.0.113.10 was here when that was last "+
			"known")
	expect(t, p.a.Probe(), ocf.Success, "")
	p.Down("a", errDown)
	expect(t, p.a.Probe(), ocf.ErrGeneric, "the metadata service does not answer")
	expect(t, p.a.Monitor(0), ocf.DegradedCode, "the metadata service does not answer")
	expect(t, p.a.Monitor(10), ocf.DegradedCode, "the cloud cannot be reached")
	p.Blind("a", nil)
	expect(t, p.a.Monitor(0), ocf.Success, "")
	expect(t, p.a.Monitor(10), ocf.DegradedCode,
		"the provider does not confirm it: the cloud cannot be reached")
	p.Down("a", fault.Errorf(fault.Denied, "the token is refused"))
	expect(t, p.a.Monitor(10), ocf.DegradedCode, "the token is refused")
}

// The node sees "not here" although it was told at the start that it is: soon after the start that
// may be the lag.
func TestContradictionDuringAnOutage(t *testing.T) {
	p := newPair(t)
	p.Lag = time.Hour
	expect(t, p.a.Start(), ocf.Success, "")
	p.Down("a", errDown)
	expect(t, p.a.Monitor(0), ocf.DegradedCode, "the cloud cannot be reached")
	p.Down("a", nil)
	expect(t, p.a.Monitor(0), ocf.Success, "")
	p.Lag = 0
	p.Move(vip, "b")
	expect(t, p.a.Monitor(0), ocf.NotRunning, "")
	before := p.Calls()
	expect(t, p.a.Monitor(0), ocf.NotRunning, "")
	require.Equal(t, before, p.Calls(), "once it is known, it is not asked again")
}

// TestTimeSinceTheStartIsNoWallClock: a clock that is set back does not make a start a recent one
// for as long.
func TestTimeSinceTheStartIsNoWallClock(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	p.Move(vip, "b")
	p.Down("a", errDown)
	expect(t, p.a.Monitor(0), ocf.DegradedCode, "the cloud cannot be reached")
	path := filepath.Join(p.a.RunDir(), "test", "state.json")
	note := map[string]any{}
	edit := func(change func()) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		clear(note)
		require.NoError(t, json.Unmarshal(text, &note))
		change()
		text, err = json.Marshal(note)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	// The start was three minutes ago, and the wall clock has been set back by an hour since.
	edit(func() {
		note["Since"] = time.Now().Add(time.Hour)
		note["Up"] = note["Up"].(float64) - float64(3*time.Minute)
	})
	expect(t, p.a.Monitor(0), ocf.NotRunning, "")
	// An older version noted the wall clock alone.
	edit(func() {
		delete(note, "Up")
		delete(note, "Boot")
		note["Held"], note["Since"] = true, time.Now()
	})
	expect(t, p.a.Monitor(0), ocf.DegradedCode, "the cloud cannot be reached")
	edit(func() { note["Since"] = time.Now().Add(-3 * time.Minute) })
	expect(t, p.a.Monitor(0), ocf.NotRunning, "")
}

// TestStartAsksAgainWhichServerThisIs: a metadata service that misses its answers for a moment is
// no reason to try another node.
func TestStartAsksAgainWhichServerThisIs(t *testing.T) {
	p := newPair(t)
	asked := 0
	r := ocftest.New(t, func() *ocf.Agent {
		return floatip.NewWith(true, func(*ocf.Call) floatip.Provider {
			return &forgetful{Server: p.Server("a"), asked: &asked}
		})
	}, p.a.Params)
	expect(t, r.Start(), ocf.Success, "")
	require.Equal(t, "a", p.holder(t))
}

// forgetful is a server that at first cannot find out its own name.
type forgetful struct {
	*floatiptest.Server
	asked *int
}

func (f *forgetful) Self(ctx context.Context) (string, error) {
	if *f.asked++; *f.asked < 4 {
		return "", errors.New("the metadata service does not answer")
	}
	return f.Server.Self(ctx)
}

func TestStartDuringAnOutage(t *testing.T) {
	p := newPair(t)
	p.Down("a", errDown)
	began := time.Now()
	r := p.a.Run("start", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "1000"})
	expect(t, r, ocf.ErrGeneric, "the cloud cannot be reached")
	require.Less(t, time.Since(began), time.Second)

	p.Move(vip, "a")
	r = p.a.Start()
	expect(t, r, ocf.Success, "")
	require.Contains(t, r.Stderr, "203.0.113.10 is here by what this node can see, which the "+
		"provider cannot confirm: the cloud cannot be reached")

	for kind, code := range map[fault.Kind]ocf.Code{fault.Denied: ocf.ErrPerm,
		fault.NotFound: ocf.ErrInstalled, fault.Misplaced: ocf.ErrInstalled} {
		p.Down("a", fault.Errorf(kind, "it will not do"))
		expect(t, p.a.Start(), code, "it will not do")
	}
}

func TestStopDuringAnOutage(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	p.Down("a", errDown)
	r := p.a.Stop()
	expect(t, r, ocf.Success, "")
	require.Contains(t, r.Stderr, "203.0.113.10 may stay assigned to this node until another one "+
		"takes it, which the provider allows: "+
		"the cloud cannot be reached")
	require.Equal(t, "a", p.holder(t))
	expect(t, p.b.Start(), ocf.Success, "")
	require.Equal(t, "b", p.holder(t))
	p.Down("a", nil)
	expect(t, p.a.Stop(), ocf.Success, "")
	require.Equal(t, "b", p.holder(t))
}

// Where the provider does not keep the address exclusive, a stop that could not remove it must say
// so.
func TestStopThatCannot(t *testing.T) {
	p := newPair(t)
	r := ocftest.New(t, func() *ocf.Agent {
		return floatip.NewWith(false, func(*ocf.Call) floatip.Provider { return p.Server("a") })
	}, p.a.Params)
	expect(t, r.Start(), ocf.Success, "")
	p.Down("a", fault.Errorf(fault.Unknown, "cannot remove it"))
	stop := func() ocftest.Result {
		return r.Run("stop", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "1500"})
	}
	expect(t, stop(), ocf.ErrGeneric, "cannot remove it")
	p.Down("a", fault.Errorf(fault.Denied, "may not remove it"))
	expect(t, r.Stop(), ocf.ErrPerm, "may not remove it")
	// What passes is no reason to have the node fenced.
	p.Down("a", fault.Errorf(fault.Unknown, "cannot remove it"))
	defer time.AfterFunc(300*time.Millisecond, func() { p.Down("a", nil) }).Stop()
	expect(t, r.Stop(), ocf.Success, "")
}

// A start that is cut short may have effect later; the stop after it needs no parameter to find
// that.
func TestStopAfterAStartThatWasCutShort(t *testing.T) {
	p := newPair(t)
	p.Delay = 700 * time.Millisecond
	r := p.a.Run("start", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "600"})
	expect(t, r, ocf.ErrGeneric, "is not here yet although the provider accepted it")
	require.Eventually(t, func() bool {
		return p.holder(t) == "a"
	}, 5*time.Second, 10*time.Millisecond)
	p.Delay = 0
	expect(t, p.a.With("ip", "").With("provider", "").Stop(), ocf.Success, "")
	require.Empty(t, p.holder(t))
}

// TestStopWithANoteThatCannotBeRemoved: the address is gone, and that is what counts.
func TestStopWithANoteThatCannotBeRemoved(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	note := filepath.Join(p.a.RunDir(), "test", "state.json")
	require.NoError(t, os.Remove(note))
	require.NoError(t, os.MkdirAll(filepath.Join(note, "full"), 0o700))
	stop := p.a.Stop()
	expect(t, stop, ocf.Success, "")
	require.Contains(t, stop.Stderr, "cannot remove the note on the address")
	require.Empty(t, p.holder(t))
	expect(t, p.a.Probe(), ocf.NotRunning, "")
	expect(t, p.a.Start(), ocf.ErrGeneric, "cannot note the state of the address")
}

// TestWithoutARuntimeDirectory: where nothing can be written, only a start needs to.
func TestWithoutARuntimeDirectory(t *testing.T) {
	p := newPair(t)
	nowhere := map[string]string{"HAWSER_RUNDIR": "/proc/none"}
	p.Move(vip, "a")
	expect(t, p.a.Run("stop", nowhere), ocf.Success, "")
	require.Empty(t, p.holder(t))
	probe := map[string]string{"HAWSER_RUNDIR": "/proc/none", "OCF_RESKEY_CRM_meta_interval": "0"}
	expect(t, p.a.Run("monitor", probe), ocf.NotRunning, "")
	r := p.a.Run("start", nowhere)
	require.Equal(t, ocf.ErrGeneric, r.Code, "%s", r.Stderr)
}

func TestParameters(t *testing.T) {
	p := newPair(t)
	for name, test := range map[string]struct {
		params map[string]string
		code   ocf.Code
		reason string
	}{
		"no address": {map[string]string{}, ocf.ErrConfigured, "parameter ip is not set"},
		"a broken one": {map[string]string{"ip": "203.0.113"}, ocf.ErrConfigured,
			"is not an IPv4 or IPv6 address"},
		"no provider": {map[string]string{"ip": "203.0.113.10", "provider": "ec3"},
			ocf.ErrConfigured, "provider"},
		"no token": {map[string]string{"ip": "203.0.113.10"}, ocf.ErrConfigured,
			"parameter token_file is not set"},
		"two tokens": {map[string]string{"ip": "203.0.113.10", "token": "x", "token_file": "/x"},
			ocf.ErrConfigured, "both token_file and token are set"},
		"no token file": {map[string]string{"ip": "203.0.113.10", "token_file": "/no/such"},
			ocf.ErrInstalled, "token file /no/such is missing on this node"},
		"the token in place of its file": {map[string]string{"ip": "203.0.113.10",
			"token_file": "dop_v1_x"}, ocf.ErrConfigured,
			"parameter token_file is not an absolute path"},
		"a password": {map[string]string{"ip": "203.0.113.10", "token": "abc",
			"api_url": "https://me:pass@api.digitalocean.com"},
			ocf.ErrConfigured, `api_url="https://me:xxxxx@api.digitalocean.com" holds a user or a password`},
		"an odd token": {map[string]string{"ip": "203.0.113.10", "token": "two words"},
			ocf.ErrInstalled, "the parameter token holds more than a token"},
		"a long prefix": {map[string]string{"ip": "203.0.113.10", "provider": "lan",
			"cidr_netmask": "33"}, ocf.ErrConfigured, "cidr_netmask=33 is too long"},
		"any address": {map[string]string{"ip": "0.0.0.0", "provider": "lan"},
			ocf.ErrConfigured, "it stands for any"},
		"a group": {map[string]string{"ip": "224.0.0.5", "provider": "lan"},
			ocf.ErrConfigured, "it is that of a multicast group"},
		"a group of IPv6": {map[string]string{"ip": "ff02::1", "provider": "lan"},
			ocf.ErrConfigured, "it is that of a multicast group"},
		"everybody": {map[string]string{"ip": "255.255.255.255", "provider": "lan"},
			ocf.ErrConfigured, "it is the broadcast address of every network"},
		"everybody in the network": {map[string]string{"ip": "192.0.2.255", "provider": "lan",
			"nic": "lo", "cidr_netmask": "24"},
			ocf.ErrConfigured, "it is the broadcast address of the network 192.0.2.0/24"},
		"the network itself": {map[string]string{"ip": "192.0.2.0", "provider": "lan",
			"nic": "lo", "cidr_netmask": "255.255.255.0"},
			ocf.ErrConfigured, "it is that of the network 192.0.2.0/24"},
		"itself": {map[string]string{"ip": "::1", "provider": "lan"},
			ocf.ErrConfigured, "a machine reaches only itself"},
		"an odd prefix": {map[string]string{"ip": "203.0.113.10", "provider": "lan",
			"cidr_netmask": "/24"}, ocf.ErrConfigured, "is not a prefix length"},
		"an odd nic": {map[string]string{"ip": "203.0.113.10", "provider": "lan", "nic": "../x"},
			ocf.ErrConfigured, "is not the name of a network interface"},
		"a path after the origin": {map[string]string{"ip": "203.0.113.10", "token": "x",
			"api_url": "https://api.digitalocean.com/v2"},
			ocf.ErrConfigured, "continues after the host"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocftest.New(t, p.a.New, test.params)
			for _, action := range []string{"start", "validate-all"} {
				expect(t, r.Run(action, nil), test.code, test.reason)
			}
		})
	}
}

// With OCF_CHECK_LEVEL=0 only the parameters are judged, and not what this node has for them.
func TestValidateParametersOnly(t *testing.T) {
	r := ocftest.New(t, func() *ocf.Agent { return floatip.New("test") },
		map[string]string{"ip": "203.0.113.10", "provider": "lan", "nic": "no-such-nic"})
	expect(t, r.Run("validate-all", nil), ocf.ErrInstalled, "no-such-nic")
	only := map[string]string{"OCF_CHECK_LEVEL": "0"}
	expect(t, r.Run("validate-all", only), ocf.Success, "")
	expect(t, r.Run("validate-all", map[string]string{"OCF_CHECK_LEVEL": "10"}), ocf.ErrInstalled,
		"no-such-nic")
	expect(t, r.With("cidr_netmask", "33").Run("validate-all", only), ocf.ErrConfigured,
		"cidr_netmask=33 is too long")
	token := ocftest.New(t, func() *ocf.Agent { return floatip.New("test") },
		map[string]string{"ip": "203.0.113.10", "token_file": "/no/such"})
	expect(t, token.Run("validate-all", only), ocf.Success, "")
}

// The tutorial's primitive has the two parameters by their old names and nothing else.
func TestOldNames(t *testing.T) {
	r := ocftest.New(t, func() *ocf.Agent {
		return floatip.New("test")
	}, map[string]string{"floating_ip": "203.0.113.10", "do_token": "abc"})
	expect(t, r.Run("validate-all", nil), ocf.Success, "")
}

func TestMemoryThatIsBroken(t *testing.T) {
	p := newPair(t)
	expect(t, p.a.Start(), ocf.Success, "")
	require.NoError(t, os.WriteFile(filepath.Join(p.a.RunDir(), "test", "state.json"),
		[]byte(`{"Started":{"IP":"x"`), 0o600))
	expect(t, p.a.Monitor(0), ocf.Success, "")
	p.Blind("a", errDown)
	expect(t, p.a.Monitor(0), ocf.DegradedCode, "was here")
	require.NoError(t, os.RemoveAll(filepath.Join(p.a.RunDir(), "test")))
	expect(t, p.a.Monitor(0), ocf.ErrGeneric, "the cloud cannot be reached")
	expect(t, p.a.Stop(), ocf.Success, "")
}
