package config

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/ocf"
)

// FencingWay is what hawser.yaml says about fencing.
type FencingWay int

const (
	FencingUnset   FencingWay = iota // whatever the cluster has, as long as Pacemaker would start anything
	FencingOff                       // missing fencing is accepted
	FencingOn                        // fencing is demanded; others have configured the devices
	FencingSBD                       // lost nodes are left to their watchdogs
	FencingDroplet                   // droplets are switched off through the cloud's API
)

// Fencing is the section fencing.
type Fencing struct {
	At       Position
	Way      FencingWay
	Watchdog time.Duration // sbd: SBD_WATCHDOG_TIMEOUT of every node
	Droplet  DropletFencing
}

// DropletFencing is fencing.droplet.
type DropletFencing struct {
	At          Position
	TokenFile   string
	TokenFileAt Position
	Droplets    []NodeDroplet // nil: by the nodes' names
	DropletsAt  Position
	Tag         string
	Delay       string // "" is none
	Monitor     string
	APIURL      string
	MetadataURL string
}

// NodeDroplet says which droplet a node is.
type NodeDroplet struct {
	Node    string
	Droplet string // its id or its name
	At      Position
}

const (
	// DefaultWatchdog is SBD_WATCHDOG_TIMEOUT where nobody sets it, in sbd's own defaults and in its package's /etc/default/sbd.
	DefaultWatchdog = 5 * time.Second
	// fencingMonitor is how often the device is asked whether it could fence: one API request. An expired token is found by it, not by a split.
	fencingMonitor = "5min"
	// fencingDelay is the head start of the node that holds the address when two nodes of two lose sight of each other: longer than a
	// cloud takes from the request to the droplet's end.
	fencingDelay = "15s"
)

const fencingAccepted = "off (a cluster without fencing is accepted), on (the cluster's own fencing devices are demanded), sbd (the nodes' watchdogs), " +
	"or a mapping with the key sbd or droplet"

func (c *File) readFencing(d *document, n ast.Node) {
	f := &c.Fencing
	f.At = place(n)
	f.Watchdog = DefaultWatchdog
	before := len(d.List)
	switch r := d.resolve(n).(type) {
	case nil:
		return
	case *ast.MappingNode, *ast.MappingValueNode:
		var given []string
		d.mapping(r, "fencing",
			field{"sbd", func(n ast.Node) { given = append(given, "sbd"); f.Way = FencingSBD; f.readSBD(d, n) }},
			field{"droplet", func(n ast.Node) { given = append(given, "droplet"); f.Way = FencingDroplet; f.Droplet.read(d, n) }},
		)
		switch {
		case len(given) > 1:
			d.Add(f.At, "fencing has both %s: accepted is one of them", strings.Join(given, " and "))
		case len(given) == 0 && len(d.List) == before:
			d.Add(f.At, "fencing says nothing: accepted is %s", fencingAccepted)
		}
		return
	}
	word, at, ok := d.scalar(n, "fencing", fencingAccepted)
	if !ok {
		return
	}
	switch strings.ToLower(word) {
	case "off", "false", "no":
		f.Way = FencingOff
	case "on", "true", "yes", "existing":
		f.Way = FencingOn
	case "sbd":
		f.Way = FencingSBD
	case "droplet":
		d.Add(at, "fencing is droplet, without the token_file that it needs: accepted is `fencing: {droplet: {token_file: /etc/hawser/fence-token}}`")
	default:
		d.Add(at, "fencing is %q: accepted is %s", word, fencingAccepted)
	}
}

func (f *Fencing) readSBD(d *document, n ast.Node) {
	d.mapping(n, "fencing.sbd",
		field{"watchdog_timeout", func(n ast.Node) {
			var text string
			d.duration(n, "fencing.sbd.watchdog_timeout", &text)
			if text == "" {
				return
			}
			length, _ := ocf.ParseDuration(text)
			if length%time.Second != 0 || length < time.Second { // sbd(8): -1 N, in seconds
				d.Add(place(n), "fencing.sbd.watchdog_timeout is %q: accepted are whole seconds, as SBD_WATCHDOG_TIMEOUT in /etc/default/sbd has them", text)
				return
			}
			f.Watchdog = length
		}},
	)
}

func (p *DropletFencing) read(d *document, n ast.Node) {
	const what = "fencing.droplet"
	p.At = place(n)
	before := len(d.List)
	p.Monitor, p.Delay = fencingMonitor, fencingDelay
	d.mapping(n, what,
		field{"token_file", func(n ast.Node) { p.TokenFileAt = place(n); d.path(n, what+".token_file", &p.TokenFile) }},
		field{"droplets", func(n ast.Node) { p.readDroplets(d, n) }},
		field{"tag", func(n ast.Node) { d.dropletTag(n, what+".tag", &p.Tag) }},
		field{"delay", func(n ast.Node) {
			if i, ok := d.resolve(n).(*ast.IntegerNode); ok && i.GetToken().Value == "0" {
				p.Delay = ""
				return
			}
			d.duration(n, what+".delay", &p.Delay)
		}},
		field{"monitor", func(n ast.Node) { d.duration(n, what+".monitor", &p.Monitor) }},
		field{"api_url", func(n ast.Node) { d.origin(n, what+".api_url", &p.APIURL) }},
		field{"metadata_url", func(n ast.Node) { d.origin(n, what+".metadata_url", &p.MetadataURL) }},
	)
	if p.TokenFile == "" && len(d.List) == before {
		d.Add(p.At, "%s has no token_file: accepted is the path of a file with an API token that may read droplets and switch them off and on, readable by root only", what)
	}
}

// readDroplets reads a mapping whose keys are the cluster's own words: the names of its nodes.
func (p *DropletFencing) readDroplets(d *document, n ast.Node) {
	const (
		what     = "fencing.droplet.droplets"
		accepted = "the id or the name of a droplet: letters, digits, dots and dashes"
	)
	p.DropletsAt = place(n)
	nodes, droplets := map[string]Position{}, map[string]Position{}
	d.entries(n, what, "node: droplet", func(node string, at Position, value ast.Node) {
		if !nodePattern.MatchString(node) {
			d.Add(at, "%s.%s cannot be the name of a node: accepted are letters, digits, dots, dashes and underscores", what, node)
			return
		}
		if first, ok := nodes[node]; ok {
			d.Add(at, "%s.%s is given twice: the first is in line %d", what, node, first.Line)
			return
		}
		nodes[node] = at
		droplet, from, ok := d.scalar(value, what+"."+node, accepted)
		switch first, taken := droplets[droplet]; {
		case !ok:
		case !dropletPattern.MatchString(droplet):
			d.Add(from, "%s.%s is %q: accepted is %s", what, node, droplet, accepted)
		case taken:
			d.Add(from, "%s.%s is the droplet %s, which another node is already (line %d): fencing one of them would hit the other", what, node, droplet, first.Line)
		default:
			droplets[droplet] = from
			p.Droplets = append(p.Droplets, NodeDroplet{Node: node, Droplet: droplet, At: at})
		}
	})
}

// Plug returns what the fence agent is given for a node: its droplet's id or name.
func (p *DropletFencing) Plug(node string) string {
	for _, n := range p.Droplets {
		if n.Node == node {
			return n.Droplet
		}
	}
	return node
}

// Place returns where the file says which droplet a node is.
func (p *DropletFencing) Place() Position {
	if p.Droplets != nil {
		return p.DropletsAt
	}
	return p.At
}
