package config

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// Address is one entry of floating_ips.
type Address struct {
	At          Position
	Name        string
	NameAt      Position
	IP          netip.Addr
	IPAt        Position
	Provider    string
	TokenFile   string
	TokenFileAt Position
	NIC         string
	Netmask     int // length of the prefix; 0 if not given
	APIURL      string
	MetadataURL string
	Monitor     string
	// Prefer are the nodes and sites that it prefers, best first unless Scored. What holds for a group
	// may be given at any of its addresses: File.Steps and File.GoesBack have it.
	Prefer          []Preference
	Scored          bool
	Failback        string // "true" or "false"
	FailbackAt      Position
	FailbackAfter   time.Duration // 0: at once
	FailbackAfterAt Position
	// Interfaces are those whose carrier the address needs besides that of its own.
	Interfaces []Named
	// Needs are the checks that the address needs where NeedsGiven, otherwise all.
	Needs      []Need
	NeedsGiven bool
}

// Params returns the parameters of the agent ocf:hawser:floatip.
func (ip *Address) Params() []Param { return params(ip.keys()) }

func (ip *Address) keys() []key {
	return []key{
		{
			name:     "name",
			kind:     id(&ip.Name),
			at:       &ip.NameAt,
			doc:      "the id of the resource in the cluster, such as FloatIP",
			required: true,
			effect:   move,
		},
		{
			name:     "ip",
			kind:     floatingAddress(&ip.IP),
			at:       &ip.IPAt,
			doc:      "the address, IPv4 or IPv6",
			required: true,
			param:    contract.ParamIP,
			effect:   move,
		},
		{
			name: "provider",
			kind: choice(&ip.Provider, contract.DigitalOcean, contract.LAN),
			doc: "who moves the address: digitalocean, or lan for an address of the local " +
				"network",
			def:     contract.DefaultProvider,
			written: true,
			param:   contract.ParamProvider,
			effect:  move,
		},
		{
			name:   "token_file",
			kind:   secretPath(&ip.TokenFile),
			at:     &ip.TokenFileAt,
			only:   contract.DigitalOcean,
			doc:    "a file with the API token, mode 0600, on every node",
			param:  contract.ParamTokenFile,
			effect: move,
		},
		{
			name:      "nic",
			kind:      nic(&ip.NIC),
			only:      contract.LAN,
			doc:       "the network interface",
			otherwise: "derived from the routes",
			param:     contract.ParamNIC,
			effect:    move,
		},
		{
			name:      "cidr_netmask",
			kind:      whole(&ip.Netmask, 1, 128),
			only:      contract.LAN,
			doc:       "the length of the prefix, at most 32 for IPv4",
			otherwise: "derived from the routes",
			param:     contract.ParamNetmask,
			effect:    move,
		},
		{
			name:    "monitor",
			kind:    length(&ip.Monitor),
			doc:     "how often the address is checked",
			def:     defaultMonitor,
			written: true,
			effect:  nothing,
		},
		{
			name: "needs",
			kind: needsOf(ip),
			doc: "the names of those of haproxy.checks for whose sake the address moves; [] is " +
				"none",
			otherwise: "all of them",
			effect:    nothing,
		},
		{
			name: "interfaces",
			kind: namedList(&ip.Interfaces, "the name of a network interface",
				"a list of network interfaces, such as [ens192]").with(schema{
				"items": schema{"type": "string", "pattern": `^[^/:\s]+$`, "maxLength": 15},
			}),
			doc: "interfaces whose carrier it needs besides that of its own, on every node: short for " +
				"checks of them, which it alone needs",
			otherwise: "none",
			effect:    reload,
		},
		{
			name: "prefer",
			kind: preferences(ip),
			doc: "the sites or nodes where it is to be, best first; or a mapping of their scores, of " +
				"which only the order counts. The nodes of a site are alike",
			otherwise: "none",
			effect:    move,
		},
		{
			name:   "failback",
			kind:   onOff(&ip.Failback),
			at:     &ip.FailbackAt,
			doc:    "whether it goes back to a better node that returns, which interrupts its users",
			def:    onOffWord(false),
			effect: move,
		},
		{
			name: "failback_after",
			kind: secondsOrNone(&ip.FailbackAfter),
			at:   &ip.FailbackAfterAt,
			doc: "with failback: only to the first of prefer, and only when HAProxy has served there, " +
				"and no check has failed there, for so long",
			otherwise: "at once",
			effect:    move,
		},
		{
			name:   "api_url",
			kind:   safeOrigin(&ip.APIURL),
			only:   contract.DigitalOcean,
			doc:    "another API, scheme://host:port",
			def:    contract.DefaultAPIURL,
			param:  contract.ParamAPIURL,
			effect: move,
		},
		{
			name:   "metadata_url",
			kind:   origin(&ip.MetadataURL),
			only:   contract.DigitalOcean,
			doc:    "another metadata service, scheme://host:port",
			def:    contract.DefaultMetadataURL,
			param:  contract.ParamMetadataURL,
			effect: move,
		},
	}
}

// addresses is the list floating_ips.
func addresses(to *[]Address) kind {
	return kind{
		words: "a list",
		keys:  new(Address).keys(),
		read: func(d *document, n ast.Node, what string) {
			names, ips := map[string]Position{}, map[netip.Addr]Position{}
			d.list(n, what, func(i int, n ast.Node) {
				ip := Address{At: place(n)}
				ipAt := ip.read(d, n, fmt.Sprintf("%s[%d]", what, i))
				if first, ok := names[ip.Name]; ok && ip.Name != "" {
					d.Add(ip.NameAt, "the name %s is given twice: the first is in line %d", ip.Name,
						first.Line)
				}
				if first, ok := ips[ip.IP]; ok && ip.IP.IsValid() {
					d.Add(ipAt, "the address %s is given twice: the first is in line %d", ip.IP,
						first.Line)
				}
				names[ip.Name], ips[ip.IP] = ip.NameAt, ipAt
				*to = append(*to, ip)
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": addressSection()},
	}
}

// read reads one element and checks its keys against each other. It returns the position of the
// address.
func (ip *Address) read(d *document, n ast.Node, what string) (ipAt Position) {
	before := len(d.List)
	given := d.section(n, what, ip.keys())
	for _, k := range ip.keys() {
		if at, ok := given[k.name]; ok && k.only != "" && k.only != ip.Provider &&
			ip.Provider != "" {
			d.Add(at, "%s.%s has no meaning for the provider %s: remove it", what, k.name,
				ip.Provider)
		}
	}
	if len(d.List) == before && ip.Provider == contract.DigitalOcean && ip.TokenFile == "" {
		d.Add(
			ip.At,
			"%s has no token_file: expected the path of a file with the API token, readable "+
				"by root only (the provider is digitalocean; for an address of the local network "+
				"write `provider: lan`)",
			what,
		)
	}
	if ip.IP.Is4() && ip.Netmask > 32 {
		d.Add(given["cidr_netmask"], "%s.cidr_netmask is %d: expected 1 to 32 for an IPv4 address",
			what, ip.Netmask)
	} else if err := param.CheckInNetwork(ip.IP, ip.Netmask); err != nil {
		d.Add(given["ip"], "%s.ip: %q %v", what, ip.IP, err)
	}
	return given["ip"]
}

// addressSection is the schema of one element, whose keys depend on its provider.
func addressSection() schema {
	keys := new(Address).keys()
	without := func(provider string) schema {
		foreign := schema{}
		for _, k := range keys {
			if k.only != "" && k.only != provider {
				foreign[k.name] = false
			}
		}
		return schema{"properties": foreign}
	}
	return section(keys).with(schema{
		"if": schema{"type": "object", "required": []string{"provider"},
			"properties": schema{"provider": schema{"const": contract.LAN}}},
		"then": without(contract.LAN),
		"else": without(contract.DigitalOcean).with(schema{"required": []string{"token_file"}}),
	})
}
