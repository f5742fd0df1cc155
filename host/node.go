package host

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"time"

	provider "github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	"github.com/hawser-ha/hawser/agents/floatip/lan"
	agent "github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/metadata"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/internal/tokenfile"
)

// node returns what the checks of this node query.
func (d *Doctor) node() node.Node {
	return node.Node{
		Name: d.host.Node, Version: d.version, RunDir: d.host.RunDir, SavedCIB: d.host.SavedCIB,
		InForce: d.inForce,
		CIB:     d.configuration, Unit: systemd.Find,
		CheckConfig: d.checkConfig, Environment: d.environment, UnitFiles: unitFiles,
		ReadToken: tokenfile.Read, Droplet: droplet, Rights: rights,
	}
}

// environment returns the environment of the HAProxy that runs here, or else the one that the agent
// would give it.
func (d *Doctor) environment(ctx context.Context, h inventory.HAProxy) ([]string, error) {
	if env := agent.Environment(d.host.RunDir, h.Resource); env != nil {
		return env, nil
	}
	return agent.EnvironmentFor(ctx, agent.Startup{
		ConfFile: h.Config, ExtraConf: h.Extra, AnchorIP: h.AnchorIP, PrivateIP: h.PrivateIP,
		MetadataURL: h.MetadataURL, Sites: h.Sites,
	}, d.host.Node)
}

// unitFiles says which files systemd's HAProxy reads here and the cluster's does not.
func unitFiles(ctx context.Context, h inventory.HAProxy) (string, error) {
	return agent.UnitFiles(ctx,
		agent.Startup{ConfFile: h.Config, ExtraConf: h.Extra, Unit: h.Unit})
}

// droplet asks the metadata service which droplet this machine is.
func droplet(ctx context.Context, origin string) (string, error) {
	service := metadata.New(cmp.Or(origin, contract.DefaultMetadataURL))
	return metadata.Here(service, "").Droplet(ctx)
}

// rightsTime is how long the API may take to answer.
const rightsTime = 8 * time.Second

// rights asks DigitalOcean's API what a token may read.
func rights(ctx context.Context, a inventory.Address) (node.Right, error) {
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		return node.NotKnown, fmt.Errorf("%q is not an address", a.IP)
	}
	// Until the deadline the provider retries after faults that may pass.
	ctx, cancel := context.WithTimeout(ctx, rightsTime)
	defer cancel()
	p := provider.New(provider.Config{
		API:      cmp.Or(a.APIURL, contract.DefaultAPIURL),
		Metadata: cmp.Or(a.MetadataURL, contract.DefaultMetadataURL),
		Token:    func() (string, error) { return tokenOf(a) },
	})
	err = p.Reads(ctx, ip)
	switch {
	case err == nil:
		return node.Granted, nil
	case fault.Of(err) == fault.Denied || fault.Of(err) == fault.NotFound:
		return node.Refused, err
	}
	return node.NotKnown, err
}

// reserved asks DigitalOcean's API whether the address of a file is one of the account of its token.
func reserved(ctx context.Context, a *config.Address) (wrong string, err error) {
	p := provider.New(provider.Config{
		API:      cmp.Or(a.APIURL, contract.DefaultAPIURL),
		Metadata: cmp.Or(a.MetadataURL, contract.DefaultMetadataURL),
		Token:    func() (string, error) { return tokenfile.Read(a.TokenFile) },
	})
	err = p.Reserved(ctx, a.IP)
	if fault.Of(err) == fault.NotFound {
		return err.Error(), nil
	}
	return "", err
}

// held asks the kernel whether this machine has an interface for the address of a file.
func held(ctx context.Context, a *config.Address) (wrong string, err error) {
	err = lan.New(lan.Config{NIC: a.NIC, Prefix: a.Netmask}).Check(ctx, a.IP)
	if fault.Of(err) == fault.NotInstalled {
		return err.Error(), nil
	}
	return "", err
}

// tokenOf returns the token that the agent would use.
func tokenOf(a inventory.Address) (string, error) {
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
