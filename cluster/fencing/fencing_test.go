package fencing

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "https_proxy=http://proxy:3128", "NO_PROXY=10.0.0.0/8"}, fenceEnvironment(proc))
}

func TestFindSBD(t *testing.T) {
	dir := t.TempDir()
	pidFile, defaults := filepath.Join(dir, "sbd.pid"), filepath.Join(dir, "default")
	find := func() (SBD, error) {
		return FindSBD(dir, pidFile, []string{filepath.Join(dir, "absent"), defaults})
	}
	write := func(path, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	here, err := find()
	require.NoError(t, err)
	require.False(t, here.Running)

	write("sbd.pid", "42\n")
	here, err = find()
	require.NoError(t, err)
	require.False(t, here.Running, "a pid file that was left behind")

	write("42/comm", "sleep\n")
	require.NoError(t, os.Symlink("/usr/bin/sleep", filepath.Join(dir, "42/exe")))
	here, err = find()
	require.NoError(t, err)
	require.False(t, here.Running, "the number is another process's now")

	require.NoError(t, os.Remove(filepath.Join(dir, "42/exe")))
	require.NoError(t, os.Symlink("/usr/sbin/sbd (deleted)", filepath.Join(dir, "42/exe")))
	write("default", "# SBD_WATCHDOG_TIMEOUT=1\nSBD_WATCHDOG_DEV=\"/dev/watchdog1\"\nSBD_WATCHDOG_TIMEOUT=7\n")
	here, err = find()
	require.NoError(t, err)
	require.Equal(t, SBD{Running: true, Timeout: 7 * time.Second, SaidBy: defaults, Watchdog: "/dev/watchdog1"}, here)

	write("77/comm", "pacemakerd\n")
	write("77/environ", "PATH=/bin\x00SBD_WATCHDOG_TIMEOUT=5\x00SBD_WATCHDOG_DEV=/dev/watchdog\x00")
	here, err = find()
	require.NoError(t, err)
	require.Equal(t, SBD{Running: true, Timeout: 5 * time.Second, SaidBy: "the environment of pacemakerd", Watchdog: "/dev/watchdog"}, here)

	write("sbd.pid", "many\n")
	_, err = find()
	require.ErrorContains(t, err, "does not hold a process number")
}
