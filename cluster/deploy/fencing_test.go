package deploy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func property(name, value string) crm.Object { return &crm.Property{Name: name, Value: value} }

// cibOf is a configuration of that many nodes lb-1, lb-2 … with options.
func cibOf(t *testing.T, nodes int, options ...crm.Object) *crm.CIB {
	t.Helper()
	names := []string{"lb-1", "lb-2", "lb-3"}[:nodes]
	fake := crmtest.New(names...)
	if len(options) > 0 {
		require.NoError(t, fake.Edit(options...))
	}
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	return cib
}

func configOfText(t *testing.T, text string) *config.File {
	t.Helper()
	cfg, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	return cfg
}

// Two addresses, one of which the cloud keeps at one node at a time.
const bothKinds = "haproxy: {}\nfloating_ips:\n  - {name: Cloud, ip: 203.0.113.10, token_file: /t}\n  - {name: Lan, ip: 10.0.0.10, provider: lan}\n"

// judged is what the judgement of fencing says of a plan, with nothing else known of the cluster.
func judged(file *config.File, p crm.Plan, q fencing.Quorum) (string, error) {
	warnings, err := fencing.Review(file, p, fencing.Facts{Quorum: q})
	return strings.Join(warnings, "\n"), err
}

// SBD without a disk fences without a resource. `fencing: off` must not take it away, and without that key
// nothing is refused.
func TestWatchdogsAreFencing(t *testing.T) {
	for _, tc := range []struct {
		timeout, fencing string
		warning          string
		said             bool // stonith-enabled is written
	}{
		{"10s", "fencing: off\n", "has the fencing device watchdog: it stays in use", false},
		{"10s", "", "", false},
		{"10s", "fencing: on\n", "", true},
		{"-1", "fencing: off\n", "has the fencing device watchdog", false},
		{"0", "", "stonith-watchdog-timeout is not set", false},
		{"0s", "fencing: off\n", "fencing is off: nothing", true},
	} {
		fake := crmtest.New("lb-1", "lb-2")
		require.NoError(t, fake.Edit(property("have-watchdog", "true"), property("stonith-watchdog-timeout", tc.timeout)))
		cfg, err := config.Parse("f.yaml", []byte(tc.fencing+"haproxy: {}\n"))
		require.NoError(t, err)
		cib, err := fake.Query(t.Context())
		require.NoError(t, err)
		plan, err := Diff(cfg, cib)
		require.NoError(t, err)
		warning, err := judged(cfg, plan, fencing.Quorum{})
		require.NoError(t, err, "%+v", tc)
		require.Contains(t, warning, tc.warning, "%+v", tc)
		_, said := plan.New.Property("stonith-enabled")
		require.Equal(t, tc.said, said, "%+v", tc)
	}
}

// Two nodes of a device that somebody else configured may race too.
func TestDevicesOfOthersMayRace(t *testing.T) {
	cfg := configOfText(t, "fencing: on\nhaproxy: {}\n")
	fence := &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan"}
	delayed := &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan", Params: crm.Attrs{{Name: "pcmk_delay_max", Value: "5s"}}}
	for _, tc := range []struct {
		name    string
		nodes   int
		objects []crm.Object
		q       fencing.Quorum
		races   bool
	}{
		{"two nodes", 2, []crm.Object{fence}, fencing.Quorum{Known: true}, true},
		{"delayed", 2, []crm.Object{delayed}, fencing.Quorum{Known: true}, false},
		{"by priority", 2, []crm.Object{fence, property("priority-fencing-delay", "10s")}, fencing.Quorum{Known: true}, false},
		{"quorum device", 2, []crm.Object{fence}, fencing.Quorum{Quorum: corosync.Quorum{Device: true}, Known: true}, false},
		{"three nodes", 3, []crm.Object{fence}, fencing.Quorum{Known: true}, false},
	} {
		plan, err := Diff(cfg, cibOf(t, tc.nodes, tc.objects...))
		require.NoError(t, err)
		warning, err := judged(cfg, plan, tc.q)
		require.NoError(t, err)
		require.Equal(t, tc.races, strings.Contains(warning, "may both be fenced"), "%s: %s", tc.name, warning)
	}
}

// The node that holds the address must win the race, whichever addresses each of the two has.
func TestPriorities(t *testing.T) {
	text := "fencing: {droplet: {token_file: /t}}\n" + bothKinds
	fenced := configOfText(t, text)
	require.Equal(t, []string{"2", "1"}, priorities(fenced, cibOf(t, 2)))
	require.Nil(t, priorities(fenced, cibOf(t, 3)), "the majority is faster")
	require.Nil(t, priorities(configOfText(t, strings.Replace(text, "{token_file", "{delay: 0, token_file", 1)), cibOf(t, 2)))
	require.Nil(t, priorities(configOfText(t, "fencing: off\n"+bothKinds), cibOf(t, 2)))

	plan, err := Diff(fenced, cibOf(t, 2))
	require.NoError(t, err)
	delay, _ := plan.New.Property("priority-fencing-delay")
	require.Equal(t, "15s", delay)
	address, _ := plan.New.Object("Cloud")
	require.Contains(t, address.String(), "priority=2")
	again, err := Diff(fenced, plan.New)
	require.NoError(t, err)
	require.True(t, again.Empty())

	alone, err := Diff(configOfText(t, "fencing: {droplet: {token_file: /t}}\nhaproxy: {}\n"), cibOf(t, 2))
	require.NoError(t, err)
	device, _ := alone.New.Object(contract.FenceID)
	require.Contains(t, device.String(), `pcmk_host_list="lb-1 lb-2" pcmk_delay_max=15s`)
}

func TestDropletsThatAreNoNodes(t *testing.T) {
	cfg := configOfText(t, "fencing:\n  droplet: {token_file: /t, droplets: {lb-1: 1, lb-2: 2, lb-9: 9}, delay: 0}\nhaproxy: {}\n")
	plan, err := Diff(cfg, cibOf(t, 2, property("no-quorum-policy", "ignore")))
	require.NoError(t, err)
	warning, err := judged(cfg, plan, fencing.Quorum{})
	require.NoError(t, err)
	require.Contains(t, warning, "f.yaml:2: fencing.droplet.droplets names lb-9, which is not a "+
		"node of the cluster (its nodes: lb-1, lb-2)")
	require.Contains(t, warning, "\nno-quorum-policy=ignore: every part of a divided cluster fences the others")
	require.Contains(t, warning, "\ndelay: 0: two nodes that lose sight of each other may both be switched off")
}

func TestSBDNeedsThreeVotes(t *testing.T) {
	cfg := configOfText(t, "haproxy: {}\nfencing: sbd\n")
	for _, tc := range []struct {
		name          string
		nodes         int
		q             fencing.Quorum
		err, warnings string
	}{
		{"three nodes", 3, fencing.Quorum{Known: true}, "", ""},
		{"two nodes and a device", 2, fencing.Quorum{Quorum: corosync.Quorum{Device: true}, Known: true}, "", ""},
		{"two nodes", 2, fencing.Quorum{Quorum: corosync.Quorum{TwoNode: true}, Known: true}, "f.yaml:2: fencing by SBD needs three votes, and this cluster has 2 nodes and no quorum device: SBD resets the node that has no quorum", ""},
		{"one node", 1, fencing.Quorum{}, "this cluster has 1 node and no quorum device", ""},
		{"a file of two nodes", 2, fencing.Quorum{}, "", "whether this cluster of two has a quorum device could not be asked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := Diff(cfg, cibOf(t, tc.nodes, property("have-watchdog", "true")))
			require.NoError(t, err)
			warning, err := judged(cfg, plan, tc.q)
			if tc.err == "" {
				require.NoError(t, err)
				require.Contains(t, warning, tc.warnings)
				return
			}
			require.ErrorContains(t, err, tc.err)
			require.Equal(t, outcome.Usage, outcome.Of(err))
		})
	}
}

// A watchdog that hawser no longer relies on does not keep Pacemaker's fencing on.
func TestFromSBDToNone(t *testing.T) {
	cib := cibOf(t, 3, property("have-watchdog", "true"))
	sbd, err := Diff(configOfText(t, "fencing: sbd\nhaproxy: {}\n"), cib)
	require.NoError(t, err)
	off := configOfText(t, "fencing: off\nhaproxy: {}\n")
	plan, err := Diff(off, sbd.New)
	require.NoError(t, err)
	enabled, _ := plan.New.Property("stonith-enabled")
	require.Equal(t, "false", enabled)
	_, relied := plan.New.Property("stonith-watchdog-timeout")
	require.False(t, relied)
	_, ok := plan.New.Object(contract.HAProxyID)
	require.True(t, ok)
	again, err := Diff(off, plan.New)
	require.NoError(t, err)
	require.True(t, again.Empty(), "%v", again.Changes)
}

// A node that joined after the devices were configured is named before it is unreachable.
func TestANodeThatNoDeviceIsThereFor(t *testing.T) {
	only := func(hosts string) *crm.Primitive {
		return &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan", Params: crm.Attrs{{Name: "pcmk_host_list", Value: hosts}}}
	}
	cfg := configOfText(t, "fencing: on\nhaproxy: {}\n")
	for hosts, want := range map[string]string{"lb-1 lb-2 lb-3": "", "lb-1 lb-2": "no fencing device is there for lb-3 ", "lb-2": "no fencing device is there for lb-1, lb-3 "} {
		plan, err := Diff(cfg, cibOf(t, 3, only(hosts)))
		require.NoError(t, err)
		warning, err := judged(cfg, plan, fencing.Quorum{Known: true})
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, warning)
		}
		require.Contains(t, warning, want)
	}
}
