package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// machines are the balancers as the cloud's power actions switch them. Apart from its network
// namespace the cloud's process runs like this program started by hand, so it does what `hawser-lab
// kill` and `boot` do, under the same lock.
type machines struct{ lab *Lab }

var _ cloud.Machines = machines{}

// bootTime ends a boot or a shutdown that hangs.
const bootTime = 2 * time.Minute

// firmwareTime passes between the power and the boot, in which a droplet is in its firmware and its
// kernel. A node that is back in the cluster before the cluster has heard that its fencing is
// complete may take that message for a new one: "We were allegedly just fenced", and Pacemaker ends
// for good (daemons/controld/controld_fencing.c). Nodes of the laboratory boot in a second.
const firmwareTime = 5 * time.Second

func (m machines) Running(droplet int) bool {
	return m.lab.Running(m.lab.dropletName(droplet))
}

func (m machines) Cut(droplet int) error {
	node := m.lab.dropletName(droplet)
	return m.say("cut the power of", node, m.lab.Kill(node))
}

func (m machines) Boot(droplet int) error {
	node := m.lab.dropletName(droplet)
	ctx, cancel := context.WithTimeout(context.Background(), bootTime)
	defer cancel()
	time.Sleep(firmwareTime)
	return m.say("boot", node, m.lab.locked(func() error {
		if m.lab.Running(node) {
			return nil // somebody booted it while this waited for the lock
		}
		return m.lab.boot(ctx, node)
	}))
}

func (m machines) Shutdown(droplet int) error {
	node := m.lab.dropletName(droplet)
	ctx, cancel := context.WithTimeout(context.Background(), bootTime)
	defer cancel()
	return m.say("shut down", node, m.lab.Shutdown(ctx, node))
}

func (machines) say(what, node string, err error) error {
	if err != nil {
		err = fmt.Errorf("cloud: %s %s: %w", what, node, err)
		logf("%v", err)
		return err
	}
	logf("%s %s", what, node)
	return nil
}
