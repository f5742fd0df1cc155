package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	provider "github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	agent "github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	api "github.com/hawser-ha/hawser/internal/digitalocean"
	faults "github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/internal/tokenfile"
)

// thisNode is this machine as the checks see it.
func (s *system) thisNode() doctor.Node {
	return doctor.Node{
		Name: s.Node, Version: version, RunDir: s.RunDir,
		CIB: func(ctx context.Context) (*crm.CIB, error) { return crm.Saved(ctx, s.SavedCIB, s.Cluster) }, Unit: systemd.Find,
		CheckConfig: func(ctx context.Context, h doctor.HAProxy) error {
			return s.CheckHAProxy(ctx, preflight.HAProxy{Config: h.Config, Binary: h.Binary, Extra: h.ExtraConf, AnchorIP: h.AnchorIP,
				PrivateIP: h.PrivateIP, Env: agent.Environment(s.RunDir, h.Resource)})
		},
		Environment: func(ctx context.Context, h doctor.HAProxy) ([]string, error) {
			if env := agent.Environment(s.RunDir, h.Resource); env != nil {
				return env, nil
			}
			return agent.EnvironmentFor(ctx, agent.Startup{ConfFile: h.Config, ExtraConf: h.Extra, AnchorIP: h.AnchorIP, PrivateIP: h.PrivateIP, MetadataURL: h.MetadataURL}, s.Node)
		},
		Sources: func(h doctor.HAProxy) ([]haproxy.Source, error) {
			return haproxy.ReadSources(contract.ConfigFiles(h.Config, h.Extra))
		},
		ConfigHash: haproxy.Hash,
		ReadToken:  tokenfile.Read,
		Droplet: func(ctx context.Context, origin string) (string, error) {
			return api.Here(api.NewMetadata(orDefault(origin, contract.DefaultMetadataURL)), "").Droplet(ctx)
		},
		Rights: rights,
	}
}

// nodeChecks are the checks of this node.
func nodeChecks(sys *system) []doctor.Check {
	return slices.Concat(sys.thisNode().Checks(), filterChecks(sys))
}

// rights asks DigitalOcean's API what a token may read.
func rights(ctx context.Context, a doctor.Address) (doctor.Right, error) {
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		return doctor.NotKnown, fmt.Errorf("%q is not an address", a.IP)
	}
	// Until a deadline the provider tries again what may pass.
	ctx, cancel := context.WithTimeout(ctx, rightsTime)
	defer cancel()
	p := provider.New(provider.Config{
		API: orDefault(a.APIURL, contract.DefaultAPIURL), Metadata: orDefault(a.MetadataURL, contract.DefaultMetadataURL),
		Token: func() (string, error) { return tokenOf(a) },
	})
	err = p.Reads(ctx, ip)
	switch {
	case err == nil:
		return doctor.Granted, nil
	case faults.Of(err) == faults.Denied || faults.Of(err) == faults.NotFound:
		return doctor.Refused, err
	}
	return doctor.NotKnown, err
}

// tokenOf is the token that the agent would use.
func tokenOf(a doctor.Address) (string, error) {
	switch {
	case a.Token != "":
		return a.Token, nil
	case a.SecretFile != "":
		text, err := os.ReadFile(a.SecretFile)
		if err != nil {
			return "", fmt.Errorf("the token that cibsecret keeps: %w", err)
		}
		return tokenfile.Parse("the token in "+a.SecretFile, text)
	}
	return tokenfile.Read(a.TokenFile)
}

// rightsTime is how long the API may take to answer.
const rightsTime = 8 * time.Second

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// otherNodes are what the other nodes have told the cluster of themselves.
func (s *system) otherNodes() doctor.Check {
	return doctor.Check{
		Name: "other-nodes", Worst: doctor.Unknown,
		Short: "what other nodes found out about themselves, and nodes that told nothing",
		Why:   "a node is wanted when another fails; what is wrong with it shows then at the latest",
		Mend:  "what the finding says, on that node; hawser doctor --tell has it told anew",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			if !s.Running || s.Remote {
				return nil, nil // a file or a shadow has no nodes to ask
			}
			status, err := s.Cluster.Status(ctx)
			if err != nil {
				return nil, fmt.Errorf("which nodes there are: %w", err)
			}
			told, err := s.told(ctx)
			if err != nil {
				return nil, err
			}
			var found []doctor.Finding
			for _, n := range status.Nodes {
				switch {
				case n.Name == status.NodeOf(s.Node) || n.Type == "remote":
				case !n.Online:
					found = append(found, doctor.Finding{Severity: doctor.Unknown, Node: n.Name, What: "it is offline: nothing is known of it",
						Why: "it cannot take over anything", Fix: []string{"systemctl start pacemaker.service   # on " + n.Name}})
				default:
					_, findings := doctor.From(n.Name, told[n.Name], s.Now())
					found = append(found, findings...)
				}
			}
			return found, nil
		},
	}
}

// nodesDiffer are the nodes beside each other. Of which nothing is known other-nodes tells.
func (s *system) nodesDiffer() doctor.Check {
	return doctor.Check{
		Name: "nodes-differ", Worst: doctor.Warning,
		Short: "nodes that differ in what they ought to have in common: versions, HAProxy's configuration, tokens, kernel parameters",
		Why:   "after a failover clients meet another configuration, or one that this node's HAProxy refuses",
		Mend:  "hawser reload --push, or the same packages on every node",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			facts, err := s.heard(ctx)
			if err != nil || facts == nil {
				return nil, err
			}
			for node := range facts {
				if crm.SameHost(node, s.Node) {
					delete(facts, node) // what it told is older than what it is
				}
			}
			facts[s.Node] = s.thisNode().Facts(ctx)
			conffiles := map[string]string{}
			if cib, err := crm.Saved(ctx, s.SavedCIB, s.Cluster); err == nil {
				if d, err := doctor.Read(cib); err == nil {
					for _, h := range d.HAProxies {
						conffiles[h.Resource] = h.Config
					}
				}
			}
			return doctor.Compare(facts, conffiles), nil
		},
	}
}

// sharedChecks are those of nodes beside each other, and of what they share.
func (s *system) sharedChecks() []doctor.Check {
	return []doctor.Check{
		s.otherNodes(), s.nodesDiffer(),
		doctor.TokenInCIB(func(ctx context.Context) (doctor.Declared, error) {
			cib, err := crm.Saved(ctx, s.SavedCIB, s.Cluster)
			if err != nil {
				return doctor.Declared{}, err
			}
			return doctor.Read(cib)
		}),
	}
}

// told is what each node has told of itself.
func (s *system) told(ctx context.Context) (map[string]string, error) {
	return s.Cluster.Private(ctx, doctor.Attribute)
}

// heard are the facts that the nodes have told of themselves.
func (s *system) heard(ctx context.Context) (map[string]map[string]string, error) {
	if !s.Running || s.Remote {
		return nil, nil // a file or a shadow has no nodes to ask
	}
	values, err := s.told(ctx)
	return doctor.Heard(values, s.Now()), err
}

// tell tells the cluster what was found here, if that is not what it was told within the hour.
func (s *system) tell(ctx context.Context, r doctor.Report) error {
	now := doctor.Told{At: s.Now(), Facts: s.thisNode().Facts(ctx), Findings: r.Findings}
	packed, err := now.Pack()
	if err != nil {
		return err
	}
	fresh, err := doctor.Unpack(packed) // as others will read it
	if err != nil {
		return err
	}
	before, err := s.told(ctx)
	if err != nil {
		return err
	}
	for node, value := range before {
		if crm.SameHost(node, s.Node) {
			if t, err := doctor.Unpack(value); err == nil && t.Same(fresh) && now.At.Sub(t.At) < doctor.Refresh {
				return nil
			}
		}
	}
	return s.Cluster.SetPrivate(ctx, doctor.Attribute, packed)
}
