package floatip

import (
	"time"

	"github.com/hawser-ha/hawser/internal/fault"
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
	table := drivers()
	for i := range table {
		if table[i].name == "lan" {
			table[i].patience = patience
			table[i].open = func(s settings, call *ocf.Call, _ func() (string, error)) Provider {
				return open(s.NIC, s.Prefix, call.Node)
			}
		}
	}
	return newAgent("test", table)
}

// CodeOf is what an action that fails with the fault exits with.
func CodeOf(k fault.Kind) (ocf.Code, bool) {
	code, ok := codes[k]
	return code, ok
}
