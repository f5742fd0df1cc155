package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// A push brings one configuration to every node: it is put into the CIB together with the order to
// check it; when all nodes have accepted it, the order to apply it follows; and at the end,
// whatever happened, both are removed again. The agent's side is agents/haproxy/push.go.

// PushOptions are the options of a push.
type PushOptions struct {
	Force           bool // push even if Pacemaker would restart HAProxy on a node
	WithCredentials bool // push a configuration although it holds passwords
}

// Push is a planned push.
type Push struct {
	Resource string // the primitive
	ConfFile string // where the configuration goes on every node
	Sum      string // its SHA-256
	Targets  []string
	Skipped  []NodePush // nodes that will miss it
	Warnings []string

	packed string
}

// order is the value of the agent's parameter for a step of the push.
func (p *Push) order(step string) string { return contract.NewPushOrder(step, p.Sum).String() }

// PushReport is `hawser reload --push --json`.
type PushReport struct {
	// Resource is the HAProxy's.
	Resource string `json:"resource"`
	// Configuration is the SHA-256 of what was pushed.
	Configuration string `json:"configuration"`
	// File is its path on every node.
	File string `json:"file"`
	// Taken says whether every node that runs the resource has taken it.
	Taken bool `json:"taken"`
	// Nodes lists each node's part.
	Nodes []NodePush `json:"nodes"`
}

// NodePush is one node's part of a push.
type NodePush struct {
	// Node is the node.
	Node string `json:"node"`
	// Serves is whether it has taken the configuration.
	Serves bool `json:"serves"`
	// Answer is what it has answered last: whether it accepts the configuration, then whether it
	// serves it.
	Answer Answer `json:"answer"`
	// Reason is why, in the node's own words.
	Reason string `json:"reason,omitempty"`
}

// Answer is a node's answer to a push.
type Answer string

// Answers to a push.
const (
	Accepted   Answer = "ok"
	Refused    Answer = "refused"
	Unanswered Answer = "none"        // not in time
	LeftPush   Answer = "left"        // it stopped meanwhile
	NotRunning Answer = "not running" // HAProxy does not run there
)

// Previous is the file in which this node keeps the configuration that the resource served before
// the last push.
func Previous(p *crm.Primitive) string {
	path := inventory.ConfigOf(p)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path + contract.PreviousSuffix
}

// WithPrevious lists the nodes that have such a file, as their agents have reported.
func (r *Roller) WithPrevious(ctx context.Context, p *crm.Primitive) ([]string, error) {
	status, err := r.Cluster.Status(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for _, n := range status.Nodes {
		if n.Online && takenOn(n, p.Name).Previous {
			nodes = append(nodes, n.Name)
		}
	}
	slices.Sort(nodes)
	return nodes, nil
}

// PlanPush checks a configuration that was read from the file, and simulates pushing it to every
// node that runs the resource.
func (r *Roller) PlanPush(ctx context.Context, resource, file string, text []byte,
	o PushOptions) (*Push, error) {
	p, err := r.planPush(ctx, resource, file, text, o)
	return p, outcome.Untouched(ctx, err)
}

func (r *Roller) planPush(ctx context.Context, resource, file string, text []byte,
	o PushOptions) (*Push, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return nil, err
	}
	primitive, err := inventory.Find(now.CIB, resource)
	if err != nil {
		return nil, err
	}
	if what, line := findCredential(file, text); what != "" && !o.WithCredentials {
		return nil, outcome.Usagef("line %d of %s holds %s. A push puts the configuration into the "+
			"cluster's configuration, which every member of "+
			"the group haclient can read, and Pacemaker keeps earlier ones on disk: keep "+
			"credentials in the environment or in a file of their own, or use "+
			"--with-credentials", line, file, what)
	}
	p := &Push{Resource: primitive.Name, ConfFile: inventory.ConfigOf(primitive)}
	p.packed, p.Sum = contract.PackConfig(text)
	if len(p.packed) > contract.PushLimit {
		return nil, outcome.Usagef("%s is too large for the CIB: %d kB compressed, limit %d kB. "+
			"Copy it to the nodes as %s, then "+
			"`hawser reload`", file, len(p.packed)>>10, contract.PushLimit>>10, p.ConfFile)
	}
	if p.Targets, p.Skipped, err = pushTargets(now.Status, p.Resource); err != nil {
		return nil, err
	}
	if err := r.checkPushed(ctx, primitive, file, text); err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, r.here(ctx, now.CIB, p.Resource,
		[]haproxy.Source{{File: file, Text: string(text)}})...)
	checking := func(cib *crm.CIB) (crm.Plan, error) {
		return pushPlan(cib, p,
			func(string) (string, bool, error) { return p.order(contract.PushCheck), true, nil })
	}
	plan, err := checking(now.CIB)
	if err != nil {
		return nil, err
	}
	_, warning, err := r.foresee(ctx, plan, checking, p.Resource, o.Force)
	if warning != "" {
		p.Warnings = append(p.Warnings, warning)
	}
	return p, err
}

// Push has every node check the configuration and, if none refuses, apply it; it waits for the
// timeout at most. The report is filled in even if there is an error.
func (r *Roller) Push(ctx context.Context, p *Push, timeout time.Duration,
	progress change.Progress) (PushReport, error) {
	report := PushReport{Resource: p.Resource, Configuration: p.Sum, File: p.ConfFile}
	var err error
	report.Nodes, err = r.carry(ctx, p, timeout, progress)
	report.Taken = err == nil
	report.Nodes = append(report.Nodes, p.Skipped...)
	return report, err
}

// checkPushed has this machine's HAProxy check the configuration, where there is one: a mistake is
// found before anything is sent.
func (r *Roller) checkPushed(ctx context.Context, p *crm.Primitive, file string,
	text []byte) error {
	if r.Remote {
		return nil // the nodes check it
	}
	h, err := inventory.HAProxyOf(p)
	if err != nil {
		return outcome.Usagef("%w; nothing was changed", err)
	}
	if _, err := os.Stat(h.Binary); err != nil {
		return nil // the nodes have one
	}
	temporary, err := os.CreateTemp("", "hawser-*.cfg")
	if err != nil {
		return fmt.Errorf("the configuration cannot be checked: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("the configuration cannot be checked: %w", err)
	}
	h.Config = temporary.Name()
	err = r.HAProxy(ctx, preflight.FromCluster(h, nil, r.Node))
	if err != nil {
		return outcome.Usagef("%s; nothing was changed",
			strings.ReplaceAll(err.Error(), temporary.Name(), file))
	}
	return nil
}

// pushTargets are the nodes on which the resource runs, and those that will miss the push.
func pushTargets(status *crm.Status,
	resource string) (there []string, absent []NodePush, err error) {
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) != resource || !r.Active || r.Node == "" {
			continue
		}
		if !r.Managed {
			return nil, nil, outcome.Errorf(outcome.Resource,
				"%s is not managed on %s (maintenance mode, or is-managed=false): Pacemaker "+
					"would reload nothing there; nothing was changed",
				resource, r.Node)
		}
		there = append(there, r.Node)
	}
	slices.Sort(there)
	for _, n := range status.Nodes {
		if !slices.Contains(there, n.Name) {
			reason, leaving := n.Leaving()
			if !leaving {
				reason = resource + " does not run there"
			}
			absent = append(absent, NodePush{Node: n.Name, Answer: NotRunning,
				Reason: reason + "; HAProxy will start there with the file that is there"})
		}
	}
	if len(there) == 0 {
		return nil, nil, outcome.Errorf(outcome.Resource,
			"%s is not running on any node: nothing can be pushed; `hawser status` shows "+
				"why", resource)
	}
	return there, absent, nil
}
