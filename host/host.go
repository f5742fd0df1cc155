// Package host is this machine and its cluster, wired once: the command line, a page and the keeper
// all ask here, and what a test replaces is a field of Host. It may import everything but cmd. Open
// this file first.
package host

import (
	"context"
	"os"
	"time"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/cluster/lint"
	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/move"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/sbd"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/param"
)

// Host is what there is to know about this machine and its cluster. Its functions are never nil
// unless they say so.
type Host struct {
	Cluster crm.Cluster
	Running bool // the configuration is that of a running cluster, not a file or a shadow copy
	// the configuration is another machine's: files named in hawser.yaml are not here
	Remote bool
	RunDir string // the agents' runtime files
	Node   string // this machine's name in the cluster
	Root   bool   // hawser runs as root and may read and ask everything
	Agents string // where Pacemaker finds resource agents
	// Version is that of this program, "" if it does not matter.
	Version string
	Proc    string // the processes: /proc
	Now     func() time.Time
	// SavedCIB is where Pacemaker keeps its configuration, "" if that is not on this machine or
	// cannot be used.
	SavedCIB string
	// Unit asks systemd about one of its units, Record writes to the system's log; either may be
	// nil. User is who runs this, for the log.
	Unit   func(ctx context.Context, name string) (systemd.Unit, error)
	Record func(line string)
	User   func() string
	// CheckHAProxy has HAProxy check a configuration.
	CheckHAProxy func(ctx context.Context, h preflight.HAProxy) error
	// Metadata asks a resource or fence agent of this node, Options the Pacemaker of this node which
	// options a cluster has; either may be nil.
	Metadata func(ctx context.Context, agent string) (crm.Metadata, error)
	Options  func(ctx context.Context) ([]string, error)
	// FenceAgent runs hawser's fence agent with the options, FindDroplet asks the cloud for the
	// droplet that the agent would take.
	FenceAgent func(ctx context.Context, options crm.Attrs) (fencing.Answer, error)
	// Reserved asks the cloud whether an address is one of the account of its token, as
	// preflight.Node has it; nil asks nothing.
	Reserved func(ctx context.Context, ip *config.Address) (wrong string, err error)
	// Held asks this machine whether it has an interface for an address on a LAN, as preflight.Node
	// has it; nil asks nothing.
	Held        func(ctx context.Context, ip *config.Address) (wrong string, err error)
	FindDroplet func(
		ctx context.Context, d *config.DropletFencing, plug string,
	) (fencing.Droplet, error)
	// SBD finds this node's SBD.
	SBD func() (sbd.Daemon, error)
	// Group asks Corosync which nodes have a process in a group, Votes how it counts votes, Members
	// for the nodes and their addresses.
	Group   func(ctx context.Context, name string) ([]int, error)
	Votes   func(ctx context.Context) (corosync.Quorum, error)
	Members func(ctx context.Context) ([]corosync.Member, error)
	// Networks lists the interfaces of this machine that are up, Droplet asks the cloud's metadata service
	// about it; either may be nil. CorosyncConf is Corosync's configuration, "" if that is not here.
	Networks     func() ([]draft.Interface, error)
	Droplet      func(ctx context.Context) (draft.Droplet, error)
	CorosyncConf string
	// Shell makes what runs command lines on the nodes, with a command such as ssh; here is this node.
	Shell func(command []string, here string) machines.Shell
	// LocalNode asks Pacemaker for its name of this machine, which need not be the host's, and
	// WaitsForAll asks Corosync whether it still waits for all nodes. Either may be nil.
	LocalNode   func(ctx context.Context) (string, error)
	WaitsForAll func(ctx context.Context) (bool, error)
}

// This returns the machine that the program runs on.
func This() Host {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	runDir := os.Getenv(contract.RunDirVariable)
	if runDir == "" {
		runDir = contract.RunDir
	}
	h := Host{
		Cluster:      &crm.Tools{},
		Running:      os.Getenv("CIB_file") == "" && os.Getenv("CIB_shadow") == "",
		Remote:       os.Getenv("CIB_server") != "",
		RunDir:       runDir,
		Node:         name,
		Root:         os.Geteuid() == 0,
		Agents:       "/usr/lib/ocf/resource.d",
		Proc:         "/proc",
		Now:          time.Now,
		Unit:         systemd.Find,
		Record:       toSyslog,
		User:         whoAmI,
		CheckHAProxy: preflight.CheckHAProxy,
		Metadata:     (&crm.Tools{}).Metadata,
		Options:      (&crm.Tools{}).Options,
		FenceAgent:   fencing.RunAgent,
		FindDroplet:  findDroplet,
		Reserved:     reserved,
		Held:         held,
		SBD:          func() (sbd.Daemon, error) { return sbd.AsPacemaker("/") },
		Group:        corosync.Group,
		Votes:        corosync.RunningQuorum,
		Members:      corosyncMembers,
		Networks:     networks,
		Droplet:      dropletHere,
		CorosyncConf: corosync.ConfFile,
		Shell: func(command []string, here string) machines.Shell {
			return machines.SSH{Command: command, Here: here}
		},
	}
	if h.Live() {
		h.SavedCIB = "/var/lib/pacemaker/cib/cib.xml"
		tools := &crm.Tools{Saved: h.SavedCIB}
		h.Cluster, h.LocalNode, h.WaitsForAll = tools, tools.LocalNode, corosync.WaitsForAll
	}
	return h
}

// Live says whether the configuration is that of the cluster of this machine.
func (h *Host) Live() bool { return h.Running && !h.Remote }

// Deployer plans and applies hawser.yaml on this machine's cluster.
func (h *Host) Deployer() *deploy.Deployer {
	d := &deploy.Deployer{
		Cluster: h.Cluster,
		Running: h.Running,
		User:    userName(), Now: h.Now,
		Node: preflight.Node{
			Remote: h.Remote, Live: h.Live(), Name: h.Node, Root: h.Root, HAProxy: h.CheckHAProxy,
			Unit: h.Unit, UnitFiles: plannedUnitFiles,
			Interfaces: interfaces, Reserved: h.Reserved, Held: h.Held,
			OtherVersions: h.otherVersions,
		},
		Facts: fencing.Sources{
			Cluster: h.Cluster, Live: h.Live(), Node: h.Node, SBD: h.SBD, Group: h.Group,
			Votes: h.Votes,
		},
		Trial: fencing.Trial{
			Live: h.Live(), Agent: h.FenceAgent, Nodes: h.Members, Find: h.FindDroplet,
		},
	}
	if h.Live() {
		d.Device = corosync.AskDevice
	}
	return d
}

// Linter judges what somebody configures by hand.
func (h *Host) Linter() lint.Linter {
	l := lint.Linter{Metadata: h.Metadata, Options: h.Options, Agents: h.Agents, Live: h.Live()}
	if h.Agents != "" {
		l.FenceAgents = "/usr/sbin"
	}
	return l
}

// plannedUnitFiles says which files systemd's HAProxy reads here and the one of hawser.yaml does not.
func plannedUnitFiles(ctx context.Context, h *config.HAProxy) (string, error) {
	extra, err := param.SplitWords(h.Extra)
	if err != nil {
		return "", err
	}
	return haproxy.UnitFiles(ctx,
		haproxy.Startup{ConfFile: h.Config, ExtraConf: extra, Unit: h.Unit})
}

// findDroplet asks the cloud as the fence agent does.
func findDroplet(
	ctx context.Context, d *config.DropletFencing, plug string,
) (fencing.Droplet, error) {
	options := fencedroplet.Options{TokenFile: d.TokenFile, Tag: d.Tag, API: d.APIURL}
	found, err := fencedroplet.Find(ctx, options, plug)
	return fencing.Droplet{ID: found.ID, Name: found.Name, Addresses: found.Addresses}, err
}

// corosyncMembers asks the Corosync of this node for the nodes that it is configured with.
func corosyncMembers(ctx context.Context) ([]corosync.Member, error) {
	keys, err := corosync.AskKeys(ctx)
	if err != nil {
		return nil, err
	}
	return keys.Members(), nil
}

// Roller reloads and pushes configurations on this machine's cluster.
func (h *Host) Roller() *rollout.Roller {
	return &rollout.Roller{
		Cluster: h.Cluster, Remote: h.Remote, Node: h.Node, RunDir: h.RunDir, Root: h.Root,
		Now: h.Now, HAProxy: h.CheckHAProxy,
		Environment: func(resource string) []string {
			return haproxy.Environment(h.RunDir, resource)
		},
		OtherVersions: h.otherVersions,
	}
}

// otherVersions says that this node's agents are of another version than this program.
func (h *Host) otherVersions(ctx context.Context) string {
	if h.Version == "" || h.Agents == "" {
		return ""
	}
	return node.OtherVersions(ctx, h.Agents, h.Version)
}

// Mover moves addresses on this machine's cluster.
func (h *Host) Mover() *move.Mover { return &move.Mover{Cluster: h.Cluster, Now: h.Now} }

// Status collects the state of this machine's cluster.
func (h *Host) Status() *status.Collector {
	return &status.Collector{
		Cluster: h.Cluster, Live: h.Live(), Node: h.Node, RunDir: h.RunDir, SavedCIB: h.SavedCIB,
		Now: h.Now, Locate: h.LocalNode, WaitsForAll: h.WaitsForAll, Votes: corosync.AskVotes,
	}
}

// Locate has Node be Pacemaker's name of this machine, if it can be asked.
func (h *Host) Locate(ctx context.Context) {
	if h.LocalNode == nil || !h.Live() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, locateTime)
	defer cancel()
	if name, err := h.LocalNode(ctx); err == nil && name != "" {
		h.Node = name
	}
}

// locateTime is how long Pacemaker may take to say what it calls this machine.
const locateTime = 5 * time.Second
