package resource_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/cluster/resource"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func cluster(t *testing.T, statements ...string) (*crmtest.Fake, resource.Resources) {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	require.NoError(t, c.Edit(crmtest.Tutorial()...))
	script, err := crm.ParseShell("test", []byte(strings.Join(statements, "\n")))
	require.NoError(t, err)
	require.NoError(t, c.Edit(script.Objects...))
	return c, resource.Resources{Cluster: c}
}

func do(t *testing.T, c crm.Cluster, o order.Order, err error) {
	t.Helper()
	require.NoError(t, err)
	require.False(t, o.Done, o.Says)
	require.NoError(t, o.Do(t.Context(), c))
	require.NoError(t, o.Verdict(t.Context(), c, time.Now()))
}

func shown(t *testing.T, c crm.Cluster) string {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

func TestStopAndStart(t *testing.T) {
	for _, name := range []string{"FloatIP", "203.0.113.10", "::ffff:203.0.113.10"} {
		t.Run(name, func(t *testing.T) {
			c, r := cluster(t)
			before := shown(t, c)
			o, err := r.Stop(t.Context(), name)
			do(t, c, o, err)
			require.Equal(t, "NOBODY WILL SERVE FloatIP (203.0.113.10) any more.", o.Effect.Headline())
			require.Contains(t, shown(t, c), "target-role=Stopped")
			require.Empty(t, o.Notes, "no hawser.yaml has it")
			o, err = r.Stop(t.Context(), name)
			require.NoError(t, err)
			require.True(t, o.Done)
			require.Contains(t, o.Says, "`hawser start FloatIP` starts it")

			o, err = r.Start(t.Context(), name)
			do(t, c, o, err)
			require.Equal(t, []string{"FloatIP"}, o.Serving)
			require.Contains(t, o.Effect.Lines(), "FloatIP (203.0.113.10) starts on lb-1")
			require.Equal(t, before, shown(t, c), "nothing is left of it")
			o, err = r.Start(t.Context(), name)
			require.NoError(t, err)
			require.True(t, o.Done)
			require.Equal(t, "FloatIP (203.0.113.10) is on lb-1 already", o.Says)
		})
	}
}

// Of anything else by its id; that nobody is served then is said first of all.
func TestStopAndStartOfOtherResources(t *testing.T) {
	for _, name := range []string{"haproxy", "haproxy-clone"} {
		c, r := cluster(t, "tag hawser haproxy haproxy-clone FloatIP")
		before := shown(t, c)
		o, err := r.Stop(t.Context(), name)
		do(t, c, o, err)
		require.Equal(t, "NOBODY WILL SERVE FloatIP (203.0.113.10) any more.", o.Effect.Headline())
		require.Equal(t, name+" is stopped on every node until `hawser start "+name+"`.", o.Says)
		require.Len(t, o.Notes, 2)
		require.Contains(t, o.Notes[0], "`hawser standby NODE` takes HAProxy and the addresses off one node alone")
		require.Contains(t, o.Notes[1], "`hawser apply` starts it again too")
		for _, other := range []string{"haproxy", "haproxy-clone"} {
			o, err = r.Stop(t.Context(), other)
			require.NoError(t, err)
			require.True(t, o.Done, other)
		}
		// By either name it starts again, whichever was stopped.
		o, err = r.Start(t.Context(), "haproxy-clone")
		do(t, c, o, err)
		require.Equal(t, []string{"haproxy"}, o.Serving)
		require.Equal(t, before, shown(t, c), "nothing is left of it")
		o, err = r.Start(t.Context(), name)
		require.NoError(t, err)
		require.True(t, o.Done)
		require.Equal(t, name+" is on lb-1, lb-2 already", o.Says)
	}

	// One that fails to start is no success.
	c, r := cluster(t, "primitive web ocf:pacemaker:Dummy meta target-role=Stopped")
	c.FailResource("web", "there is no web")
	o, err := r.Start(t.Context(), "web")
	require.NoError(t, err)
	require.NoError(t, o.Do(t.Context(), c))
	require.ErrorContains(t, o.Verdict(t.Context(), c, time.Now()), "web is not running on any node: there is no web")

	_, r = cluster(t, "primitive fence stonith:fence_test")
	for _, order := range []func() (order.Order, error){
		func() (order.Order, error) { return r.Stop(t.Context(), "fence") },
		func() (order.Order, error) { return r.Start(t.Context(), "fence") },
	} {
		_, err = order()
		require.ErrorContains(t, err, "fence is a fencing device, which hawser neither stops nor starts")
		require.Equal(t, outcome.Usage, outcome.Of(err))
	}
}

// A group starts with all of its members.
func TestStartOfAGroup(t *testing.T) {
	c, r := cluster(t, "primitive a ocf:pacemaker:Dummy meta target-role=Stopped", "primitive b ocf:pacemaker:Dummy",
		"group g a b meta target-role=Stopped")
	o, err := r.Start(t.Context(), "g")
	require.NoError(t, err)
	require.NoError(t, o.Do(t.Context(), c))
	require.NotContains(t, shown(t, c), "target-role")
}

// What hawser made, hawser.yaml has: apply would start it.
func TestStopOfWhatHawserMade(t *testing.T) {
	_, r := cluster(t, "tag hawser FloatIP")
	o, err := r.Stop(t.Context(), "FloatIP")
	require.NoError(t, err)
	require.Equal(t, []string{"`hawser apply` starts it again too, since hawser.yaml has it"}, o.Notes)
}

// Whoever stopped it, and however: it is started.
func TestStartOfWhatOthersStopped(t *testing.T) {
	for name, statements := range map[string][]string{
		"in lower case": {"primitive FloatIP ocf:hawser:floatip params ip=203.0.113.10 meta target-role=stopped priority=3"},
		"its group": {"primitive web ocf:pacemaker:Dummy", "group g web FloatIP meta target-role=Stopped",
			"colocation FloatIP-haproxy inf: g haproxy-clone"},
		"all by default":     {"rsc_defaults target-role=Stopped"},
		"itself and default": {"rsc_defaults target-role=Stopped", "primitive FloatIP ocf:hawser:floatip params ip=203.0.113.10 meta target-role=Stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := cluster(t, statements...)
			o, err := r.Start(t.Context(), "FloatIP")
			require.NoError(t, err)
			require.False(t, o.Done, o.Says)
			require.NoError(t, o.Do(t.Context(), c))
			text := shown(t, c)
			if strings.Contains(name, "default") {
				require.Contains(t, text, "target-role=Started")
				return
			}
			require.NotContains(t, text, "target-role")
		})
	}
}

func TestStopAndStartRefused(t *testing.T) {
	c, r := cluster(t)
	_, err := r.Stop(t.Context(), "web")
	require.ErrorContains(t, err, "there is no resource web in the cluster's configuration; it has FloatIP, haproxy, haproxy-clone")
	require.Equal(t, outcome.Usage, outcome.Of(err))
	_, err = r.Start(t.Context(), "192.0.2.1")
	require.ErrorContains(t, err, "there is no floating IP 192.0.2.1 in the cluster's configuration; it has FloatIP (203.0.113.10)")

	c.FailResource("FloatIP", "the token is refused")
	_, err = r.Start(t.Context(), "FloatIP")
	require.ErrorContains(t, err, "nobody has stopped FloatIP (203.0.113.10), but it is not running on any node: "+
		"start of FloatIP on lb-1 failed: error: the token is refused; when the cause is fixed, `hawser cleanup FloatIP` lets it start")
	require.Equal(t, outcome.Resource, outcome.Of(err))

	c, r = cluster(t, "property maintenance-mode=true")
	for _, order := range []func() (order.Order, error){
		func() (order.Order, error) { return r.Stop(t.Context(), "FloatIP") },
	} {
		_, err = order()
		require.ErrorContains(t, err, "FloatIP is not managed (maintenance mode, or is-managed=false), so Pacemaker does not stop it; nothing was changed")
		require.Equal(t, outcome.Resource, outcome.Of(err))
	}
	require.Zero(t, c.Applied())
}

// It may run again, and still no node can have it.
func TestStartWithoutANode(t *testing.T) {
	c, r := cluster(t, "primitive FloatIP ocf:hawser:floatip params ip=203.0.113.10 meta target-role=Stopped",
		"location a FloatIP -inf: lb-1", "location b FloatIP -inf: lb-2")
	o, err := r.Start(t.Context(), "FloatIP")
	require.NoError(t, err)
	require.Equal(t, []string{"Pacemaker will not start it now: no node can have it (see `hawser status`)"}, o.Notes)
	require.NoError(t, o.Do(t.Context(), c))
	require.ErrorContains(t, o.Verdict(t.Context(), c, time.Now()), "FloatIP (203.0.113.10) is not running on any node")
}

func TestCleanup(t *testing.T) {
	for _, tc := range []struct{ name, node, want string }{
		{"", "", ""},
		{"haproxy", "", "haproxy"},
		{"haproxy-clone", "lb-1", "haproxy-clone lb-1"},
		{"haproxy", "lb-1", "haproxy lb-1"},
		{"lb-1", "", "lb-1"},
	} {
		c, r := cluster(t)
		c.FailResource("haproxy", "no configuration")
		o, err := r.Cleanup(t.Context(), tc.name, tc.node)
		do(t, c, o, err)
		require.Contains(t, o.Says, "\n  start of haproxy on lb-1 failed: error: no configuration")
		require.Equal(t, []string{tc.want}, c.Cleaned())
		require.Zero(t, c.Applied(), "nothing of the configuration is changed")
		o, err = r.Cleanup(t.Context(), tc.name, tc.node)
		require.NoError(t, err)
		require.True(t, o.Done)
		require.Contains(t, o.Says, "Pacemaker remembers no failure")
	}
	c, r := cluster(t)
	c.FailResource("FloatIP", "no")
	o, err := r.Cleanup(t.Context(), "203.0.113.10", "")
	do(t, c, o, err)
	require.Equal(t, []string{"FloatIP"}, c.Cleaned())
	o, err = r.Cleanup(t.Context(), "haproxy", "lb-2")
	require.NoError(t, err)
	require.Equal(t, "Pacemaker remembers no failure of haproxy on lb-2", o.Says)

	_, err = r.Cleanup(t.Context(), "web", "")
	require.ErrorContains(t, err, "there is no resource web in the cluster's configuration; it has FloatIP, haproxy, haproxy-clone")
	require.Equal(t, outcome.Usage, outcome.Of(err))
	_, err = r.Cleanup(t.Context(), "haproxy", "lb-9")
	require.ErrorContains(t, err, "the cluster has no node lb-9; it has lb-1, lb-2")
}

// What Pacemaker's own scheduler says about a cleanup: HAProxy starts where it had failed.
func TestCleanupIsForeseen(t *testing.T) {
	needs.Command(t, "crm_simulate")
	needs.Command(t, "cibadmin")
	file := filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(file, crmtest.Seed("lb-1", "lb-2", "lb-3"), 0o600))
	tools := &crm.Tools{Env: append(os.Environ(), "CIB_file="+file)}
	objects := crmtest.Tutorial()
	objects[1].(*crm.Primitive).Meta = crm.Attrs{{Name: "migration-threshold", Value: "1"}}
	cib, err := tools.Query(t.Context())
	require.NoError(t, err)
	p, err := crm.Diff(cib, crm.Spec{Objects: objects})
	require.NoError(t, err)
	require.NoError(t, tools.Apply(t.Context(), p))
	for _, failing := range []string{"haproxy:1_start_0@lb-2=1", "nothing_start_0@lb-1=1"} {
		out, err := exec.CommandContext(t.Context(), "/usr/sbin/crm_simulate", "--simulate", "--xml-file", file,
			"--op-fail", failing, "--save-output", file).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}

	r := resource.Resources{Cluster: tools}
	o, err := r.Cleanup(t.Context(), "haproxy", "lb-2")
	require.NoError(t, err)
	require.False(t, o.Done)
	require.Contains(t, o.Says, "\n  start of haproxy on lb-2 failed")
	require.Contains(t, o.Effect.Lines(), "haproxy starts on lb-2, keeps running on lb-1, lb-3")
	require.Empty(t, o.Effect.Headline())
	o, err = r.Cleanup(t.Context(), "haproxy", "lb-1")
	require.NoError(t, err)
	require.True(t, o.Done)
}
