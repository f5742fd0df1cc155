package pacemaker

import (
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// intoTemplates makes every primitive of the file from a template that says all of it.
func intoTemplates(t *testing.T, b *bench.Cluster) {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromFile(b.Path))
	for _, p := range doc.FindElements("//resources//primitive") {
		id := p.SelectAttrValue("id", "")
		template := p.Copy()
		template.Tag = "template"
		template.CreateAttr("id", id+"-template")
		doc.FindElement("//resources").AddChild(template)
		for _, child := range p.ChildElements() {
			p.RemoveChild(child)
		}
		p.Attr = nil
		p.CreateAttr("id", id)
		p.CreateAttr("template", id+"-template")
	}
	require.NoError(t, doc.WriteToFile(b.Path))
}

// TestResourcesMadeFromTemplates: what a resource has from a template is treated like what it
// defines itself.
func TestResourcesMadeFromTemplates(t *testing.T) {
	b := bench.New(t)
	intoTemplates(t, b)
	b.Verify(t)
	require.Empty(t, findings(t, b), "it is the healthy cluster still")

	b.Edit(t, bench.MonitorHAProxy, "")
	found := findings(t, b)
	require.Len(t, found, 1)
	require.Equal(t, "monitors", found[0].Check)
	require.Equal(t, "haproxy has no recurring monitor", found[0].What)
	require.Equal(t, []string{
		"crm configure edit haproxy-template haproxy    # the template, and what is made from it",
	}, found[0].Fix)

	cib, err := b.Query(t.Context())
	require.NoError(t, err)
	d, err := inventory.Read(cib)
	require.NoError(t, err)
	require.Len(t, d.HAProxies, 1)
	require.Len(t, d.Addresses, 2)
	require.Equal(t, map[string][]string{
		"/etc/hawser/token": {"FloatIP", "FloatIP6"},
	}, d.TokenFiles)
}
