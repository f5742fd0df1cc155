package reach

import (
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/param"
)

// ConfigurationOf reads the files of a HAProxy of the cluster on this node. env is its environment,
// nil if it is not known.
func ConfigurationOf(h inventory.HAProxy, env []string) (Configuration, error) {
	sources, err := h.Sources()
	return Configuration{h.Config, sources, environment(h.AnchorIP, h.PrivateIP, env)}, err
}

// OfCluster judges what the cluster's configuration has, with this node's files. pushed is in place
// of the files of one resource, nil if nothing is pushed. Where a file cannot be read nothing is
// reported.
func OfCluster(
	d inventory.Declared, env func(resource string) []string, resource string, pushed []haproxy.Source,
) []Missed {
	var all []Configuration
	for _, h := range d.HAProxies {
		c, err := ConfigurationOf(h, env(h.Resource))
		if h.Resource == resource && pushed != nil {
			c.Sources, err = pushed, nil
		}
		if err != nil {
			return nil
		}
		all = append(all, c)
	}
	return Unserved(Addresses(d), all)
}

// OfFile judges hawser.yaml, with this node's files.
func OfFile(file *config.File) []Missed {
	h := file.HAProxy
	path := h.Config
	if path == "" {
		path = contract.DefaultConffile
	}
	extra, err := param.SplitWords(h.Extra)
	if err != nil {
		return nil
	}
	sources, err := haproxy.ReadSources(contract.ConfigFiles(path, extra))
	if err != nil {
		return nil
	}
	var addresses []Address
	for _, a := range file.Addresses {
		addresses = append(addresses, Address{a.Name, a.IP, a.Provider})
	}
	return Unserved(addresses,
		[]Configuration{{path, sources, environment(h.AnchorIP, h.PrivateIP, nil)}})
}

// environment returns what the agent would put into HAProxy's environment, as far as that is known.
func environment(anchorIP, privateIP string, env []string) []string {
	if env != nil {
		return env
	}
	return []string{
		contract.AnchorIPVariable + "=" + anchorIP, contract.PrivateIPVariable + "=" + privateIP,
	}
}

// Warnings are sentences about them.
func Warnings(missed []Missed) []string {
	var all []string
	for _, m := range missed {
		all = append(all, m.String())
	}
	return all
}
