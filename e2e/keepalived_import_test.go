package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is a pair that keepalived keeps, lb-1 and lb-2, as its configurations have it.
type pair struct {
	name string
	// instances are the vrrp_instances, and what is around them; %[1]s is the state, %[2]d the priority of the node.
	conf       string
	states     [2]string
	priorities [2]int
	addresses  []string
}

func (p pair) file(n int) string {
	return fmt.Sprintf("global_defs {\n\trouter_id lb-%d\n\tenable_script_security\n\tscript_user root\n}\n", n+1) +
		fmt.Sprintf(p.conf, p.states[n], p.priorities[n])
}

const aloneConf = `vrrp_instance VI_1 {
	interface eth0
	state %[1]s
	virtual_router_id 51
	priority %[2]d
	advert_int 1
	virtual_ipaddress {
		198.51.100.200/24
	}
}
`

const togetherConf = `vrrp_sync_group G1 {
	group {
		VI_1
		VI_2
	}
}
vrrp_instance VI_1 {
	interface eth0
	state %[1]s
	virtual_router_id 51
	priority %[2]d
	advert_int 1
	virtual_ipaddress {
		198.51.100.200/24
	}
}
vrrp_instance VI_2 {
	interface eth0
	state %[1]s
	virtual_router_id 52
	priority %[2]d
	advert_int 1
	virtual_ipaddress {
		198.51.100.201/24
	}
}
`

func pairs() []pair {
	one, two := []string{lanIP}, []string{lanIP, "198.51.100.201"}
	nopreempt := strings.Replace(aloneConf, "advert_int 1", "advert_int 1\n\tnopreempt", 1)
	return []pair{
		{"goes back", aloneConf, [2]string{"MASTER", "BACKUP"}, [2]int{101, 100}, one},
		{"nopreempt", nopreempt, [2]string{"BACKUP", "BACKUP"}, [2]int{101, 100}, one},
		{"nopreempt beside MASTER goes back", nopreempt, [2]string{"MASTER", "BACKUP"}, [2]int{150, 100}, one},
		{"a sync group", togetherConf, [2]string{"MASTER", "BACKUP"}, [2]int{150, 100}, two},
	}
}

// TestImportedKeepalived has real keepalived and, after that, hawser with what `hawser import keepalived` makes of the same files hold the
// addresses of a pair: at first, with the holder lost, and with it back, they are on the same node.
func TestImportedKeepalived(t *testing.T) {
	for _, p := range pairs() {
		t.Run(p.name, func(t *testing.T) {
			c := fresh(t)
			c.lanConfigured(t)
			for i, node := range []string{"lb-1", "lb-2"} {
				c.write(t, node, keepalivedConf, p.file(i))
				c.write(t, "lb-1", "/root/"+node+".conf", p.file(i))
			}
			start := func(node string) {
				c.run(t, node, "keepalived", "--vrrp", "--pid", keepalivedPID, "--vrrp_pid", "/run/keepalived-lab-vrrp.pid",
					"--use-file", keepalivedConf)
			}
			start("lb-1")
			start("lb-2")
			theirs := c.holdersAfterFaults(t, p, start)
			for _, node := range []string{"lb-1", "lb-2"} {
				keepalived{}.stop(c, t, node)
			}

			c.run(t, "lb-1", "sh", "-c", "hawser import keepalived --node lb-1=/root/lb-1.conf --node lb-2=/root/lb-2.conf >"+
				yamlPath+" || [ $? = 8 ]") // with remarks
			c.edit(t, "lb-1", yamlPath, "haproxy: {}", "haproxy: {config: /etc/haproxy/lan.cfg}")
			c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
			ours := c.holdersAfterFaults(t, p, func(string) { c.allOnline(t) })
			t.Logf("keepalived: %v, hawser: %v", theirs, ours)
			require.Equal(t, theirs, ours)
			c.run(t, "lb-1", "hawser", "destroy", "--yes")
		})
	}
}

// holdersAfterFaults returns who has the addresses of a pair at first, with lb-1 lost, and with it back.
func (c *cluster) holdersAfterFaults(t *testing.T, p pair, start func(node string)) []string {
	t.Helper()
	holders := []string{c.stable(t, p.addresses)}
	require.NoError(t, c.Kill("lb-1"))
	holders = append(holders, c.stable(t, p.addresses))
	require.NoError(t, c.Boot(t.Context(), "lb-1"))
	c.allOnline(t)
	start("lb-1")
	return append(holders, c.stable(t, p.addresses))
}

// stable waits until the addresses are on one node, and have not moved for so long that they would have.
func (c *cluster) stable(t *testing.T, addresses []string) string {
	t.Helper()
	const quiet = 7 * time.Second // keepalived begins three adverts after it has started
	var at string
	since := time.Now()
	eventually(t, time.Minute, "the addresses stay on one node", func() error {
		var now []string
		for _, n := range c.others() {
			if !c.Running(n) {
				continue
			}
			out, err := c.try(n, "ip", "-oneline", "address", "show")
			if err != nil {
				return err
			}
			for _, address := range addresses {
				if strings.Contains(out, " "+address+"/") {
					now = append(now, n)
				}
			}
		}
		if found := strings.Join(now, " "); found != at {
			at, since = found, time.Now()
		}
		for _, n := range now {
			if n != now[0] {
				return fmt.Errorf("they are on %v", now)
			}
		}
		if len(now) != len(addresses) || time.Since(since) < quiet {
			return fmt.Errorf("they are on %v for %v", now, time.Since(since))
		}
		at = now[0]
		return nil
	})
	return at
}
