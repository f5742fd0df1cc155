// Package bench is a cluster in a file for the tests of doctor: they provoke a finding in it, and
// fix it with the commands of the finding. It imports crm, and only tests of doctor/** import it.
package bench

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/needs"
)

// applied is a cluster of three nodes as `hawser apply` has written it, everything running
// (recorded).
//
//go:embed applied.xml
var applied string

// Cluster is a cluster in a file, which Pacemaker's own tools read and change. It begins as `hawser
// apply` has written it on three nodes, everything running, with a fence device.
type Cluster struct {
	// Path is the file, Files the directory that stands for the root directory, and Commands the
	// directory in which Sh finds hawser.
	Path, Files, Commands string
	tools                 *crm.Tools
	// Reported returns the facts that the other nodes have reported.
	Reported func(context.Context) (map[string]map[string]string, error)
}

// New writes the file.
func New(t *testing.T) *Cluster {
	t.Helper()
	needs.Command(t, "crm_mon")
	b := &Cluster{Path: filepath.Join(t.TempDir(), "cib.xml"), Files: t.TempDir()}
	require.NoError(t,
		os.WriteFile(b.Path,
			[]byte(strings.Replace(applied, "</resources>", PrimitiveFence+"</resources>", 1)),
			0o600))
	b.Edit(t, `name="stonith-enabled" value="false"`, `name="stonith-enabled" value="true"`)
	b.Edit(t, `<lrm_resource id="haproxy"`,
		`<lrm_resource id="fence" type="fence_dummy" class="stonith"><lrm_rsc_op `+
			`id="fence_last_0" operation_key="fence_start_0" operation="start" `+
			`crm_feature_set="3.16.1" `+
			`transition-key="20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" `+
			`transition-magic="0:0;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" call-id="30" `+
			`rc-code="0" op-status="0" interval="0" last-rc-change="1795274109" exec-time="50" `+
			`queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"/></lrm_resource>`+
			`<lrm_resource id="haproxy"`)
	b.tools = &crm.Tools{Env: append(os.Environ(), "CIB_file="+b.Path)}
	return b
}

// Edit replaces a part of the file, once.
func (b *Cluster) Edit(t *testing.T, old, with string) {
	t.Helper()
	text, err := os.ReadFile(b.Path)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t,
		os.WriteFile(b.Path, []byte(strings.Replace(string(text), old, with, 1)), 0o600))
}

// Cut takes a part out of the file.
func (b *Cluster) Cut(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(b.Path)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), from)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, to)
	require.True(t, ok)
	require.NoError(t, os.WriteFile(b.Path, []byte(head+tail), 0o600))
}

// Remove takes elements out of the file.
func (b *Cluster) Remove(t *testing.T, path string) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.Path))
	all := doc.FindElements(path)
	require.NotEmpty(t, all)
	for _, el := range all {
		el.Parent().RemoveChild(el)
	}
	require.NoError(t, doc.WriteToFile(b.Path))
}

// Advertised answers for agents that need not be installed here.
func (b *Cluster) Advertised(_ context.Context, agent string) ([]crm.AgentAction, error) {
	switch agent {
	case "ocf:hawser:haproxy":
		return []crm.AgentAction{
			{Name: "start", Timeout: "30s"}, {Name: "stop", Timeout: "30s"},
			{Name: "monitor", Timeout: "20s", Depth: "0"},
		}, nil
	case "ocf:hawser:floatip":
		return []crm.AgentAction{
			{Name: "start", Timeout: "90s"}, {Name: "stop", Timeout: "60s"},
			{Name: "monitor", Timeout: "20s", Depth: "0"},
			{Name: "monitor", Timeout: "30s", Depth: "10"},
		}, nil
	}
	return nil, nil
}

// Query reads the file.
func (b *Cluster) Query(ctx context.Context) (*crm.CIB, error) { return b.tools.Query(ctx) }

// Status is what crm_mon makes of the file.
func (b *Cluster) Status(ctx context.Context) (*crm.Status, error) { return b.tools.Status(ctx) }

// File writes a file of the node.
func (b *Cluster) File(t *testing.T, path, content string) {
	t.Helper()
	path = filepath.Join(b.Files, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// Fail records a failed operation, as the node does.
func (b *Cluster) Fail(t *testing.T, resource, operation, count string) {
	t.Helper()
	b.Edit(t, `<nvpair id="status-3-.feature-set"`,
		`<nvpair id="status-3-fail-count-x" name="fail-count-`+resource+`#`+operation+
			`_15000" value="`+count+`"/><nvpair id="status-3-.feature-set"`)
	b.Edit(t, `<lrm_resource id="haproxy"`,
		`<lrm_resource id="`+resource+
			`" type="x" class="ocf" provider="hawser"/><lrm_resource id="haproxy"`)
}

// Unclone takes HAProxy out of its clone.
func (b *Cluster) Unclone(t *testing.T) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.Path))
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
	require.NoError(t, doc.WriteToFile(b.Path))
}

// Group puts the address and HAProxy, out of its clone, into one group.
func (b *Cluster) Group(t *testing.T) {
	t.Helper()
	b.Unclone(t)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.Path))
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
	for _, el := range doc.FindElements("//primitive[@id='FloatIP6']") {
		// which would need a colocation
		el.Parent().RemoveChild(el)
	}
	require.NoError(t, doc.WriteToFile(b.Path))
}

// Parts of the file.
const (
	PrimitiveFence = `<primitive id="fence" class="stonith" type="fence_dummy"><operations><op ` +
		`id="fence-monitor-1h" name="monitor" interval="1h"/></operations></primitive>`
	MonitorHAProxy = `<op id="haproxy-monitor-15s" name="monitor" interval="15s" timeout="20s"/>`
	ColocationIP   = `<rsc_colocation id="FloatIP-haproxy" score="INFINITY" rsc="FloatIP" ` +
		`with-rsc="haproxy-clone"/>`
)
