package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeTimeouts provokes the findings of the check operation-timeouts.
func provokeTimeouts() []provoked {
	return []provoked{
		{
			name: "a time-out shorter than advertised",
			provoke: edit(`<op id="haproxy-start-0s" name="start" interval="0s" timeout="30s"/>`,
				`<op id="haproxy-start-0s" name="start" interval="0s" timeout="25s"/>`),
			want: doctor.Note, says: "start has 25s, and the agent asks for 30s",
		},
		{
			name:    "Pacemaker's own time-out",
			provoke: edit(`<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, ""),
			want:    doctor.Warning, says: "stop has 20s, and the agent asks for 30s",
		},
		{name: "the time-out of all operations", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, "")
			b.Sh(t, "hawser configure op_defaults timeout=29s")
		}, want: doctor.Warning, says: "stop has 29s, and the agent asks for 30s"},
		{
			name: "a time-out shorter than measured",
			provoke: edit(
				`exec-time="50" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`,
				`exec-time="9000" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`),
			want: doctor.Warning, says: "start has 20s, and took 9s on lb-3",
		},
	}
}
