package floatip

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/ocf"
)

// NewWith is New with a provider called "test" in the table, beside the others. open makes it for
// the node that the agent runs on.
func NewWith(exclusive bool, open func(*ocf.Call) Provider) *ocf.Agent {
	return newAgent("test", append(drivers(), driver{
		name: "test", exclusive: exclusive,
		open: func(_ settings, call *ocf.Call, _ func() (string, error)) Provider {
			return open(call)
		},
	}))
}

// NewLAN is New with a lan provider that open makes, and with a start that waits so long for another
// machine to let go of the address.
func NewLAN(patience time.Duration, open func(nic string, prefix int, node string) Provider,
) *ocf.Agent {
	return newAgent("test", lanTable(patience, open))
}

func lanTable(patience time.Duration, open func(nic string, prefix int, node string) Provider,
) []driver {
	table := drivers()
	for i := range table {
		if table[i].name == "lan" {
			table[i].patience = patience
			table[i].open = func(s settings, call *ocf.Call, _ func() (string, error)) Provider {
				return open(s.NIC, s.Prefix, call.Node)
			}
		}
	}
	return table
}

// Watcher is a watcher of an address on a LAN whose provider open makes, with Pacemaker's programs in
// the directory.
func Watcher(getenv func(string) string, programs string, changes *nic.Changes,
	open func(nic string, prefix int, node string) Provider) *watcher {
	w := newWatcher("test", getenv, lanTable(time.Second, open),
		pacemaker.Tools{CrmMon: programs + "/crm_mon", CrmResource: programs + "/crm_resource"}, changes)
	w.delays = delays{away: 500 * time.Millisecond, down: 500 * time.Millisecond}
	return w
}

// Run is the watcher's.
func (w *watcher) Run(ctx context.Context) error { return w.run(ctx) }

// Calm has the watcher report nothing for so long after a report.
func (w *watcher) Calm(d time.Duration) { w.delays.calm = d }

// Watching is the process that watches the address whose runtime directory this is.
func Watching(dir string) int { return watching(dir) }

// CodeOf is what an action that fails with the fault exits with.
func CodeOf(k fault.Kind) (ocf.Code, bool) {
	code, ok := codes[k]
	return code, ok
}
