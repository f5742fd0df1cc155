package crm

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is the state of the cluster, as reported by one call of crm_mon.
type Status struct {
	Pacemaker   string // its version
	DC          string // the node that decides, "" if there is none
	Quorum      bool
	Fencing     bool     // stonith-enabled
	Devices     []string // ids of the fencing devices
	Maintenance bool     // maintenance-mode
	Nodes       []NodeStatus
	Resources   []ResourceStatus
	Failures    []Failure // failed actions, without those that only report "degraded"
	Fences      []FenceEvent
	Bans        []Ban
}

// Ban is a location constraint that keeps a resource off a node, or makes it avoid the node.
type Ban struct {
	// the constraint's; what `crm resource ban` and `move` leave behind begins with "cli-ban-"
	ID             string
	Resource, Node string
	Score          int // negative; -1000000 is -INFINITY
}

// NodeStatus is one node.
type NodeStatus struct {
	Name, ID                                                     string
	Type                                                         string // "member", "remote"
	Online, Standby, Maintenance, Pending, Unclean, Shutdown, DC bool
	Running                                                      int // resources
	// permanent and transient node attributes
	Attributes map[string]string
}

// Remote says whether the node runs resources without being a member of Corosync's cluster
// (pacemaker_remote): it has no vote.
func (n NodeStatus) Remote() bool { return n.Type == "remote" }

// ResourceStatus is one instance of a primitive: a resource in a clone has one per node.
type ResourceStatus struct {
	ID string // "haproxy"
	// the outermost clone, group or bundle around it, "" if none: "haproxy-clone"
	Parent string
	Agent  string   // "ocf:hawser:haproxy"
	Role   string   // "Started", "Stopped", "Promoted", "Unpromoted", "Starting", "Stopping"
	Target string   // target-role, "Stopped" if it is that in any case, "" if none
	Node   string   // where it runs, "" if it does not
	Nodes  []string // all of them, if it runs on several by mistake

	Active, Managed, Blocked, Failed, FailureIgnored, Orphaned bool

	Pending string // the action under way, such as "Starting"
	// when it came up there: its last start, or the probe that found it running; zero if not known
	Since    time.Time
	Degraded bool // its last monitor said: running, but degraded (OCF 190 or 191)
	// the agent's exit reason for being degraded, or else for its last failure on that node
	Reason string
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
	Exec                 time.Duration // how long it took
}

// FenceEvent is one entry of the fencing history.
type FenceEvent struct {
	Target, Action, Status, Client, Origin, Reason string
	Time                                           time.Time
}

// The OCF exit codes that a status needs to know.
const (
	ocfDegraded         = 190
	ocfDegradedPromoted = 191
)

// monitor is what crm_mon prints (Pacemaker's api/crm_mon-2.25.rng and what that refers to).
type monitor struct {
	XMLName xml.Name
	Summary struct {
		DC struct {
			Version string `xml:"version,attr"`
			Name    string `xml:"name,attr"`
			Quorum  bool   `xml:"with_quorum,attr"`
		} `xml:"current_dc"`
		Options struct {
			Stonith     bool `xml:"stonith-enabled,attr"`
			Maintenance bool `xml:"maintenance-mode,attr"`
		} `xml:"cluster_options"`
	} `xml:"summary"`
	Nodes []struct {
		Name        string `xml:"name,attr"`
		ID          string `xml:"id,attr"`
		Type        string `xml:"type,attr"`
		Online      bool   `xml:"online,attr"`
		Standby     bool   `xml:"standby,attr"`
		Maintenance bool   `xml:"maintenance,attr"`
		Pending     bool   `xml:"pending,attr"`
		Unclean     bool   `xml:"unclean,attr"`
		Shutdown    bool   `xml:"shutdown,attr"`
		DC          bool   `xml:"is_dc,attr"`
		Running     int    `xml:"resources_running,attr"`
	} `xml:"nodes>node"`
	Resources  monitorResources `xml:"resources"`
	Attributes []struct {
		Name  string `xml:"name,attr"`
		Attrs []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"attribute"`
	} `xml:"node_attributes>node"`
	History []struct {
		Name      string `xml:"name,attr"`
		Resources []struct {
			ID  string      `xml:"id,attr"`
			Ops []monitorOp `xml:"operation_history"`
		} `xml:"resource_history"`
	} `xml:"node_history>node"`
	Failures []monitorFailure `xml:"failures>failure"`
	Bans     []struct {
		ID       string `xml:"id,attr"`
		Resource string `xml:"resource,attr"`
		Node     string `xml:"node,attr"`
		Weight   int    `xml:"weight,attr"`
	} `xml:"bans>ban"`
	Fences []struct {
		Target    string `xml:"target,attr"`
		Action    string `xml:"action,attr"`
		Status    string `xml:"status,attr"`
		Client    string `xml:"client,attr"`
		Origin    string `xml:"origin,attr"`
		Reason    string `xml:"exit-reason,attr"`
		Completed string `xml:"completed,attr"`
	} `xml:"fence_history>fence_event"`
}

type monitorResources struct {
	Plain   []monitorResource   `xml:"resource"`
	Clones  []monitorContainer  `xml:"clone"`
	Groups  []monitorContainer  `xml:"group"`
	Bundles []monitorContainer  `xml:"bundle"`
	Replica []*monitorResources `xml:"replica"`
}

type monitorContainer struct {
	ID string `xml:"id,attr"`
	monitorResources
}

type monitorResource struct {
	ID       string `xml:"id,attr"`
	Agent    string `xml:"resource_agent,attr"`
	Role     string `xml:"role,attr"`
	Target   string `xml:"target_role,attr"`
	Active   bool   `xml:"active,attr"`
	Orphaned bool   `xml:"orphaned,attr"`
	Blocked  bool   `xml:"blocked,attr"`
	Managed  bool   `xml:"managed,attr"`
	Failed   bool   `xml:"failed,attr"`
	Ignored  bool   `xml:"failure_ignored,attr"`
	Pending  string `xml:"pending,attr"`
	Nodes    []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

type monitorOp struct {
	Task     string `xml:"task,attr"`
	Interval string `xml:"interval,attr"`
	Call     int    `xml:"call,attr"`
	RC       int    `xml:"rc,attr"`
	Changed  string `xml:"last-rc-change,attr"`
}

type monitorFailure struct {
	Key      string `xml:"op_key,attr"`
	ID       string `xml:"id,attr"`
	Node     string `xml:"node,attr"`
	Meaning  string `xml:"exitstatus,attr"`
	Reason   string `xml:"exitreason,attr"`
	Code     int    `xml:"exitcode,attr"`
	Call     int    `xml:"call,attr"`
	Status   string `xml:"status,attr"`
	Changed  string `xml:"last-rc-change,attr"`
	Exec     int64  `xml:"exec,attr"`     // ms
	Interval int64  `xml:"interval,attr"` // ms
	Task     string `xml:"task,attr"`
}

// ParseStatus reads what `crm_mon --output-as=xml` prints. Times without a zone are taken as UTC,
// which Tools asks crm_mon for.
func ParseStatus(text []byte) (*Status, error) {
	var m monitor
	if err := xml.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("crm_mon's answer cannot be read: %w", err)
	}
	if n := m.XMLName.Local; n != "pacemaker-result" && n != "crm_mon" {
		return nil, errors.New("crm_mon's answer is <" + n + ">, not <pacemaker-result>")
	}
	s := &Status{
		Pacemaker: m.Summary.DC.Version, DC: m.Summary.DC.Name, Quorum: m.Summary.DC.Quorum,
		Fencing: m.Summary.Options.Stonith, Maintenance: m.Summary.Options.Maintenance,
	}
	m.addNodes(s)
	for _, r := range m.Resources.flat("") {
		if strings.HasPrefix(r.Agent, "stonith:") {
			s.Devices = append(s.Devices, r.ID)
		}
		s.Resources = append(s.Resources, r)
	}
	m.addHistory(s)
	for _, b := range m.Bans {
		s.Bans = append(s.Bans, Ban{ID: b.ID, Resource: b.Resource, Node: b.Node, Score: b.Weight})
	}
	for _, f := range m.Fences {
		s.Fences = append(s.Fences, FenceEvent{
			Target: f.Target, Action: f.Action, Status: f.Status, Client: f.Client,
			Origin: f.Origin, Reason: f.Reason, Time: parseTime(f.Completed),
		})
	}
	return s, nil
}

func (m *monitor) addNodes(s *Status) {
	attrs := map[string]map[string]string{}
	for _, n := range m.Attributes {
		attrs[n.Name] = map[string]string{}
		for _, a := range n.Attrs {
			attrs[n.Name][a.Name] = a.Value
		}
	}
	for _, n := range m.Nodes {
		s.Nodes = append(s.Nodes, NodeStatus{
			Name: n.Name, ID: n.ID, Type: n.Type, Online: n.Online, Standby: n.Standby,
			Maintenance: n.Maintenance, Pending: n.Pending,
			Unclean: n.Unclean, Shutdown: n.Shutdown, DC: n.DC, Running: n.Running,
			Attributes: attrs[n.Name],
		})
	}
}

// roleOf is a role as this package writes it: Pacemaker takes it in any case, and by its old name.
func roleOf(word string) string {
	for _, role := range roles {
		if strings.EqualFold(role, word) {
			return role
		}
	}
	return word
}

// Promoted says whether the instance is the promoted one of its clone.
func (r ResourceStatus) Promoted() bool { return r.Role == "Promoted" || r.Role == "Master" }

// flat lists all primitives, whatever contains them.
func (m *monitorResources) flat(parent string) []ResourceStatus {
	var out []ResourceStatus
	for _, r := range m.Plain {
		rs := ResourceStatus{
			ID: r.ID, Parent: parent, Agent: r.Agent, Role: r.Role, Target: roleOf(r.Target),
			Active: r.Active, Managed: r.Managed, Blocked: r.Blocked,
			Failed: r.Failed, FailureIgnored: r.Ignored, Orphaned: r.Orphaned, Pending: r.Pending,
		}
		for _, n := range r.Nodes {
			rs.Nodes = append(rs.Nodes, n.Name)
		}
		if len(rs.Nodes) > 0 {
			rs.Node = rs.Nodes[0]
		}
		out = append(out, rs)
	}
	for _, list := range [][]monitorContainer{m.Clones, m.Groups, m.Bundles} {
		for i := range list {
			inside := parent
			if inside == "" {
				inside = list[i].ID
			}
			out = append(out, list[i].flat(inside)...)
		}
	}
	for _, r := range m.Replica {
		out = append(out, r.flat(parent)...)
	}
	return out
}

// addHistory adds since when resources have run, which are degraded, and what has failed.
func (m *monitor) addHistory(s *Status) {
	since := map[[2]string]time.Time{}
	degraded := map[[2]string]bool{}
	histories := map[[2]string][]monitorOp{}
	for _, n := range m.History {
		for _, r := range n.Resources {
			at := [2]string{r.ID, n.Name}
			since[at], degraded[at] = upSince(r.Ops), isDegraded(r.Ops)
			histories[at] = r.Ops
		}
	}
	reasons := map[[2]string]string{}
	degradedReasons := map[[2]string]string{}
	for _, f := range m.Failures {
		failure := f.failure()
		at := [2]string{failure.Resource, failure.Node}
		if f.Code == ocfDegraded || f.Code == ocfDegradedPromoted {
			degradedReasons[at] = failure.Reason
			if !f.isOver(histories[at]) {
				degraded[at] = true
			}
			continue
		}
		if failure.Reason != "" {
			reasons[at] = failure.Reason
		}
		s.Failures = append(s.Failures, failure)
	}
	for i := range s.Resources {
		r := &s.Resources[i]
		if r.Node == "" {
			continue
		}
		for _, id := range []string{r.ID, ResourceOf(r.ID)} {
			at := [2]string{id, r.Node}
			if t, ok := since[at]; ok && r.Active {
				r.Since, r.Degraded, r.Reason = t, degraded[at], reasons[at]
				if r.Degraded {
					r.Reason = degradedReasons[at]
				}
				break
			}
		}
	}
}

// upSince is the time of the last start, or of the probe that found the resource running without
// one.
func upSince(ops []monitorOp) time.Time {
	var since time.Time
	call := -1
	for _, op := range ops {
		probe := op.Task == "monitor" && (op.Interval == "" || op.Interval == "0ms")
		if op.RC == 0 && op.Call > call &&
			(op.Task == "start" || op.Task == "migrate_from" || probe) {
			since, call = parseTime(op.Changed), op.Call
		}
	}
	return since
}

// isDegraded says whether the last monitor found the resource degraded. Its later results have the
// number of its first run, and a later time.
func isDegraded(ops []monitorOp) bool {
	var last monitorOp
	last.Call = -1
	for _, op := range ops {
		if op.Call > last.Call ||
			op.Call == last.Call && parseTime(op.Changed).After(parseTime(last.Changed)) {
			last = op
		}
	}
	return last.RC == ocfDegraded || last.RC == ocfDegradedPromoted
}

// isOver says whether something has succeeded since the failure. Pacemaker keeps a failure in its
// list until it is cleaned up or expires.
func (f *monitorFailure) isOver(ops []monitorOp) bool {
	return slices.ContainsFunc(ops, func(op monitorOp) bool {
		return op.RC == 0 &&
			(op.Call > f.Call ||
				op.Call == f.Call && parseTime(op.Changed).After(parseTime(f.Changed)))
	})
}

func (f *monitorFailure) failure() Failure {
	out := Failure{
		Node: f.Node, Task: f.Task, Code: f.Code, Meaning: f.Meaning, Reason: unescape(f.Reason),
		Status: f.Status, Time: parseTime(f.Changed),
		Interval: time.Duration(f.Interval) * time.Millisecond,
		Exec:     time.Duration(f.Exec) * time.Millisecond,
	}
	key := f.Key
	if key == "" {
		key = f.ID
	}
	out.Resource, _ = cutKey(key)
	if out.Task == "" {
		_, out.Task = cutKey(key)
	}
	if out.Reason == "none" {
		out.Reason = ""
	}
	return out
}

// unescape undoes what crm_mon 2.1.5 does to an exit reason before it writes it into an attribute,
// which escapes it again.
func unescape(reason string) string {
	return strings.NewReplacer("&quot;", `"`, "&apos;", "'", "&lt;", "<", "&gt;", ">",
		"&amp;", "&").Replace(reason)
}

// cutKey splits an operation's key, RESOURCE_TASK_INTERVAL, in which the resource's id and the task
// may contain underscores too.
func cutKey(key string) (resource, task string) {
	at := strings.LastIndexByte(key, '_')
	if at < 0 {
		return key, ""
	}
	key = key[:at]
	for _, t := range []string{"migrate_to", "migrate_from"} {
		if rest, ok := strings.CutSuffix(key, "_"+t); ok {
			return rest, t
		}
	}
	if at = strings.LastIndexByte(key, '_'); at < 0 {
		return key, ""
	}
	return key[:at], key[at+1:]
}

// parseTime reads the forms that crm_mon has used: ctime's in 2.1.5's history, and ISO 8601 in its
// failures and later versions. The zero time is one that cannot be read.
func parseTime(s string) time.Time {
	for _, layout := range []string{
		"Mon Jan _2 15:04:05 2006", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00",
		"2006-01-02 15:04:05 -07:00", time.RFC3339Nano,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// withXMLErrors extracts what a tool says about its failure from its XML answer.
func (out output) withXMLErrors() output {
	var answer struct {
		Status struct {
			Message string   `xml:"message,attr"`
			Errors  []string `xml:"errors>error"`
		} `xml:"status"`
	}
	if xml.Unmarshal(out.stdout, &answer) == nil && answer.Status.Message != "" {
		out.stderr = []byte(strings.Join(append(answer.Status.Errors, answer.Status.Message), "\n"))
	}
	return out
}
