package main

import (
	"slices"
	"time"
)

// state is how something is, from good to bad.
type state string

const (
	stateOK          state = "ok"
	stateDegraded    state = "degraded"
	stateFailed      state = "failed"
	stateUnavailable state = "unavailable"
)

var severity = []state{stateOK, stateDegraded, stateFailed, stateUnavailable}

// worst is the worse of two states.
func worst(a, b state) state {
	if slices.Index(severity, b) > slices.Index(severity, a) {
		return b
	}
	return a
}

// statusReport is `hawser status --json`.
type statusReport struct {
	State         state           `json:"state"`
	Pacemaker     pacemakerReport `json:"pacemaker"`
	Configuration sourceReport    `json:"configuration"`
	HAProxy       []haproxyReport `json:"haproxy"`
	FloatingIPs   []ipReport      `json:"floating_ips"`
	Others        []otherReport   `json:"other_resources"`
	Failures      []failureReport `json:"failures"`
	// Drift are the HAProxies whose nodes serve different configurations.
	Drift []driftReport `json:"drift"`

	now    time.Time
	denied bool // this user may not ask Pacemaker
}

// sourceReport says whether a source answered.
type sourceReport struct {
	Available bool   `json:"available"`
	Error     string `json:"error,omitempty"`
}

type pacemakerReport struct {
	sourceReport
	Version  string `json:"version,omitempty"`
	DC       string `json:"dc,omitempty"`
	Quorum   bool   `json:"quorum"`
	Fencing  bool   `json:"fencing"`
	Unfenced bool   `json:"unfenced"` // fencing is on without a device: Pacemaker starts nothing
	// Fencers is what fences lost nodes; empty if fencing is off.
	Fencers []fencerReport `json:"fencing_devices"`
	// NotFenced are nodes that no device is there for, although fencing is on.
	NotFenced   []string     `json:"not_fenced"`
	Maintenance bool         `json:"maintenance"`
	Nodes       []nodeReport `json:"nodes"`
}

// fencerReport is a fencing device, or the nodes' watchdogs.
type fencerReport struct {
	Device string `json:"device"`         // the resource, or "watchdog"
	Agent  string `json:"agent"`          // stonith:fence_droplet, or sbd
	State  state  `json:"state"`          // failed is shown as degraded: nothing is down for it
	Is     string `json:"is"`             // running, stopped, failed …
	Node   string `json:"node,omitempty"` // where it is monitored; any node may use it
	Reason string `json:"reason,omitempty"`
	// WaitSeconds is how long a lost node's watchdog is waited for.
	WaitSeconds float64 `json:"wait_seconds,omitempty"`
}

type nodeReport struct {
	Name  string   `json:"name"`
	State state    `json:"state"`
	Is    []string `json:"is"` // online, offline, standby, maintenance, pending, unclean, shutting down
	DC    bool     `json:"dc"`
}

type haproxyReport struct {
	Resource string         `json:"resource"`
	Node     string         `json:"node"`
	State    state          `json:"state"`
	Is       string         `json:"is"` // running, degraded, stopped, failed, starting, stopping, node offline …
	Since    *time.Time     `json:"since,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Servers  *serversReport `json:"servers,omitempty"`
	Crash    *crashReport   `json:"last_crash,omitempty"`
	// Configuration is what the node told the cluster.
	Configuration *configReport  `json:"configuration,omitempty"`
	Process       *processReport `json:"process,omitempty"` // only of this node
	Socket        *sourceReport  `json:"socket,omitempty"`  // only of this node
}

// serversReport counts the servers of all backends.
type serversReport struct {
	Up       int `json:"up"`
	Down     int `json:"down"`
	Draining int `json:"draining"`
}

// crashReport is the last crash of a HAProxy that its keeper, or a monitor, brought back.
type crashReport struct {
	Time        time.Time `json:"time"`
	TookSeconds float64   `json:"took_seconds"`
	Count       int       `json:"count"` // since that HAProxy's start by the cluster
}

// processReport is what HAProxy's sockets say.
type processReport struct {
	Version       string `json:"version"`
	PID           int    `json:"pid"`
	UptimeSeconds int64  `json:"uptime_seconds"`
	Sessions      int    `json:"sessions"`
	OldWorkers    int    `json:"old_workers"`
	OldSessions   int    `json:"old_connections"` // those of the old workers
	FailedReloads int    `json:"failed_reloads"`
}

type ipReport struct {
	Resource string     `json:"resource"`
	IP       string     `json:"ip,omitempty"`
	Provider string     `json:"provider,omitempty"`
	State    state      `json:"state"`
	Is       string     `json:"is"`
	Node     string     `json:"node,omitempty"`
	Since    *time.Time `json:"since,omitempty"`
	Reason   string     `json:"reason,omitempty"`
}

type otherReport struct {
	Resource string `json:"resource"`
	Agent    string `json:"agent"`
	State    state  `json:"state"`
	Is       string `json:"is"`
	Node     string `json:"node,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

type failureReport struct {
	Resource string     `json:"resource"`
	Node     string     `json:"node"`
	Task     string     `json:"task"`
	Code     int        `json:"code"`
	Meaning  string     `json:"meaning"`
	Status   string     `json:"status,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
}

func (r *statusReport) exitCode() int {
	if r.denied {
		return exitPermission
	}
	return map[state]int{stateOK: exitOK, stateDegraded: exitDegraded, stateFailed: exitResource, stateUnavailable: exitUnavailable}[r.State]
}
