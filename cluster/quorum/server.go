package quorum

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// serverDB is where corosync-qnetd has its certificates; its corosync-qnetd-certutil makes them.
const serverDB = "/etc/corosync/qnetd/nssdb"

// Server is what was found where corosync-qnetd is.
type Server struct {
	Host, Hostname string
	Addresses      []string
	// Installed says whether corosync-qnetd is; Running whether it answers, and Said what its tool
	// said if not.
	Installed, Running bool
	Said               string
	// CA is its CA; nil if it has none yet.
	CA *x509.Certificate
	// Signed says that it has signed a certificate for a cluster of this name before.
	Signed bool
	// Clients are the nodes of a cluster of this name that it hears from.
	Clients []Client
	// Corosync says that a Corosync runs there.
	Corosync bool
}

// Client is a node that corosync-qnetd hears from.
type Client struct{ ID, Address, Nodes string }

// askServer prints what is to be known of corosync-qnetd; NAME is the cluster's.
const askServer = machines.Marks + `
s hostname; uname -n
s addresses; ip -o addr show 2>/dev/null | awk '{sub("/.*", "", $4); print $4}'
s installed; command -v corosync-qnetd-certutil
s running; timeout 10 corosync-qnetd-tool -s >/dev/null 2>&1 && echo yes
s said; timeout 10 corosync-qnetd-tool -s 2>&1 >/dev/null
s ca; certutil -L -d ` + serverDB + ` -n "` + machines.CANickname + `" -a 2>/dev/null
s signed; [ -s ` + serverDB + `/cluster-NAME.crt ] && echo yes
s clients; timeout 10 corosync-qnetd-tool -l -v -c NAME 2>/dev/null
s corosync; pidof corosync
s end; :`

// AskServer asks the machine on which corosync-qnetd is. soFar is what its error says of what has been
// changed.
func AskServer(ctx context.Context, on machines.Shell, host, cluster, soFar string) (Server, error) {
	parts, err := machines.Ask(ctx, on, host,
		strings.ReplaceAll(askServer, "NAME", machines.Quote(cluster)))
	if err != nil {
		return Server{}, outcome.Errorf(outcome.Unavailable, "%w\nhawser signs the "+
			"cluster's certificate on %s. Say with --ssh how it is reached, or with --print see what to "+
			"type yourself; %s", err, host, soFar)
	}
	yes := func(part string) bool { return strings.TrimSpace(parts[part]) != "" }
	return Server{
		Host: host, Hostname: strings.TrimSpace(parts["hostname"]),
		Addresses: strings.Fields(parts["addresses"]), Installed: yes("installed"),
		Running: yes("running"), Said: strings.TrimSpace(parts["said"]),
		CA: machines.Certificate(parts["ca"]), Signed: yes("signed"), Corosync: yes("corosync"),
		Clients: parseClients(parts["clients"]),
	}, nil
}

// parseClients reads what `corosync-qnetd-tool -l -c NAME` prints.
func parseClients(text string) []Client {
	var all []Client
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		id, isNode := strings.CutPrefix(name, "Node ID ")
		switch {
		case !ok:
		case isNode:
			all = append(all, Client{ID: id})
		case len(all) == 0:
		case name == "Client address":
			all[len(all)-1].Address = value
		case name == "Configured node list":
			all[len(all)-1].Nodes = value
		}
	}
	return all
}

// usable is nil if a device can be there for the cluster.
func (s Server) usable(c machines.Cluster, ids []string) error {
	for _, n := range c.Nodes {
		for _, a := range n.Addresses {
			ip, err := netip.ParseAddr(a)
			if err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
				continue
			}
			if slices.Contains(s.Addresses, a) {
				return refuse("%s has the address %s, as %s of this cluster has: the vote is worth "+
					"something "+
					"at a third place only, on a machine that is none of the nodes", s.Host, a, n.Name)
			}
		}
	}
	switch {
	case !s.Installed:
		return refuse("corosync-qnetd is not installed on %s: `apt-get install corosync-qnetd` there, or "+
			"`dnf install corosync-qnetd`", s.Host)
	case s.CA != nil && !s.Running:
		return outcome.Errorf(outcome.Unavailable, "corosync-qnetd does not run on %s: "+
			"%s\n`systemctl enable "+
			"--now corosync-qnetd` there; nothing was changed", s.Host, s.Said)
	}
	return s.free(c, ids)
}

// free is nil if no other cluster of this name is heard there: corosync-qnetd tells clusters apart
// by their names alone.
func (s Server) free(c machines.Cluster, ids []string) error {
	connected := map[string]bool{}
	for _, n := range c.Nodes {
		if n.QDevice != nil && n.QDevice.Connected() {
			connected[n.Name] = true
		}
	}
	for _, client := range s.Clients {
		known := slices.Contains(ids, client.ID) && len(connected) > 0 &&
			client.Nodes == strings.Join(ids, ", ")
		if !known {
			return refuse("%s already hears from a cluster called %s: its node %s, from %s. corosync-qnetd "+
				"tells clusters apart by their names alone. Give this one another cluster_name in %s, which "+
				"needs a restart of the cluster, or remove the device of the "+
				"other", s.Host, c.Name, client.ID,
				client.Address, corosync.ConfFile)
		}
	}
	return nil
}

// inNodelist says why a host is one of the nodes, "" if it is none.
func inNodelist(ctx context.Context, host string, nodes []corosync.Member) string {
	addresses := []string{host}
	if ip, err := netip.ParseAddr(host); err == nil {
		addresses = []string{ip.Unmap().String()}
	} else if found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err == nil {
		for _, ip := range found {
			addresses = append(addresses, ip.Unmap().String())
		}
	}
	for _, m := range nodes {
		if strings.EqualFold(host, m.Name) {
			return "is a node of this cluster"
		}
		for _, a := range m.Addresses {
			if slices.Contains(addresses, a) {
				return "is " + m.Label() + ", a node of this cluster"
			}
		}
	}
	return ""
}
