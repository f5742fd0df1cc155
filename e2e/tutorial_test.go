package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tutorialSteps are the steps of the tutorial for HAProxy, Corosync, Pacemaker and a DigitalOcean floating IP, as its readers type
// them. The command is what is written for crm.
func tutorialSteps(command string, token string) []string {
	return []string{
		command + " configure property stonith-enabled=false",
		command + " configure primitive FloatIP ocf:digitalocean:floatip params do_token=" + token + " floating_ip=" + floatingIP,
		command + " configure primitive haproxy ocf:heartbeat:haproxy op monitor interval=15s",
		command + " configure clone haproxy-clone haproxy",
		command + " configure colocation FloatIP-haproxy inf: FloatIP haproxy-clone",
	}
}

// TestTutorial follows the tutorial with crmsh, word for word, and then its tests: HAProxy stopped, the active balancer rebooted,
// and then the other one; the application servers see the balancers and, through X-Forwarded-For, the client.
func TestTutorial(t *testing.T) {
	c := fresh(t)
	for _, step := range tutorialSteps("crm", c.token()) {
		c.run(t, "lb-1", strings.Fields(step)...)
	}
	c.serves(t)
	first := c.holder(t)

	// HAProxy stopped behind the cluster's back: it is back within the monitor's interval and the recovery.
	before := c.haproxyPID(t, first)
	c.run(t, first, "kill", "-9", before)
	eventually(t, 40*time.Second, "HAProxy is back on "+first, func() error {
		now, err := c.tryHAProxyPID(first)
		if err != nil {
			return err
		}
		if now == before {
			return fmt.Errorf("still pid %s", now)
		}
		return c.get()
	})
	require.Equal(t, first, c.holder(t), "a crash that the node recovers from moves nothing")

	// The active balancer is rebooted: the address moves, and the application servers see the other balancer.
	c.reboot(t, first)
	second := c.moved(t, first)
	c.sees(t, second)

	// And back the other way.
	c.reboot(t, second)
	third := c.moved(t, second)
	c.sees(t, third)
}

// TestTutorialThroughHawserConfigure follows the tutorial by writing hawser for crm. What it wrote is what crmsh wrote.
func TestTutorialThroughHawserConfigure(t *testing.T) {
	c := fresh(t)
	for _, step := range tutorialSteps("crm", c.token()) {
		c.run(t, "lb-1", strings.Fields(step)...)
	}
	byCrm := c.run(t, "lb-2", "crm", "configure", "show")

	c = fresh(t)
	for _, step := range tutorialSteps("hawser", c.token()) {
		c.run(t, "lb-1", strings.Fields(step)...)
	}
	c.serves(t)
	require.Equal(t, withoutBootstrap(byCrm), withoutBootstrap(c.run(t, "lb-2", "crm", "configure", "show")))

	// hawser's own output is crmsh's language: crmsh reads it back, and nothing changes.
	c.write(t, "lb-1", "/tmp/shown.crm", c.run(t, "lb-1", "hawser", "configure", "show", "--secrets"))
	c.run(t, "lb-1", "crm", "configure", "load", "update", "/tmp/shown.crm")
	require.Equal(t, withoutBootstrap(byCrm), withoutBootstrap(c.run(t, "lb-2", "crm", "configure", "show")))
	c.write(t, "lb-1", "/tmp/shown.crm", c.run(t, "lb-1", "crm", "configure", "show"))
	epoch := c.epoch(t)
	c.run(t, "lb-1", "hawser", "configure", "load", "/tmp/shown.crm")
	require.Equal(t, epoch, c.epoch(t), "loading what is there changes nothing")
}
