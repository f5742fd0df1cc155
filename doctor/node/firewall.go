package node

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/firewall"
)

// NIC is a network interface of this machine that is up.
type NIC struct {
	Name      string
	Index     int
	Loopback  bool
	Addresses []netip.Addr
}

// Links are Corosync's links as this node has them.
type Links struct {
	// Own are this node's addresses, by link, and Ports the UDP ports; Peers the other nodes, whose
	// addresses have the same order.
	Own   []netip.Addr
	Ports []uint16
	Peers []Peer
}

// Firewall is what the checks of this node's packet filter query.
type Firewall struct {
	// Node is this node's name.
	Node      string
	Rules     func() (*firewall.Ruleset, error)
	NICs      func() ([]NIC, error)
	Links     func(ctx context.Context) (Links, error)
	Listeners func(ctx context.Context) ([]inventory.Listener, error)
}

// Checks returns the checks of the packet filter.
func (f *Firewall) Checks() []doctor.Check {
	return []doctor.Check{
		{
			Name: "firewall-corosync", Node: f.Node,
			Short: "a packet filter of this node that blocks Corosync's messages",
			Worst: doctor.Error,
			Why: "the node does not find the others, or loses them when the filter forgets " +
				"that it spoke first",
			Remedy: "allow UDP 5405 (5406 for a second link) from the other nodes",
			Run:    f.here(f.checkCorosync),
		},
		{
			Name: "firewall-listeners", Node: f.Node,
			Short: "a packet filter of this node that blocks clients from HAProxy's ports",
			Worst: doctor.Error, Why: "the address is here and HAProxy runs, but nobody is served",
			Remedy: "allow the ports that haproxy.cfg binds", Run: f.here(f.checkListeners),
		},
	}
}

// here sets the node of the findings.
func (f *Firewall) here(check runFunc) runFunc {
	return func(ctx context.Context) ([]doctor.Finding, error) {
		found, err := check(ctx)
		return doctor.At(f.Node, found), err
	}
}

// rules reads the packet filter.
func (f *Firewall) rules() (*firewall.Ruleset, []NIC, []doctor.Finding, error) {
	rules, err := f.Rules()
	if err != nil {
		return nil, nil, nil, err
	}
	nics, err := f.NICs()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("this machine's network interfaces: %w", err)
	}
	var found []doctor.Finding
	if rules.Legacy {
		found = append(found, doctor.Finding{
			Severity: doctor.Unknown, Subject: "iptables-legacy",
			What: "this node has rules of the older ip_tables, which are not read here",
			Why:  "they may block what nftables allows",
			Fix: []string{
				"iptables-legacy --list-rules",
				"update-alternatives --set iptables /usr/sbin/iptables-nft    # for those that " +
					"are written from now on",
			},
		})
	}
	return rules, nics, found, nil
}

func (f *Firewall) checkCorosync(ctx context.Context) ([]doctor.Finding, error) {
	rules, nics, found, err := f.rules()
	if err != nil {
		return nil, err
	}
	links, err := f.Links(ctx)
	if err != nil {
		return nil, fmt.Errorf("which addresses and ports Corosync has: %w", err)
	}
	for link, own := range links.Own {
		nic, there := nicOf(nics, own)
		if !there {
			continue // another check reports an address that is missing here
		}
		for _, p := range links.Peers {
			if link < len(p.Addresses) && p.Addresses[link].IsValid() {
				found = append(found, betweenNodes(rules, nic, own, p.Name, p.Addresses[link],
					links.Ports[link])...)
			}
		}
	}
	return found, nil
}

func nicOf(nics []NIC, address netip.Addr) (NIC, bool) {
	for _, n := range nics {
		if slices.Contains(n.Addresses, address) {
			return n, true
		}
	}
	return NIC{}, false
}

// betweenNodes judges Corosync's messages from and to one node. knet sends from the port it listens
// on.
func betweenNodes(
	rules *firewall.Ruleset, nic NIC, own netip.Addr, name string, peer netip.Addr, port uint16,
) []doctor.Finding {
	in := firewall.Packet{
		Protocol: firewall.UDP, From: peer, To: own, FromPort: port, Port: port,
		Interface: nic.Name, Index: nic.Index, IPv6: own.Is6(),
	}
	out := in
	out.Out, out.From, out.To = true, own, peer
	const why = "without Corosync's messages this node and that one do not see each other: each " +
		"goes on by itself, or stops everything because it has no quorum"
	what := fmt.Sprintf("Corosync's messages from %s (%v, UDP %d)", name, peer, port)
	var found []doctor.Finding
	switch j := rules.Judge(in); j.Answer {
	case firewall.Blocked:
		f := doctor.Finding{
			Severity: doctor.Error, Subject: portName(port, "udp"),
			What: what + " are dropped by the chain " + j.By.String(), Why: why,
			Fix: letIn(rules, j.By, "udp", peer, port),
		}
		in.Established = true
		if rules.Judge(in).Answer == firewall.Open {
			f.Severity, f.What = doctor.Warning, what+" are let in by the chain "+j.By.String()+
				" only as answers to this node's own"
			f.Why = "they pass while connection tracking remembers that this node spoke first: " +
				"when both nodes have such rules and its table is flushed or full, they lose " +
				"each other"
		}
		found = append(found, f)
	case firewall.Doubtful:
		found = append(found, doctor.Finding{
			Severity: doctor.Unknown, Subject: portName(port, "udp"),
			What: what + ": it is not clear whether the chain " + j.By.String() +
				" drops them: that depends on " + doubts(j),
			Why: why, Fix: []string{"nft list ruleset", "corosync-cfgtool -s"},
		})
	}
	switch j := rules.Judge(out); j.Answer {
	case firewall.Blocked:
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: portName(port, "udp"),
			What: fmt.Sprintf("Corosync's messages to %s (%v, UDP %d) are dropped by the chain %s",
				name, peer, port, j.By),
			Why: why,
			Fix: []string{
				insertRule(j.By,
					fmt.Sprintf("%s daddr %v udp dport %d accept", family(peer), peer, port)),
			},
		})
	case firewall.Doubtful:
		found = append(found, doctor.Finding{
			Severity: doctor.Unknown, Subject: portName(port, "udp"),
			What: fmt.Sprintf(
				"Corosync's messages to %s (%v, UDP %d): it is not clear whether the chain %s "+
					"drops them: that depends on %s",
				name, peer, port, j.By, doubts(j)),
			Why: why, Fix: []string{"nft list ruleset", "corosync-cfgtool -s"},
		})
	}
	return found
}

func (f *Firewall) checkListeners(ctx context.Context) ([]doctor.Finding, error) {
	rules, nics, _, err := f.rules() // the other check reports what is not read
	if err != nil {
		return nil, err
	}
	listeners, err := f.Listeners(ctx)
	if err != nil {
		return nil, fmt.Errorf("which ports HAProxy binds: %w", err)
	}
	var found []doctor.Finding
	seen := map[netip.AddrPort]bool{}
	for _, l := range listeners {
		if seen[l.At] || l.At.Port() == 0 || l.At.Addr().IsLoopback() {
			continue
		}
		seen[l.At] = true
		six := fromClients(rules, nics, l)
		if l.Both {
			four := fromClients(rules, nics, inventory.Listener{
				At: netip.AddrPortFrom(netip.IPv4Unspecified(), l.At.Port()), Place: l.Place,
			})
			for i := range six {
				six[i].What = "IPv6: " + six[i].What
				if six[i].Severity == doctor.Error && len(four) == 0 {
					six[i].Severity, six[i].Why = doctor.Warning, "clients of IPv6 are not "+
						"served, those of IPv4 are"
				}
			}
			found = append(found, four...)
		}
		found = append(found, six...)
	}
	return found, nil
}

// fromClients judges a client's first packet, on every interface through which it may come, and the
// answer to it.
func fromClients(rules *firewall.Ruleset, nics []NIC, l inventory.Listener) []doctor.Finding {
	p := firewall.Packet{Protocol: firewall.TCP, Port: l.At.Port(), IPv6: l.At.Addr().Is6()}
	if !l.At.Addr().IsUnspecified() {
		p.To = l.At.Addr()
	}
	var in, out []firewall.Judgement
	for _, n := range nics {
		if n.Loopback {
			continue
		}
		p.Interface, p.Index = n.Name, n.Index
		in = append(in, rules.Judge(p))
		back := firewall.Packet{
			Out: true, Protocol: firewall.TCP, From: p.To, FromPort: p.Port, Interface: n.Name,
			Index: n.Index, IPv6: p.IPv6, Established: true,
		}
		out = append(out, rules.Judge(back))
	}
	what := fmt.Sprintf("connections to TCP port %d, which HAProxy binds (%s),", l.At.Port(),
		l.Place)
	subject := portName(l.At.Port(), "tcp")
	switch j := firewall.Any(in...); {
	case j.Answer == firewall.Blocked:
		return []doctor.Finding{
			{
				Severity: doctor.Error, Subject: subject,
				What: what + " are dropped by the chain " + j.By.String(),
				Why:  "nobody is served there, although the address is here and HAProxy runs",
				Fix:  letIn(rules, j.By, "tcp", netip.Addr{}, l.At.Port()),
			},
		}
	case j.Answer == firewall.Doubtful &&
		slices.ContainsFunc(j.Doubts, func(d firewall.Doubt) bool { return d.Unread }):
		return []doctor.Finding{
			{
				Severity: doctor.Unknown, Subject: subject,
				What: what + " may be dropped by the chain " + j.By.String() +
					": that depends on " + doubts(j),
				Why: "what those rules do is not understood here",
				Fix: []string{"nft list ruleset"},
			},
		}
	case j.Answer == firewall.Doubtful:
		return []doctor.Finding{
			{
				Severity: doctor.Note, Subject: subject,
				What: what + " are let in for some and not for others by the chain " +
					j.By.String() + ": that depends on " + doubts(j),
				Why: "it may be meant so; those who are not let in wait until they give up",
				Fix: []string{"nft list ruleset"},
			},
		}
	}
	if j := firewall.Any(out...); j.Answer == firewall.Blocked {
		return []doctor.Finding{
			{
				Severity: doctor.Error, Subject: subject,
				What: "answers from TCP port " + strconv.Itoa(int(l.At.Port())) +
					" are dropped by the chain " + j.By.String(),
				Why: "clients wait for HAProxy until they give up",
				Fix: []string{insertRule(j.By, fmt.Sprintf("tcp sport %d accept", l.At.Port()))},
			},
		}
	}
	return nil
}

func portName(port uint16, protocol string) string { return fmt.Sprintf("%d/%s", port, protocol) }

func doubts(j firewall.Judgement) string {
	var words []string
	for _, d := range j.Doubts {
		if !slices.Contains(words, d.What) {
			words = append(words, d.What)
		}
	}
	return strings.Join(words, "; ")
}

func family(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "ip"
	}
	return "ip6"
}

// letIn returns the commands that let a packet in, those of the tool that wrote the rules. from may
// be the zero value, for anybody.
func letIn(
	rules *firewall.Ruleset, by firewall.Place, protocol string, from netip.Addr, port uint16,
) []string {
	switch rules.Manager() {
	case "ufw":
		if !from.IsValid() {
			return []string{fmt.Sprintf("ufw allow %d/%s", port, protocol)}
		}
		return []string{
			fmt.Sprintf("ufw allow proto %s from %v to any port %d", protocol, from, port),
		}
	case "firewalld":
		return []string{
			fmt.Sprintf("firewall-cmd --permanent --add-port=%d/%s", port, protocol),
			"firewall-cmd --reload",
		}
	}
	match := ""
	if by.IPTables() {
		tool := map[string]string{"ip": "iptables", "ip6": "ip6tables"}[by.Family]
		if from.IsValid() {
			match = fmt.Sprintf(" --source %v", from)
		}
		return []string{
			fmt.Sprintf("%s --table %s --insert %s --protocol %s%s --dport %d --jump ACCEPT", tool,
				by.Table, by.Chain, protocol, match, port),
			"netfilter-persistent save    # where that keeps the rules",
		}
	}
	if from.IsValid() {
		match = fmt.Sprintf("%s saddr %v ", family(from), from)
	}
	return []string{insertRule(by, fmt.Sprintf("%s%s dport %d accept", match, protocol, port))}
}

// insertRule returns the command that puts a rule before all others of the chain. Only the
// administrator knows in which file the rules are kept.
func insertRule(by firewall.Place, rule string) string {
	return "nft insert rule " + by.String() + " " + rule +
		"    # and the same into the file from which they are loaded, such as /etc/nftables.conf"
}
