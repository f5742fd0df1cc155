package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// defaultConfigs is where hawser.yaml is looked for when the command line names no file.
var defaultConfigs = []string{"hawser.yaml", "/etc/hawser/hawser.yaml"}

// config is what hawser.yaml says. Values that the file does not give are "" (or 0): the agents have their own defaults, and what is
// not said is not written to the cluster.
type config struct {
	file    string
	fencing fencingConfig
	haproxy haproxyConfig
	ips     []floatingIP
}

type haproxyConfig struct {
	at                  position
	config              string // absolute path of a file or a directory
	configAt            position
	binary              string // absolute path
	extra               string // further arguments, quoted as for a shell
	monitor             string // as Pacemaker reads a length of time
	check               checkConfig
	minServers          int
	minServersGiven     bool
	stopGrace           string
	keeper              string // "true", "false", "" if not given
	maxCrashes          int    // 0 if not given
	crashWindow         string
	unit                string // a service, or "none"; "" if not given
	anchorIP, privateIP string
	metadataURL         string
	env                 []string // of a HAProxy that runs here, instead of what stands in for it
}

type checkConfig struct{ url, timeout, every string }

type floatingIP struct {
	at          position
	name        string
	nameAt      position
	ip          netip.Addr
	provider    string
	tokenFile   string
	tokenFileAt position
	nic         string
	netmask     int // length of the prefix; 0 if not given
	apiURL      string
	metadataURL string
	monitor     string
}

// crashesKept is how many crashes the agent remembers, and so the most that it can count.
const crashesKept = 20

const defaultMonitor = "15s" // the tutorial's

// Providers of floating addresses.
const (
	digitalocean = "digitalocean"
	lan          = "lan"
)

// loadConfig reads the file, or the first of the default files that exists if path is "". Its error is a *faultList if the file could be
// read. What the file refers to is looked at by checkNode.
func loadConfig(path string) (*config, error) {
	candidates := []string{path}
	if path == "" {
		candidates = defaultConfigs
	}
	for _, file := range candidates {
		text, err := os.ReadFile(file)
		switch {
		case err == nil:
			return parseConfig(file, text)
		case path == "" && errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, fs.ErrPermission):
			return nil, usagef("%s cannot be read: permission denied%s", file, rootHint())
		default:
			return nil, usagef("%s cannot be read: %v: name the file with -f", file, cause(err))
		}
	}
	return nil, usagef("there is no %s: write one (`hawser --help` shows an example), or name it with -f", strings.Join(defaultConfigs, " and no "))
}

// cause strips the operation and the path from an error of package os.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// parseConfig reads the text of a hawser.yaml; file names it in messages. All faults are reported at once, as a *faultList.
func parseConfig(file string, text []byte) (*config, error) {
	c := &config{file: file}
	d, body := parseDocument(file, text)
	if body != nil {
		haproxyGiven := false
		d.mapping(body, "",
			field{"haproxy", func(n ast.Node) { haproxyGiven = true; c.readHAProxy(d, n) }},
			field{"floating_ips", func(n ast.Node) { c.readIPs(d, n) }},
			field{"fencing", func(n ast.Node) { c.readFencing(d, n) }},
		)
		if !haproxyGiven && len(d.faults) == 0 {
			d.add(position{}, "the key haproxy is missing; it may be empty (`haproxy: {}`), HAProxy then runs with /etc/haproxy/haproxy.cfg")
		}
		c.checkNames(d)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *config) readHAProxy(d *document, n ast.Node) {
	h := &c.haproxy
	h.at = place(n)
	h.monitor = defaultMonitor
	d.mapping(n, "haproxy",
		field{"config", func(n ast.Node) { h.configAt = place(n); d.path(n, "haproxy.config", &h.config) }},
		field{"binary", func(n ast.Node) { d.path(n, "haproxy.binary", &h.binary) }},
		field{"extra", func(n ast.Node) { d.words(n, "haproxy.extra", &h.extra) }},
		field{"monitor", func(n ast.Node) { d.duration(n, "haproxy.monitor", &h.monitor) }},
		field{"check", func(n ast.Node) { h.readCheck(d, n) }},
		field{"min_servers", func(n ast.Node) {
			h.minServers, h.minServersGiven = d.number(n, "haproxy.min_servers", 0, 100000)
		}},
		field{"stop_grace", func(n ast.Node) { d.duration(n, "haproxy.stop_grace", &h.stopGrace) }},
		field{"keeper", func(n ast.Node) { d.onOff(n, "haproxy.keeper", &h.keeper) }},
		field{"max_crashes", func(n ast.Node) { h.maxCrashes, _ = d.number(n, "haproxy.max_crashes", 1, crashesKept) }},
		field{"crash_window", func(n ast.Node) { d.duration(n, "haproxy.crash_window", &h.crashWindow) }},
		field{"unit", func(n ast.Node) { d.service(n, "haproxy.unit", &h.unit) }},
		field{"anchor_ip", func(n ast.Node) { d.hostAddress(n, "haproxy.anchor_ip", &h.anchorIP) }},
		field{"private_ip", func(n ast.Node) { d.hostAddress(n, "haproxy.private_ip", &h.privateIP) }},
		field{"metadata_url", func(n ast.Node) { d.origin(n, "haproxy.metadata_url", &h.metadataURL) }},
	)
}

func (h *haproxyConfig) readCheck(d *document, n ast.Node) {
	from := place(n)
	before := len(d.faults)
	d.mapping(n, "haproxy.check",
		field{"url", func(n ast.Node) { d.url(n, "haproxy.check.url", &h.check.url) }},
		field{"timeout", func(n ast.Node) { d.duration(n, "haproxy.check.timeout", &h.check.timeout) }},
		field{"every", func(n ast.Node) { d.duration(n, "haproxy.check.every", &h.check.every) }},
	)
	if h.check.url == "" && len(d.faults) == before {
		d.add(from, "haproxy.check has no url: accepted is the address that is asked for through the balancer, such as http://127.0.0.1/health")
	}
}

func (c *config) readIPs(d *document, n ast.Node) {
	names, addresses := map[string]position{}, map[netip.Addr]position{}
	d.list(n, "floating_ips", func(i int, n ast.Node) {
		ip := floatingIP{at: place(n), monitor: defaultMonitor}
		ipAt := ip.read(d, n, fmt.Sprintf("floating_ips[%d]", i))
		if first, ok := names[ip.name]; ok && ip.name != "" {
			d.add(ip.nameAt, "the name %s is given twice: the first is in line %d", ip.name, first.line)
		}
		if first, ok := addresses[ip.ip]; ok && ip.ip.IsValid() {
			d.add(ipAt, "the address %s is given twice: the first is in line %d", ip.ip, first.line)
		}
		names[ip.name], addresses[ip.ip] = ip.nameAt, ipAt
		c.ips = append(c.ips, ip)
	})
}

// read returns where the address stands.
func (ip *floatingIP) read(d *document, n ast.Node, what string) (ipAt position) {
	const addressAccepted = "one IPv4 or IPv6 address such as 203.0.113.10"
	given := map[string]position{}
	mark := func(name string, read func(ast.Node)) field {
		return field{name, func(n ast.Node) { given[name] = place(n); read(n) }}
	}
	before := len(d.faults)
	d.mapping(n, what,
		mark("name", func(n ast.Node) { d.id(n, what+".name", &ip.name) }),
		mark("ip", func(n ast.Node) { d.address(n, what+".ip", addressAccepted, &ip.ip) }),
		mark("provider", func(n ast.Node) { d.choice(n, what+".provider", &ip.provider, digitalocean, lan) }),
		mark("token_file", func(n ast.Node) { ip.tokenFileAt = place(n); d.path(n, what+".token_file", &ip.tokenFile) }),
		mark("nic", func(n ast.Node) { d.nic(n, what+".nic", &ip.nic) }),
		mark("cidr_netmask", func(n ast.Node) { ip.netmask, _ = d.number(n, what+".cidr_netmask", 1, 128) }),
		mark("api_url", func(n ast.Node) { d.origin(n, what+".api_url", &ip.apiURL) }),
		mark("metadata_url", func(n ast.Node) { d.origin(n, what+".metadata_url", &ip.metadataURL) }),
		mark("monitor", func(n ast.Node) { d.duration(n, what+".monitor", &ip.monitor) }),
	)
	whole := len(d.faults) == before
	for _, required := range []string{"name", "ip"} {
		if _, ok := given[required]; !ok && whole {
			d.add(ip.at, "%s has no %s", what, required)
		}
	}
	if ip.provider == "" {
		ip.provider = digitalocean
	}
	foreign := map[string][]string{digitalocean: {"nic", "cidr_netmask"}, lan: {"token_file", "api_url", "metadata_url"}}
	for _, key := range foreign[ip.provider] {
		if at, ok := given[key]; ok {
			d.add(at, "%s.%s means nothing to the provider %s: leave it out", what, key, ip.provider)
		}
	}
	if _, ok := given["token_file"]; !ok && ip.provider == digitalocean && whole {
		d.add(ip.at, "%s has no token_file: accepted is the path of a file with the API token, readable by root only (the provider is digitalocean; for an address of the local network write `provider: lan`)", what)
	}
	if ip.ip.Is4() && ip.netmask > 32 {
		d.add(given["cidr_netmask"], "%s.cidr_netmask is %d: accepted is 1 to 32 for an IPv4 address", what, ip.netmask)
	}
	ip.nameAt = given["name"]
	return given["ip"]
}

// checkNames refuses names that collide with those of the objects that hawser makes.
func (c *config) checkNames(d *document) {
	taken := map[string]string{}
	for _, id := range []string{haproxyID, cloneID, tagID, beforeID, fenceID} {
		taken[id] = "hawser's own"
	}
	for i, ip := range c.ips {
		if ip.name == "" {
			continue
		}
		taken[constraintID(ip.name)] = "the constraint of " + ip.name
		for _, other := range c.ips[:i] {
			taken[apartID(other.name, ip.name)] = "the constraint that keeps " + other.name + " and " + ip.name + " apart"
		}
	}
	for _, ip := range c.ips {
		if owner, ok := taken[ip.name]; ok {
			d.add(ip.nameAt, "the name %s is taken: it is %s", ip.name, owner)
		}
	}
}
