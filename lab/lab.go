// Package lab runs a whole load-balancing set-up on one Linux machine: balancers with a real
// Corosync and Pacemaker, application servers with a real nginx, a client, and a simulated cloud
// that moves floating addresses between them (package lab/cloud). Each node is a set of namespaces
// with a root file system of its own over the machine's; switches and router live in namespaces
// too, so that the machine's own network, processes and files are not touched, and several labs can
// stand side by side.
//
// A node's PID 1, the cloud and the probe are this very program started again with a hidden first
// argument: a program that uses the package calls Reexec first thing in main (a test binary in
// TestMain).
//
// It imports leaves of internal and lab/cloud: it knows neither agents nor what hawser does with a
// cluster. Open lab.go first.
package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/lab/cloud"
)

// Root is the directory that holds one state directory for each lab.
const Root = "/run/hawser-lab"

// DefaultName is the name of a lab if none is given.
const DefaultName = "lab"

// Options of Up. The zero value is a lab of three balancers and two application servers.
type Options struct {
	// Name tells labs apart: lower-case letters, digits and dashes; DefaultName if empty.
	Name string
	// Nodes and Apps are how many balancers (1 to 32, 3 if zero) and application servers (1 to 32,
	// 2 if zero) there are.
	Nodes, Apps int
	// Sites has the balancers stand in several data centres, as many as these say in place of
	// Nodes; Apps is then the number of application servers of each. They serve HTTPS as well.
	Sites []Site
	// Qnetd is whether corosync-qnetd runs at a third place.
	Qnetd Qnetd
	// QnetdTimeout is how long the cluster waits for corosync-qnetd, three times as long while its
	// membership changes; corosync-qdevice's own 10 and 30 seconds if zero.
	QnetdTimeout time.Duration
	// Root is the directory whose root file system the nodes have, such as another version of
	// Debian that `make root` has made; the machine's own, /, if empty. The nodes change nothing in
	// it. Router and cloud are the machine's in any case.
	Root string
	// Overlay is a directory laid over that root file system in every node, as `make install
	// DESTDIR=` fills it. It is copied: what is installed into it later does not reach the
	// nodes.
	Overlay string
	// FloatingIPs are the addresses that the cloud has to offer; FloatingIP and FloatingIP6 if
	// empty. At first no node holds them.
	FloatingIPs []netip.Addr
	// ActionTime is how long the cloud takes to move an address; one second if zero. The real one
	// takes about eleven.
	ActionTime time.Duration
	// Totem says how long Corosync waits before it gives up a silent node; corosync.LAN if zero, with
	// a token of one second where corosync-qnetd votes.
	Totem corosync.Timing
	// Systemd has the machine's own systemd be PID 1 of the balancers and start Corosync and
	// Pacemaker by their units.
	Systemd bool
	// NoWait returns as soon as the nodes have booted, without waiting for the cluster to have
	// quorum and a DC.
	NoWait bool
	// Self is the program to start as PID 1 of the nodes; this program if empty. It must call
	// Reexec.
	Self string
	// Progress is called with a line for each step; it may be nil.
	Progress io.Writer
}

// Role is what a node is for.
type Role string

// The roles.
const (
	Balancer  Role = "balancer"
	AppServer Role = "application server"
	Customer  Role = "client"
)

// Node is one machine of the lab. Addresses that it does not have are invalid.
type Node struct {
	Name    string
	Role    Role
	Site    string `json:",omitempty"` // where it is, if the lab has sites
	Droplet int    // the balancer's id in the cloud, else 0
	// eth0 of a balancer, eth1 of the client: the public network, one Ethernet for all of them
	Public  netip.Prefix
	Public6 netip.Prefix
	// second address on eth0 of a balancer, behind which floating IPv4 addresses arrive
	Anchor  netip.Prefix
	Private netip.Prefix // eth1 of balancers and application servers
	// eth0 of the client: a network that reaches floating addresses through the cloud's router only
	Far  netip.Prefix
	Far6 netip.Prefix
}

// Spec is what a lab was made of. It is kept in the state directory.
type Spec struct {
	Name  string
	Nodes []Node
	Sites []Site `json:",omitempty"`
	Qnetd Qnetd  `json:",omitempty"`
	// QnetdTimeout is 0 for corosync-qdevice's own.
	QnetdTimeout time.Duration `json:",omitempty"`
	FloatingIPs  []netip.Addr
	Root         string `json:",omitempty"`
	Overlay      string
	ActionTime   time.Duration
	Totem        corosync.Timing
	Systemd      bool `json:",omitempty"`
	// Token is the API token in every balancer's /etc/hawser/token; NarrowToken lacks the scope
	// droplet:read.
	Token, NarrowToken string
	// CA is the certificate (PEM) under which the cloud also answers as
	// https://api.digitalocean.com; the balancers trust it.
	CA      string
	Started time.Time
}

// Lab is a lab that is up, or was when it was opened.
type Lab struct {
	spec Spec
	dir  string
	self string
	out  io.Writer
}

// ErrNotFound says that there is no lab of that name.
var ErrNotFound = errors.New("no such lab")

// ErrExists says that there is a lab of that name already.
var ErrExists = errors.New("the lab exists already")

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

func stateDir(name string) (string, error) {
	if !validName.MatchString(name) {
		return "", fmt.Errorf(
			"lab: the name %q: use at most 31 lower-case letters, digits and dashes, a dash not "+
				"first",
			name)
	}
	return filepath.Join(Root, name), nil
}

// Open returns the lab of that name (DefaultName if empty). The error is ErrNotFound if there is
// none, and says what to do if only its remains are there.
func Open(name string) (*Lab, error) {
	if name == "" {
		name = DefaultName
	}
	dir, err := stateDir(name)
	if err != nil {
		return nil, err
	}
	l := &Lab{dir: dir, out: io.Discard}
	b, err := os.ReadFile(l.path("lab.json"))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(dir); err == nil {
			return nil, fmt.Errorf(
				"lab: %q was never completed; `hawser-lab --name %s down` clears its remains "+
					"away: %w",
				name, name, ErrNotFound)
		}
		return nil, fmt.Errorf("lab: %q: %w; `hawser-lab --name %s up` makes it", name, ErrNotFound,
			name)
	}
	if err != nil {
		return nil, fmt.Errorf("lab: open %q: %w", name, err)
	}
	if err := json.Unmarshal(b, &l.spec); err != nil {
		return nil, fmt.Errorf("lab: open %q: %s: %w", name, l.path("lab.json"), err)
	}
	return l, nil
}

// Spec returns what the lab was made of.
func (l *Lab) Spec() Spec { return l.spec }

// Name returns the lab's name.
func (l *Lab) Name() string { return l.spec.Name }

// Node returns the node of that name.
func (l *Lab) Node(name string) (Node, error) {
	for _, n := range l.spec.Nodes {
		if n.Name == name {
			return n, nil
		}
	}
	var names []string
	for _, n := range l.spec.Nodes {
		names = append(names, n.Name)
	}
	return Node{}, fmt.Errorf("lab: no node %q in %q; it has %v", name, l.spec.Name, names)
}

// Nodes returns the nodes of the role, or all of them if the role is empty.
func (l *Lab) Nodes(r Role) []Node {
	return slices.DeleteFunc(slices.Clone(l.spec.Nodes),
		func(n Node) bool { return r != "" && n.Role != r })
}

func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

// Disk returns the directory that holds what the node has written to its disk since the lab came
// up.
func (l *Lab) Disk(node string) string { return l.path("nodes", node, "upper") }

// ConsoleLog returns the path of what the node's PID 1 and its services have printed.
func (l *Lab) ConsoleLog(node string) string { return l.path("nodes", node, "console.log") }

// CloudLog returns the path of the cloud's log: each switch of a node's power, and why one failed.
func (l *Lab) CloudLog() string { return l.path("cloud.log") }

// Cloud returns the control of the lab's cloud.
func (l *Lab) Cloud() *Cloud {
	return &Cloud{Client: cloud.Client{Socket: l.path("cloud.sock")}, lab: l}
}

func (l *Lab) say(format string, a ...any) {
	if l.out != nil && l.out != io.Discard {
		_, _ = fmt.Fprintf(l.out, "%6.1fs  %s\n", time.Since(l.spec.Started).Seconds(),
			fmt.Sprintf(format, a...))
	}
}
