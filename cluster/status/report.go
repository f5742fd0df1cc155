package status

import (
	"slices"
	"time"
)

// State is the condition of something, from good to bad.
type State string

// States, from good to bad.
const (
	OK          State = "ok"
	Degraded    State = "degraded"
	Failed      State = "failed"
	Unavailable State = "unavailable"
)

// worst returns the worse of two states.
func worst(a, b State) State {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// rank orders states: the greater, the worse.
func rank(s State) int {
	return max(0, slices.Index([]State{OK, Degraded, Failed, Unavailable}, s))
}

// Report is `hawser status --json`.
type Report struct {
	State         State        `json:"state"`
	Pacemaker     Pacemaker    `json:"pacemaker"`
	Configuration Source       `json:"configuration"`
	HAProxy       []HAProxy    `json:"haproxy"`
	Checks        []Check      `json:"checks"`
	FloatingIPs   []FloatingIP `json:"floating_ips"`
	Others        []Other      `json:"other_resources"`
	Failures      []Failure    `json:"failures"`
	// Drift lists the HAProxies whose nodes serve different configurations.
	Drift []Drift `json:"drift"`
	// Leftovers are constraints by which a command has bound a resource to a node.
	Leftovers []Leftover `json:"leftovers"`
	// Node is Pacemaker's name of the node that was asked, Now the time of the report.
	Node string    `json:"node"`
	Now  time.Time `json:"time"`

	// Denied says that this user may not ask Pacemaker, and localDenied nothing of this node's
	// HAProxy.
	Denied      bool `json:"-"`
	localDenied bool
}

// Source says whether a source answered.
type Source struct {
	Available bool   `json:"available"`
	Error     string `json:"error,omitempty"`
}

// Pacemaker is what Pacemaker says about the cluster as a whole.
type Pacemaker struct {
	Source
	Version string `json:"version,omitempty"`
	DC      string `json:"dc,omitempty"`
	Quorum  bool   `json:"quorum"`
	// NoQuorumPolicy is what Pacemaker does without a quorum, as crm.CIB.NoQuorumPolicy has it; ""
	// with a quorum, or if the configuration is not known.
	NoQuorumPolicy string `json:"no_quorum_policy,omitempty"`

	Fencing  bool `json:"fencing"`
	Unfenced bool `json:"unfenced"` // fencing is on without a device: Pacemaker starts nothing
	// Fencers lists what fences failed nodes; empty if fencing is off.
	Fencers []Fencer `json:"fencing_devices"`
	// NotFenced lists the nodes without a fencing device, although fencing is on.
	NotFenced   []string `json:"not_fenced"`
	Maintenance bool     `json:"maintenance"`
	// WaitsForAll says that Corosync has not seen all nodes since it started, and gives no quorum
	// before (wait_for_all).
	WaitsForAll bool   `json:"waits_for_all"`
	Nodes       []Node `json:"nodes"`
}

// Fencer is a fencing device, or the nodes' watchdogs.
type Fencer struct {
	Device string `json:"device"`         // the resource, or "watchdog"
	Agent  string `json:"agent"`          // stonith:fence_droplet, or sbd
	State  State  `json:"state"`          // failed is shown as degraded: nothing is down because of it
	Is     string `json:"is"`             // running, stopped, failed …
	Node   string `json:"node,omitempty"` // where it is monitored; any node may use it
	Reason string `json:"reason,omitempty"`
	// WaitSeconds is how long the cluster waits for a failed node's watchdog.
	WaitSeconds float64 `json:"wait_seconds,omitempty"`
}

// Node is a node of the cluster.
type Node struct {
	Name  string   `json:"name"`
	State State    `json:"state"`
	Is    []string `json:"is"` // online, offline, standby, maintenance, pending, unclean, shutting down
	DC    bool     `json:"dc"`
}

// HAProxy is one HAProxy on one node.
type HAProxy struct {
	Resource string     `json:"resource"`
	Node     string     `json:"node"`
	State    State      `json:"state"`
	Is       string     `json:"is"` // running, degraded, stopped, failed, starting, stopping, node offline …
	Since    *time.Time `json:"since,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Servers  *Servers   `json:"servers,omitempty"`
	Crash    *Crash     `json:"last_crash,omitempty"`
	// Configuration is what the node reported to the cluster.
	Configuration *Config  `json:"configuration,omitempty"`
	Process       *Process `json:"process,omitempty"` // only of this node
	Socket        *Source  `json:"socket,omitempty"`  // only of this node

	dead bool // nobody listens at its socket any more
}

// Servers counts the servers of all backends.
type Servers struct {
	Up       int `json:"up"`
	Down     int `json:"down"`
	Draining int `json:"draining"`
	// DownNames are those that are down, BACKEND/SERVER; only of this node.
	DownNames []string `json:"down_names,omitempty"`
}

// Crash is the last crash of a HAProxy that its keeper, or a monitor, restarted.
type Crash struct {
	Time        time.Time `json:"time"`
	TookSeconds float64   `json:"took_seconds"`
	Count       int       `json:"count"` // since the cluster started that HAProxy
}

// Process is what HAProxy's sockets say.
type Process struct {
	Version       string `json:"version"`
	PID           int    `json:"pid"`
	UptimeSeconds int64  `json:"uptime_seconds"`
	Sessions      int    `json:"sessions"`
	OldWorkers    int    `json:"old_workers"`
	OldSessions   int    `json:"old_connections"` // those of the old workers
	FailedReloads int    `json:"failed_reloads"`
}

// FloatingIP is an address.
type FloatingIP struct {
	Resource string     `json:"resource"`
	IP       string     `json:"ip,omitempty"`
	Provider string     `json:"provider,omitempty"`
	State    State      `json:"state"`
	Is       string     `json:"is"`
	Node     string     `json:"node,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	// Unserved says why nobody is served although the address is on a node.
	Unserved string `json:"unserved,omitempty"`
	// Next is the node that takes the address if its own is lost, NoNext why none does. Both are empty
	// if that is not known.
	Next   string `json:"next,omitempty"`
	NoNext string `json:"no_next,omitempty"`
}

// Other is a resource that is neither HAProxy nor an address.
type Other struct {
	Resource string `json:"resource"`
	Agent    string `json:"agent"`
	State    State  `json:"state"`
	Is       string `json:"is"`
	Node     string `json:"node,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Failure is a failed action.
type Failure struct {
	Resource string     `json:"resource"`
	Node     string     `json:"node"`
	Task     string     `json:"task"`
	Code     int        `json:"code"`
	Meaning  string     `json:"meaning"`
	Status   string     `json:"status,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
}
