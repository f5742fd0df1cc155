package deploy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// on is the file as it lies on a node.
func on(t *testing.T, d *Deployer, node, path, text string) *config.File {
	t.Helper()
	d.Node.Name = node
	file := parse(t, text)
	file.Absolute = path
	return file
}

func TestWhoAppliedWhat(t *testing.T) {
	d, c := deployer()
	now := noon
	d.User, d.Now = "root", func() time.Time { return now }
	plans := func(file *config.File) Plan {
		t.Helper()
		p, err := d.Plan(t.Context(), file, true)
		require.NoError(t, err)
		return p
	}
	applies := func(file *config.File) {
		t.Helper()
		require.NoError(t, d.Apply(t.Context(), plans(file)))
	}
	last := func() contract.Applied {
		t.Helper()
		cib, err := c.Query(t.Context())
		require.NoError(t, err)
		a, ok := inventory.LastApplied(cib)
		require.True(t, ok)
		return a
	}
	const more = "fencing: off\nhaproxy: {max_crashes: 9, monitor: 20s}\nfloating_ips: [{name: FloatIP, " +
		"ip: 192.0.2.10, provider: lan}, {name: FloatIP-2, ip: 192.0.2.11, provider: lan}]\n"

	applies(on(t, d, "lb-1", "/etc/hawser/hawser.yaml", simple))
	require.Equal(t, contract.Applied{At: noon, Node: "lb-1", User: "root", File: "/etc/hawser/hawser.yaml",
		Sum: contract.AppliedSum([]byte(simple))}, last())
	require.Equal(t, 1, c.Applied())

	// The same again, from wherever, changes nothing.
	now = noon.Add(time.Hour)
	applies(on(t, d, "lb-2", "/root/hawser.yaml", simple))
	require.Equal(t, 1, c.Applied())
	require.Equal(t, "lb-1", last().Node)

	// Another file that only adds something needs no warning, and is the last one from then on.
	file := on(t, d, "lb-2", "/root/hawser.yaml", more)
	p := plans(file)
	require.NotContains(t, p.Warnings, "last applied")
	now = now.Add(2 * stale) // while the operator thinks
	require.NoError(t, d.Apply(t.Context(), p))
	require.Equal(t, "lb-2:/root/hawser.yaml", last().Source())
	require.Equal(t, now, last().At)

	// The first file would undo it. The one that set it may take it back, and so may a copy of it.
	undone := "last applied from lb-2:/root/hawser.yaml at " + now.Local().Format(time.TimeOnly) +
		" (0s) by root; this is another " +
		"file and takes FloatIP-2 (192.0.2.11), max_crashes: 9, haproxy's monitor back"
	p = plans(on(t, d, "lb-1", "/etc/hawser/hawser.yaml", simple))
	require.Equal(t, undone, p.Warnings[0])
	require.NotContains(t, plans(on(t, d, "lb-2", "/root/hawser.yaml", simple)).Warnings, "last applied")

	// What was removed is noted no more.
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.Destroy(t.Context(), r, time.Minute, ignore))
	require.NotContains(t, shows(t, c), contract.AppliedID)
}

// What a version that notes nothing leaves behind when it removes everything says nothing.
func TestNoteWithoutWhatWasMade(t *testing.T) {
	_, c, _ := deployed(t)
	require.NoError(t, c.Edit(noteOf(contract.Applied{At: noon, Node: "lb-1"})))
	removal, err := crm.Diff(base(t, c), crm.Spec{Tag: contract.TagID})
	require.NoError(t, err)
	require.NoError(t, c.Apply(t.Context(), removal))
	_, ok := inventory.LastApplied(base(t, c))
	require.False(t, ok)
}

func base(t *testing.T, c crm.Cluster) *crm.CIB {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	return cib
}
