package doctor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/needs"
)

// bench is a cluster in a file, which Pacemaker's own tools read and change. It begins as `hawser apply` has written it on three nodes,
// everything running (testdata/applied.xml, recorded), with a fence device.
type bench struct {
	path  string
	files string // stands for the root directory
	path2 string // of commands: hawser is there
	tools *crm.Tools
	// told are the facts of the other nodes.
	told func(context.Context) (map[string]map[string]string, error)
}

func newBench(t *testing.T) *bench {
	t.Helper()
	needs.Command(t, "crm_mon")
	text, err := os.ReadFile("testdata/applied.xml")
	require.NoError(t, err)
	b := &bench{path: filepath.Join(t.TempDir(), "cib.xml"), files: t.TempDir()}
	require.NoError(t, os.WriteFile(b.path, []byte(strings.Replace(string(text), "</resources>", `<primitive id="fence" class="stonith" type="fence_dummy"><operations><op id="fence-monitor-1h" name="monitor" interval="1h"/></operations></primitive></resources>`, 1)), 0o600))
	b.edit(t, `name="stonith-enabled" value="false"`, `name="stonith-enabled" value="true"`)
	b.edit(t, `<lrm_resource id="haproxy"`, `<lrm_resource id="fence" type="fence_dummy" class="stonith"><lrm_rsc_op id="fence_last_0" operation_key="fence_start_0" operation="start" crm_feature_set="3.16.1" transition-key="20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" transition-magic="0:0;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" call-id="30" rc-code="0" op-status="0" interval="0" last-rc-change="1795274109" exec-time="50" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"/></lrm_resource><lrm_resource id="haproxy"`)
	b.tools = &crm.Tools{Env: append(os.Environ(), "CIB_file="+b.path)}
	return b
}

// edit replaces a part of the file, once.
func (b *bench) edit(t *testing.T, old, with string) {
	t.Helper()
	text, err := os.ReadFile(b.path)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(b.path, []byte(strings.Replace(string(text), old, with, 1)), 0o600))
}

// cut takes a part out of the file.
func (b *bench) cut(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(b.path)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), from)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, to)
	require.True(t, ok)
	require.NoError(t, os.WriteFile(b.path, []byte(head+tail), 0o600))
}

// remove takes elements out of the file.
func (b *bench) remove(t *testing.T, path string) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.path))
	all := doc.FindElements(path)
	require.NotEmpty(t, all)
	for _, el := range all {
		el.Parent().RemoveChild(el)
	}
	require.NoError(t, doc.WriteToFile(b.path))
}

// sh runs a command as an operator would, on the cluster in the file.
func (b *bench) sh(t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", command)
	cmd.Env = append(os.Environ(), "CIB_file="+b.path, "PATH="+b.path2+":/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}

// Advertised answers for agents that need not be installed here.
func (b *bench) Advertised(_ context.Context, agent string) ([]crm.AgentAction, error) {
	switch agent {
	case "ocf:hawser:haproxy":
		return []crm.AgentAction{{Name: "start", Timeout: "30s"}, {Name: "stop", Timeout: "30s"}, {Name: "monitor", Timeout: "20s", Depth: "0"}}, nil
	case "ocf:hawser:floatip":
		return []crm.AgentAction{{Name: "start", Timeout: "90s"}, {Name: "stop", Timeout: "60s"}, {Name: "monitor", Timeout: "20s", Depth: "0"}, {Name: "monitor", Timeout: "30s", Depth: "10"}}, nil
	}
	return nil, nil
}

func (b *bench) Query(ctx context.Context) (*crm.CIB, error)     { return b.tools.Query(ctx) }
func (b *bench) Status(ctx context.Context) (*crm.Status, error) { return b.tools.Status(ctx) }

// verify lets Pacemaker judge the configuration.
func (b *bench) verify(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), needs.Command(t, "crm_verify"), "--xml-file", b.path, "-V").CombinedOutput()
	if err != nil { // it warns of what the status says, too
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 78, exit.ExitCode(), "%s", out)
	}
	for line := range strings.Lines(string(out)) {
		known := slices.ContainsFunc([]string{"might be active on 3 nodes", "no STONITH resources", "'stop' because fencing is disabled", "'panic' is invalid", // as the finding says
			"Either configure some", "NOTE: Clusters with shared data"}, func(words string) bool { return strings.Contains(line, words) })
		require.True(t, !strings.Contains(line, "error:") || known, "%s", line)
	}
}

// look runs the checks.
func (b *bench) look(t *testing.T) []Finding {
	t.Helper()
	return Run(t.Context(), (&Cluster{Pacemaker: b, Files: b.files, Node: "lb-1", Told: b.told}).Checks()).Findings
}

func (b *bench) file(t *testing.T, path, content string) {
	t.Helper()
	path = filepath.Join(b.files, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// fail records a failed operation, as the node does.
func (b *bench) fail(t *testing.T, resource, operation, count string) {
	t.Helper()
	b.edit(t, `<nvpair id="status-3-.feature-set"`, `<nvpair id="status-3-fail-count-x" name="fail-count-`+resource+`#`+operation+`_15000" value="`+count+`"/><nvpair id="status-3-.feature-set"`)
	b.edit(t, `<lrm_resource id="haproxy"`, `<lrm_resource id="`+resource+`" type="x" class="ocf" provider="hawser"/><lrm_resource id="haproxy"`)
}

// unclone takes HAProxy out of its clone.
func (b *bench) unclone(t *testing.T) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.path))
	clone := doc.FindElement("//clone[@id='haproxy-clone']")
	require.NotNil(t, clone)
	clone.Parent().AddChild(clone.FindElement("primitive"))
	clone.Parent().RemoveChild(clone)
	for _, el := range doc.FindElements("//rsc_colocation[@with-rsc='haproxy-clone']") {
		el.CreateAttr("with-rsc", "haproxy")
	}
	for _, el := range doc.FindElements("//rsc_order[@then='haproxy-clone']") {
		el.CreateAttr("then", "haproxy")
	}
	rule := doc.FindElement("//rsc_location[@id='FloatIP-where-served']").Copy()
	for _, el := range append(rule.FindElements(".//*"), rule) {
		el.CreateAttr("id", "haproxy-"+el.SelectAttrValue("id", ""))
	}
	rule.CreateAttr("rsc", "haproxy")
	doc.FindElement("//constraints").AddChild(rule)
	for _, el := range doc.FindElements("//obj_ref[@id='haproxy-clone']") {
		el.Parent().RemoveChild(el)
	}
	require.NoError(t, doc.WriteToFile(b.path))
}

// group puts the address and HAProxy, out of its clone, into one group.
func (b *bench) group(t *testing.T) {
	t.Helper()
	b.unclone(t)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.path))
	group := doc.FindElement("//resources").CreateElement("group")
	group.CreateAttr("id", "web")
	for _, id := range []string{"FloatIP", "haproxy"} {
		group.AddChild(doc.FindElement("//primitive[@id='" + id + "']"))
	}
	for _, path := range []string{"//constraints/*", "//tags"} {
		for _, el := range doc.FindElements(path) {
			el.Parent().RemoveChild(el)
		}
	}
	for _, el := range doc.FindElements("//primitive[@id='FloatIP6']") { // which would need a colocation
		el.Parent().RemoveChild(el)
	}
	require.NoError(t, doc.WriteToFile(b.path))
}

// TestHealthyCluster finds nothing in what `hawser apply` writes.
func TestHealthyCluster(t *testing.T) {
	b := newBench(t)
	require.Empty(t, b.look(t))
}

const (
	primitiveFence = `<primitive id="fence" class="stonith" type="fence_dummy"><operations><op id="fence-monitor-1h" name="monitor" interval="1h"/></operations></primitive>`
	monitorHAProxy = `<op id="haproxy-monitor-15s" name="monitor" interval="15s" timeout="20s"/>`
	colocationIP   = `<rsc_colocation id="FloatIP-haproxy" score="INFINITY" rsc="FloatIP" with-rsc="haproxy-clone"/>`
)

// TestClusterChecks provokes each finding in a valid configuration, and mends it with the commands of the finding where they need no
// running cluster.
func TestClusterChecks(t *testing.T) {
	hawser := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", hawser+"/hawser", "../cmd/hawser").CombinedOutput()
	require.NoError(t, err, "%s", out)
	type provoked struct {
		name    string
		provoke func(t *testing.T, b *bench)
		check   string
		want    Severity
		says    string // among What and Why
		live    bool   // the commands need a running cluster, or a person
		also    []string
	}
	edit := func(old, with string) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) { b.edit(t, old, with) }
	}
	sh := func(command string) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) { b.sh(t, command) }
	}
	property := func(name, value string) func(*testing.T, *bench) {
		return sh("crm_attribute --name " + name + " --update " + value)
	}
	for _, c := range []provoked{
		{name: "fencing off, device there", provoke: property("stonith-enabled", "false"), check: "fencing", want: Error, says: "the device fence is configured"},
		{name: "fencing off, a cloud's address", provoke: func(t *testing.T, b *bench) {
			b.edit(t, primitiveFence, "")
			b.edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
		}, check: "fencing", want: Warning, says: "there is no fencing", live: true},
		{name: "fencing off, a LAN's address", provoke: func(t *testing.T, b *bench) {
			b.edit(t, primitiveFence, "")
			b.edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
			b.edit(t, `name="provider" value="digitalocean"`, `name="provider" value="lan"`)
		}, check: "fencing", want: Error, says: "holding FloatIP while", live: true},
		{name: "fencing off, left to the watchdogs", provoke: func(t *testing.T, b *bench) {
			b.edit(t, primitiveFence, "")
			b.edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
			b.file(t, "/proc/77/comm", "sbd\n")
			b.sh(t, "crm_attribute --name stonith-watchdog-timeout --update 10s; crm_attribute --name stonith-enabled --update false")
		}, check: "fencing", want: Error, says: "although stonith-watchdog-timeout"},
		{name: "fencing on, and no device", provoke: edit(primitiveFence, ""), check: "fencing", want: Error, says: "starts nothing at all", live: true},
		{name: "a device for two of three nodes", provoke: edit(primitiveFence, strings.Replace(primitiveFence, "<operations>", `<instance_attributes id="fi"><nvpair id="fi-l" name="pcmk_host_map" value="lb-1:1001;lb-3:1003"/></instance_attributes><operations>`, 1)),
			check: "fencing", want: Error, says: "no fence device is there for lb-2", live: true},
		{name: "fencing without a monitor", provoke: edit(`<operations><op id="fence-monitor-1h" name="monitor" interval="1h"/></operations>`, ""), check: "fencing", want: Warning, says: "has no monitor"},
		{name: "a device that failed", provoke: func(t *testing.T, b *bench) {
			b.edit(t, `call-id="30" rc-code="0"`, `exit-reason="login refused" call-id="30" rc-code="1"`)
			b.edit(t, `transition-magic="0:0;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="login refused"`, `transition-magic="0:1;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="login refused"`)
		}, check: "fencing", want: Error, says: "login refused", live: true},
		{name: "a node that no device is there for", provoke: edit(primitiveFence, strings.Replace(primitiveFence, `<operations>`, `<instance_attributes id="fence-params"><nvpair id="fence-hosts" name="pcmk_host_list" value="lb-1 lb-2"/></instance_attributes><operations>`, 1)),
			check: "fencing", want: Error, says: "no fence device is there for lb-3", live: true},
		{name: "watchdogs alone, without a time-out", provoke: func(t *testing.T, b *bench) {
			b.edit(t, primitiveFence, "")
			b.edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
			b.file(t, "/proc/77/comm", "sbd\n")
		}, check: "fencing", want: Error, says: "stonith-watchdog-timeout is not set", also: []string{"sbd"}},

		{name: "sbd runs, the property is missing", provoke: func(t *testing.T, b *bench) {
			b.file(t, "/proc/77/comm", "sbd\n")
			b.file(t, "/etc/default/sbd", "# sbd\nSBD_WATCHDOG_TIMEOUT=7\n")
		}, check: "sbd", want: Error, says: "stonith-watchdog-timeout is not set"},
		{name: "the property, and no sbd", provoke: property("stonith-watchdog-timeout", "10"), check: "sbd", want: Error, says: "no sbd runs", live: true},
		{name: "the property is too short", provoke: func(t *testing.T, b *bench) {
			b.file(t, "/proc/77/comm", "sbd\n")
			b.file(t, "/etc/sysconfig/sbd", "SBD_WATCHDOG_TIMEOUT=\"15\"\n")
			b.sh(t, "crm_attribute --name stonith-watchdog-timeout --update 10s")
		}, check: "sbd", want: Error, says: "fires after 15s"},
		{name: "the property is short", provoke: func(t *testing.T, b *bench) {
			b.file(t, "/proc/77/comm", "sbd\n")
			b.sh(t, "crm_attribute --name stonith-watchdog-timeout --update 8s")
		}, check: "sbd", want: Warning, says: "less than twice"},
		{name: "sbd's disk is nobody's", provoke: func(t *testing.T, b *bench) {
			b.file(t, "/proc/77/comm", "sbd\n")
			b.file(t, "/etc/default/sbd", "SBD_DEVICE=\"/dev/disk/by-id/a;/dev/disk/by-id/b\"\n")
		}, check: "sbd", want: Error, says: "/dev/disk/by-id/a", live: true},

		{name: "quorum is ignored", provoke: property("no-quorum-policy", "ignore"), check: "quorum-policy", want: Error, says: "both serve"},
		{name: "quorum freezes", provoke: property("no-quorum-policy", "freeze"), check: "quorum-policy", want: Warning, says: "freeze"},
		{name: "suicide without fencing", provoke: func(t *testing.T, b *bench) {
			b.edit(t, primitiveFence, "")
			b.sh(t, "crm_attribute --name stonith-enabled --update false; crm_attribute --name no-quorum-policy --update suicide")
		}, check: "quorum-policy", want: Warning, says: "takes it for stop", live: true, also: []string{"fencing"}},
		{name: "a policy that there is not", provoke: property("no-quorum-policy", "panic"), check: "quorum-policy", want: Warning, says: "does not know"},
		{name: "no quorum, and a node that is not seen", provoke: func(t *testing.T, b *bench) {
			b.edit(t, `have-quorum="1"`, `have-quorum="0"`)
			b.remove(t, "//node_state[@uname='lb-2']")
		}, check: "quorum-policy", want: Error, says: "lb-2 not seen from here", live: true, also: []string{"nodes"}},
		{name: "no quorum", provoke: edit(`have-quorum="1"`, `have-quorum="0"`), check: "quorum-policy", want: Error, says: "has no quorum", live: true},

		{name: "standby", provoke: sh("crm_standby --node lb-2 --update on"), check: "nodes", want: Warning, says: "lb-2 is in standby"},
		{name: "maintenance of a node", provoke: sh("crm_attribute --node lb-2 --name maintenance --update true"), check: "nodes", want: Error, says: "lb-2 is in maintenance"},
		{name: "offline", provoke: func(t *testing.T, b *bench) {
			b.cut(t, `<lrm id="3">`, `</lrm>`)
			b.edit(t, `uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" join="member" expected="member"`, `uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="down"`)
		}, check: "nodes", want: Warning, says: "lb-3 is offline", live: true, also: []string{"fencing"}},
		{name: "unclean", provoke: edit(`uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" join="member" expected="member"`, `uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="member"`), check: "nodes", want: Error, says: "lb-3 is unclean", live: true},

		{name: "maintenance", provoke: property("maintenance-mode", "true"), check: "unmanaged", want: Error, says: "the whole cluster"},
		{name: "all stopped", provoke: property("stop-all-resources", "true"), check: "unmanaged", want: Error, says: "nothing is served"},
		{name: "one unmanaged", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter is-managed --parameter-value false"), check: "unmanaged", want: Error, says: "FloatIP is not managed"},
		{name: "the clone unmanaged", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter is-managed --parameter-value no"), check: "unmanaged", want: Error, says: "haproxy-clone is not managed"},
		{name: "all unmanaged by default", provoke: sh("hawser configure rsc_defaults is-managed=false"), check: "unmanaged", want: Error, says: "not managed by default"},
		{name: "all unmanaged by the old option", provoke: func(t *testing.T, b *bench) { // of before schema 3.0
			b.edit(t, `validate-with="pacemaker-3.9"`, `validate-with="pacemaker-2.10"`)
			b.edit(t, `name="dc-deadtime" value="2s"/>`, `name="dc-deadtime" value="2s"/><nvpair id="imd" name="is-managed-default" value="false"/>`)
		}, check: "unmanaged", want: Error, says: "is-managed-default=false"},
		{name: "all stopped by default", provoke: sh("hawser configure rsc_defaults target-role=Stopped"), check: "unmanaged", want: Error, says: "resources are stopped by default"},
		{name: "a resource in maintenance", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter maintenance --parameter-value true"), check: "unmanaged", want: Error, says: "FloatIP is in maintenance"},
		{name: "stopped", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter target-role --parameter-value Stopped"), check: "unmanaged", want: Warning, says: "FloatIP is kept stopped"},

		{name: "moved", provoke: sh("crm_resource --move --resource FloatIP --node lb-3"), check: "leftovers", want: Warning, says: "FloatIP is bound to lb-3"},
		{name: "banned", provoke: sh("crm_resource --ban --resource FloatIP --node lb-1"), check: "leftovers", want: Warning, says: "FloatIP is banned from lb-1"},

		{name: "failed once", provoke: func(t *testing.T, b *bench) { b.fail(t, "FloatIP", "monitor", "2") }, check: "failures", want: Warning, says: "FloatIP has failed on lb-3, fail count 2", live: true},
		{name: "failed, with a reason", provoke: func(t *testing.T, b *bench) {
			b.fail(t, "haproxy", "monitor", "2")
			b.edit(t, `<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser">`, `<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser"><lrm_rsc_op id="haproxy_last_failure_0" operation_key="haproxy_monitor_15000" `+
				`operation="monitor" crm_feature_set="3.16.1" transition-key="20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" transition-magic="0:1;20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="its worker is gone" `+
				`call-id="40" rc-code="1" op-status="0" interval="15000" last-rc-change="1795274200" exec-time="5" queue-time="0"/>`)
		}, check: "failures", want: Warning, says: "its worker is gone", live: true},
		{name: "failed too often", provoke: func(t *testing.T, b *bench) {
			b.fail(t, "haproxy", "start", "INFINITY")
			b.edit(t, `<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" value="10s"/>`, "")
		}, check: "failures", want: Error, says: "does not run on lb-3 any more", live: true, also: []string{"recovery"}},

		{name: "failed too often, for a time", provoke: func(t *testing.T, b *bench) { b.fail(t, "haproxy", "start", "INFINITY") }, check: "failures", want: Warning, says: "for its failure-timeout, 10s", live: true},
		{name: "as often as it may", provoke: func(t *testing.T, b *bench) {
			b.fail(t, "FloatIP", "monitor", "3")
			b.sh(t, "crm_resource --resource FloatIP --meta --set-parameter migration-threshold --parameter-value 3")
			b.edit(t, `<nvpair id="FloatIP-meta_attributes-failure-timeout" name="failure-timeout" value="60s"/>`, "")
		}, check: "failures", want: Error, says: "does not run on lb-3 any more", live: true, also: []string{"recovery"}},

		{name: "not cloned", provoke: func(t *testing.T, b *bench) {
			b.unclone(t)
		}, check: "haproxy-clone", want: Error, says: "it is not cloned", also: []string{"address-colocation"}},
		{name: "not interleaved", provoke: edit(`name="interleave" value="true"`, `name="interleave" value="false"`), check: "haproxy-clone", want: Warning, says: "not interleaved"},
		{name: "on two nodes only", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter clone-max --parameter-value 2"), check: "haproxy-clone", want: Warning, says: "on 2 of 3 nodes"},
		{name: "globally unique", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter globally-unique --parameter-value true"), check: "haproxy-clone", want: Warning, says: "globally unique"},

		{name: "no colocation", provoke: func(t *testing.T, b *bench) {
			b.edit(t, colocationIP, "")
			b.edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
		}, check: "address-colocation", want: Error, says: "there is no colocation"},
		{name: "no colocation, and no HAProxy there", provoke: func(t *testing.T, b *bench) {
			b.edit(t, colocationIP, "")
			b.edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
			b.remove(t, "//node_state[@uname='lb-1']//lrm_resource[@id='haproxy']")
		}, check: "address-colocation", want: Error, says: "it is on lb-1 now, where HAProxy does not run"},
		{name: "an address and no HAProxy", provoke: func(t *testing.T, b *bench) {
			b.remove(t, "//clone")
			b.remove(t, "//constraints/*")
			b.remove(t, "//tags")
			b.remove(t, "//lrm_resource[@id='haproxy']")
		}, check: "address-colocation", want: Warning, says: "and no HAProxy", live: true},
		{name: "another service's address", provoke: edit("</resources>", `<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="vi"><nvpair id="vi-ip" name="ip" value="192.0.2.9"/></instance_attributes>`+
			`<operations><op id="vip-m" name="monitor" interval="10s"/></operations></primitive></resources>`), check: "address-colocation", want: Warning, says: "vip is not kept with HAProxy"},
		{name: "the wrong way round", provoke: edit(colocationIP, `<rsc_colocation id="FloatIP-haproxy" score="INFINITY" rsc="haproxy-clone" with-rsc="FloatIP"/>`), check: "address-colocation", want: Error, says: "the wrong way round"},
		{name: "both ways", provoke: edit(colocationIP, colocationIP+`<rsc_colocation id="again" score="INFINITY" rsc="haproxy-clone" with-rsc="FloatIP"/>`), check: "address-colocation", want: Warning, says: "each placed with the other"},
		{name: "only a preference", provoke: edit(colocationIP, strings.Replace(colocationIP, "INFINITY", "100", 1)), check: "address-colocation", want: Warning, says: "only prefers"},
		{name: "kept away", provoke: edit(colocationIP, strings.Replace(colocationIP, "INFINITY", "-INFINITY", 1)), check: "address-colocation", want: Error, says: "kept away from haproxy-clone"},
		{name: "a colocation of sets", provoke: edit(colocationIP, `<rsc_colocation id="FloatIP-haproxy" score="INFINITY"><resource_set id="a"><resource_ref id="FloatIP"/></resource_set><resource_set id="b"><resource_ref id="haproxy-clone"/></resource_set></rsc_colocation>`), check: "address-colocation", want: Unknown, says: "sets of resources", live: true},

		{name: "no monitor", provoke: edit(monitorHAProxy, ""), check: "monitors", want: Error, says: "has no monitor"},
		{name: "a monitor that is not repeated", provoke: edit(monitorHAProxy, strings.Replace(monitorHAProxy, `interval="15s"`, `interval="0"`, 1)), check: "monitors", want: Error, says: "no monitor that is repeated"},
		{name: "a monitor that is off", provoke: edit(monitorHAProxy, strings.Replace(monitorHAProxy, `interval="15s"`, `interval="15s" enabled="false"`, 1)), check: "monitors", want: Error, says: "switched off"},
		{name: "a monitor that is ignored", provoke: edit(monitorHAProxy, strings.Replace(monitorHAProxy, `interval="15s"`, `interval="15s" on-fail="ignore"`, 1)), check: "monitors", want: Error, says: "ignored"},
		{name: "a monitor that comes too seldom", provoke: edit(monitorHAProxy, strings.Replace(monitorHAProxy, `interval="15s"`, `interval="2min"`, 1)), check: "monitors", want: Warning, says: "every 2min only"},
		{name: "no probes", provoke: property("enable-startup-probes", "false"), check: "monitors", want: Warning, says: "not asked what runs there"},

		{name: "a time-out shorter than advertised", provoke: edit(`<op id="haproxy-start-0s" name="start" interval="0s" timeout="30s"/>`, `<op id="haproxy-start-0s" name="start" interval="0s" timeout="25s"/>`), check: "operation-timeouts", want: Note, says: "start has 25s, and the agent asks for 30s"},
		{name: "Pacemaker's own time-out", provoke: edit(`<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, ""), check: "operation-timeouts", want: Warning, says: "stop has 20s, and the agent asks for 30s"},
		{name: "the time-out of all operations", provoke: func(t *testing.T, b *bench) {
			b.edit(t, `<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, "")
			b.sh(t, "hawser configure op_defaults timeout=29s")
		}, check: "operation-timeouts", want: Warning, says: "stop has 29s, and the agent asks for 30s"},
		{name: "a time-out shorter than measured", provoke: edit(`exec-time="50" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`, `exec-time="9000" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`), check: "operation-timeouts", want: Warning, says: "start has 20s, and took 9s on lb-3"},

		{name: "no stickiness", provoke: edit(`<nvpair id="FloatIP-meta_attributes-resource-stickiness" name="resource-stickiness" value="100"/>`, ""), check: "recovery", want: Note, says: "no resource-stickiness"},
		{name: "no failure-timeout", provoke: edit(`<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" value="10s"/>`, ""), check: "recovery", want: Note, says: "haproxy has no failure-timeout"},

		{name: "the unit", provoke: edit(`<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="systemd" type="haproxy">`), check: "resource-agents", want: Warning, says: "run as systemd:haproxy"},
		{name: "another agent", provoke: func(t *testing.T, b *bench) {
			b.edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
			b.file(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
			b.file(t, "/usr/lib/ocf/resource.d/heartbeat/haproxy", "a shell script")
		}, check: "resource-agents", want: Warning, says: "not hawser's agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.path2 = hawser
			c.provoke(t, b)
			b.verify(t)
			all := b.look(t)
			var found []Finding
			for _, f := range all {
				if f.Check == c.check {
					found = append(found, f)
				} else {
					require.True(t, slices.Contains(c.also, f.Check), "not asked for: %+v", f)
				}
			}
			require.Len(t, found, 1, "%+v", all)
			f := found[0]
			require.Equal(t, c.want, f.Severity, "%+v", f)
			require.Contains(t, f.What+"\n"+f.Why, c.says)
			require.NotEmpty(t, f.Why)
			require.NotEmpty(t, f.Fix)
			for _, command := range f.Fix {
				out, err := exec.CommandContext(t.Context(), "sh", "-nc", command).CombinedOutput()
				require.NoError(t, err, "%s: %s", command, out)
			}
			if c.live {
				return
			}
			for _, command := range f.Fix {
				b.sh(t, command)
			}
			require.Empty(t, b.look(t), "after %v", f.Fix)
		})
	}
}

// TestClusterThatDoesNotAnswer says so once.
func TestClusterThatDoesNotAnswer(t *testing.T) {
	c := &Cluster{Pacemaker: &crm.Tools{Dir: t.TempDir()}}
	r := Run(t.Context(), c.Checks())
	require.Len(t, r.Findings, 1)
	require.Equal(t, Unknown, r.Findings[0].Severity)
	require.Contains(t, r.Findings[0].What, "could not be read")
	require.Contains(t, r.Findings[0].Fix[0], "setup-balancer", "there is no Pacemaker to start")
}

// TestTheCompatibleLink takes ocf:heartbeat:haproxy for hawser's agent where it is a link to that.
func TestTheCompatibleLink(t *testing.T) {
	b := newBench(t)
	b.edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
	b.file(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
	require.NoError(t, os.Mkdir(filepath.Join(b.files, "/usr/lib/ocf/resource.d/heartbeat"), 0o755))
	require.NoError(t, os.Symlink("../hawser/haproxy", filepath.Join(b.files, "/usr/lib/ocf/resource.d/heartbeat/haproxy")))
	require.Empty(t, b.look(t))
}
