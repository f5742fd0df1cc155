// Package floatip is the resource agent for a floating IP: an address that a provider moves from
// server to server (a cloud's reserved address), or that one machine of a network has at a time.
//
// What it answers, and why. Pacemaker takes 1 for a fault that may pass (it recovers), 4 and 5 for
// a fault of this node (it tries another one), 6 for a fault of the configuration (it stops
// trying), 7 for "certainly not here", 190 for "works, look at it".
//
//	situation                                                start       recurring monitor   probe       stop
//	the address is here                                      0           0                   0           released, 0
//	it is elsewhere, or unassigned                           assigned, 0 7                   7           0
//	parameter wrong or missing                               6           6                   7 or as started with
//	no token file, or an empty one                           5           -                   -           cloud 0
//	token file that others may read or replace               4           -                   -           cloud 0
//	token refused, or lacking a scope                        4           -, 190 at level 10  -           cloud 0
//	address not in the token's account, other data centre,
//	  the server holds another address already               5           -                   -           0
//	API down, slow, throttled, address locked                1 [1]       -, 190 at level 10  -           cloud 0 [2]
//	metadata service down                                    0 if the id of the server is known [3]
//	                                                                     190 if last seen    asks the    as the API
//	                                                                     here, else 1        API, or 1   says
//	metadata says "not here", the start said "here"          -           asks the API [4]    asks the API
//	lan: another machine answers for the address             1 [5]       1 at level 10 [6]   -           0
//	lan: interface down or without carrier                   1           1                   1           removed, 0
//	lan: no such interface, no network for the address       5           7                   7           0
//	lan: not root                                            4           -                   -           4
//	lan: the address cannot be removed                       -           -                   -           1
//
// A dash: the situation is not noticed, because nothing is asked that would show it.
//
// [1] 0 if the address is here by the metadata service: a restart during an outage must not turn it
// into a failure on every node.
//
// [2] The provider lets one server at a time have the address. If it cannot be asked to take it
// from here, the next start will take it from here; a stop that failed instead would get this node
// fenced. The log says so.
//
// [3] It is noted until the next boot, and DigitalOcean writes it into the firmware's tables too.
//
// [4] The metadata service lags behind the API. A recurring monitor makes no request to the API
// except in this contradiction, which lasts for seconds after a move. If the API cannot settle it,
// the answer is 190 for a while after the start (lag), then 7. The opposite lag, an old holder that
// still sees the address, does no harm: its monitor notices some seconds later, its stop asks the
// API. Only a probe asks the API then too, since the cluster would take the answer for a second
// running one and stop both.
//
// [5] Only if it still answers after 20 s, or three quarters of a shorter time-out. A node that lost
// sight of the others, on a ring of its own, lets go of the address a moment after they want it; a
// start that gave up at once would keep the address off this node until the failure has expired. An
// interface without carrier is not waited for: another node may have one.
//
// [6] Only if it answers three times in a row: anybody on the network can send one such packet.
//
// It imports ocf, contract, param, its providers and leaves of internal, never crm or cluster.
package floatip

import (
	"context"
	"net/netip"
	"time"

	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// settings are the parameters that decide which address goes where. They are noted at a start, so
// that what was started can be stopped when the parameters are gone.
type settings struct {
	IP           netip.Addr
	Provider     string
	TokenFile    string
	API          string
	Metadata     string
	NIC          string
	Prefix       int
	ConflictWait time.Duration
}

// agent is one invocation's state.
type agent struct {
	settings
	token       string // the parameter; never noted
	announceFor time.Duration
	drivers     []driver
	settled     *ocf.State // what a Start or Stop of this invocation has made certain
	watchWith   string     // the program to watch the address with; "" has none
	described   *ocf.Agent // what describe has returned
}

// New returns the agent. version is shown in its meta-data.
func New(version string) *ocf.Agent { return newAgent(version, drivers()) }

// NewWatching is New for a program that is started with IsWatcher's arguments to watch an address.
func NewWatching(version, program string) *ocf.Agent {
	a := &agent{drivers: drivers(), watchWith: program}
	return a.describe(version)
}

func newAgent(version string, drivers []driver) *ocf.Agent {
	return (&agent{drivers: drivers}).describe(version)
}

// describe returns the agent as package ocf runs it.
func (a *agent) describe(version string) *ocf.Agent {
	names := make([]string, len(a.drivers))
	for i, d := range a.drivers {
		names[i] = d.name
	}
	a.described = &ocf.Agent{
		Name:    contract.FloatIPType,
		LogName: "hawser-floatip",
		Version: version,
		Short:   "Keeps a floating IP on the node that can serve it",
		Long: "Moves a floating IP to the node on which the resource runs: a DigitalOcean " +
			"reserved IP (also called floating IP), through " +
			"DigitalOcean's API, or an address of the local network. Colocate it with what " +
			"serves the address. " +
			"The recurring monitor makes no request to the API; with OCF_CHECK_LEVEL=10 it asks " +
			"the API who holds the address, " +
			"which also shows an expired token before a failover needs it.",
		Params: []ocf.Param{
			{Name: contract.ParamIP, Aliases: []string{contract.ParamOldIP}, Required: true,
				Unique: true, Value: param.HostAddr(&a.IP),
				Short: "floating IP", Long: "The IPv4 or IPv6 address, without prefix length."},
			{Name: contract.ParamProvider, Value: param.Enum(&a.Provider, names[0], names...),
				Short: "who moves the address",
				Long: "digitalocean for a reserved IP of DigitalOcean, lan for an address of " +
					"the local network."},
			{Name: contract.ParamTokenFile, Value: param.SecretPath(&a.TokenFile, ""),
				Short: "file with the API token",
				Long: "A file on each node that holds the provider's API token and nothing else. " +
					"It must belong to root and be " +
					"readable by nobody else (mode 0600). The token needs the scopes " +
					"reserved_ip:read, reserved_ip:update and droplet:read."},
			{Name: contract.ParamToken, Aliases: []string{contract.ParamOldToken},
				Value: param.Secret(&a.token),
				Short: "API token",
				Long: "The API token itself. It is then in the cluster's configuration, where " +
					"everybody with access to the cluster " +
					"can read it unless it is moved to Pacemaker's secrets (cibsecret); " +
					"token_file is better."},
			{Name: contract.ParamNIC, Value: param.NIC(&a.NIC),
				Short: "network interface (lan)",
				Long: "The interface that gets the address. If it is not set, the routing table " +
					"decides, by the address's network."},
			{Name: contract.ParamNetmask, Value: param.PrefixLength(&a.Prefix),
				Short: "prefix length (lan)",
				Long: "The prefix length of the address, such as 24. If it is not set, it is " +
					"that of the network in the routing table, " +
					"whose route is then left alone."},
			{Name: contract.ParamAPIURL, Value: param.Origin(&a.API, contract.DefaultAPIURL),
				Short: "origin of the provider's API",
				Long: "Scheme, host and port; /v2 is added. The token is sent there, so the " +
					"scheme is https, or http with a loopback address."},
			{Name: contract.ParamMetadataURL,
				Value: param.Origin(&a.Metadata, contract.DefaultMetadataURL),
				Short: "origin of the metadata service",
				Long:  "Scheme, host and port; /metadata/v1 is added."},
			{Name: contract.ParamConflictWait, Value: param.Duration(&a.ConflictWait,
				lan.DefaultConflictWait),
				Short: "time to wait for a conflict (lan)",
				Long: "How long to wait for another machine to answer that it has the address, " +
					"before taking it. If one does, it is asked again for up to 20 s. Raise it " +
					"where answers take longer; 0 does not ask."},
			{Name: contract.ParamAnnounceFor, Value: param.Duration(&a.announceFor,
				contract.DefaultAnnounceFor),
				Short: "how long to repeat announcements (lan)",
				Long: "How long after a start each recurring monitor announces the address again " +
					"(gratuitous ARP, unsolicited neighbour " +
					"advertisement), for neighbours that missed the announcements of the start. " +
					"0 turns this off."},
		},
		Ops: []ocf.Op{
			{Name: "start", Timeout: contract.FloatIPStartTimeout},
			{Name: "stop", Timeout: contract.FloatIPStopTimeout},
			{Name: "monitor", Timeout: contract.FloatIPMonitorTimeout, Interval: 10 * time.Second},
			{Name: "monitor", Timeout: contract.FloatIPHolderTimeout, Interval: 5 * time.Minute,
				Depth: contract.LevelDeep},
		},
		Validate: a.validate,
		Start:    a.start,
		Stop:     a.stop,
		Monitor:  a.monitor,
	}
	return a.described
}

// validate checks the parameters together and, if that is asked for, what this node must have for
// them. It makes no request.
func (a *agent) validate(ctx context.Context) error {
	if a.IP.Is4() && a.Prefix > 32 {
		return ocf.Errorf(ocf.ErrConfigured,
			"parameter cidr_netmask=%d is too long for the IPv4 address %s: at most 32", a.Prefix,
			a.IP)
	}
	if err := param.CheckInNetwork(a.IP, a.Prefix); err != nil {
		return ocf.Errorf(ocf.ErrConfigured, "parameter ip=%s %w", a.IP, err)
	}
	s, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	if s.driver.credentials {
		switch {
		case a.token == "" && a.TokenFile == "":
			return ocf.Errorf(ocf.ErrConfigured,
				"parameter token_file is not set: name the file that holds the token for %s",
				a.Provider)
		case a.token != "" && a.TokenFile != "":
			return ocf.Errorf(ocf.ErrConfigured,
				"both token_file and token are set: remove one, preferably token")
		}
	}
	if c, ok := s.provider.(Checker); ok && !ocf.CallFrom(ctx).ParametersOnly() {
		return coded(c.Check(ctx, a.IP))
	}
	return nil
}
