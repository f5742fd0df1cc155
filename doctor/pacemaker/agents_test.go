package pacemaker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
	"github.com/stretchr/testify/require"
)

// provokeAgents provokes the findings of the check resource-agents.
func provokeAgents() []provoked {
	return []provoked{
		{
			name: "the unit",
			provoke: edit(`<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`,
				`<primitive id="haproxy" class="systemd" type="haproxy">`),
			want: doctor.Warning, says: "run as systemd:haproxy",
		},
		{name: "another agent", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`,
				`<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
			b.File(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
			b.File(t, "/usr/lib/ocf/resource.d/heartbeat/haproxy", "a shell script")
		}, want: doctor.Warning, says: "not hawser's agent"},
	}
}

// TestTheCompatibleLink takes ocf:heartbeat:haproxy for hawser's agent where it is a link to that.
func TestTheCompatibleLink(t *testing.T) {
	b := bench.New(t)
	b.Edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`,
		`<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
	b.File(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
	require.NoError(t, os.Mkdir(filepath.Join(b.Files, "/usr/lib/ocf/resource.d/heartbeat"), 0o755))
	require.NoError(t,
		os.Symlink("../hawser/haproxy",
			filepath.Join(b.Files, "/usr/lib/ocf/resource.d/heartbeat/haproxy")))
	require.Empty(t, findings(t, b))
}
