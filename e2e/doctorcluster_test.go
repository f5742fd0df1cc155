package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/lab"
)

// clusterCheckNames are the checks that this file provokes; the laboratory has no encryption, one link, and no fencing, which is true of it.
var clusterCheckNames = []string{"cluster", "corosync", "quorum-policy", "nodes", "unmanaged", "leftovers", "failures", "haproxy-clone", "address-colocation", "monitors",
	"operation-timeouts", "recovery", "resource-agents", "corosync-timing", "corosync-reloaded", "corosync-nodes", "corosync-quorum", "clock-skew", "firewall-corosync", "firewall-listeners"}

// diagnosed is what hawser doctor finds of the checks that are provoked here.
func (c *cluster) diagnosed(t *testing.T) ([]doctor.Finding, error) {
	r, _, err := c.examined(t.Context())
	return slices.DeleteFunc(r.Findings, func(f doctor.Finding) bool { return !slices.Contains(clusterCheckNames, f.Check) }), err
}

// healthy waits until hawser doctor finds nothing of that any more.
func (c *cluster) healthy(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "hawser doctor finds nothing wrong with the cluster", func() error {
		found, err := c.diagnosed(t)
		if err == nil && len(found) > 0 {
			err = fmt.Errorf("%+v", found)
		}
		return err
	})
}

// TestDoctorOfTheCluster breaks a running cluster, sees hawser doctor name it, runs the commands that it gives, and sees it gone.
func TestDoctorOfTheCluster(t *testing.T) {
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, tutorialYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.serves(t)
	c.healthy(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/corosync/corosync.conf", "/etc/corosync/corosync.conf.kept")
		t.Cleanup(func() {
			_, _ = c.try(n.Name, "mv", "/etc/corosync/corosync.conf.kept", "/etc/corosync/corosync.conf")
			_, _ = c.try(n.Name, "nft", "flush", "ruleset")
		})
	}
	reversed := `printf '%s\n' 'colocation FloatIP-haproxy INFINITY: haproxy-clone FloatIP' | hawser configure load update -`
	for _, b := range []struct {
		name, breaking, check, says string
		fix                         []string // in place of the finding's own, which are about several nodes
	}{
		{"moved with crm_resource", "crm_resource --move --resource FloatIP --node lb-3", "leftovers", "bound to lb-3", nil},
		{"banned", "crm_resource --ban --resource FloatIP --node lb-2", "leftovers", "banned from lb-2", nil},
		{"a failure", "crm_resource --fail --resource FloatIP --node $(crm_resource --resource FloatIP --locate --quiet)", "failures", "FloatIP has failed on", nil},
		{"standby", "crm_standby --node lb-2 --update on", "nodes", "lb-2 is in standby", nil},
		{"maintenance of a node", "crm_attribute --node lb-3 --name maintenance --update true", "nodes", "lb-3 is in maintenance", nil},
		{"maintenance", "crm_attribute --name maintenance-mode --update true", "unmanaged", "maintenance mode", nil},
		{"unmanaged", "crm_resource --resource haproxy-clone --meta --set-parameter is-managed --parameter-value false", "unmanaged", "haproxy-clone is not managed", nil},
		{"stopped", "crm_resource --resource FloatIP --meta --set-parameter target-role --parameter-value Stopped", "unmanaged", "FloatIP is kept stopped", nil},
		{"quorum is ignored", "crm_attribute --name no-quorum-policy --update ignore", "quorum-policy", "ignore", nil},
		{"not interleaved", "crm_resource --resource haproxy-clone --meta --delete-parameter interleave", "haproxy-clone", "not interleaved", nil},
		{"the colocation reversed", reversed, "address-colocation", "wrong way round", nil},
		{"no colocation", "cibadmin --delete --xpath \"//obj_ref[@id='FloatIP-haproxy']\"; hawser configure delete FloatIP-haproxy", "address-colocation", "no colocation", nil},
		{"a slow monitor", "cibadmin --modify --allow-create --xml-text \"<op id='haproxy-monitor-15s' name='monitor' interval='2min' timeout='20s'/>\"", "monitors", "every 2min", nil},
		{"votes", "corosync-quorumtool -e 5", "corosync-quorum", "expects 5 votes", []string{"corosync-quorumtool -e 3"}},
		{"edited and not reloaded", "sed -i 's/token: 300/token: 1000/' /etc/corosync/corosync.conf", "corosync-reloaded", "totem.token", []string{"cp /etc/corosync/corosync.conf.kept /etc/corosync/corosync.conf"}},
		{"a packet filter", "nft add table inet f; nft add chain inet f i '{ type filter hook input priority 0; }'; nft add rule inet f i tcp dport 80 drop", "firewall-listeners", "TCP port 80", nil},
		{"an answer only", "nft add table inet g; nft add chain inet g i '{ type filter hook input priority 0; }'; nft add rule inet g i udp dport 5405 ct state new drop", "firewall-corosync", "only as answers", nil},
	} {
		t.Run(b.name, func(t *testing.T) {
			c.run(t, "lb-1", "sh", "-ec", b.breaking)
			var fix []string
			eventually(t, time.Minute, "hawser doctor names it", func() error {
				found, err := c.diagnosed(t)
				if err != nil {
					return err
				}
				fix = nil
				for _, f := range found {
					if f.Check == b.check && strings.Contains(f.What, b.says) {
						fix = append(fix, f.Fix...)
					}
				}
				if len(fix) == 0 {
					return fmt.Errorf("it finds %+v", found)
				}
				return nil
			})
			if b.fix != nil {
				fix = b.fix
			}
			for _, command := range fix {
				c.run(t, "lb-1", "sh", "-ec", command)
			}
			c.healthy(t)
			c.serves(t)
		})
	}
}

// TestEncryptionAsTheDoctorSays turns Corosync's encryption on with the commands of the finding, in the running cluster.
func TestEncryptionAsTheDoctorSays(t *testing.T) {
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/corosync/corosync.conf", "/etc/corosync/corosync.conf.kept")
	}
	t.Cleanup(func() {
		for _, n := range c.Nodes(lab.Balancer) {
			c.run(t, n.Name, "mv", "/etc/corosync/corosync.conf.kept", "/etc/corosync/corosync.conf")
		}
		c.run(t, "lb-1", "corosync-cfgtool", "-R")
		c.allOnline(t)
	})
	var fix []string
	encryption := func() []string {
		r, _, err := c.examined(t.Context())
		require.NoError(t, err)
		for _, f := range r.Findings {
			if f.Check == "corosync-encryption" {
				return f.Fix
			}
		}
		return nil
	}
	fix = encryption()
	require.Len(t, fix, 3)
	c.run(t, "lb-1", "sh", "-ec", fix[0])
	key := c.run(t, "lb-1", "base64", "-w0", "/etc/corosync/authkey")
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "sh", "-ec", "umask 077; echo "+key+" | base64 -d >/etc/corosync/authkey.new; mv /etc/corosync/authkey.new /etc/corosync/authkey")
		c.run(t, n.Name, "sh", "-ec", fix[1])
	}
	c.run(t, "lb-1", "sh", "-ec", fix[2])
	eventually(t, 30*time.Second, "the encryption is on", func() error {
		if left := encryption(); left != nil {
			return fmt.Errorf("%q", left)
		}
		return nil
	})
	c.allOnline(t)
}
