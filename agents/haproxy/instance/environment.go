package instance

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/hawser-ha/hawser/agents/haproxy/ownaddress"
	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Environment returns the HAWSER_ variables of HAProxy's environment, as package variables finds them.
func (in *Instance) Environment(ctx context.Context, sources []client.Source,
	remember bool) ([]string, error) {
	return in.environmentOn(ctx, sources, remember, ocf.CallFrom(ctx).Node)
}

func (in *Instance) environmentOn(ctx context.Context, sources []client.Source, remember bool,
	node string) ([]string, error) {
	return variables.Node{Name: node, Site: param.SiteOf(in.Sites, node), AnchorIP: in.AnchorIP,
		PrivateIP: in.PrivateIP, Metadata: ownaddress.Service{URL: in.MetadataURL, File: in.Metadata(),
			Own: in.Addresses}}.Environment(ctx, sources, remember)
}

// refuseUnset returns an error if a HAProxy that is brought back with the user's files would listen on
// every address, since they mention a variable by now that it is not started with. A start, which
// finds the variable out, is the cluster's.
func (in *Instance) refuseUnset(s State, sources []client.Source, onCopies bool) error {
	names := variables.Missing(sources, s.Env)
	if onCopies || len(names) == 0 {
		return nil
	}
	return fmt.Errorf("%s mentions %s by now, which HAProxy was not started with: that takes a start "+
		"of the resource", in.Conffile, strings.Join(names, " and "))
}

// warnOfUnset warns if HAProxy may have loaded sources that mention a variable which it was not started
// with.
func (in *Instance) warnOfUnset(ctx context.Context, s *State, sources []client.Source) {
	if names := variables.Missing(sources, s.Env); len(names) > 0 {
		ocf.CallFrom(ctx).Warnf("%s mentions %s by now, which HAProxy was not started with: it may "+
			"listen on all addresses where one was meant. Restart the resource", in.Conffile,
			strings.Join(names, " and "))
	}
}

// MissingNow is MissingVariables for a HAProxy that has loaded the sources, or, where the hash is "" and
// that is not known, the files as they are now.
func (in *Instance) MissingNow(loaded []client.Source, hash string, env []string) []string {
	if names := variables.Missing(loaded, env); len(names) > 0 || hash != "" {
		return names
	}
	now, _ := in.ReadBriefly() // what cannot be read mentions nothing
	return variables.Missing(now, env)
}

// Startup is what decides how an instance is started: parameters of the resource, "" where they are
// not set.
type Startup struct {
	ConfFile, AnchorIP, PrivateIP, MetadataURL string
	ExtraConf                                  []string
	Unit                                       string
	Sites                                      []param.Site
}

// EnvironmentFor returns the HAWSER_ variables with which HAProxy would be started on the node now.
// The metadata service is asked where the agent would ask it.
func EnvironmentFor(ctx context.Context, s Startup, node string) ([]string, error) {
	in := Instance{Settings: Settings{Conffile: s.ConfFile, Extraconf: s.ExtraConf, Sites: s.Sites,
		MetadataURL: cmp.Or(s.MetadataURL, contract.DefaultMetadataURL)},
		System: System{Addresses: ownaddress.OfInterfaces}}
	in.AnchorIP, _ = netip.ParseAddr(s.AnchorIP)
	in.PrivateIP, _ = netip.ParseAddr(s.PrivateIP)
	sources, err := client.ReadSources(in.UserFiles())
	if err != nil {
		return nil, err
	}
	return in.environmentOn(ctx, sources, false, node)
}

// EnvironmentOf returns the HAWSER_ variables that the HAProxy of an instance was started with on
// this machine, and keeps when it is reloaded; nil if none runs, or if they cannot be read.
func EnvironmentOf(runDir, instance string) []string {
	in := Instance{Files: contract.FilesOf(runDir, instance)}
	s, _ := in.Load()
	return s.Env
}
