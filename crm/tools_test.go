package crm_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// onFile is Pacemaker's tools working on a file instead of a cluster.
func onFile(t testing.TB, cib []byte) (tools *crm.Tools, path string) {
	t.Helper()
	needs.Command(t, "cibadmin")
	path = filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(path, cib, 0o600))
	return &crm.Tools{Env: append(os.Environ(), "CIB_file="+path)}, path
}

func TestToolsConform(t *testing.T) {
	crmtest.Conform(t, func(t *testing.T) crm.Cluster {
		tools, _ := onFile(t, crmtest.Seed("lb-1", "lb-2", "lb-3"))
		return tools
	})
}

// A shadow configuration is a file that Pacemaker's tools know by name.
func TestToolsConformOnAShadow(t *testing.T) {
	needs.Command(t, "cibadmin")
	crmtest.Conform(t, func(t *testing.T) crm.Cluster {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "shadow.trial"), crmtest.Seed("lb-1", "lb-2", "lb-3"), 0o600))
		return &crm.Tools{Env: append(os.Environ(), "CIB_shadow=trial", "CIB_shadow_dir="+dir)}
	})
}

// script puts a program in the place of one of Pacemaker's tools.
func script(t *testing.T, tool, body string) *crm.Tools {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	return &crm.Tools{Dir: dir}
}

func TestWhatTheToolsErrorsMean(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		is   error
		says string
	}{
		"not running":     {"echo 'Could not connect to the CIB: Transport endpoint is not connected' >&2; echo 'Init failed, could not perform requested operations' >&2; exit 102", crm.ErrNotRunning, "systemctl start corosync pacemaker"},
		"no quorum":       {"echo 'Call failed: Operation requires quorum' >&2; exit 106", crm.ErrNoQuorum, "bring more nodes back"},
		"permission":      {"echo 'Call failed: Permission denied' >&2; exit 4", crm.ErrPermission, "run this as root"},
		"stale":           {"echo 'Call failed: Update was older than existing configuration' >&2; exit 103", crm.ErrStale, "has changed since it was read"},
		"older than plan": {"echo 'Call failed: Application of update diff failed' >&2; exit 1", crm.ErrStale, "has changed since it was read"},
		"schema":          {"echo '   1 <cib epoch=\"7\">' >&2; echo '   2   <configuration>' >&2; echo 'Call failed: Update does not conform to the configured schema' >&2; exit 78", crm.ErrRefused, "refuses it: Call failed: Update does not conform to the configured schema"},
		"no answer":       {"echo 'Call failed: Timer expired' >&2; exit 124", crm.ErrNotRunning, "did not answer in time"},
		"in XML":          {`echo '<pacemaker-result api-version="2.25" request="x"><status code="102" message="Not connected"><errors><error>attrd_updater: Could not connect to attrd: Connection refused</error></errors></status></pacemaker-result>'; exit 102`, crm.ErrNotRunning, "does not answer on this node (attrd_updater: Could not connect to attrd: Connection refused): start it"},
		"in XML, briefly": {`echo '<pacemaker-result api-version="2.25" request="x"><status code="70" message="Odd"/></pacemaker-result>'; exit 70`, nil, "cibadmin exited with 70: Odd"},
		"something else":  {"echo 'odd' >&2; exit 70", nil, "cibadmin exited with 70: odd"},
		"says nothing":    {"exit 70", nil, "it said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := script(t, "cibadmin", c.body).Query(context.Background())
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "cannot read the configuration")
			require.NotContains(t, err.Error(), "<configuration>")
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			var tool *crm.ToolError
			require.ErrorAs(t, err, &tool)
			require.Equal(t, "cibadmin", tool.Tool)
		})
	}
}

func TestARemoteClusterThatDoesNotAnswerIsNamed(t *testing.T) {
	tools := script(t, "cibadmin", "echo 'Could not connect to the CIB: Protocol error' >&2; exit 102")
	tools.Env = append(os.Environ(), "CIB_server=lb-9", "CIB_file=", "CIB_shadow=")
	_, err := tools.Query(context.Background())
	require.ErrorIs(t, err, crm.ErrNotRunning)
	require.ErrorContains(t, err, "Pacemaker on lb-9 (CIB_server) does not answer (Could not connect to the CIB: Protocol error)")
}

func TestToolsThatAreMissingOrHang(t *testing.T) {
	_, err := (&crm.Tools{Dir: t.TempDir()}).Query(context.Background())
	require.ErrorIs(t, err, crm.ErrNotInstalled)
	require.ErrorContains(t, err, "install pacemaker")

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = script(t, "cibadmin", "exec sleep 60").Query(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "cibadmin did not answer in time")
	require.ErrorIs(t, err, crm.ErrNotRunning)

	ctx, interrupt := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, interrupt)
	_, err = script(t, "cibadmin", "exec sleep 60").Query(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "cibadmin was interrupted")
}

// What the schema refuses is reported in the words of the object, and nothing is written.
func TestSchemaRefusalNamesTheObject(t *testing.T) {
	ctx := context.Background()
	tools, path := onFile(t, crmtest.Seed("lb-1"))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	objects := append(crmtest.Tutorial(), shell(t, "xml <rsc_ticket id='ticket' rsc='FloatIP' ticket='T' loss-policy='shrug'/>")...)
	plan, err := crm.Diff(cib, crm.Spec{Objects: objects, Tag: "hawser"})
	require.NoError(t, err)
	_, err = tools.Check(ctx, plan)
	require.ErrorIs(t, err, crm.ErrRefused)
	require.ErrorContains(t, err, "rsc_ticket ticket")
	require.ErrorIs(t, tools.Apply(ctx, plan), crm.ErrRefused)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// crm_verify accepts one of everything that the package can write.
func TestCrmVerifyAcceptsWhatIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(path, with(t, append(crmtest.Tutorial()[1:], shell(t, everything)...)...).XML(), 0o600))
	out, err := exec.Command(needs.Command(t, "crm_verify"), "--verbose", "--xml-file", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// crm_verify exits with an error for a running resource that is configured no longer. That is how a deletion looks, and no reason against it; nor is an
// option of a deprecated kind, which is reported.
func TestRunningResourcesCanBeDeleted(t *testing.T) {
	ctx := context.Background()
	running := `<node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>
	  <lrm_resource id="FloatIP" type="Dummy" class="ocf" provider="pacemaker"><lrm_rsc_op id="FloatIP_last_0" operation_key="FloatIP_start_0" operation="start"
	    crm_feature_set="3.16.1" transition-key="1:1:0:1e093fb0-64b5-48af-a1aa-76a1deb53845" transition-magic="0:0;1:1:0:1e093fb0-64b5-48af-a1aa-76a1deb53845"
	    on_node="lb-1" call-id="5" rc-code="0" op-status="0" interval="0" last-rc-change="1795228338"/></lrm_resource></lrm_resources></lrm></node_state>`
	clone := strings.ReplaceAll(strings.ReplaceAll(running, `id="FloatIP"`, `id="web"`), "FloatIP_", "web_")
	seed := bytes.Replace(crmtest.Seed("lb-1", "lb-2"), []byte(`<node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"/>`),
		[]byte(strings.Replace(running, "</lrm_resources>", between(clone, "<lrm_resource ", "</lrm_resources>")+"</lrm_resources>", 1)), 1)
	seed = bytes.Replace(seed, []byte(`<node_state id="2" uname="lb-2" in_ccm="true" crmd="online" join="member" expected="member"/>`),
		[]byte(strings.NewReplacer(`id="1"`, `id="2"`, `"lb-1"`, `"lb-2"`).Replace(clone)), 1)
	require.Equal(t, 2, bytes.Count(seed, []byte(`id="web"`)), "the clone runs on two nodes")
	tools, _ := onFile(t, seed)
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	made, err := crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "property stonith-enabled=false\nprimitive FloatIP ocf:pacemaker:Dummy\nprimitive other ocf:pacemaker:Dummy\n"+
		"primitive web ocf:pacemaker:Dummy\nclone webs web")})
	require.NoError(t, err)
	gone, err := crm.Diff(made.New, crm.Spec{Tag: "hawser", Objects: shell(t, "property stonith-enabled=false\nprimitive other ocf:pacemaker:Dummy")})
	require.NoError(t, err)
	forecast, err := tools.Check(ctx, gone)
	require.NoError(t, err)
	require.Empty(t, forecast.Warnings)
	require.Contains(t, fmt.Sprint(forecast.Actions), "FloatIP")
	require.Contains(t, fmt.Sprint(forecast.Actions), "web")
}

// TestOnlyTheConfigurationIsVerified: that a node is down, or that a resource has failed, is nothing to warn of before a change, and no reason to
// ask crm_verify twice.
func TestOnlyTheConfigurationIsVerified(t *testing.T) {
	failed := `<node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>
	  <lrm_resource id="web" type="Dummy" class="ocf" provider="pacemaker"><lrm_rsc_op id="web_last_0" operation_key="web_start_0" operation="start"
	    crm_feature_set="3.16.1" transition-key="1:1:0:1e093fb0-64b5-48af-a1aa-76a1deb53845" transition-magic="0:1;1:1:0:1e093fb0-64b5-48af-a1aa-76a1deb53845"
	    on_node="lb-1" call-id="5" rc-code="1" op-status="0" interval="0" last-rc-change="1795228338"/></lrm_resource></lrm_resources></lrm></node_state>`
	seed := bytes.Replace(crmtest.Seed("lb-1", "lb-2"), []byte(`<node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"/>`), []byte(failed), 1)
	seed = bytes.Replace(seed, []byte(`<node_state id="2" uname="lb-2" in_ccm="true" crmd="online" join="member" expected="member"/>`), nil, 1)
	require.Contains(t, string(seed), `rc-code="1"`)
	require.NotContains(t, string(seed), `<node_state id="2"`)
	tools, path := onFile(t, seed)
	loud, err := exec.Command(needs.Command(t, "crm_verify"), "--verbose", "--verbose", "--xml-file", path).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(loud), "Unexpected result", "crm_verify does warn of the status")
	cib, err := tools.Query(t.Context())
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: shell(t, "primitive fence stonith:fence_dummy\nprimitive web ocf:pacemaker:Dummy")})
	require.NoError(t, err)
	warnings, err := tools.Verify(t.Context(), plan)
	require.NoError(t, err)
	require.Empty(t, warnings)
}

// between is the part of a text from the first occurrence of one string to that of another.
func between(text, from, to string) string {
	return text[strings.Index(text, from):strings.Index(text, to)]
}

func TestQueryOfAFileThatIsMissing(t *testing.T) {
	needs.Command(t, "cibadmin")
	tools := &crm.Tools{Env: append(os.Environ(), "CIB_file=/nonexistent/cib.xml")}
	_, err := tools.Query(context.Background())
	require.ErrorContains(t, err, "/nonexistent/cib.xml cannot be read")
}

// simulated is a stand-in for crm_simulate whose n-th answer is the n-th transition, and then the last one for ever.
func simulated(t *testing.T, transitions ...string) *crm.Tools {
	t.Helper()
	dir := t.TempDir()
	for i, tr := range transitions {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte("<pacemaker-result><transition>"+tr+"</transition></pacemaker-result>"), 0o600))
	}
	return script(t, "crm_simulate", fmt.Sprintf("cd %s; n=$(ls seen* 2>/dev/null | wc -l); : > seen$n; [ $n -lt %d ] || n=%d; cat $n", dir, len(transitions), len(transitions)-1))
}

func TestWaitTellsWhatIsStillToDo(t *testing.T) {
	t.Setenv("CIB_file", "")
	tools := simulated(t,
		`<rsc_action resource="FloatIP" op="start" node="lb-1"/><rsc_action resource="FloatIP" op="monitor" node="lb-1" interval="15000"/>`,
		`<rsc_action resource="FloatIP" op="start" node="lb-1"/><rsc_action resource="FloatIP" op="monitor" node="lb-1" interval="15000"/>`,
		`<rsc_action resource="FloatIP" op="monitor" node="lb-1" interval="15000"/><pseudo_action task="x"/>`,
		`<pseudo_action task="x"/>`)
	var said []string
	require.NoError(t, tools.Wait(context.Background(), func(p crm.Progress) { said = append(said, fmt.Sprint(p.Pending)) }))
	require.Equal(t, []string{"[start FloatIP on lb-1 monitor FloatIP on lb-1]", "[monitor FloatIP on lb-1]", "[]"}, said)
}

func TestWaitGivesUpWithWhatWasPending(t *testing.T) {
	t.Setenv("CIB_file", "")
	tools := simulated(t, `<fencing_action op="reboot" target="lb-2"/><rsc_action resource="a" op="start" node="lb-1"/>`)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	err := tools.Wait(ctx, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "still to do: fence lb-2 and 1 more")
}

// A resource that fails all the time changes the status faster than anybody can plan; that is no reason to refuse what would end it.
func TestApplyFollowsTheStatus(t *testing.T) {
	ctx := context.Background()
	tools, path := onFile(t, crmtest.Seed("lb-1"))
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Tag: "hawser", Objects: shell(t, "property stonith-enabled=false")})
	require.NoError(t, err)
	moved := bytes.Replace(crmtest.Seed("lb-1"), []byte(`num_updates="3"`), []byte(`num_updates="99"`), 1)
	require.NoError(t, os.WriteFile(path, moved, 0o600))
	require.NoError(t, tools.Apply(ctx, plan), "only the status moved on")
	now, err := tools.Query(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, now.Tagged("hawser"))

	edited := bytes.Replace(crmtest.Seed("lb-1"), []byte(`epoch="5"`), []byte(`epoch="6"`), 1)
	require.NoError(t, os.WriteFile(path, edited, 0o600))
	require.ErrorIs(t, tools.Apply(ctx, plan), crm.ErrStale, "the configuration moved on")
}
