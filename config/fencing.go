package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/contract"
)

// FencingWay is what hawser.yaml says about fencing.
type FencingWay int

// What hawser.yaml may say about fencing.
const (
	FencingUnset   FencingWay = iota // what the cluster has, if Pacemaker would start anything
	FencingOff                       // missing fencing is accepted
	FencingOn                        // fencing is demanded; others have configured the devices
	FencingSBD                       // unreachable nodes are left to their watchdogs
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
	// sbdWatchdog is the default SBD_WATCHDOG_TIMEOUT, both sbd's own and that of its package's
	// /etc/default/sbd.
	sbdWatchdog = "5s"
	// fencingMonitor is how often the device is checked for whether it could fence: one API
	// request. It finds an expired token before a split does.
	fencingMonitor = "5min"
	// fencingDelay is the head start of the node that holds the address when the only two nodes
	// lose sight of each other: longer than a cloud takes from the request until the droplet is
	// off.
	fencingDelay = "15s"
)

const fencingExpected = "off (a cluster without fencing will do), on (the cluster's own fencing " +
	"devices are required), sbd (the nodes' watchdogs), or a mapping with the key sbd or droplet"

func (f *Fencing) keys() []key {
	return []key{
		{
			name: "sbd",
			kind: mapping(f.sbdKeys()...),
			doc: "SBD without a disk: three nodes, or two and a quorum device; sbd.service on " +
				"each",
		},
		{
			name: "droplet",
			kind: mapping(f.Droplet.keys()...),
			at:   &f.Droplet.At,
			doc:  "the device fence-droplet, which switches DigitalOcean's droplets off and on",
		},
	}
}

func (f *Fencing) sbdKeys() []key {
	return []key{
		{
			name: "watchdog_timeout",
			kind: wholeSeconds(&f.Watchdog), // sbd(8): -1 N, in seconds
			doc: "SBD_WATCHDOG_TIMEOUT of the nodes, in whole seconds; an unreachable node " +
				"counts as " +
				"down after twice that",
			def:     sbdWatchdog,
			written: true,
			effect:  nothing,
		},
	}
}

// Params returns the parameters of the agent fence_droplet.
func (p *DropletFencing) Params() []Param { return params(p.keys()) }

func (p *DropletFencing) keys() []key {
	return []key{
		{
			name: "token_file",
			kind: secretPath(&p.TokenFile),
			at:   &p.TokenFileAt,
			doc:  "a file with an API token that may do so, mode 0600, on every node",
			hint: "expected the path of a file with an API token that may read droplets and " +
				"switch " +
				"them off and on, readable by root only",
			required: true,
			param:    contract.ParamTokenFile,
			effect:   nothing,
		},
		{
			name:      "droplets",
			kind:      droplets(&p.Droplets),
			at:        &p.DropletsAt,
			doc:       "which droplet each node is, node: id or name",
			otherwise: "the droplet with the node's name",
			effect:    nothing,
		},
		{
			name:   "tag",
			kind:   dropletTag(&p.Tag),
			doc:    "only droplets with this tag",
			param:  contract.ParamTag,
			effect: nothing,
		},
		{
			name:    "delay",
			kind:    lengthOrNone(&p.Delay),
			doc:     "two nodes: the head start of the one that holds the address; 0 for none",
			def:     fencingDelay,
			written: true,
			effect:  nothing,
		},
		{
			name:    "monitor",
			kind:    length(&p.Monitor),
			doc:     "how often the cloud is asked whether the token works",
			def:     fencingMonitor,
			written: true,
			effect:  nothing,
		},
		{
			name:   "api_url",
			kind:   safeOrigin(&p.APIURL),
			doc:    "another API, scheme://host:port",
			def:    contract.DefaultAPIURL,
			param:  contract.ParamAPIURL,
			effect: nothing,
		},
		{
			name:   "metadata_url",
			kind:   origin(&p.MetadataURL),
			doc:    "another metadata service, scheme://host:port",
			def:    contract.DefaultMetadataURL,
			param:  contract.ParamMetadataURL,
			effect: nothing,
		},
	}
}

// kind reads the section, which is a word or a mapping.
func (f *Fencing) kind() kind {
	keys := f.keys()
	ways := section(keys).with(schema{"type": "object", "minProperties": 1, "maxProperties": 1})
	return kind{
		words: fencingExpected,
		keys:  keys,
		read:  f.read,
		schema: schema{"anyOf": []schema{
			{"type": "boolean"},
			{
				"type":    "string",
				"pattern": anyCase("off", "false", "no", "on", "true", "yes", "existing", "sbd"),
			},
			ways,
		}},
	}
}

func (f *Fencing) read(d *document, n ast.Node, what string) {
	before := len(d.List)
	switch r := d.resolve(n).(type) {
	case nil:
	case *ast.MappingNode, *ast.MappingValueNode:
		given := d.section(r, what, f.keys())
		_, sbd := given["sbd"]
		_, droplet := given["droplet"]
		switch {
		case sbd && droplet:
			d.Add(f.At, "fencing has both sbd and droplet: expected one of them")
		case sbd:
			f.Way = FencingSBD
		case droplet:
			f.Way = FencingDroplet
		case len(d.List) == before:
			d.Add(f.At, "fencing is empty: expected %s", fencingExpected)
		}
	default:
		f.readWord(d, n)
	}
}

func (f *Fencing) readWord(d *document, n ast.Node) {
	word, at, ok := d.scalar(n, "fencing", fencingExpected)
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
		setDefaults(f.sbdKeys(), nil)
	case "droplet":
		d.Add(at, "fencing is droplet, without the token_file that it needs: write "+
			"`fencing: {droplet: {token_file: /etc/hawser/fence-token}}`")
	default:
		d.Add(at, "fencing is %q: expected %s", word, fencingExpected)
	}
}

// The names of nodes and of droplets, as far as pcmk_host_map, "node:droplet;node:droplet", can
// hold them.
var (
	nodePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	dropletPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	tagPattern     = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,255}$`) // the API's own rule
)

func dropletTag(to *string) kind {
	return one(
		"the tag of droplets: letters, digits, colons, dashes and underscores",
		to,
		matching(tagPattern, "is not a tag: write letters, digits, colons, dashes and underscores"),
	).
		with(schema{"pattern": tagPattern.String()})
}

const dropletExpected = "the id or the name of a droplet: letters, digits, dots and dashes"

// droplets is a mapping whose keys are the cluster's own words: the names of its nodes.
func droplets(to *[]NodeDroplet) kind {
	return kind{
		words: "a mapping, node: droplet",
		read:  func(d *document, n ast.Node, what string) { readDroplets(d, n, what, to) },
		schema: schema{
			"type":          []string{"object", "null"},
			"propertyNames": schema{"pattern": nodePattern.String()},
			"additionalProperties": schema{
				"type": []string{
					"string",
					"integer",
				},
				"pattern": dropletPattern.String(),
				"minimum": 0,
			},
		},
	}
}

func readDroplets(d *document, n ast.Node, what string, to *[]NodeDroplet) {
	nodes, droplets := map[string]Position{}, map[string]Position{}
	d.entries(n, what, "node: droplet", func(node string, at Position, value ast.Node) {
		entry := fmt.Sprintf("%s.%s", what, node)
		if !nodePattern.MatchString(node) {
			d.Add(
				at,
				"%s cannot be the name of a node: write letters, digits, dots, dashes and "+
					"underscores",
				entry,
			)
			return
		}
		if first, ok := nodes[node]; ok {
			d.Add(at, "%s is given twice: the first is in line %d", entry, first.Line)
			return
		}
		nodes[node] = at
		droplet, from, ok := d.scalar(value, entry, dropletExpected)
		switch first, taken := droplets[droplet]; {
		case !ok:
		case !dropletPattern.MatchString(droplet):
			d.Add(from, "%s is %q: expected %s", entry, droplet, dropletExpected)
		case taken:
			d.Add(
				from,
				"%s: droplet %s is already assigned to another node (line %d): fencing one would "+
					"power off the other",
				entry,
				droplet,
				first.Line,
			)
		default:
			droplets[droplet] = from
			*to = append(*to, NodeDroplet{Node: node, Droplet: droplet, At: at})
		}
	})
}

// Plug returns what the fence agent gets for a node: its droplet's id or name.
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
