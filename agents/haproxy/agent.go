// Package haproxy is the resource agent ocf:hawser:haproxy: HAProxy in master-worker mode, as
// Pacemaker starts, watches, reloads and stops it.
//
// What an answer makes the cluster do decides what is answered:
//
//	start    a configuration that HAProxy refuses, or none, or no HAProxy     5  another node may have a good one
//	start    a name in the configuration that cannot be resolved              1  it may pass
//	start    words in extraconf that belong to the agent                     6  wrong on every node
//	start    an address taken or not there; another HAProxy on it; no
//	         metadata service                                                1  it may pass
//	monitor  no process of the instance is alive                             7
//	monitor  zombie; stopped; hung; master without worker, or worker without
//	         master; somebody else's soft stop                               1  recover, or move
//	monitor  a reload is pending; deleted sockets cannot be made again;
//	         HAProxy crashed since the last monitor and was brought back;
//	         at OCF_CHECK_LEVEL 10: a check fails; it does not answer, and
//	         works; nothing can be written to /run; the keeper has been
//	         starting it again for long                                     190  it serves: leave it alone and tell
//	monitor  another process listens where HAProxy does                     190  it serves a part of the clients
//	reload   for a parameter that is the agent's own                         0  and HAProxy loads nothing
//	reload   what cannot be taken over                                       0  and the monitor is degraded: a failure
//	                                                                            would stop a HAProxy that serves
//	reload   HAProxy does not run, or does not answer                        1
//	stop     a process survives SIGKILL                                      1  the node has to be fenced
//
// With the parameter keeper, a HAProxy that died or hangs is brought back before the cluster
// notices: by the keeper, or, if there is none, by the recurring monitor or the reload that finds
// it. Only what cannot be brought back is answered 7 or 1.
//
// It imports instance, keeper, ocf, contract, param, haproxy and leaves of internal, never crm or
// cluster. Open agent.go first, for the parameters; each action has a file of its own.
package haproxy

import (
	"context"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/keeper"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// agent holds the parameters of one call.
type agent struct {
	instance.Settings
	instance.System

	checkTimeout time.Duration
	minServers   int
	checks       param.KnownChecks
	// wellAfter are the times for each of which there is a contract.WellAttribute.
	wellAfter []time.Duration
	// push is the order about a configuration that travels through the CIB.
	push contract.PushOrder
}

// New declares the agent. The version is shown in its meta-data.
func New(version string) *ocf.Agent { return newAgent(version).Declare() }

// Keep runs the process that watches HAProxy, the keeper. It returns its exit code.
func Keep(ctx context.Context, version string) int {
	return keeper.Run(ctx, func() keeper.Agent { return newAgent(version) })
}

func newAgent(version string) *agent {
	return &agent{Settings: instance.Settings{Unit: contract.DefaultUnit},
		System: instance.ThisSystem(version)}
}

// Instance returns the HAProxy that a call is about.
func (a *agent) Instance(dir string) *instance.Instance {
	settings := a.Settings
	for _, c := range a.checks.Checks {
		settings.CheckedFor += " " + c.URL + " " + c.TCP + " " + c.Host + " " + c.SNI
	}
	return &instance.Instance{Files: contract.Files{Dir: dir}, Settings: settings,
		System: a.System}
}

func (a *agent) instance(ctx context.Context) *instance.Instance {
	return a.Instance(ocf.CallFrom(ctx).Dir)
}

func (a *agent) Declare() *ocf.Agent {
	return &ocf.Agent{
		Name:    contract.HAProxyType,
		LogName: "hawser-haproxy",
		Version: a.Version,
		Short:   "HAProxy, kept reachable by the cluster",
		Long: `Runs HAProxy in master-worker mode, watches it through its own sockets, reloads it
without losing a connection and stops it without cutting short what can still finish.

The configuration file needs nothing for it: the agent adds a fragment of its own with a stats
socket and, where the configuration has none, hard-stop-after and mworker-max-reloads. HAProxy's
environment has HAWSER_NODE, HAWSER_SITE, HAWSER_ANCHOR_IP and HAWSER_PRIVATE_IP, so that one
configuration with bind "${HAWSER_ANCHOR_IP}:80" serves every node.

HAProxy's files are loaded at a start, and when the parameter generation changes: what somebody is
editing does not take effect because another parameter changes, because HAProxy crashes, or because
what the agent keeps below /run was deleted. Connections that are open at a reload go on;
hard-stop-after ends those that are still open a day later, unless the configuration says otherwise.

A configuration that HAProxy refuses at a reload leaves the running HAProxy serving with the old
one: the monitor is then degraded (190) and says why, and it takes the configuration over as soon as
HAProxy accepts it.

On a machine that systemd runs, HAProxy has what its own service (parameter unit), drop-ins
included, would have given it: Limit*, OOMScoreAdjust, Nice, UMask, CPUAffinity,
CapabilityBoundingSet, NoNewPrivileges, BindPaths and BindReadOnlyPaths, Environment and
EnvironmentFile, User and Group (of the workers); and in the scope hawser-RESOURCE.scope its Slice,
its limits of memory, processor, tasks and input and output. Its ExecStart is not used: arguments
such as EXTRAOPTS of /etc/default/haproxy are given as extraconf. A start names the files that
HAProxy reads under its service and not under the cluster, and commands of the service that are not
run. The service itself must be disabled: systemctl disable --now haproxy.service.`,
		Params: a.params(),
		Ops: []ocf.Op{
			{Name: "start", Timeout: contract.HAProxyStartTimeout},
			{Name: "stop", Timeout: contract.HAProxyStopTimeout},
			{Name: "monitor", Timeout: contract.HAProxyMonitorTimeout, Interval: 10 * time.Second},
			{Name: "monitor", Timeout: contract.HAProxyMonitorTimeout, Interval: 30 * time.Second,
				Depth: contract.LevelDeep},
			{Name: "reload-agent", Timeout: contract.HAProxyReloadTimeout},
		},
		Validate: a.validate,
		Start:    a.start,
		Stop:     a.stop,
		Blocked:  a.endKeeper,
		Monitor:  a.monitor,
		Busy:     a.busy,
		Reload:   a.reload,
	}
}

func (a *agent) params() []ocf.Param {
	return []ocf.Param{{
		Name: contract.ParamBinpath, Short: "HAProxy's program",
		Long:  "Absolute path of HAProxy.",
		Value: param.Path(&a.Binpath, contract.DefaultBinpath),
	}, {
		Name: contract.ParamConffile, Short: "HAProxy's configuration",
		Long: "Absolute path of HAProxy's configuration file, or of a directory whose files " +
			"*.cfg are read in the order of their names.",
		Value: param.Path(&a.Conffile, contract.DefaultConffile),
	}, {
		Name: contract.ParamExtraconf, Short: "further arguments for HAProxy",
		Long: `Further words of HAProxy's command line, such as -f /etc/haproxy/shared.cfg. Quotes
keep white space; no shell sees them. A file is relative to the directory of -C, or else to the root
directory. The options by which the agent itself runs HAProxy (-c -d -db
-h -p -S -sf -st -v -vv -Ws -x) are refused.`,
		Value: param.Words(&a.Extraconf, ""),
	}, {
		Name: contract.ParamChecks, Short: "what a node must be able to do", Reloadable: true,
		Long: `Checks, with " ; " between them, each a name and words key=value, quoted as for a
shell: one of url (with method, host, status, verify, sni, ca_file), backend (with min_servers), tcp,
exec (with user) and interface, and every, timeout, rise, fall. Such as: web
url=http://${HAWSER_ANCHOR_IP}/healthz every=1s ; db backend=db min_servers=2. The keeper does them;
where there is none, a monitor of OCF_CHECK_LEVEL 10. The result is the node attribute
hawser-RESOURCE-check-NAME, which is ok or failed: constraints with a rule on it have an address
prefer the nodes where the check holds. A check that fails never stops HAProxy.`,
		Value: param.Checks(&a.checks),
	}, {
		Name: contract.ParamCheckURL, Short: "what to request through HAProxy", Reloadable: true,
		Long: `A short form of a check named "check" with this url, such as
http://${HAWSER_ANCHOR_IP}:80/healthz. A status of 200 to 399 is healthy; redirections are not
followed, certificates are not verified.`,
		Value: param.CheckURL(&a.CheckURL),
	}, {
		Name: contract.ParamCheckTimeout, Short: "how long check_url may take", Reloadable: true,
		Long:  "How long the answer to check_url may take.",
		Value: param.Duration(&a.checkTimeout, contract.DefaultCheckTimeout),
	}, {
		Name: contract.ParamMinServers, Short: "servers that every backend needs", Reloadable: true,
		Long: `A short form of a check named "servers": every backend that has servers must have at
least this many UP. 0 checks nothing.`,
		Value: param.Int(&a.minServers, contract.DefaultMinServers, 0, param.MostServers),
	}, {
		Name: contract.ParamWellAfter, Short: "after what times HAProxy counts as well for long",
		Reloadable: true,
		Long: `Times in whole seconds, such as 60s 5m. The node attribute hawser-RESOURCE-well-SECONDS is
yes once HAProxy has served on this node for so long without a failing check; constraints with a rule
on it have an address go back to a better node only then. It is deleted when a check fails, and when
HAProxy is stopped. A crash after which HAProxy was brought back does not count. The keeper counts;
where there is none, each monitor.`,
		Value: param.Custom(&a.wellAfter, "", param.ParseWellAfter),
	}, {
		Name: contract.ParamStopGrace, Short: "how long open connections may finish",
		Reloadable: true,
		Long: `How long a stop lets open connections finish before it ends them; HAProxy takes no
new ones from the beginning. A stop takes at most what the timeout of its operation allows.`,
		Value: param.Duration(&a.StopGrace, contract.DefaultStopGrace),
	}, {
		Name: contract.ParamAnchorIP, Short: "HAWSER_ANCHOR_IP",
		Long: `The address that HAProxy's configuration knows as HAWSER_ANCHOR_IP, on which a
floating IP's traffic arrives. By default the metadata service is asked for it, if the configuration
mentions it.`,
		Value: param.Addr(&a.AnchorIP),
	}, {
		Name: contract.ParamPrivateIP, Short: "HAWSER_PRIVATE_IP",
		Long: `The address that HAProxy's configuration knows as HAWSER_PRIVATE_IP. By default the
metadata service is asked for it, if the configuration mentions it.`,
		Value: param.Addr(&a.PrivateIP),
	}, {
		Name: contract.ParamSites, Short: "the nodes of each site: HAWSER_SITE", Reloadable: true,
		Long: `Sites and their nodes, such as main=lb-1,lb-2 reserve=lb-3,lb-4. HAProxy's configuration,
and the checks, know the site of this node as HAWSER_SITE, which is empty on a node that is in none.
Where the value for this node changes, HAProxy is reloaded so that it has the new one, and not
restarted; but not where its configuration has been changed since it was loaded: then the monitor is
degraded (190) until hawser reload.`,
		Value: param.Custom(&a.Sites, "", param.ParseSites),
	}, {
		Name: contract.ParamMetadataURL, Short: "origin of the metadata service", Reloadable: true,
		Long: "Scheme, host and port of the service that knows this machine's addresses; " +
			"/metadata/v1 is added. It is asked only at a start.",
		Value: param.Origin(&a.MetadataURL, contract.DefaultMetadataURL),
	}, {
		Name: contract.ParamUnit, Short: "HAProxy's own systemd service",
		Long: `The service whose settings HAProxy runs with, and which must neither run nor be
enabled beside the cluster's HAProxy; or none.`,
		Value: param.Service(&a.Unit, contract.DefaultUnit),
	}, {
		Name: contract.ParamKeeper, Short: "whether a keeper brings HAProxy back at once",
		Reloadable: true,
		Long: `Whether the start leaves a small process, hawser-keeper, that holds copies of
HAProxy's listening sockets. It starts HAProxy again as soon as it dies or hangs: connections made
meanwhile wait instead of being refused. It never acts on what is stopped, reloaded, unmanaged or in
maintenance by way of the cluster.`,
		Value: param.Bool(&a.Keeper, contract.DefaultKeeper),
	}, {
		Name: contract.ParamMaxCrashes, Short: "crashes after which the cluster recovers HAProxy",
		Reloadable: true,
		Long: `With the crash that makes this many within crash_window, the keeper does not start
HAProxy again but has the cluster recover it, which may move the address to a node whose HAProxy is
well.`,
		Value: param.Int(&a.MaxCrashes, contract.DefaultMaxCrashes, 1, contract.CrashesKept),
	}, {
		Name: contract.ParamCrashWindow, Short: "the time over which crashes are counted",
		Reloadable: true,
		Long:       "The time over which crashes are counted for max_crashes.",
		Value:      param.Duration(&a.CrashWindow, contract.DefaultCrashWindow),
	}, {
		Name: contract.ParamHangTime, Short: "how long HAProxy may be silent", Reloadable: true,
		Long: `After how long HAProxy counts as hung that answers nothing on its stats socket and does
nothing else either; at least 1s. One that works without answering, because it has no file descriptor
left or no place on its stats socket, is never ended for it. One that waits for a processor or a disk
may take ten times as long.`,
		Value: param.HangTime(&a.HangTime, contract.DefaultHangTime),
	}, {
		Name: contract.ParamGeneration, Short: "changing this value reloads HAProxy on every node",
		Reloadable: true,
		Long: `Any word: its change makes every node's HAProxy load its configuration again, without
a restart. hawser reload sets it. One that ends in @ and the hash that hawser status shows of a
configuration lets a node with different files keep what it serves; its monitor is then
degraded and says so.`,
		Value: param.String(&a.Generation, ""),
	}, {
		Name: contract.ParamPush, Short: "a configuration on its way to every node",
		Reloadable: true,
		Long: `Written by hawser reload --push and taken away again: "check:" or "take:" and the
SHA-256 of a configuration in the cluster's properties, which every node is to check, or to put in
the place of conffile and load.`,
		Value: param.Custom(&a.push, "", contract.ParsePushOrder),
	}}
}

// checkExtra refuses words that belong to the agent.
func (a *agent) checkExtra() error {
	if err := param.CheckArguments(a.Extraconf); err != nil {
		return ocf.Errorf(ocf.ErrConfigured, "parameter extraconf=%q %w",
			strings.Join(a.Extraconf, " "), err)
	}
	return nil
}

// keep makes sure that a keeper of this build watches HAProxy, or that none does, as the parameter
// says.
func (a *agent) keep(ctx context.Context, in *instance.Instance) {
	in.EnsureKeeper(ctx, ocf.CallFrom(ctx).Environ(New(a.Version)))
}

// validate is the whole of validate-all. A start checks the same, but in its own order.
func (a *agent) validate(ctx context.Context) error {
	if ocf.CallFrom(ctx).Action != "validate-all" {
		return nil
	}
	if err := a.unknownChecks(); err != nil {
		return ocf.Errorf(ocf.ErrConfigured, "%w", err)
	}
	if err := a.checkExtra(); err != nil || ocf.CallFrom(ctx).ParametersOnly() {
		return err
	}
	in := a.instance(ctx)
	if err := in.CheckBinary(); err != nil {
		return err
	}
	in.CheckUnit(ctx)
	sources, err := in.Sources()
	if err != nil {
		return err
	}
	env, err := in.Environment(ctx, sources, false)
	if err != nil {
		return err
	}
	env = instance.WithUnitEnvironment(in.UnitSettings(ctx), env)
	in.Advise(ctx, sources, env)
	return in.CheckConfig(ctx, []string{a.Conffile}, env)
}
