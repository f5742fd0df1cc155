package crm

import (
	"context"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// simulation is what crm_simulate prints (Pacemaker's api/crm_simulate-2.24.rng).
type simulation struct {
	Actions struct {
		Nodes []struct {
			Task   string `xml:"task,attr"`
			Node   string `xml:"node,attr"`
			Reason string `xml:"reason,attr"`
		} `xml:"node_action"`
		Resources []struct {
			Action   string `xml:"action,attr"`
			Resource string `xml:"resource,attr"`
			Node     string `xml:"node,attr"`
			Source   string `xml:"source,attr"`
			Dest     string `xml:"dest,attr"`
			Role     string `xml:"role,attr"`
			NextRole string `xml:"next-role,attr"`
			Reason   string `xml:"reason,attr"`
			Blocked  bool   `xml:"blocked,attr"`
		} `xml:"rsc_action"`
	} `xml:"actions"`
	Transition *struct {
		Resources []struct {
			Resource string `xml:"resource,attr"`
			Op       string `xml:"op,attr"`
			Node     string `xml:"node,attr"`
			Interval string `xml:"interval,attr"`
		} `xml:"rsc_action"`
		Fencing []struct {
			Target string `xml:"target,attr"`
			Op     string `xml:"op,attr"`
		} `xml:"fencing_action"`
		Cluster []struct {
			Task string `xml:"task,attr"`
			Node string `xml:"node,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"cluster_action"`
	} `xml:"transition"`
}

// simulate asks the scheduler what it would do with the new configuration.
func (t *Tools) simulate(ctx context.Context, f planFiles) (Forecast, error) {
	out, err := t.run(ctx, nil, "crm_simulate", "--run", "--output-as=xml", "--xml-file", f.live)
	if err != nil {
		return Forecast{}, err
	}
	if out.code != 0 {
		return Forecast{}, t.toolError("crm_simulate", "simulate the configuration", out)
	}
	return parseForecast(out.stdout)
}

// parseForecast reads the list of actions: one for each instance of a resource whose place or state
// would change.
func parseForecast(text []byte) (Forecast, error) {
	var s simulation
	if err := xml.Unmarshal(text, &s); err != nil {
		return Forecast{}, fmt.Errorf("crm_simulate's answer cannot be read: %w", err)
	}
	var f Forecast
	for _, a := range s.Actions.Nodes {
		f.Actions = append(f.Actions, Action{
			Task: strings.ToLower(a.Task), Node: a.Node, Reason: a.Reason,
		})
	}
	for _, a := range s.Actions.Resources {
		act := Action{
			Task: strings.ToLower(a.Action), Resource: a.Resource, Node: a.Node, Reason: a.Reason,
			Blocked: a.Blocked,
		}
		if act.Node == "" {
			act.Node = a.Source
		}
		if a.Dest != "" && a.Dest != act.Node {
			act.From, act.Node = act.Node, a.Dest
		}
		f.Actions = append(f.Actions, act)
	}
	return f, nil
}

// pending lists what the scheduler would still do with the live cluster, including probes and
// monitors that have not been started.
func (s *simulation) pending() []Pending {
	if s.Transition == nil {
		return nil
	}
	var out []Pending
	for _, a := range s.Transition.Fencing {
		out = append(out, Pending{Task: "fence", Node: a.Target})
	}
	for _, a := range s.Transition.Resources {
		p := Pending{Resource: a.Resource, Task: a.Op, Node: a.Node}
		if ms, err := strconv.ParseInt(a.Interval, 10, 64); err == nil {
			p.Interval = time.Duration(ms) * time.Millisecond
		}
		out = append(out, p)
	}
	for _, a := range s.Transition.Cluster {
		out = append(out, Pending{Resource: a.ID, Task: a.Task, Node: a.Node})
	}
	return out
}
