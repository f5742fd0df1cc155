package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

// HAProxy is a HAProxy of the cluster's configuration.
type HAProxy struct {
	Resource, Binary, Config string
	// ExtraConf holds further words for HAProxy's command line, and Extra the same words split.
	ExtraConf           string
	Extra               []string
	AnchorIP, PrivateIP string
	MetadataURL         string
	// Sites are the nodes of each site.
	Sites []param.Site
	// Unit is the systemd unit whose settings it has.
	Unit string
	// After lists the addresses that are on the node before it starts: they precede it in its
	// group.
	After []netip.Addr
}

// HAProxyOf reads the parameters of a resource that hawser's agent runs.
func HAProxyOf(p *crm.Primitive) (HAProxy, error) {
	get := func(name string) string { return first(p.Params, name) }
	h := HAProxy{
		Resource: p.Name, Binary: cmp.Or(get(contract.ParamBinpath), contract.DefaultBinpath),
		Config: ConfigOf(p), ExtraConf: get(contract.ParamExtraconf),
		AnchorIP: get(contract.ParamAnchorIP), PrivateIP: get(contract.ParamPrivateIP),
		MetadataURL: get(contract.ParamMetadataURL),
		Unit:        cmp.Or(get(contract.ParamUnit), contract.DefaultUnit),
	}
	var err error
	if h.Extra, err = param.SplitWords(h.ExtraConf); err != nil {
		return HAProxy{}, fmt.Errorf("%s of %s %w", contract.ParamExtraconf, p.Name, err)
	}
	if h.Sites, err = param.ParseSites(get(contract.ParamSites)); err != nil {
		return HAProxy{}, fmt.Errorf("%s of %s %w", contract.ParamSites, p.Name, err)
	}
	return h, nil
}

// ConfigOf returns the file in which the resource has its configuration.
func ConfigOf(p *crm.Primitive) string {
	return cmp.Or(first(p.Params, contract.ParamConffile), contract.DefaultConffile)
}

// Sources reads all files of the configuration on this node.
func (h HAProxy) Sources() ([]haproxy.Source, error) {
	return haproxy.ReadSources(contract.ConfigFiles(h.Config, h.Extra))
}

// Find returns the HAProxy of that name, or the one in the clone or group of that name; with "" the
// only one.
func Find(cib *crm.CIB, name string) (*crm.Primitive, error) {
	objects := cib.Effective()
	all := Primitives(objects, IsHAProxy)
	for _, p := range all {
		if name != "" && (p.Name == name || isIn(objects, p.Name, name)) {
			return p, nil
		}
	}
	known := "it has none"
	if len(all) > 0 {
		known = "it has " + strings.Join(Names(all), ", ")
	}
	if _, there := cib.Object(name); name != "" && there {
		return nil, outcome.Usagef(
			"%s is no HAProxy of the cluster's configuration; %s",
			name,
			known,
		)
	}
	switch {
	case name != "":
		return nil, outcome.Usagef(
			"there is no HAProxy %s in the cluster's configuration; %s",
			name,
			known,
		)
	case len(all) == 0:
		return nil, outcome.Usagef(
			"the cluster's configuration has no HAProxy: `hawser apply` sets one up",
		)
	case len(all) > 1:
		return nil, outcome.Usagef(
			"reload which HAProxy? The cluster has %s",
			strings.Join(Names(all), ", "),
		)
	}
	return all[0], nil
}
