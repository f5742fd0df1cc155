package main

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/ocf"
)

// fencingWay is what hawser.yaml says about fencing.
type fencingWay int

const (
	fencingUnsaid  fencingWay = iota // whatever the cluster has, as long as Pacemaker would start anything
	fencingOff                       // missing fencing is accepted
	fencingOn                        // fencing is demanded; others have configured the devices
	fencingSBD                       // lost nodes are left to their watchdogs
	fencingDroplet                   // droplets are switched off through the cloud's API
)

type fencingConfig struct {
	at       position
	way      fencingWay
	watchdog time.Duration // sbd: SBD_WATCHDOG_TIMEOUT of every node
	droplet  dropletConfig
}

type dropletConfig struct {
	at          position
	tokenFile   string
	tokenFileAt position
	droplets    []nodeDroplet // nil: by the nodes' names
	dropletsAt  position
	tag         string
	delay       string // "" is none
	monitor     string
	apiURL      string
	metadataURL string
}

// nodeDroplet says which droplet a node is.
type nodeDroplet struct {
	node    string
	droplet string // its id or its name
	at      position
}

const (
	// sbdWatchdog is SBD_WATCHDOG_TIMEOUT where nobody sets it, in sbd's own defaults and in its package's /etc/default/sbd.
	sbdWatchdog = 5 * time.Second
	// fencingMonitor is how often the device is asked whether it could fence: one API request. An expired token is found by it, not by a split.
	fencingMonitor = "5min"
	// fencingDelay is the head start of the node that holds the address when two nodes of two lose sight of each other: longer than a
	// cloud takes from the request to the droplet's end.
	fencingDelay = "15s"
)

const fencingAccepted = "off (a cluster without fencing is accepted), on (the cluster's own fencing devices are demanded), sbd (the nodes' watchdogs), " +
	"or a mapping with the key sbd or droplet"

func (c *config) readFencing(d *document, n ast.Node) {
	f := &c.fencing
	f.at = place(n)
	f.watchdog = sbdWatchdog
	before := len(d.faults)
	switch r := d.resolve(n).(type) {
	case nil:
		return
	case *ast.MappingNode, *ast.MappingValueNode:
		var given []string
		d.mapping(r, "fencing",
			field{"sbd", func(n ast.Node) { given = append(given, "sbd"); f.way = fencingSBD; f.readSBD(d, n) }},
			field{"droplet", func(n ast.Node) { given = append(given, "droplet"); f.way = fencingDroplet; f.droplet.read(d, n) }},
		)
		switch {
		case len(given) > 1:
			d.add(f.at, "fencing has both %s: accepted is one of them", strings.Join(given, " and "))
		case len(given) == 0 && len(d.faults) == before:
			d.add(f.at, "fencing says nothing: accepted is %s", fencingAccepted)
		}
		return
	}
	word, at, ok := d.scalar(n, "fencing", fencingAccepted)
	if !ok {
		return
	}
	switch strings.ToLower(word) {
	case "off", "false", "no":
		f.way = fencingOff
	case "on", "true", "yes", "existing":
		f.way = fencingOn
	case "sbd":
		f.way = fencingSBD
	case "droplet":
		d.add(at, "fencing is droplet, without the token_file that it needs: accepted is `fencing: {droplet: {token_file: /etc/hawser/fence-token}}`")
	default:
		d.add(at, "fencing is %q: accepted is %s", word, fencingAccepted)
	}
}

func (f *fencingConfig) readSBD(d *document, n ast.Node) {
	d.mapping(n, "fencing.sbd",
		field{"watchdog_timeout", func(n ast.Node) {
			var text string
			d.duration(n, "fencing.sbd.watchdog_timeout", &text)
			if text == "" {
				return
			}
			length, _ := ocf.ParseDuration(text)
			if length%time.Second != 0 || length < time.Second { // sbd(8): -1 N, in seconds
				d.add(place(n), "fencing.sbd.watchdog_timeout is %q: accepted are whole seconds, as SBD_WATCHDOG_TIMEOUT in /etc/default/sbd has them", text)
				return
			}
			f.watchdog = length
		}},
	)
}

func (p *dropletConfig) read(d *document, n ast.Node) {
	const what = "fencing.droplet"
	p.at = place(n)
	before := len(d.faults)
	p.monitor, p.delay = fencingMonitor, fencingDelay
	d.mapping(n, what,
		field{"token_file", func(n ast.Node) { p.tokenFileAt = place(n); d.path(n, what+".token_file", &p.tokenFile) }},
		field{"droplets", func(n ast.Node) { p.readDroplets(d, n) }},
		field{"tag", func(n ast.Node) { d.dropletTag(n, what+".tag", &p.tag) }},
		field{"delay", func(n ast.Node) {
			if i, ok := d.resolve(n).(*ast.IntegerNode); ok && i.GetToken().Value == "0" {
				p.delay = ""
				return
			}
			d.duration(n, what+".delay", &p.delay)
		}},
		field{"monitor", func(n ast.Node) { d.duration(n, what+".monitor", &p.monitor) }},
		field{"api_url", func(n ast.Node) { d.origin(n, what+".api_url", &p.apiURL) }},
		field{"metadata_url", func(n ast.Node) { d.origin(n, what+".metadata_url", &p.metadataURL) }},
	)
	if p.tokenFile == "" && len(d.faults) == before {
		d.add(p.at, "%s has no token_file: accepted is the path of a file with an API token that may read droplets and switch them off and on, readable by root only", what)
	}
}

// readDroplets reads a mapping whose keys are the cluster's own words: the names of its nodes.
func (p *dropletConfig) readDroplets(d *document, n ast.Node) {
	const (
		what     = "fencing.droplet.droplets"
		accepted = "the id or the name of a droplet: letters, digits, dots and dashes"
	)
	p.dropletsAt = place(n)
	nodes, droplets := map[string]position{}, map[string]position{}
	d.entries(n, what, "node: droplet", func(node string, at position, value ast.Node) {
		if !nodePattern.MatchString(node) {
			d.add(at, "%s.%s cannot be the name of a node: accepted are letters, digits, dots, dashes and underscores", what, node)
			return
		}
		if first, ok := nodes[node]; ok {
			d.add(at, "%s.%s is given twice: the first is in line %d", what, node, first.line)
			return
		}
		nodes[node] = at
		droplet, from, ok := d.scalar(value, what+"."+node, accepted)
		switch first, taken := droplets[droplet]; {
		case !ok:
		case !dropletPattern.MatchString(droplet):
			d.add(from, "%s.%s is %q: accepted is %s", what, node, droplet, accepted)
		case taken:
			d.add(from, "%s.%s is the droplet %s, which another node is already (line %d): fencing one of them would hit the other", what, node, droplet, first.line)
		default:
			droplets[droplet] = from
			p.droplets = append(p.droplets, nodeDroplet{node: node, droplet: droplet, at: at})
		}
	})
}
