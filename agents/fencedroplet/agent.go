// Package fencedroplet is the fence agent for DigitalOcean's droplets.
//
// What it answers, and why. A fence that says "off" about a machine that runs lets two nodes hold
// one address, so everything but the API's own word about this very droplet is a failure (1):
//
//	situation                                                     off, reboot                     status
//	the API says "off", of a power-off that it accepted here      0                               2
//	it says "off", and its latest event gave no power             0                               2
//	it says "off" while or just after another event               waits: it may be a power-on     1
//	it says "active", whatever event is under way                 power_off, then looks again     0
//	it says "new" or "archive"                                    as active; never off            1
//	the order is refused: 422                                     looks again, orders again       -
//	the order was accepted and nothing comes of it                orders again                    -
//	429, 5xx, no answer, an answer that is none                   tries again until its time is over, then 1
//	401, 403, no such droplet, two of the name or tag, none named 1 at once
//	the droplet was there and the API does not know it any more   1: destroyed, or another token's; a person has to say so
//	the droplet is this one                                       1                               -
//
// A droplet that was seen off once after the fence began has lost what ran in it, even if something
// switches it on later.
//
// It imports fence, contract and leaves of internal, never crm or cluster. Open agent.go first, for
// what each answer of the API is worth.
package fencedroplet

import (
	"context"
	"net"
	"os"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/metadata"
	"github.com/hawser-ha/hawser/internal/tokenfile"
	"github.com/hawser-ha/hawser/param"
)

// Dir is where the id of this droplet is kept until the next boot.
const Dir = contract.RunDir + "/" + contract.FenceDropletType

// scopes are what a token needs (https://docs.digitalocean.com/reference/api/scopes/), tagScopes if
// droplets are searched by their tag.
const (
	scopes    = "droplet:read and droplet:update"
	tagScopes = "droplet:read, droplet:update and tag:read"
)

// agent is one invocation's state.
type agent struct {
	tokenFile, tag, api, metadata string

	client    *digitalocean.Client
	pacing    digitalocean.Pacing
	identity  func(*metadata.Client) metadata.Identity
	addresses func() ([]net.Addr, error)
	found     *droplet // the target, once it was found
	cut       bool     // the API has accepted an order to cut its power
	blind     bool     // the token may not see events
}

// New returns the agent. version is shown by --version.
func New(version string) *fence.Agent { return newAgent(version, &agent{}) }

func newAgent(version string, a *agent) *fence.Agent {
	// Pauses up to a second: each adds to the time during which nobody has the address. 250
	// requests a minute are allowed.
	a.pacing = digitalocean.Pacing{First: 200 * time.Millisecond, Last: time.Second}
	a.addresses = net.InterfaceAddrs
	a.identity = func(m *metadata.Client) metadata.Identity {
		return metadata.Here(m, noteIn(Dir))
	}
	return &fence.Agent{
		Name:    contract.FenceDropletType,
		Version: version,
		Short:   "Fence agent for DigitalOcean droplets",
		URL:     "https://www.digitalocean.com",
		Long: "fence_droplet cuts the power of a droplet through DigitalOcean's API, and " +
			"switches it on again. It says that a droplet is off when " +
			"the API says so of the droplet, not when it accepted the order. It never cuts the " +
			"power of the droplet that it runs on.\n\n" +
			"The token needs the scopes " + scopes +
			". Without pcmk_host_map, droplets must have the names of the cluster's nodes.",
		PlugText: "The droplet: its id (a number), its name, or tag:NAME for the only droplet " +
			"that has the tag. A value that two droplets match is refused",
		Times: fence.Times{Login: 5 * time.Second, Power: 40 * time.Second,
			Shell: 5 * time.Second},
		Params: []fence.Param{
			{Name: contract.ParamTokenFile, Holds: "file", Required: true,
				Value: param.SecretPath(&a.tokenFile, ""),
				Text: "File with the API token and nothing else, on each node; it must be root's " +
					"and readable by nobody else (mode 0600)"},
			{Name: contract.ParamTag, Holds: "tag", Value: param.String(&a.tag, ""),
				Text: "Only droplets that have this tag are considered; all others are ignored. " +
					"The token needs the scope tag:read, too"},
			{Name: contract.ParamAPIURL, Holds: "origin", Value: param.Origin(&a.api,
				contract.DefaultAPIURL),
				Text: "Scheme, host and port of the API; /v2 is added"},
			{Name: contract.ParamMetadataURL, Holds: "origin",
				Value: param.Origin(&a.metadata, contract.DefaultMetadataURL),
				Text:  "Scheme, host and port of the metadata service; /metadata/v1 is added"},
		},
		Validate: a.validate,
		Off:      a.off,
		On:       a.on,
		Start:    a.start,
		Status:   a.status,
		List:     a.list,
		Monitor:  a.monitor,
	}
}

func noteIn(dir string) string {
	// The directory above it is the agents' too, and world-readable as they make it. If it cannot
	// be created, nothing is noted.
	if os.MkdirAll(dir, 0o755) != nil {
		return ""
	}
	return dir + "/droplet"
}

// open makes the client.
func (a *agent) open(c *fence.Call) *digitalocean.Client {
	if a.client == nil {
		needs := scopes
		if a.tag != "" || strings.HasPrefix(c.Plug, byTag) {
			needs = tagScopes
		}
		a.client = digitalocean.New(digitalocean.Config{
			Origin: a.api, Agent: "hawser-fence", Timeout: c.Times.Shell,
			Token: func() (string, error) {
				token, err := tokenfile.Read(a.tokenFile)
				c.Redact(token)
				return token, err
			},
			Words: digitalocean.Words{
				Scopes: needs,
				NotFound: "no such droplet (%s): was it destroyed, or is the token another " +
					"team's? Once you have made sure that it is gone, " +
					"tell the cluster: stonith_admin --confirm=NODE",
				Busy: "the droplet",
			},
		})
	}
	return a.client
}

// validate reads the token, but does not ask the API whether it is good.
func (a *agent) validate(_ context.Context, c *fence.Call) error {
	_, err := a.open(c).Godo()
	return err
}
