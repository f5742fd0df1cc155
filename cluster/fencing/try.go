package fencing

import (
	"context"
	"net/netip"
	"slices"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// Droplet is a machine of the cloud, as the fence agent would find it.
type Droplet struct {
	ID        int
	Name      string
	Addresses []netip.Addr
}

// Trial checks with the fence agent that it will be able to fence. host fills it in.
type Trial struct {
	Live bool // the configuration is that of a running cluster on this machine
	// Agent runs hawser's fence agent with the options, as Pacemaker would.
	Agent func(ctx context.Context, options crm.Attrs) (Answer, error)
	// Nodes asks Corosync for the nodes and their addresses, Find asks the cloud for the droplet
	// that the agent would take for plug.
	Nodes func(ctx context.Context) ([]corosync.Member, error)
	Find  func(ctx context.Context, file *config.DropletFencing, plug string) (Droplet, error)
}

// Answer is what a fence agent answers.
type Answer struct {
	Code int
	Said string // its last words on stderr, or else on stdout
}

// Try has the fence agent on this node ask the cloud for each node's droplet, and checks that it is
// the node's, if the plan writes the device. It is called before the device is written, so that a
// wrong token or id is found now and not when a node is unreachable.
func (t Trial) Try(ctx context.Context, c *config.File, p crm.Plan) (warnings []string, err error) {
	changed := slices.ContainsFunc(p.Changes, func(change crm.Change) bool {
		return change.New != nil && change.New.ID() == contract.FenceID
	})
	if c.Fencing.Way != config.FencingDroplet || !changed || !t.Live {
		return nil, nil
	}
	d := &c.Fencing.Droplet
	nodes := p.New.Members()
	if err := t.agent(ctx, c, AgentOptions(d), "monitor", ""); err != nil {
		return nil, err
	}
	for _, node := range nodes {
		options := append(AgentOptions(d), crm.Attr{
			Name: "nodename", Value: node,
		}, crm.Attr{Name: "plug", Value: d.Plug(node)})
		if err := t.agent(ctx, c, options, "status", node); err != nil {
			return nil, err
		}
	}
	return t.match(ctx, c, nodes)
}

// AgentOptions are the parameters of the device that the agent itself reads.
func AgentOptions(p *config.DropletFencing) crm.Attrs {
	var out crm.Attrs
	for _, a := range p.Params() {
		out.Set(a.Name, a.Value)
	}
	return out
}

// fenceStatusOff is the exit code of the action status if the machine is off (FenceAgentAPI: 0 on,
// 2 off, everything else an error).
const fenceStatusOff = 2

// fenceSaysOff is what it prints then. A program that Go's runtime ends for lack of memory has the
// same exit code.
const fenceSaysOff = "Status: OFF"

func (t Trial) agent(ctx context.Context, c *config.File, options crm.Attrs, action, node string) error {
	answer, err := t.Agent(ctx, append(crm.Attrs{{Name: "action", Value: action}}, options...))
	about := "can reach the cloud"
	at := c.Fencing.Droplet.TokenFileAt
	if node != "" {
		about = "finds the droplet of the node " + node
		if c.Fencing.Droplet.Droplets != nil {
			at = c.Fencing.Droplet.DropletsAt
		}
	}
	switch {
	case err != nil:
		return outcome.Usagef("%s:%d: trying whether %s %s: %w; nothing was changed", c.Path,
			at.Line, AgentPath, about, err)
	case answer.Code == 0,
		action == "status" && answer.Code == fenceStatusOff && answer.Said == fenceSaysOff:
		return nil
	}
	return outcome.Usagef(
		"%s:%d: fencing would not work: `%s` was asked whether it %s (action %s) and failed with "+
			"exit code %d: %s; nothing was changed",
		c.Path, at.Line, AgentPath, about, action, answer.Code, words.OrNone(answer.Said))
}
