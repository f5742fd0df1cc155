package crm

import "time"

// Status is what the cluster does, as one call of crm_mon tells it.
type Status struct {
	Pacemaker   string // version
	DC          string // the node that decides, "" if there is none
	Quorum      bool
	Fencing     bool // stonith-enabled
	Maintenance bool // maintenance-mode
	Nodes       []NodeStatus
	Resources   []ResourceStatus
	Failures    []Failure
	Fences      []FenceEvent
}

// NodeStatus is one node.
type NodeStatus struct {
	Name, ID                                                     string
	Type                                                         string // "member", "remote"
	Online, Standby, Maintenance, Pending, Unclean, Shutdown, DC bool
	Running                                                      int               // resources
	Attributes                                                   map[string]string // transient and permanent node attributes
}

// ResourceStatus is one instance of a primitive: a resource in a clone has one per node.
type ResourceStatus struct {
	ID                                                                      string   // "haproxy"; of an anonymous clone's instance without its number
	Parent                                                                  string   // the id of the clone, group or bundle it stands in, outermost first if nested: "haproxy-clone"
	Agent                                                                   string   // "ocf:hawser:haproxy"
	Role                                                                    string   // "Started", "Stopped", "Promoted", "Unpromoted", "Starting", "Stopping"
	Target                                                                  string   // target-role, "" if none
	Node                                                                    string   // where it runs, "" if nowhere
	Nodes                                                                   []string // more than one where it runs by mistake on several
	Active, Managed, Blocked, Failed, Orphaned, FailureIgnored, Maintenance bool
	Pending                                                                 string    // the action under way, such as "Starting"
	Since                                                                   time.Time // when it came up, as the last start (or probe that found it running) says; zero if not known
	Degraded                                                                bool      // the last monitor said "running, but degraded" (OCF 190 or 191)
	Reason                                                                  string    // the agent's exit reason of that monitor, or of the failure
}

// Failure is a failed action.
type Failure struct {
	Resource, Node, Task string
	Interval             time.Duration
	Code                 int    // OCF exit code
	Meaning              string // "not running"
	Reason               string // the agent's ocf-exit-reason
	Status               string // "complete", "Timed Out", …
	Time                 time.Time
	Queue, Exec          time.Duration
}

// FenceEvent is one entry of the fencing history.
type FenceEvent struct {
	Target, Action, Status, Client, Origin string
	Time                                   time.Time
}

// ParseStatus reads what `crm_mon --output-as=xml` prints.
func ParseStatus(xml []byte) (*Status, error) { panic("not yet") }
