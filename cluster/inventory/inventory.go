// Package inventory says which HAProxies and floating addresses a cluster's configuration has, and what
// they demand of each node.
//
// It reads a CIB and asks nobody, and imports crm and what reads the values of parameters. Start with
// kinds.go: which resource is HAProxy, which is an address, and which address two nodes can hold at once.
package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

// HAProxy is one that the cluster's configuration has.
type HAProxy struct {
	Resource, Binary, Config string
	// Extra are the words of ExtraConf.
	Extra               []string
	ExtraConf           string
	AnchorIP, PrivateIP string
	MetadataURL         string
	// Unit is the unit of systemd whose settings it has.
	Unit string
	// After are addresses that are on the node before it starts: they stand before it in its group.
	After []netip.Addr
}

// Address is a floating IP of the cluster's configuration.
type Address struct {
	Resource, IP, Provider, TokenFile, APIURL, MetadataURL string
	// TokenInCIB is whether the token itself stands in the configuration; Token is it then, and is never to be shown. SecretFile is where
	// Pacemaker keeps one that it was told to hide (cibsecret(8)).
	TokenInCIB        bool
	Token, SecretFile string

	primitive *crm.Primitive
}

// Declared is what the cluster's configuration demands of every node.
type Declared struct {
	HAProxies []HAProxy
	Addresses []Address
	HostMaps  []HostMap
	// Agents are the resource agents that are used, such as ocf:hawser:haproxy; Fences the fence agents, such as fence_droplet.
	Agents, Fences []string
	// TokenFiles are the files with tokens and who needs them.
	TokenFiles map[string][]string
	// Watchdog is whether fencing relies on sbd with a watchdog.
	Watchdog bool
}

// What the agents use where a parameter is not set.
const (
	DefaultBinary   = "/usr/sbin/haproxy"
	DefaultConfig   = "/etc/haproxy/haproxy.cfg"
	DefaultUnit     = "haproxy.service"
	DefaultProvider = "digitalocean"
)

// Read takes what nodes need to have out of the cluster's configuration.
func Read(cib *crm.CIB) (Declared, error) {
	d := Declared{TokenFiles: map[string][]string{}}
	objects := cib.Effective()
	before := addressesBefore(objects)
	for _, o := range objects {
		p, ok := o.(*crm.Primitive)
		if !ok {
			continue
		}
		get := func(names ...string) string { return first(p.Params, names...) }
		if p.Class == "stonith" {
			d.Fences = append(d.Fences, p.Type)
			if hosts := get("pcmk_host_map"); hosts != "" && p.Type == "fence_droplet" {
				d.HostMaps = append(d.HostMaps, HostMap{Resource: p.Name, MetadataURL: get("metadata_url"), Droplets: crm.HostMap(hosts)})
			}
		}
		if file := get("token_file"); file != "" {
			d.TokenFiles[file] = append(d.TokenFiles[file], p.Name)
		}
		if p.Class != "ocf" {
			continue
		}
		d.Agents = append(d.Agents, "ocf:"+p.Provider+":"+p.Type)
		switch {
		case p.Type == "haproxy" && (p.Provider == "hawser" || p.Provider == "heartbeat"):
			extra, err := param.SplitWords(get("extraconf"))
			if err != nil {
				return d, fmt.Errorf("%s: extraconf %w", p.Name, err)
			}
			d.HAProxies = append(d.HAProxies, HAProxy{
				Resource: p.Name, Binary: cmp.Or(get("binpath"), DefaultBinary), Config: cmp.Or(get("conffile"), DefaultConfig), Extra: extra, ExtraConf: get("extraconf"),
				AnchorIP: get("anchor_ip"), PrivateIP: get("private_ip"), MetadataURL: get("metadata_url"),
				Unit: cmp.Or(get("unit"), DefaultUnit), After: before[p.Name],
			})
		case p.Type == "floatip" && (p.Provider == "hawser" || p.Provider == "digitalocean"):
			secret := ""
			for _, name := range []string{"token", "do_token"} {
				if get(name) == hiddenToken {
					secret = filepath.Join(secretsDir, p.Name, name)
				}
			}
			token := get("token", "do_token")
			if !clearText(token) {
				token = ""
			}
			d.Addresses = append(d.Addresses, Address{
				Resource: p.Name, IP: get("ip", "floating_ip"), Provider: cmp.Or(get("provider"), DefaultProvider), TokenFile: get("token_file"),
				APIURL: get("api_url"), MetadataURL: get("metadata_url"), TokenInCIB: token != "", Token: token, SecretFile: secret, primitive: p,
			})
		}
	}
	wait, _, ok := cib.WatchdogTimeout()
	d.Watchdog = !ok || wait != 0
	return d, nil
}

// first is the value of the first of the parameters that is set.
func first(params crm.Attrs, names ...string) string {
	for _, name := range names {
		if v, ok := params.Get(name); ok {
			return v
		}
	}
	return ""
}

// clearText is whether a token in the configuration is the token itself, and not the mark that cibsecret leaves in its place.
func clearText(token string) bool { return token != "" && token != hiddenToken }

// hiddenToken is that mark, and secretsDir where the value is on each node then (Pacemaker's LRM_CIBSECRETS_DIR).
const (
	hiddenToken = "lrm://"
	secretsDir  = "/var/lib/pacemaker/lrm/secrets"
)

// addressesBefore are, for each resource in a group, the addresses that the group starts before it.
func addressesBefore(objects []crm.Object) map[string][]netip.Addr {
	of, before := map[string]netip.Addr{}, map[string][]netip.Addr{}
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok && IsAddress(p) {
			ip, err := netip.ParseAddr(first(p.Params, "ip", "floating_ip"))
			if err == nil {
				of[p.Name] = ip
			}
		}
	}
	for _, o := range objects {
		g, ok := o.(*crm.Group)
		if ordered, _ := crm.MetaOf(o).Get("ordered"); !ok || crm.IsFalse(ordered) {
			continue
		}
		var so []netip.Addr
		for _, member := range g.Members {
			before[member] = slices.Clone(so)
			if ip, ok := of[member]; ok {
				so = append(so, ip)
			}
		}
	}
	return before
}

// HostMap is which droplets a device of stonith:fence_droplet has for nodes.
type HostMap struct {
	Resource, MetadataURL string
	// Droplets are ids and names by nodes, as crm.HostMap has them.
	Droplets map[string]string
}

// TokenFile is where a token goes that was written into the configuration.
const TokenFile = "/etc/hawser/token"

// WithTokenFile is the resource with a file in place of the token. Both at the same time, or neither, is a configuration with which the agent
// may run nowhere: so it has to be written at once.
func (a Address) WithTokenFile() *crm.Primitive {
	p := *a.primitive
	p.Params = p.Params.Without("token", "do_token")
	p.Params.Set("token_file", TokenFile)
	return &p
}
