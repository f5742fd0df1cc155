package fencing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
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

func TestRisksAreThoseOfTheFile(t *testing.T) {
	stops := "a node that is cut off stops its resources once it has noticed that it lost quorum"
	for _, tc := range []struct {
		name       string
		nodes      int
		options    []crm.Object
		q          Quorum
		cloud, lan string
		protects   string
	}{
		{"three nodes", 3, nil, Quorum{Known: true}, "but nothing restarts a hung node", "if its " +
			"node hangs or is cut off while another takes it: " + stops, "quorum only: " + stops},
		{"two_node", 2, nil, Quorum{corosync.Quorum{TwoNode: true}, true}, "but two_node in corosync.conf lets each", "if they lose sight of each other: two_node in corosync.conf", "nothing: two_node"},
		{"two nodes, unknown", 2, nil, Quorum{}, "with two_node in corosync.conf, each", "with two_node in corosync.conf, each", "nothing: with two_node"},
		{"two nodes and a device", 2, nil, Quorum{corosync.Quorum{Device: true}, true}, "a hung " +
			"node", stops, "quorum only"},
		{"ignore", 3, []crm.Object{property("no-quorum-policy", "ignore")}, Quorum{Known: true}, "no-quorum-policy=ignore", "no-quorum-policy=ignore", "nothing: no-quorum-policy=ignore"},
		{"freeze", 3, []crm.Object{property("no-quorum-policy", "freeze")}, Quorum{Known: true}, "a hung node", "no-quorum-policy=freeze lets", "nothing: no-quorum-policy=freeze"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cib := cibOf(t, tc.nodes, append(tc.options, property("stonith-enabled", "false"))...)
			risks := risks(configOfText(t, bothKinds), cib, tc.q)
			require.Len(t, risks, 2)
			require.Contains(t, risks[0], "203.0.113.10 (Cloud, digitalocean) cannot be held twice: the cloud gives it to one droplet at a time; but ")
			require.Contains(t, risks[0], tc.cloud)
			require.Contains(t, risks[1], "10.0.0.10 (Lan, lan) can be held by two nodes at once if ")
			require.Contains(t, risks[1], tc.lan)
			require.Contains(t, Protection(cib, tc.q), tc.protects)
		})
	}
	require.Contains(t, risks(configOfText(t, "haproxy: {}\n"), cibOf(t, 3), Quorum{})[0], "the file has no address that could be held twice")
}

// The trial has Pacemaker's way to the cloud: a proxy that its daemons were given, and not that of the terminal.
func TestTheTrialHasPacemakersProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://terminal:3128")
	proc := t.TempDir()
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, fenceEnvironment(proc))
	require.NoError(t, os.Mkdir(filepath.Join(proc, "77"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "77/comm"), []byte("pacemakerd\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "77/environ"), []byte("PCMK_debug=no\x00https_proxy=http://proxy:3128\x00NO_PROXY=10.0.0.0/8\x00"), 0o600))
	own := func(uid string) {
		require.NoError(t, os.WriteFile(filepath.Join(proc, "77/status"), []byte("\nUid:\t"+strings.Repeat(uid+"\t", 4)+"\n"), 0o600))
	}
	own("33")
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, fenceEnvironment(proc), "anybody may call a process pacemakerd")
	own("0")
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "https_proxy=http://proxy:3128", "NO_PROXY=10.0.0.0/8"}, fenceEnvironment(proc))
}
