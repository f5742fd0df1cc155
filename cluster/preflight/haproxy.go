package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

// placeholderIP stands in for the addresses that the agent takes from the metadata service: the
// check binds nothing.
const placeholderIP = "127.0.0.1"

// checkTime is how long `haproxy -c` may take: it resolves the names of servers.
const checkTime = 20 * time.Second

// HAProxy is a configuration of HAProxy, and how the agent would run it.
type HAProxy struct {
	Config              string // a file or a directory, "" for the agent's default
	Binary              string // "" for the agent's default
	Extra               string // further arguments, quoted as for a shell
	AnchorIP, PrivateIP string
	// Node is this node, "" if that is not known, Sites the nodes of each site.
	Node  string
	Sites []param.Site
	// that of a HAProxy that runs here, instead of a stand-in
	Env []string
}

// FromCluster returns what the cluster's configuration says of it, and the environment, if any, of
// the HAProxy that runs here, on this node.
func FromCluster(h inventory.HAProxy, env []string, node string) HAProxy {
	return HAProxy{
		Config: h.Config, Binary: h.Binary, Extra: h.ExtraConf, AnchorIP: h.AnchorIP,
		PrivateIP: h.PrivateIP, Node: node, Sites: h.Sites, Env: env,
	}
}

// FromFile returns what hawser.yaml says of it, on this node.
func FromFile(h *config.HAProxy, node string) HAProxy {
	sites, _ := param.ParseSites(h.Sites) // as config has written them
	return HAProxy{
		Config: h.Config, Binary: h.Binary, Extra: h.Extra, AnchorIP: h.AnchorIP,
		PrivateIP: h.PrivateIP, Node: node, Sites: sites,
	}
}

// environment is what the agent would run it with. An address that only the metadata service knows
// has a stand-in; the site is that of a reload, which takes over another one.
func (h HAProxy) environment() []string {
	site := contract.SiteVariable + "=" + param.SiteOf(h.Sites, h.Node)
	if h.Env != nil {
		other := slices.DeleteFunc(slices.Clone(h.Env), func(entry string) bool {
			return strings.HasPrefix(entry, contract.SiteVariable+"=")
		})
		return append(other, site)
	}
	return []string{
		contract.NodeVariable + "=" + cmp.Or(h.Node, "localhost"), site,
		contract.AnchorIPVariable + "=" + cmp.Or(h.AnchorIP, placeholderIP),
		contract.PrivateIPVariable + "=" + cmp.Or(h.PrivateIP, placeholderIP),
	}
}

// CheckHAProxy has this node's HAProxy check the configuration.
func CheckHAProxy(ctx context.Context, h HAProxy) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	file, binary := h.Config, h.Binary
	if file == "" {
		file = contract.DefaultConffile
	}
	if binary == "" {
		binary = contract.DefaultBinpath
	}
	if _, err := os.Stat(file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf(
				"%s does not exist on this node: HAProxy's configuration must be there on every "+
					"node, or haproxy.config must name another file",
				file)
		}
		return fmt.Errorf("%s cannot be read: %w", file, outcome.Cause(err))
	}
	args, err := param.SplitWords(h.Extra)
	if err != nil {
		return fmt.Errorf("haproxy.extra %q %w", h.Extra, err)
	}
	standIn := h.Env == nil && (h.AnchorIP == "" || h.PrivateIP == "")
	// The agent's environment, not this shell's, and its mode: without -W, HAProxy refuses
	// `program` sections.
	env := append([]string{contract.SearchPath}, h.environment()...)
	err = quickCheck(ctx, haproxy.Config{
		Binary: binary, Files: []string{file}, Args: append([]string{"-W"}, args...), Env: env,
	})
	var refused *haproxy.CheckError
	switch {
	case errors.As(err, &refused):
		message := fmt.Sprintf("HAProxy refuses %s: %s", file, strings.TrimSpace(refused.Complaint))
		if sources, readErr := haproxy.ReadSources([]string{file}); standIn && readErr == nil &&
			(haproxy.Mentions(sources, contract.AnchorIPVariable) ||
				haproxy.Mentions(sources, contract.PrivateIPVariable)) {
			message += " (checked with " + placeholderIP +
				" for the addresses that the metadata service gives each node)"
		}
		return errors.New(message)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf(
			"%s does not exist on this node: install the package haproxy on every node, or name "+
				"the program in haproxy.binary",
			binary)
	}
	return err
}

// withoutCAs keeps HAProxy from reading every certificate authority of the system, for a client
// that only Lua scripts use: two thirds of the time of a check. A configuration that sets this
// itself overrides it.
const withoutCAs = "global\n\thttpclient.ssl.verify none\n"

// quickCheck is the configuration's Check in a third of the time. Only what HAProxy says about the
// unchanged configuration is a refusal: older versions, and those built without TLS, do not know
// the words that are added here.
func quickCheck(ctx context.Context, c haproxy.Config) error {
	file, err := os.CreateTemp("", "hawser-check-*.cfg")
	if err != nil {
		return c.Check(ctx)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(withoutCAs)
	if err = errors.Join(err, file.Close()); err == nil {
		quick := c
		quick.Files = append([]string{file.Name()}, c.Files...)
		if quick.Check(ctx) == nil {
			return nil
		}
	}
	return c.Check(ctx)
}
