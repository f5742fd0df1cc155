package crm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// lived is a CIB whose cluster has started the tutorial's resources: crm_simulate has played all that.
func lived(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	before, after := filepath.Join(dir, "before.xml"), filepath.Join(dir, "after.xml")
	cib := with(t, crmtest.Tutorial()...)
	require.NoError(t, os.WriteFile(before, cib.XML(), 0o600))
	out, err := exec.Command(needs.Command(t, "crm_simulate"), "--xml-file", before, "--simulate", "--save-output", after).CombinedOutput()
	require.NoError(t, err, "%s", out)
	text, err := os.ReadFile(after)
	require.NoError(t, err)
	return string(text)
}

func status(t testing.TB, cib string) *crm.Status {
	t.Helper()
	tools, _ := onFile(t, []byte(cib))
	s, err := tools.Status(context.Background())
	require.NoError(t, err)
	return s
}

// rewrite changes attributes of the operation that a key names, on the node with the id.
func rewrite(t *testing.T, cib, node, key string, attrs map[string]string) string {
	t.Helper()
	at := strings.Index(cib, `<node_state id="`+node+`"`)
	require.Positive(t, at)
	op := regexp.MustCompile(`<lrm_rsc_op [^>]*operation_key="` + key + `"[^>]*>`)
	loc := op.FindStringIndex(cib[at:])
	require.NotNil(t, loc, "no operation %s", key)
	el := cib[at+loc[0] : at+loc[1]]
	for name, value := range attrs {
		re := regexp.MustCompile(` ` + name + `="[^"]*"`)
		require.Regexp(t, re, el)
		el = re.ReplaceAllString(el, " "+name+`="`+value+`"`)
	}
	return cib[:at+loc[0]] + el + cib[at+loc[1]:]
}

func find(t *testing.T, s *crm.Status, id, node string) crm.ResourceStatus {
	t.Helper()
	for _, r := range s.Resources {
		if r.ID == id && r.Node == node {
			return r
		}
	}
	require.Fail(t, "no such resource", "%s on %q in %+v", id, node, s.Resources)
	return crm.ResourceStatus{}
}

func TestStatusOfAClusterThatRuns(t *testing.T) {
	s := status(t, lived(t))
	require.Equal(t, "lb-1", s.DC)
	require.True(t, s.Quorum)
	require.False(t, s.Fencing)
	require.Len(t, s.Nodes, 2)
	require.True(t, s.Nodes[0].Online)
	require.True(t, s.Nodes[0].DC)
	require.Len(t, s.Resources, 3)
	h := find(t, s, "haproxy", "lb-2")
	require.Equal(t, "haproxy-clone", h.Parent)
	require.Equal(t, "ocf:hawser:haproxy", h.Agent)
	require.Equal(t, "Started", h.Role)
	require.True(t, h.Active)
	require.True(t, h.Managed)
	require.WithinDuration(t, time.Now(), h.Since, time.Minute)
	ip := find(t, s, "FloatIP", "lb-1")
	require.Empty(t, ip.Parent)
	require.Empty(t, s.Failures)
}

func TestStatusOfADegradedResource(t *testing.T) {
	cib := rewrite(t, lived(t), "2", "haproxy_monitor_15000", map[string]string{
		"rc-code": "190", "transition-magic": "0:190;3:-1:0:x", "exit-reason": "the new configuration is broken, the old one serves on", "last-rc-change": "1893456000",
	})
	s := status(t, cib)
	h := find(t, s, "haproxy", "lb-2")
	require.True(t, h.Degraded)
	require.True(t, h.Active)
	require.Equal(t, "the new configuration is broken, the old one serves on", h.Reason)
	require.False(t, find(t, s, "haproxy", "lb-1").Degraded)
	require.Empty(t, s.Failures, "degraded is not failed")
}

func TestStatusOfAFailedStart(t *testing.T) {
	cib := rewrite(t, lived(t), "1", "FloatIP_start_0", map[string]string{
		"rc-code": "5", "transition-magic": "0:5;2:-1:0:x", "exit-reason": "the token was refused", "last-rc-change": "1893456000",
	})
	s := status(t, cib)
	require.Len(t, s.Failures, 1)
	f := s.Failures[0]
	require.Equal(t, "FloatIP", f.Resource)
	require.Equal(t, "lb-1", f.Node)
	require.Equal(t, "start", f.Task)
	require.Equal(t, 5, f.Code)
	require.Equal(t, "not installed", strings.ToLower(f.Meaning), "Pacemaker 3.0 writes it with a capital")
	require.Equal(t, "the token was refused", f.Reason)
	require.Equal(t, time.Unix(1893456000, 0).UTC(), f.Time)
}

func TestStatusOfNodesAttributesAndPendingActions(t *testing.T) {
	cib := lived(t)
	at := strings.Index(cib, `<node_state id="2"`)
	end := strings.Index(cib[at:], "</node_state>")
	cib = cib[:at+end] + `<transient_attributes id="2"><instance_attributes id="status-2"><nvpair id="status-2-h" name="hawser-haproxy" value="up=3,down=1,draining=0"/></instance_attributes></transient_attributes>` + cib[at+end:]
	cib = rewrite(t, cib, "2", "haproxy_monitor_15000", map[string]string{"rc-code": "193", "op-status": "-1", "transition-magic": "-1:193;3:-1:0:x"})
	cib = strings.Replace(cib, `<node id="1" uname="lb-1"/>`,
		`<node id="1" uname="lb-1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-standby" name="standby" value="on"/></instance_attributes></node>`, 1)
	s := status(t, cib)
	require.True(t, s.Nodes[0].Standby)
	require.Equal(t, "up=3,down=1,draining=0", s.Nodes[1].Attributes["hawser-haproxy"])
	require.Equal(t, "Monitoring", find(t, s, "haproxy", "lb-2").Pending)
}

func TestStatusWhenPacemakerIsDown(t *testing.T) {
	needs.Command(t, "crm_mon")
	if _, err := os.Stat("/run/pacemaker.pid"); err == nil {
		t.Fatal("this test needs a machine on which Pacemaker does not run")
	}
	tools := &crm.Tools{}
	_, err := tools.Status(context.Background())
	require.ErrorIs(t, err, crm.ErrNotRunning)
	require.ErrorContains(t, err, "Pacemaker does not answer on this node")
	_, err = tools.Query(context.Background())
	require.ErrorIs(t, err, crm.ErrNotRunning)
	err = tools.Wait(context.Background(), nil)
	require.ErrorIs(t, err, crm.ErrNotRunning)
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(`<pacemaker-result><summary><current_dc present="true" name="a" with_quorum="true"/></summary><nodes><node name="a" online="true"/></nodes><resources><clone id="c"><resource id="p:0"><node name="a"/></resource><group id="g"/></clone><bundle id="b"><replica id="0"><resource id="x"/></replica></bundle></resources><node_history><node name="a"><resource_history id="p"><operation_history call="1" task="start" rc="0" last-rc-change="Sat Nov 21 00:55:06 2026"/></resource_history></node></node_history><failures><failure op_key="p_start_0" node="a" exitcode="1" last-rc-change="2026-11-21 00:55:06Z"/></failures></pacemaker-result>`))
	f.Add([]byte(`<crm_mon/>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := crm.ParseStatus(text)
		require.True(t, (s == nil) == (err != nil))
	})
}

// crm_mon lists what a monitor found first and what it finds now under one number, and the failure until it is cleaned up.
func TestStatusOfADegradedResourceThatIsWellAgain(t *testing.T) {
	const said = `<pacemaker-result><summary><current_dc present="true" version="2.1.5" with_quorum="true" name="lb-1"/></summary>
<resources><resource id="haproxy" resource_agent="ocf:hawser:haproxy" role="Started" active="true" managed="true"><node name="lb-1"/></resource></resources>
<node_history><node name="lb-1"><resource_history id="haproxy">
<operation_history call="126" task="start" rc="0" last-rc-change="Sat Nov 21 02:43:41 2026"/>
<operation_history call="127" task="monitor" rc="190" interval="15000ms" last-rc-change="Sat Nov 21 02:43:42 2026"/>
NOW
</resource_history></node></node_history>
<failures><failure op_key="haproxy_monitor_15000" node="lb-1" exitstatus="OCF_DEGRADED" exitreason="the old configuration serves" exitcode="190" call="127"
 status="complete" last-rc-change="2026-11-21 02:43:42Z" interval="15000" task="monitor"/></failures></pacemaker-result>`
	for name, c := range map[string]struct {
		now      string
		degraded bool
	}{
		"still":           {"", true},
		"a monitor is on": {`<operation_history call="-1" task="monitor" rc="193" interval="15000ms" last-rc-change="Sat Nov 21 02:43:42 2026"/>`, true},
		"well again":      {`<operation_history call="127" task="monitor" rc="0" interval="15000ms" last-rc-change="Sat Nov 21 02:43:57 2026"/>`, false},
		"restarted":       {`<operation_history call="130" task="start" rc="0" last-rc-change="Sat Nov 21 02:44:57 2026"/>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := crm.ParseStatus([]byte(strings.Replace(said, "NOW", c.now, 1)))
			require.NoError(t, err)
			h := find(t, s, "haproxy", "lb-1")
			require.Equal(t, c.degraded, h.Degraded)
			require.Equal(t, c.degraded, h.Reason != "")
			require.Empty(t, s.Failures)
		})
	}
}

// Pacemaker takes a role in any case.
func TestTargetRoleInAnyCase(t *testing.T) {
	s, err := crm.ParseStatus([]byte(`<pacemaker-result><resources>
		<resource id="a" target_role="stopped"/><resource id="b" target_role="STARTED"/><resource id="c"/>
		<resource id="d" role="Promoted"/></resources></pacemaker-result>`))
	require.NoError(t, err)
	require.Equal(t, "Stopped", s.Resources[0].Target)
	require.Equal(t, "Started", s.Resources[1].Target)
	require.Empty(t, s.Resources[2].Target)
	require.True(t, s.Resources[3].Promoted())
	require.False(t, s.Resources[0].Promoted())
}
