package status

import (
	"slices"
	"time"
)

// State is the condition of something, from good to bad.
type State string

// States, from good to bad.
const (
	// OK means that all is well.
	OK State = "ok"
	// Degraded means that it works, and something needs attention.
	Degraded State = "degraded"
	// Failed means that it does not do what it is for; of the whole, that visitors are not served.
	Failed State = "failed"
	// Unavailable means that Pacemaker does not answer.
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
	// State is the worst state of anything below.
	State State `json:"state"`
	// Pacemaker is what Pacemaker says about the cluster as a whole.
	Pacemaker Pacemaker `json:"pacemaker"`
	// Configuration says whether the cluster's configuration could be read: only that knows which
	// address a floating IP is.
	Configuration Source `json:"configuration"`
	// HAProxy lists each HAProxy on each node.
	HAProxy []HAProxy `json:"haproxy"`
	// Checks lists HAProxy's checks, with their results on each node.
	Checks []Check `json:"checks"`
	// FloatingIPs lists the addresses.
	FloatingIPs []FloatingIP `json:"floating_ips"`
	// Others lists the resources that are neither HAProxy nor an address.
	Others []Other `json:"other_resources"`
	// Failures lists failed actions that Pacemaker remembers.
	Failures []Failure `json:"failures"`
	// Drift lists the HAProxies whose nodes serve different configurations.
	Drift []Drift `json:"drift"`
	// Leftovers are constraints by which a command has bound a resource to a node.
	Leftovers []Leftover `json:"leftovers"`
	// Node is Pacemaker's name of the node that was asked.
	Node string `json:"node"`
	// Now is the time of the report.
	Now time.Time `json:"time"`

	// Denied says that this user may not ask Pacemaker, and localDenied nothing of this node's
	// HAProxy.
	Denied      bool `json:"-"`
	localDenied bool
}

// Source says whether a source answered.
type Source struct {
	// Available says whether it answered.
	Available bool `json:"available"`
	// Error is why it did not.
	Error string `json:"error,omitempty"`
}

// Pacemaker is what Pacemaker says about the cluster as a whole.
type Pacemaker struct {
	Source
	// Version is Pacemaker's version.
	Version string `json:"version,omitempty"`
	// DC is the node that decides for the cluster (designated controller).
	DC string `json:"dc,omitempty"`
	// Quorum says whether this part of the cluster has quorum.
	Quorum bool `json:"quorum"`
	// NoQuorumPolicy is what Pacemaker does without a quorum: stop, freeze, ignore, demote, suicide
	// or fence; missing with a quorum, or if the configuration is not known.
	NoQuorumPolicy string `json:"no_quorum_policy,omitempty"`
	// Fencing says whether fencing is on (stonith-enabled).
	Fencing bool `json:"fencing"`
	// Unfenced says that fencing is on without a device: Pacemaker starts nothing.
	Unfenced bool `json:"unfenced"`
	// Fencers lists what fences failed nodes; empty if fencing is off.
	Fencers []Fencer `json:"fencing_devices"`
	// NotFenced lists the nodes without a fencing device, although fencing is on.
	NotFenced []string `json:"not_fenced"`
	// Maintenance says whether the whole cluster is in maintenance.
	Maintenance bool `json:"maintenance"`
	// WaitsForAll says that Corosync has not seen all nodes since it started, and gives no quorum
	// before (wait_for_all).
	WaitsForAll bool `json:"waits_for_all"`
	// Nodes lists the nodes of the cluster.
	Nodes []Node `json:"nodes"`
}

// Fencer is a fencing device, or the nodes' watchdogs.
type Fencer struct {
	// Device is the resource, or "watchdog".
	Device string `json:"device"`
	// Agent is the fence agent, such as stonith:fence_droplet, or sbd.
	Agent string `json:"agent"`
	// State is never failed: nothing is down because of a fencing device.
	State State `json:"state"`
	// Is says what the device is doing.
	Is Is `json:"is"`
	// Node is where it is monitored; any node may use it.
	Node string `json:"node,omitempty"`
	// Reason is why it is not as it should be, or what it is.
	Reason string `json:"reason,omitempty"`
	// WaitSeconds is how long the cluster waits for a failed node's watchdog.
	WaitSeconds float64 `json:"wait_seconds,omitempty"`
}

// Node is a node of the cluster.
type Node struct {
	// Name is Pacemaker's name of the node.
	Name string `json:"name"`
	// State is the node's.
	State State `json:"state"`
	// Is says online or offline first, then what else the node is.
	Is []NodeIs `json:"is"`
	// DC says whether this node decides for the cluster.
	DC bool `json:"dc"`
}

// HAProxy is one HAProxy on one node.
type HAProxy struct {
	// Resource is the resource's name, without a clone's.
	Resource string `json:"resource"`
	// Node is the node; "" if the resource is on none.
	Node string `json:"node"`
	// State is the state of HAProxy there.
	State State `json:"state"`
	// Is says what it is doing.
	Is Is `json:"is"`
	// Since is the last start or reload.
	Since *time.Time `json:"since,omitempty"`
	// Reason is why it is not as it should be.
	Reason string `json:"reason,omitempty"`
	// Servers counts the servers behind it, as far as is known.
	Servers *Servers `json:"servers,omitempty"`
	// Crash is its last crash since the cluster started it.
	Crash *Crash `json:"last_crash,omitempty"`
	// Configuration is what the node reported to the cluster.
	Configuration *Config `json:"configuration,omitempty"`
	// Process is what its sockets say; only of this node.
	Process *Process `json:"process,omitempty"`
	// Socket says whether its sockets answered; only of this node.
	Socket *Source `json:"socket,omitempty"`

	dead bool // nobody listens at its socket any more
}

// Servers counts the servers of all backends.
type Servers struct {
	// Up is how many are up.
	Up int `json:"up"`
	// Down is how many are down.
	Down int `json:"down"`
	// Draining is how many get no new visitors: in maintenance or drained.
	Draining int `json:"draining"`
	// DownNames are those that are down, BACKEND/SERVER; only of this node.
	DownNames []string `json:"down_names,omitempty"`
}

// Crash is the last crash of a HAProxy that its keeper, or a monitor, restarted.
type Crash struct {
	// Time is when it was found.
	Time time.Time `json:"time"`
	// TookSeconds is how long it was until HAProxy ran again.
	TookSeconds float64 `json:"took_seconds"`
	// Count is how often that happened since the cluster started that HAProxy.
	Count int `json:"count"`
}

// Process is what HAProxy's sockets say.
type Process struct {
	// Version is HAProxy's.
	Version string `json:"version"`
	// PID is the process that serves.
	PID int `json:"pid"`
	// UptimeSeconds is how long it has served.
	UptimeSeconds int64 `json:"uptime_seconds"`
	// Sessions is how many sessions it has at the moment.
	Sessions int `json:"sessions"`
	// OldWorkers is how many processes from before a reload still have connections.
	OldWorkers int `json:"old_workers"`
	// OldSessions is how many connections those have.
	OldSessions int `json:"old_connections"`
	// FailedReloads is how many reloads have failed since the last one that succeeded.
	FailedReloads int `json:"failed_reloads"`
}

// FloatingIP is an address.
type FloatingIP struct {
	// Resource is the resource's name.
	Resource string `json:"resource"`
	// IP is the address, if the configuration is known.
	IP string `json:"ip,omitempty"`
	// Provider is who routes it, such as digitalocean or lan.
	Provider string `json:"provider,omitempty"`
	// State is failed if nobody is served at the address.
	State State `json:"state"`
	// Is says what the resource is doing.
	Is Is `json:"is"`
	// Node is the node that has it; missing if none has.
	Node string `json:"node,omitempty"`
	// Since is its last start there.
	Since *time.Time `json:"since,omitempty"`
	// Reason is why it is not as it should be.
	Reason string `json:"reason,omitempty"`
	// Unserved says why nobody is served although the address is on a node.
	Unserved string `json:"unserved,omitempty"`
	// Next is the node that takes the address if its own is lost; missing if none does, or if that is
	// not known.
	Next string `json:"next,omitempty"`
	// NoNext is why no node would take it; missing if one does, or if that is not known.
	NoNext string `json:"no_next,omitempty"`
}

// Other is a resource that is neither HAProxy nor an address.
type Other struct {
	// Resource is the resource's name.
	Resource string `json:"resource"`
	// Agent is its agent, such as ocf:heartbeat:IPaddr2.
	Agent string `json:"agent"`
	// State is the resource's.
	State State `json:"state"`
	// Is says what it is doing.
	Is Is `json:"is"`
	// Node is where it runs; missing if it runs nowhere.
	Node string `json:"node,omitempty"`
	// Reason is why it is not as it should be.
	Reason string `json:"reason,omitempty"`
}

// Failure is a failed action.
type Failure struct {
	// Resource is what the action was for.
	Resource string `json:"resource"`
	// Node is where it failed.
	Node string `json:"node"`
	// Task is the action, such as start or monitor.
	Task string `json:"task"`
	// Code is the agent's exit code.
	Code int `json:"code"`
	// Meaning is what Pacemaker calls that exit code.
	Meaning string `json:"meaning"`
	// Status is how the action ended for Pacemaker, such as Timed Out.
	Status string `json:"status,omitempty"`
	// Reason is the agent's own.
	Reason string `json:"reason,omitempty"`
	// Time is when it failed, if that is known.
	Time *time.Time `json:"time,omitempty"`
}
