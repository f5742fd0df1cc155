package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// written is a cluster in which an older version wrote parameters: HAProxy's, and the address's
// besides ip and provider.
func written(t *testing.T, haproxy, address crm.Attrs) *crmtest.Fake {
	t.Helper()
	fake := crmtest.New("lb-1", "lb-2")
	sys, _, stderr := testSystem(t, fake)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys),
		stderr)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	for id, params := range map[string]crm.Attrs{"haproxy": haproxy, "FloatIP": address} {
		o, _ := cib.Object(id)
		p := *o.(*crm.Primitive)
		for _, a := range params {
			p.Params.Set(a.Name, a.Value)
		}
		require.NoError(t, fake.Edit(&p))
	}
	return fake
}

func haproxyFile(t *testing.T, keys string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hawser.yaml")
	text := "fencing: off\nhaproxy: {" + keys + "}\nfloating_ips: [{name: FloatIP, ip: 192.0.2.10, provider: lan}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// TestDefaultsChangeNothing: whether a default is written out, in the file or in the cluster, is
// nothing to plan for: each of these changes would restart every HAProxy at once.
func TestDefaultsChangeNothing(t *testing.T) {
	const writtenOut = "config: /etc/haproxy/haproxy.cfg, binary: /usr/sbin/haproxy, min_servers: 0, stop_grace: 5s, " +
		"keeper: on, max_crashes: 3, crash_window: 60s, unit: haproxy.service, metadata_url: 'http://169.254.169.254'"
	clusters := map[string]crm.Attrs{
		"nothing written": nil,
		"written out": {
			{
				Name:  "conffile",
				Value: "/etc/haproxy/haproxy.cfg",
			},
			{Name: "binpath", Value: "/usr/sbin/haproxy"},
			{
				Name:  "min_servers",
				Value: "0",
			},
			{Name: "stop_grace", Value: "5s"},
			{Name: "keeper", Value: "true"},
			{Name: "max_crashes", Value: "3"},
			{Name: "crash_window", Value: "1min"},
			{
				Name:  "unit",
				Value: "haproxy.service",
			},
			{Name: "metadata_url", Value: "http://169.254.169.254"},
		},
	}
	for name, params := range clusters {
		for _, keys := range []string{"", writtenOut} {
			fake := written(t, params, nil)
			before := objects(t, fake)
			sys, stdout, _ := testSystem(t, fake)
			file := haproxyFile(t, keys)
			require.Equal(t, exitOK,
				run([]string{"hawser", "plan", "--exit-code", "-f", file}, sys), "%s, %q: %s", name,
				keys, stdout)
			require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys))
			require.Equal(t, before, objects(t, fake))
		}
	}
}

// TestOtherChangesKeepDefaults: beside a change that is one, what means the same stays as it is.
func TestOtherChangesKeepDefaults(t *testing.T) {
	fake := written(
		t,
		crm.Attrs{
			{Name: "conffile", Value: "/etc/haproxy/haproxy.cfg"},
			{Name: "stop_grace", Value: "120s"},
		},
		nil,
	)
	sys, _, stderr := testSystem(t, fake)
	require.Equal(
		t,
		exitOK,
		run(
			[]string{
				"hawser",
				"apply",
				"--yes",
				"-f",
				haproxyFile(t, "stop_grace: 2min, min_servers: 1"),
			},
			sys,
		),
		stderr,
	)
	require.Contains(t, objects(t, fake), `conffile="/etc/haproxy/haproxy.cfg"`)
	require.Contains(t, objects(t, fake), "stop_grace=120s")
	require.Contains(t, objects(t, fake), "min_servers=1")

	// A default takes the place of something else by its parameter's going.
	require.Equal(t, exitOK,
		run([]string{"hawser", "apply", "--yes", "-f", haproxyFile(t, "min_servers: 0")}, sys),
		stderr)
	require.NotContains(t, objects(t, fake), "min_servers")
	require.NotContains(t, objects(t, fake), "stop_grace")
	require.Contains(t, objects(t, fake), `conffile="/etc/haproxy/haproxy.cfg"`)
}

// TestSameMeaningIsNoChange goes through the comparison itself.
func TestSameMeaningIsNoChange(t *testing.T) {
	fake := written(t, crm.Attrs{{Name: "unit", Value: "haproxy.service"}}, nil)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	file, err := config.Read(haproxyFile(t, "config: /etc/haproxy/haproxy.cfg"))
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: deploy.Objects(file, cib), Tag: contract.TagID})
	require.NoError(t, err)
	require.True(t, plan.Empty(), "%v", plan.Changes)
}
