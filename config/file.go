package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// DefaultFiles lists where hawser.yaml is looked for when no file is named.
func DefaultFiles() []string { return []string{"hawser.yaml", "/etc/hawser/hawser.yaml"} }

// File is what one hawser.yaml says. Values that it does not give are "" (or 0): the agents have
// their own defaults, and what is not said is not written to the cluster.
type File struct {
	Path      string // as it was named
	Fencing   Fencing
	HAProxy   HAProxy
	Addresses []Address // floating_ips
}

// HAProxy is the section haproxy.
type HAProxy struct {
	At                  Position
	Config              string // absolute path of a file or a directory
	ConfigAt            Position
	Binary              string // absolute path
	Extra               string // further arguments, quoted as for a shell
	Monitor             string // as Pacemaker reads a length of time
	Check               Check
	MinServers          int
	MinServersGiven     bool
	StopGrace           string
	Keeper              string // "true", "false", "" if not given
	MaxCrashes          int    // 0 if not given
	CrashWindow         string
	Unit                string // a service, or "none"; "" if not given
	AnchorIP, PrivateIP string
	MetadataURL         string
	Env                 []string // of a HAProxy that runs here, instead of what stands in for it; never in the file
}

// Check is haproxy.check, a request through the balancer.
type Check struct{ URL, Timeout, Every string }

// Address is one of floating_ips.
type Address struct {
	At          Position
	Name        string
	NameAt      Position
	IP          netip.Addr
	Provider    string
	TokenFile   string
	TokenFileAt Position
	NIC         string
	Netmask     int // length of the prefix; 0 if not given
	APIURL      string
	MetadataURL string
	Monitor     string
}

// CrashesKept is how many crashes the agent remembers, and so the most that it can count.
const CrashesKept = 20

const defaultMonitor = "15s" // the tutorial's

// Providers of floating addresses.
const (
	DigitalOcean = "digitalocean"
	LAN          = "lan"
)

// A ReadError says why there is nothing to parse: the file, or each of the default ones, is missing
// or cannot be read.
type ReadError struct {
	Path string // "" if no file was named and none of the default ones is there
	Err  error
}

func (e *ReadError) Error() string {
	if e.Path == "" {
		return "there is no " + strings.Join(DefaultFiles(), " and no ")
	}
	reason := e.Err
	var path *fs.PathError
	if errors.As(e.Err, &path) {
		reason = path.Err // without the operation, and without the path once more
	}
	return fmt.Sprintf("%s cannot be read: %v", e.Path, reason)
}

func (e *ReadError) Unwrap() error { return e.Err }

// Read reads a hawser.yaml: the file at path or, if path is "", the first of DefaultFiles that
// exists. Its error is a *ReadError, or *Faults if the file could be read and something in it is
// wrong. Whether the files that it names exist is not looked at.
func Read(path string) (*File, error) {
	candidates := []string{path}
	if path == "" {
		candidates = DefaultFiles()
	}
	for _, file := range candidates {
		text, err := os.ReadFile(file)
		switch {
		case err == nil:
			return Parse(file, text)
		case path == "" && errors.Is(err, fs.ErrNotExist):
			continue
		}
		return nil, &ReadError{Path: file, Err: err}
	}
	return nil, &ReadError{Err: fs.ErrNotExist}
}

// Parse reads the text of a hawser.yaml; path names it in messages. Its error is *Faults, with
// everything that is wrong at once.
func Parse(file string, text []byte) (*File, error) {
	c := &File{Path: file}
	d, body := parseDocument(file, text)
	if body != nil {
		haproxyGiven := false
		d.mapping(body, "",
			field{"haproxy", func(n ast.Node) { haproxyGiven = true; c.readHAProxy(d, n) }},
			field{"floating_ips", func(n ast.Node) { c.readIPs(d, n) }},
			field{"fencing", func(n ast.Node) { c.readFencing(d, n) }},
		)
		if !haproxyGiven && len(d.List) == 0 {
			d.Add(Position{}, "the key haproxy is missing; it may be empty (`haproxy: {}`), HAProxy then runs with /etc/haproxy/haproxy.cfg")
		}
		c.checkNames(d)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *File) readHAProxy(d *document, n ast.Node) {
	h := &c.HAProxy
	h.At = place(n)
	h.Monitor = defaultMonitor
	d.mapping(n, "haproxy",
		field{"config", func(n ast.Node) { h.ConfigAt = place(n); d.path(n, "haproxy.config", &h.Config) }},
		field{"binary", func(n ast.Node) { d.path(n, "haproxy.binary", &h.Binary) }},
		field{"extra", func(n ast.Node) { d.words(n, "haproxy.extra", &h.Extra) }},
		field{"monitor", func(n ast.Node) { d.duration(n, "haproxy.monitor", &h.Monitor) }},
		field{"check", func(n ast.Node) { h.readCheck(d, n) }},
		field{"min_servers", func(n ast.Node) {
			h.MinServers, h.MinServersGiven = d.number(n, "haproxy.min_servers", 0, 100000)
		}},
		field{"stop_grace", func(n ast.Node) { d.duration(n, "haproxy.stop_grace", &h.StopGrace) }},
		field{"keeper", func(n ast.Node) { d.onOff(n, "haproxy.keeper", &h.Keeper) }},
		field{"max_crashes", func(n ast.Node) { h.MaxCrashes, _ = d.number(n, "haproxy.max_crashes", 1, CrashesKept) }},
		field{"crash_window", func(n ast.Node) { d.duration(n, "haproxy.crash_window", &h.CrashWindow) }},
		field{"unit", func(n ast.Node) { d.service(n, "haproxy.unit", &h.Unit) }},
		field{"anchor_ip", func(n ast.Node) { d.hostAddress(n, "haproxy.anchor_ip", &h.AnchorIP) }},
		field{"private_ip", func(n ast.Node) { d.hostAddress(n, "haproxy.private_ip", &h.PrivateIP) }},
		field{"metadata_url", func(n ast.Node) { d.origin(n, "haproxy.metadata_url", &h.MetadataURL) }},
	)
}

func (h *HAProxy) readCheck(d *document, n ast.Node) {
	from := place(n)
	before := len(d.List)
	d.mapping(n, "haproxy.check",
		field{"url", func(n ast.Node) { d.url(n, "haproxy.check.url", &h.Check.URL) }},
		field{"timeout", func(n ast.Node) { d.duration(n, "haproxy.check.timeout", &h.Check.Timeout) }},
		field{"every", func(n ast.Node) { d.duration(n, "haproxy.check.every", &h.Check.Every) }},
	)
	if h.Check.URL == "" && len(d.List) == before {
		d.Add(from, "haproxy.check has no url: accepted is the address that is asked for through the balancer, such as http://127.0.0.1/health")
	}
}

func (c *File) readIPs(d *document, n ast.Node) {
	names, addresses := map[string]Position{}, map[netip.Addr]Position{}
	d.list(n, "floating_ips", func(i int, n ast.Node) {
		ip := Address{At: place(n), Monitor: defaultMonitor}
		ipAt := ip.read(d, n, fmt.Sprintf("floating_ips[%d]", i))
		if first, ok := names[ip.Name]; ok && ip.Name != "" {
			d.Add(ip.NameAt, "the name %s is given twice: the first is in line %d", ip.Name, first.Line)
		}
		if first, ok := addresses[ip.IP]; ok && ip.IP.IsValid() {
			d.Add(ipAt, "the address %s is given twice: the first is in line %d", ip.IP, first.Line)
		}
		names[ip.Name], addresses[ip.IP] = ip.NameAt, ipAt
		c.Addresses = append(c.Addresses, ip)
	})
}

// read returns where the address stands.
func (ip *Address) read(d *document, n ast.Node, what string) (ipAt Position) {
	const addressAccepted = "one IPv4 or IPv6 address such as 203.0.113.10"
	given := map[string]Position{}
	mark := func(name string, read func(ast.Node)) field {
		return field{name, func(n ast.Node) { given[name] = place(n); read(n) }}
	}
	before := len(d.List)
	d.mapping(n, what,
		mark("name", func(n ast.Node) { d.id(n, what+".name", &ip.Name) }),
		mark("ip", func(n ast.Node) { d.address(n, what+".ip", addressAccepted, &ip.IP) }),
		mark("provider", func(n ast.Node) { d.choice(n, what+".provider", &ip.Provider, DigitalOcean, LAN) }),
		mark("token_file", func(n ast.Node) { ip.TokenFileAt = place(n); d.path(n, what+".token_file", &ip.TokenFile) }),
		mark("nic", func(n ast.Node) { d.nic(n, what+".nic", &ip.NIC) }),
		mark("cidr_netmask", func(n ast.Node) { ip.Netmask, _ = d.number(n, what+".cidr_netmask", 1, 128) }),
		mark("api_url", func(n ast.Node) { d.origin(n, what+".api_url", &ip.APIURL) }),
		mark("metadata_url", func(n ast.Node) { d.origin(n, what+".metadata_url", &ip.MetadataURL) }),
		mark("monitor", func(n ast.Node) { d.duration(n, what+".monitor", &ip.Monitor) }),
	)
	whole := len(d.List) == before
	for _, required := range []string{"name", "ip"} {
		if _, ok := given[required]; !ok && whole {
			d.Add(ip.At, "%s has no %s", what, required)
		}
	}
	if ip.Provider == "" {
		ip.Provider = DigitalOcean
	}
	foreign := map[string][]string{DigitalOcean: {"nic", "cidr_netmask"}, LAN: {"token_file", "api_url", "metadata_url"}}
	for _, key := range foreign[ip.Provider] {
		if at, ok := given[key]; ok {
			d.Add(at, "%s.%s means nothing to the provider %s: leave it out", what, key, ip.Provider)
		}
	}
	if _, ok := given["token_file"]; !ok && ip.Provider == DigitalOcean && whole {
		d.Add(ip.At, "%s has no token_file: accepted is the path of a file with the API token, readable by root only (the provider is digitalocean; for an address of the local network write `provider: lan`)", what)
	}
	if ip.IP.Is4() && ip.Netmask > 32 {
		d.Add(given["cidr_netmask"], "%s.cidr_netmask is %d: accepted is 1 to 32 for an IPv4 address", what, ip.Netmask)
	}
	ip.NameAt = given["name"]
	return given["ip"]
}

// checkNames refuses names that collide with those of the objects that hawser makes.
func (c *File) checkNames(d *document) {
	taken := map[string]string{}
	for _, id := range []string{"haproxy", "haproxy-clone", "hawser", "hawser-before", "fence-droplet"} {
		taken[id] = "hawser's own"
	}
	for i, ip := range c.Addresses {
		if ip.Name == "" {
			continue
		}
		taken[ip.Name+"-haproxy"] = "the constraint of " + ip.Name
		for _, other := range c.Addresses[:i] {
			taken[other.Name+"-apart-"+ip.Name] = "the constraint that keeps " + other.Name + " and " + ip.Name + " apart"
		}
	}
	for _, ip := range c.Addresses {
		if owner, ok := taken[ip.Name]; ok {
			d.Add(ip.NameAt, "the name %s is taken: it is %s", ip.Name, owner)
		}
	}
}
