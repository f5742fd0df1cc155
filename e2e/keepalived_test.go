package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

// keepalived is a configuration of the peer. It runs on the same nodes as hawser, with the same HAProxy and application servers, while
// the cluster has nothing configured.
type keepalived struct {
	name string
	// globals, tracks and instance are lines of keepalived.conf: of global_defs, before the instance, and of the instance.
	globals, tracks, instance string
	// priority of the n-th balancer, from 0.
	priority func(n int) int
}

// keepalivedUsual is as mission.md's row 3 has it, and most instructions: a script asks for the service through the balancer every two
// seconds and changes the priority by a weight.
var keepalivedUsual = keepalived{
	name: "keepalived, advert_int 1, script every 2 s",
	tracks: `vrrp_script service {
	script "/usr/bin/curl --silent --fail --max-time 2 --output /dev/null http://127.0.0.1/ews/healthcheck.htm"
	interval 2
	weight 20
}`,
	instance: `	advert_int 1
	track_script {
		service
	}`,
	priority: func(n int) int { return 101 - n },
}

// keepalivedTuned is the best that keepalived 2.2.7 can be made to do: version 3 of the protocol with ten adverts a second, the death of
// HAProxy told at once, and the script as often as it can be (interval takes whole seconds). What tells the death is a file, which a
// shell writes that waits for HAProxy: track_process needs the kernel's process connector, which answers in the machine's first
// namespaces only ("Failed to set/clear process event listen - errno 111" in a lab's node), and would be as quick.
var keepalivedTuned = keepalived{
	name:    "keepalived tuned, VRRPv3 0.1 s, death of HAProxy told at once",
	globals: "\tvrrp_version 3\n",
	tracks: `track_file haproxy {
	file /run/keepalived-haproxy
	weight 1
	init_file 0 overwrite
}
vrrp_script service {
	script "/usr/bin/curl --silent --fail --max-time 1 --output /dev/null http://127.0.0.1/ews/healthcheck.htm"
	interval 1
	timeout 1
	weight 0
}`,
	instance: `	advert_int 0.1
	track_file {
		haproxy
	}
	track_script {
		service
	}`,
	priority: func(int) int { return 100 },
}

const (
	keepalivedConf    = "/etc/keepalived/keepalived.conf"
	keepalivedPID     = "/run/keepalived-lab.pid"
	keepalivedHAProxy = "/run/keepalived-haproxy.pid"
)

func (k keepalived) conf(node string, n int) string {
	return fmt.Sprintf(`global_defs {
	router_id %s
	enable_script_security
	script_user root
%s}
%s
vrrp_instance VIP {
	interface eth0
	state BACKUP
	virtual_router_id 51
	priority %d
%s
	virtual_ipaddress {
		%s/24
	}
}
`, node, k.globals, k.tracks, k.priority(n), k.instance, lanIP)
}

// start runs HAProxy and keepalived on a node.
func (k keepalived) start(c *cluster, t testing.TB, node string) {
	t.Helper()
	for n, balancer := range c.Nodes(lab.Balancer) {
		if balancer.Name == node {
			c.write(t, node, keepalivedConf, k.conf(node, n))
		}
	}
	// HAProxy first, and answering: keepalived takes a script that has not yet run for one that failed.
	c.run(t, node, "sh", "-c", `setsid sh -c 'haproxy -W -f /etc/haproxy/lan.cfg -p `+keepalivedHAProxy+`; echo -254 >/run/keepalived-haproxy' >/dev/null 2>&1 </dev/null &`)
	eventually(t, 10*time.Second, "HAProxy answers on "+node, func() error {
		_, err := c.try(node, "curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1/ews/healthcheck.htm")
		return err
	})
	c.run(t, node, "keepalived", "--vrrp", "--pid", keepalivedPID, "--vrrp_pid", "/run/keepalived-lab-vrrp.pid", "--use-file", keepalivedConf, "--log-detail")
}

// stop ends both, orderly; what is not there any more has been stopped.
func (k keepalived) stop(c *cluster, t testing.TB, node string) {
	t.Helper()
	k.terminate(c, t, node)
	eventually(t, 20*time.Second, "keepalived and HAProxy have ended on "+node, func() error {
		out, err := c.try(node, "sh", "-c", "pidof keepalived haproxy || true")
		if err == nil && strings.TrimSpace(out) != "" {
			err = fmt.Errorf("%s are there", strings.TrimSpace(out))
		}
		return err
	})
}

// terminate asks both to end. The files with their numbers go too: the numbers may be used again.
func (keepalived) terminate(c *cluster, t testing.TB, node string) {
	t.Helper()
	for _, pidfile := range []string{keepalivedPID, keepalivedHAProxy} {
		c.run(t, node, "sh", "-c", "[ ! -e "+pidfile+" ] || kill $(cat "+pidfile+") 2>/dev/null; rm -f "+pidfile)
	}
}

// everywhere has the peer in place of hawser until the benchmark ends.
func (k keepalived) everywhere(c *cluster, t testing.TB) {
	t.Helper()
	for _, n := range c.Nodes(lab.Balancer) {
		k.start(c, t, n.Name)
	}
	t.Cleanup(func() {
		for _, n := range c.Nodes(lab.Balancer) {
			if c.Running(n.Name) {
				k.stop(c, t, n.Name)
			}
		}
	})
	c.lanServed(t)
}

// lanServed waits until exactly one balancer has the address, and serves.
func (c *cluster) lanServed(t testing.TB) string {
	t.Helper()
	var holder string
	eventually(t, time.Minute, "one balancer has "+lanIP+" and serves", func() error {
		var err error
		if holder, err = c.lanHolder(); err != nil {
			return err
		}
		return c.getFrom(lanPage)
	})
	return holder
}

// TestKeepalivedIsAPeer has the peer's usual configuration do what it is known for: the address moves when HAProxy dies. A comparison
// with a peer that does not work would say nothing.
func TestKeepalivedIsAPeer(t *testing.T) {
	for _, k := range []keepalived{keepalivedUsual, keepalivedTuned} {
		t.Run(k.name, func(t *testing.T) {
			c := fresh(t)
			c.lanConfigured(t)
			k.everywhere(c, t)
			first := c.lanServed(t)
			c.killHAProxy(t, first, "KILL")
			second := c.lanMoved(t, first)
			require.NotEqual(t, first, second)
		})
	}
}
