package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/param"
)

// Node is this node, and where its checks get their facts from.
type Node struct {
	// Name is the node's in the cluster.
	Name string
	// Version is that of the command line.
	Version string
	// Root is put before the path of each file that is looked at; tests set it.
	Root string
	// RunDir is the agents' runtime directory.
	RunDir string
	// Lingering is how long an old worker may take to end; 0 is an hour.
	Lingering time.Duration
	// CIB reads the cluster's configuration.
	CIB func(ctx context.Context) (*crm.CIB, error)
	// Unit asks systemd for a unit.
	Unit func(ctx context.Context, name string) (systemd.Unit, error)
	// CheckConfig lets HAProxy check a configuration; the error is its complaint.
	CheckConfig func(ctx context.Context, h HAProxy) error
	// Environment are the HAWSER_ variables ("NAME=value") with which the agent runs HAProxy here, or would start it.
	Environment func(ctx context.Context, h HAProxy) ([]string, error)
	// Sources are all files of a configuration, those of ExtraConf too.
	Sources func(h HAProxy) ([]haproxy.Source, error)
	// ConfigHash tells one configuration from another, as the agents do.
	ConfigHash func(sources []haproxy.Source) string
	// ReadToken reads a token file as the agents do, with their reasons to refuse one.
	ReadToken func(path string) (string, error)
	// Droplet asks the metadata service, the cloud's own if origin is empty, which droplet this is.
	Droplet func(ctx context.Context, origin string) (id string, err error)
	// Rights asks the provider of an address, without changing anything, whether this node's token may do what the agent needs.
	Rights func(ctx context.Context, a Address) (Right, error)
}

// Right is what came of asking what a token may do.
type Right int

// What may come of it. NotKnown is no answer, or one that says nothing.
const (
	NotKnown Right = iota
	Granted
	Refused
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
		get := func(names ...string) string {
			for _, name := range names {
				if v, ok := p.Params.Get(name); ok {
					return v
				}
			}
			return ""
		}
		if p.Class == "stonith" {
			d.Fences = append(d.Fences, p.Type)
			if hosts := get("pcmk_host_map"); hosts != "" && p.Type == contract.FenceDropletType {
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
		case p.Type == contract.HAProxyType && (p.Provider == contract.Provider || p.Provider == contract.OldHAProxyProvider):
			extra, err := param.SplitWords(get("extraconf"))
			if err != nil {
				return d, fmt.Errorf("%s: extraconf %w", p.Name, err)
			}
			d.HAProxies = append(d.HAProxies, HAProxy{
				Resource: p.Name, Binary: or(get("binpath"), contract.DefaultBinpath), Config: or(get("conffile"), contract.DefaultConffile), Extra: extra, ExtraConf: get("extraconf"),
				AnchorIP: get("anchor_ip"), PrivateIP: get("private_ip"), MetadataURL: get("metadata_url"),
				Unit: or(get("unit"), contract.DefaultUnit), After: before[p.Name],
			})
		case p.Type == contract.FloatIPType && (p.Provider == contract.Provider || p.Provider == contract.OldFloatIPProvider):
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
				Resource: p.Name, IP: get("ip", "floating_ip"), Provider: or(get("provider"), contract.DefaultProvider), TokenFile: get("token_file"),
				APIURL: get("api_url"), MetadataURL: get("metadata_url"), TokenInCIB: token != "", Token: token, SecretFile: secret, primitive: p,
			})
		}
	}
	wait, _, ok := watchdogWait(cib)
	d.Watchdog = !ok || wait != 0
	return d, nil
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
		if p, ok := o.(*crm.Primitive); ok && isAddress(p) {
			ip, err := netip.ParseAddr(or(value(p.Params, "ip"), value(p.Params, "floating_ip")))
			if err == nil {
				of[p.Name] = ip
			}
		}
	}
	for _, o := range objects {
		g, ok := o.(*crm.Group)
		if ordered, _ := metaOf(o).Get("ordered"); !ok || saysNo(ordered) {
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

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// file is a path on this node.
func (n Node) file(path string) string { return filepath.Join("/", n.Root, path) }

// declared asks for the configuration.
func (n Node) declared(ctx context.Context) (Declared, error) {
	cib, err := n.CIB(ctx)
	if err != nil {
		return Declared{}, fmt.Errorf("the cluster's configuration cannot be read, so it is not known what this node needs: %w", err)
	}
	return Read(cib)
}

// demands lets a check look at what the configuration demands of this node; without one there is nothing to look at.
func (n Node) demands(look func(ctx context.Context, d Declared) ([]Finding, error)) func(context.Context) ([]Finding, error) {
	return func(ctx context.Context) ([]Finding, error) {
		d, err := n.declared(ctx)
		if err != nil {
			return nil, err
		}
		return look(ctx, d)
	}
}

// ofHAProxies lets a check look at each HAProxy that the configuration demands. What could not be looked at of one leaves the others to be looked at.
func (n Node) ofHAProxies(look func(ctx context.Context, h HAProxy) ([]Finding, error)) func(context.Context) ([]Finding, error) {
	return n.demands(func(ctx context.Context, d Declared) ([]Finding, error) {
		var found []Finding
		var errs []error
		for _, h := range d.HAProxies {
			f, err := look(ctx, h)
			found = append(found, f...)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", h.Resource, err))
			}
		}
		return found, errors.Join(errs...)
	})
}

// found is a finding on this node.
func (n Node) found(s Severity, subject, what, why string, fix ...string) Finding {
	return Finding{Severity: s, Node: n.Name, Subject: subject, What: what, Why: why, Fix: fix}
}

// Checks are the checks of a node.
func (n Node) Checks() []Check {
	checks := []Check{
		n.unitCheck(), n.configCheck(), n.bindCheck(), n.agentCheck(), n.fenceAgentCheck(), n.fenceDropletCheck(), n.tokenFileCheck(), n.tokenRightsCheck(),
		n.backlogCheck(), n.limitCheck(), n.oldWorkerCheck(), n.migrateCheck(), n.watchdogCheck(), n.diskCheck(),
	}
	for i := range checks {
		checks[i].Node = n.Name
	}
	return checks
}
