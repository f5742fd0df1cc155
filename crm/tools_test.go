package crm_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/needs"
)

// seed is a cluster of three nodes that are online, without resources.
const seed = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="lb-1"/><node id="2" uname="lb-2"/><node id="3" uname="lb-3"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status>
    <node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="2" uname="lb-2" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="3" uname="lb-3" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>`

// onFile is Pacemaker's tools working on a file instead of a cluster.
func onFile(t *testing.T, cib string) *crm.Tools {
	t.Helper()
	needs.Command(t, "cibadmin")
	path := filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(path, []byte(cib), 0o600))
	return &crm.Tools{Env: append(os.Environ(), "CIB_file="+path)}
}

// tutorial is what the tutorial sets up.
func tutorial() []crm.Object {
	return []crm.Object{
		&crm.Property{Name: "stonith-enabled", Value: "false"},
		&crm.Primitive{Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy",
			Params: crm.Attrs{{Name: "conffile", Value: "/etc/haproxy/haproxy.cfg"}},
			Ops: []crm.Op{{Name: "monitor", Interval: "15s", Attrs: crm.Attrs{{Name: "timeout", Value: "20s"}},
				Params: crm.Attrs{{Name: "OCF_CHECK_LEVEL", Value: "10"}}}}},
		&crm.Clone{Name: "haproxy-clone", Resource: "haproxy", Meta: crm.Attrs{{Name: "interleave", Value: "true"}}},
		&crm.Primitive{Name: "FloatIP", Class: "ocf", Provider: "hawser", Type: "floatip",
			Params: crm.Attrs{{Name: "ip", Value: "203.0.113.10"}, {Name: "token_file", Value: "/etc/hawser/token"}},
			Ops:    []crm.Op{{Name: "monitor", Interval: "15s"}}},
		&crm.Colocation{Name: "FloatIP-haproxy", Score: "INFINITY", Resource: "FloatIP", With: "haproxy-clone"},
	}
}

func TestApplyOnFile(t *testing.T) {
	ctx := context.Background()
	tools := onFile(t, seed)
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	forecast, err := tools.Check(ctx, plan)
	require.NoError(t, err)
	var said []string
	for _, a := range forecast.Actions {
		said = append(said, a.String())
	}
	require.ElementsMatch(t, []string{"start haproxy:0 on lb-1", "start haproxy:1 on lb-2", "start haproxy:2 on lb-3", "start FloatIP on lb-1"}, said)
	require.NoError(t, tools.Apply(ctx, plan))

	cib, err = tools.Query(ctx)
	require.NoError(t, err)
	t.Log(crm.FormatShell(cib.Objects()))
	again, err := crm.Diff(cib, crm.Spec{Objects: tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	require.Empty(t, again.Changes)

	require.ErrorIs(t, tools.Apply(ctx, plan), crm.ErrStale)

	destroy, err := crm.Diff(cib, crm.Spec{Tag: "hawser"})
	require.NoError(t, err)
	_, err = tools.Check(ctx, destroy)
	require.NoError(t, err)
	require.NoError(t, tools.Apply(ctx, destroy))
	cib, err = tools.Query(ctx)
	require.NoError(t, err)
	want, err := crm.ParseCIB([]byte(seed))
	require.NoError(t, err)
	require.Equal(t, crm.FormatShell(want.Objects()), crm.FormatShell(cib.Objects()))
}
