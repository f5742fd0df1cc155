package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// fileOf is a hawser.yaml with keys of haproxy.
func fileOf(t *testing.T, keys string) *config.File {
	t.Helper()
	file, err := config.Parse("f", []byte("fencing: off\nhaproxy: {"+keys+"}\n"+
		"floating_ips: [{name: FloatIP, ip: 192.0.2.10, provider: lan}]\n"))
	require.NoError(t, err)
	return file
}

// apply writes what the file says, and returns the configuration after it.
func apply(t *testing.T, fake *crmtest.Fake, file *config.File) *crm.CIB {
	t.Helper()
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	plan, err := Diff(file, cib)
	require.NoError(t, err)
	require.NoError(t, fake.Apply(t.Context(), plan))
	cib, err = fake.Query(t.Context())
	require.NoError(t, err)
	return cib
}

// written is a cluster in which an older version has written parameters of HAProxy.
func written(t *testing.T, params crm.Attrs) *crmtest.Fake {
	t.Helper()
	fake := crmtest.New("lb-1", "lb-2")
	o, _ := apply(t, fake, fileOf(t, "")).Object(contract.HAProxyID)
	p := *o.(*crm.Primitive)
	for _, a := range params {
		p.Params.Set(a.Name, a.Value)
	}
	require.NoError(t, fake.Edit(&p))
	return fake
}

// TestDefaultsChangeNothing: whether a default is written out, in the file or in the cluster, is
// nothing to plan for: each of these changes would restart every HAProxy at once.
func TestDefaultsChangeNothing(t *testing.T) {
	const writtenOut = "config: /etc/haproxy/haproxy.cfg, binary: /usr/sbin/haproxy, " +
		"min_servers: 0, stop_grace: 5s, keeper: on, max_crashes: 3, crash_window: 60s, " +
		"unit: haproxy.service, metadata_url: 'http://169.254.169.254'"
	clusters := map[string]crm.Attrs{
		"nothing written": nil,
		"written out": {
			{Name: "conffile", Value: "/etc/haproxy/haproxy.cfg"},
			{Name: "binpath", Value: "/usr/sbin/haproxy"},
			{Name: "min_servers", Value: "0"},
			{Name: "stop_grace", Value: "5s"},
			{Name: "keeper", Value: "true"},
			{Name: "max_crashes", Value: "3"},
			{Name: "crash_window", Value: "1min"},
			{Name: "unit", Value: "haproxy.service"},
			{Name: "metadata_url", Value: "http://169.254.169.254"},
		},
	}
	for name, params := range clusters {
		for _, keys := range []string{"", writtenOut} {
			cib, err := written(t, params).Query(t.Context())
			require.NoError(t, err)
			plan, err := Diff(fileOf(t, keys), cib)
			require.NoError(t, err)
			require.True(t, plan.Empty(), "%s, {%s}: %v", name, keys, plan.Changes)
		}
	}
	// Nor does a new cluster differ by it.
	require.Equal(t,
		crm.FormatShell(apply(t, crmtest.New("lb-1", "lb-2"), fileOf(t, "")).Objects()),
		crm.FormatShell(apply(t, crmtest.New("lb-1", "lb-2"), fileOf(t, writtenOut)).Objects()))
}

// TestOtherChangesKeepDefaults: beside a change that is one, what means the same stays as it is.
func TestOtherChangesKeepDefaults(t *testing.T) {
	fake := written(t, crm.Attrs{
		{Name: "conffile", Value: "/etc/haproxy/haproxy.cfg"},
		{Name: "stop_grace", Value: "120s"},
	})
	shown := crm.FormatShell(apply(t, fake, fileOf(t, "stop_grace: 2min, min_servers: 1")).Objects())
	require.Contains(t, shown, `conffile="/etc/haproxy/haproxy.cfg"`)
	require.Contains(t, shown, "stop_grace=120s")
	require.Contains(t, shown, `checks="servers backend=*"`)

	// Back to a default: the parameter goes.
	shown = crm.FormatShell(apply(t, fake, fileOf(t, "min_servers: 0")).Objects())
	require.NotContains(t, shown, "servers backend")
	require.NotContains(t, shown, "stop_grace")
	require.Contains(t, shown, `conffile="/etc/haproxy/haproxy.cfg"`)
}

// TestAnotherAgentKeepsNothing: of an agent that is not the one to be written nothing is known.
func TestAnotherAgentKeepsNothing(t *testing.T) {
	fake := written(t, nil)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	other := &crm.Primitive{Name: contract.HAProxyID, Class: "ocf", Provider: "pacemaker", Type: "Dummy",
		Params: crm.Attrs{{Name: "conffile", Value: contract.DefaultConffile}}}
	keepMeaning(cib, []crm.Object{other})
	require.Len(t, other.Params, 1)
}
