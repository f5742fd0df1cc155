package deploy

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/agents/floatip"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

const everything = `fencing: off
haproxy:
  config: /etc/haproxy/conf.d
  binary: /opt/haproxy
  extra: -m 512
  monitor: 10
  check: {url: "http://${HAWSER_ANCHOR_IP}/health", timeout: 10s, every: 30s}
  min_servers: 1
  stop_grace: 2min
  start_timeout: 3min
  reload_timeout: 2min
  keeper: off
  max_crashes: 20
  crash_window: 5min
  hang_time: 20s
  unit: none
  anchor_ip: 10.0.0.1
  private_ip: 10.0.0.2
  metadata_url: http://127.0.0.1:3
floating_ips:
  - {name: a, ip: 203.0.113.10, token_file: /etc/hawser/token, api_url: "http://127.0.0.1:1", metadata_url: "http://127.0.0.1:2"}
  - {name: b, ip: 192.0.2.1, provider: lan, nic: eth0, cidr_netmask: 24, monitor: 300, needs: [servers]}
`

// TestSpecFitsTheAgents keeps what hawser writes and what the agents declare from drifting apart: each parameter must be one that the agent
// takes, with a value that it takes, and no operation may have less time than the agent asks for.
func TestSpecFitsTheAgents(t *testing.T) {
	cfg, err := config.Parse("hawser.yaml", []byte(everything))
	require.NoError(t, err)
	for _, tc := range []struct {
		primitive *crm.Primitive
		agent     *ocf.Agent
		unset     []string // parameters that hawser.yaml has no key for
	}{
		{primitiveOfHAProxy(&cfg.HAProxy), haproxy.New("test"), []string{"check_url", "check_timeout", "min_servers", "well_after", "sites", "generation", "push"}},
		{primitiveOfAddress(&cfg.Addresses[0], "10000"), floatip.New("test"), []string{"token", "nic", "cidr_netmask", "conflict_wait", "announce_for"}},
		{primitiveOfAddress(&cfg.Addresses[1], "10000"), floatip.New("test"), []string{"token_file", "token", "api_url", "metadata_url", "conflict_wait", "announce_for"}},
	} {
		require.Equal(t, "ocf:hawser:"+tc.agent.Name, tc.primitive.Agent())
		params := map[string]ocf.Param{}
		for _, p := range tc.agent.Params {
			params[p.Name] = p
		}
		for _, a := range tc.primitive.Params {
			p, ok := params[a.Name]
			require.True(t, ok, "%s has no parameter %s", tc.agent.Name, a.Name)
			require.NoError(t, p.Value.Set(a.Value), "%s: %s=%s", tc.agent.Name, a.Name, a.Value)
			delete(params, a.Name)
		}
		var unset []string
		for _, p := range tc.agent.Params {
			if _, ok := params[p.Name]; ok {
				unset = append(unset, p.Name)
			}
		}
		require.Equal(t, tc.unset, unset)

		for _, op := range tc.primitive.Ops {
			timeout, _ := op.Attrs.Get("timeout")
			got, err := param.ParseDuration(timeout)
			require.NoError(t, err)
			require.GreaterOrEqual(t, got, advertised(tc.agent, op), "%s %s", tc.agent.Name, op.Name)
		}
	}
}

// advertised is the time that an agent asks for.
func advertised(a *ocf.Agent, op crm.Op) time.Duration {
	depth := 0
	if level, ok := op.Params.Get("OCF_CHECK_LEVEL"); ok && level == "10" {
		depth = 10
	}
	var longest time.Duration
	for _, o := range a.Ops {
		if o.Name == op.Name && o.Depth <= depth {
			longest = max(longest, o.Timeout)
		}
	}
	return longest
}

func TestSpec(t *testing.T) {
	cfg, err := config.Parse("hawser.yaml", []byte(everything))
	require.NoError(t, err)
	cib, err := crmtest.New("lb-1", "lb-2").Query(t.Context())
	require.NoError(t, err)
	require.Equal(t, `primitive haproxy ocf:hawser:haproxy \
	params conffile="/etc/haproxy/conf.d" binpath="/opt/haproxy" extraconf="-m 512" checks="check url=http://${HAWSER_ANCHOR_IP}/health every=30s timeout=10s ; servers backend=*" stop_grace=2min keeper=false max_crashes=20 crash_window=5min hang_time=20s unit=none anchor_ip=10.0.0.1 private_ip=10.0.0.2 metadata_url="http://127.0.0.1:3" \
	op monitor interval=10s timeout=20s \
	op monitor interval=5s timeout=27s \
	op_params OCF_CHECK_LEVEL=10 \
	op start interval=0s timeout=180s \
	op stop interval=0s timeout=135s \
	op reload-agent interval=0s timeout=120s \
	meta failure-timeout=10s migration-threshold=1
clone haproxy-clone haproxy \
	meta interleave=true
primitive a ocf:hawser:floatip \
	params ip=203.0.113.10 provider=digitalocean token_file="/etc/hawser/token" api_url="http://127.0.0.1:1" metadata_url="http://127.0.0.1:2" \
	op monitor interval=15s timeout=20s \
	op monitor interval=5min timeout=30s \
	op_params OCF_CHECK_LEVEL=10 \
	op start interval=0s timeout=90s \
	op stop interval=0s timeout=60s \
	meta resource-stickiness=10000 failure-timeout=60s
primitive b ocf:hawser:floatip \
	params ip=192.0.2.1 provider=lan nic=eth0 cidr_netmask=24 \
	op monitor interval=300s timeout=30s \
	op_params OCF_CHECK_LEVEL=10 \
	op start interval=0s timeout=90s \
	op stop interval=0s timeout=60s \
	meta resource-stickiness=10000 failure-timeout=60s
colocation a-haproxy inf: a haproxy-clone
order a-leaves-first Optional: a:stop haproxy-clone:stop symmetrical=false
location a-where-served a \
	rule 10: defined hawser-haproxy
location a-check-check a \
	rule 50000: hawser-haproxy-check-check ne failed
location a-check-servers a \
	rule 50000: hawser-haproxy-check-servers ne failed
colocation b-haproxy inf: b haproxy-clone
order b-leaves-first Optional: b:stop haproxy-clone:stop symmetrical=false
location b-where-served b \
	rule 10: defined hawser-haproxy
location b-check-servers b \
	rule 50000: hawser-haproxy-check-servers ne failed
colocation a-apart-b -1000: b a
property cib-bootstrap-options: \
	stonith-enabled=false
`, crm.FormatShell(Objects(cfg, cib)))
}

// TestDeviceFitsItsAgent is the same for the fencing device.
func TestDeviceFitsItsAgent(t *testing.T) {
	cfg, err := config.Parse("f", []byte("haproxy: {}\nfencing: {droplet: {token_file: /etc/hawser/t, tag: a, api_url: http://127.0.0.1:1, metadata_url: http://127.0.0.1:2, droplets: {lb-1: 1}}}\n"))
	require.NoError(t, err)
	agent := fencedroplet.New("test")
	device := fenceDevice(&cfg.Fencing.Droplet, cibOf(t, 1), false)
	require.Equal(t, "stonith:"+agent.Name, device.Agent())
	require.Equal(t, agent.Name, filepath.Base(fencing.AgentPath))
	params := map[string]fence.Param{}
	for _, p := range agent.Params {
		params[p.Name] = p
	}
	for _, a := range device.Params {
		if strings.HasPrefix(a.Name, "pcmk_") {
			continue // Pacemaker's own
		}
		p, ok := params[a.Name]
		require.True(t, ok, "the agent has no parameter %s", a.Name)
		require.NoError(t, p.Value.Set(a.Value), "%s=%s", a.Name, a.Value)
		delete(params, a.Name)
	}
	require.Empty(t, params, "hawser.yaml has no key for these")
	for _, name := range []string{"pcmk_reboot_timeout", "pcmk_off_timeout"} { // two tries, each with the order to switch on again
		text, _ := device.Params.Get(name)
		length, err := param.ParseDuration(text)
		require.NoError(t, err)
		require.GreaterOrEqual(t, length, 2*(agent.Times.Login+agent.Times.Power+10*time.Second))
	}
}
