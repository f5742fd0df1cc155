package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
	"github.com/hawser-ha/hawser/lab/cloud"
)

// tutorialYAML is the tutorial's set-up as a file.
const tutorialYAML = `fencing: off
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean
    token_file: /etc/hawser/token
`

const yamlPath = "/etc/hawser/hawser.yaml"

// applied returns a fresh cluster with the set-up applied and serving.
func applied(t *testing.T, yaml string) *cluster {
	t.Helper()
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, yaml)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	return c
}

// TestApply is the tutorial in one transaction: planned, written once, not written twice, shown, and taken back whole.
func TestApply(t *testing.T) {
	c := fresh(t)
	// What somebody else configured, which hawser has no business with.
	c.run(t, "lb-1", "cibadmin", "--create", "--scope", "resources", "--xml-text",
		`<primitive id="theirs" class="ocf" provider="pacemaker" type="Dummy"><operations>`+
			`<op id="theirs-monitor-10s" name="monitor" interval="10s" timeout="20s"/></operations></primitive>`)
	c.run(t, "lb-1", "crm_attribute", "--name", "cluster-recheck-interval", "--update", "7min")
	t.Cleanup(func() { c.run(t, "lb-1", "crm_attribute", "--name", "cluster-recheck-interval", "--delete") })
	before := c.run(t, "lb-2", "crm", "configure", "show")
	c.write(t, "lb-1", yamlPath, tutorialYAML)

	epoch := c.epoch(t)
	plan := c.run(t, "lb-1", "hawser", "plan", "-f", yamlPath)
	require.Equal(t, epoch, c.epoch(t), "plan writes nothing")
	for _, want := range []string{"haproxy", "haproxy-clone", "FloatIP", "FloatIP-haproxy", "stonith-enabled", "start haproxy on lb-", "start FloatIP on lb-"} {
		require.Contains(t, plan, want)
	}
	require.NotContains(t, plan, c.token())

	c.fails(t, 2, "lb-1", "hawser", "apply", "-f", yamlPath) // nobody to ask, and no --yes
	require.Equal(t, epoch, c.epoch(t))
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.NoError(t, c.get(), "apply waits until the cluster has settled")
	c.sees(t, c.holder(t))

	epoch = c.epoch(t)
	again := c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Equal(t, epoch, c.epoch(t), "a second apply changes nothing: %s", again)

	var status map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.run(t, "lb-1", "hawser", "status", "--json")), &status))
	text := c.run(t, c.holder(t), "hawser", "status")
	for _, want := range []string{"lb-1", "lb-2", "lb-3", "FloatIP", c.holder(t)} {
		require.Contains(t, text, want)
	}

	c.run(t, "lb-2", "crm", "configure", "show") // crmsh reads what hawser wrote
	c.run(t, "lb-1", "hawser", "destroy", "--yes", "-f", yamlPath)
	require.Equal(t, withoutBootstrap(before), withoutBootstrap(c.run(t, "lb-2", "crm", "configure", "show")),
		"destroy removes exactly what hawser made")
	require.Error(t, c.get())
	for _, n := range c.Nodes(lab.Balancer) {
		out, err := c.try(n.Name, "pgrep", "-x", "haproxy")
		require.Error(t, err, "HAProxy still runs on %s: %s", n.Name, out)
	}
}

// TestConcurrentEdits lets crmsh write while hawser applies: no edit of either is lost, and hawser writes only what was approved.
func TestConcurrentEdits(t *testing.T) {
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, tutorialYAML)
	c.run(t, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false") // crmsh commits nothing without
	edits := make(chan error, 1)
	const rounds = 4
	go func() {
		for i := range rounds {
			if _, err := c.try("lb-2", "crm", "configure", "primitive", fmt.Sprintf("theirs-%d", i), "ocf:pacemaker:Dummy"); err != nil {
				edits <- err
				return
			}
		}
		edits <- nil
	}()
	for done := false; !done; {
		select {
		case err := <-edits:
			require.NoError(t, err)
			done = true
		default:
			_, err := c.try("lb-1", "hawser", "apply", "--yes", "--no-wait", "-f", yamlPath)
			var exit *lab.ExitError
			if err != nil {
				require.ErrorAs(t, err, &exit)
				require.Equal(t, 3, exit.Code, "only a conflict may keep apply from writing: %v", err)
			}
		}
	}
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	shown := c.run(t, "lb-3", "crm", "configure", "show")
	for i := range rounds {
		require.Contains(t, shown, fmt.Sprintf("primitive theirs-%d ", i))
	}
	require.Contains(t, shown, "colocation FloatIP-haproxy inf: FloatIP haproxy-clone")
}

// TestNodeLost cuts the power of the active node, twice: the address moves, does not come back by itself, and comes back the other way.
func TestNodeLost(t *testing.T) {
	c := applied(t, tutorialYAML)
	first := c.holder(t)
	require.NoError(t, c.Kill(first))
	second := c.moved(t, first)
	c.sees(t, second)

	require.NoError(t, c.Boot(t.Context(), first))
	c.allOnline(t)
	c.serves(t)
	require.Equal(t, second, c.holder(t), "nothing moves back")

	require.NoError(t, c.Kill(second))
	third := c.moved(t, second)
	c.sees(t, third)
}

// TestCloudFaultsDuringAFailover makes the cloud's API misbehave while the address has to move. It
// still moves, as soon as the API lets it; an API that is down while nothing has to move moves
// nothing and costs nothing.
func TestCloudFaultsDuringAFailover(t *testing.T) {
	c := applied(t, strings.Replace(tutorialYAML, "monitor: 15s", "monitor: 2s", 1))
	api := c.Cloud()

	t.Run("no fault in sight, no request to the API", func(t *testing.T) {
		before, err := api.State(t.Context())
		require.NoError(t, err)
		holder := c.holder(t)
		c.run(t, holder, "crm_resource", "--resource", "FloatIP", "--force-check")
		after, err := api.State(t.Context())
		require.NoError(t, err)
		require.Equal(t, before.Requests, after.Requests)
	})

	for name, faults := range map[string][]cloud.Fault{
		"pending events":            {{Kind: cloud.PendingEvent, Count: 2}},
		"5xx":                       {{Kind: cloud.Status, Status: 503, Count: 3}},
		"429 with retry-after":      {{Kind: cloud.Status, Status: 429, RetryAfter: time.Second, Count: 2}},
		"actions cannot be polled":  {{Kind: cloud.ActionPoll, Count: 5}},
		"an action that errors":     {{Kind: cloud.ActionError, Count: 1}},
		"answers that are lost":     {{Kind: cloud.LostAnswer, Count: 2}},
		"a slow API":                {{Kind: cloud.Latency, Delay: 500 * time.Millisecond}},
		"stale metadata everywhere": {{Kind: cloud.MetadataStale}},
	} {
		t.Run(name, func(t *testing.T) {
			from := c.holder(t)
			for _, f := range faults {
				require.NoError(t, api.SetFault(t.Context(), f))
			}
			c.run(t, "lb-1", "crm_standby", "--node", from, "--update", "on")
			c.moved(t, from)
			require.NoError(t, api.ClearFaults(t.Context()))
			c.run(t, "lb-1", "crm_standby", "--node", from, "--update", "off")
			c.serves(t)
			c.settled(t)
		})
	}

	t.Run("an outage moves nothing", func(t *testing.T) {
		holder := c.holder(t)
		require.NoError(t, api.SetFault(t.Context(), cloud.Fault{Kind: cloud.Status, Status: 503}))
		require.NoError(t, api.SetFault(t.Context(), cloud.Fault{Kind: cloud.MetadataStatus, Status: 503}))
		out := c.fails(t, 190, holder, "env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=FloatIP", "OCF_RESKEY_ip="+floatingIP,
			"OCF_RESKEY_token_file=/etc/hawser/token", "OCF_RESKEY_CRM_meta_interval=10000", "OCF_RESKEY_CRM_meta_timeout=20000",
			"/usr/lib/ocf/resource.d/hawser/floatip", "monitor")
		require.Contains(t, out, "ocf-exit-reason:")
		require.NoError(t, c.get())
		require.NoError(t, api.ClearFaults(t.Context()))
		require.Equal(t, holder, c.holder(t))
	})
}
