package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/crm"
)

// moveTime is how long a move waits unless told otherwise: a cloud takes some seconds over an address.
const moveTime = 2 * time.Minute

func moveCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "move",
		Usage:     "move a floating IP to another node",
		ArgsUsage: "FLOATING-IP [NODE]",
		Description: "Moves the address to the node, or to the one that Pacemaker finds best after this one, while HAProxy goes on\n" +
			"everywhere. Pacemaker's scheduler plays the move through first: it is refused, and nothing changed, if the\n" +
			"address would not go there, or not stay there. To move it, hawser writes a location constraint, waits, and\n" +
			"removes it again, whether the move succeeded or not, so that nothing keeps the address where it went but its\n" +
			"stickiness. If hawser is killed meanwhile the constraint ends by itself, and the next move removes it.\n\n" +
			"New connections go to the new node from the moment on at which the network knows it. A request that is under\n" +
			"way then is answered by the old node only where the network keeps it there; a LAN does not.",
		Flags: []cli.Flag{yesFlag(), jsonFlag(),
			&cli.DurationFlag{Name: "timeout", Value: moveTime, Usage: "wait at most `TIME` for the move, such as 90s (2m)"}},
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			switch {
			case len(args) == 0:
				return usagef("move what? see `%s --help`; `hawser status` lists the floating IPs", c.Command.HelpName)
			case len(args) > 2:
				return usagef("%s takes a floating IP and a node, not also %q: see `%s --help`", c.Command.HelpName, args[2], c.Command.HelpName)
			case c.Duration("timeout") <= 0:
				return usagef("--timeout %v: want a time longer than nothing, such as 90s", c.Duration("timeout"))
			}
			return sys.move(c.Context, args[0], c.Args().Get(1), moveOptions{yes: c.Bool("yes"), json: c.Bool("json"), timeout: c.Duration("timeout")})
		},
	}
}

type moveOptions struct {
	yes, json bool
	timeout   time.Duration
}

// moveReport is `hawser move --json`.
type moveReport struct {
	Resource string  `json:"resource"`
	From     string  `json:"from"`
	To       string  `json:"to"`
	Moved    bool    `json:"moved"` // false: it was there already
	Seconds  float64 `json:"seconds"`
	// Also is what else moved, started or stopped with it.
	Also []string `json:"also"`
}

func (s *system) move(ctx context.Context, resource, node string, o moveOptions) error {
	switch {
	case !s.running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing can be moved there")
	case !o.yes && !s.terminal:
		return usagef("move asks before it moves an address, and there is no terminal to ask on: use --yes")
	}
	cib, status, err := s.configurationAndStatus(ctx)
	if err != nil {
		return err
	}
	now, err := whereIs(cib, status, resource)
	if err != nil {
		return err
	}
	if err := fit(status, resource, now.Node, node); err != nil {
		return err
	}
	if now.Node == node {
		if err := s.forgetExpired(ctx, cib); err != nil {
			return err
		}
		if o.json {
			return s.printJSON(moveReport{Resource: resource, From: node, To: node, Also: []string{}})
		}
		s.printf("%s is on %s already: nothing to do.\n", resource, node)
		return nil
	}
	m, err := s.rehearse(ctx, cib, status, resource, now.Node, node, o.timeout)
	if err != nil {
		return untouched(ctx, err)
	}
	if !o.json {
		s.printf("%s moves from %s to %s.\n", resource, m.from, m.to)
		for _, a := range m.also {
			s.printf("With it: %s\n", a)
		}
	}
	if !o.yes && !s.ask(ctx, "\nMove it?") {
		return exitf(exitFailed, "not moved: nothing was changed")
	}
	began := s.now()
	if err := s.carryOut(ctx, m, o.timeout); err != nil {
		return err
	}
	took := s.now().Sub(began)
	if o.json {
		return s.printJSON(moveReport{Resource: resource, From: m.from, To: m.to, Moved: true, Seconds: took.Seconds(), Also: append([]string{}, m.also...)})
	}
	s.printf("Moved; nothing keeps it there but its stickiness.\n")
	return nil
}

// configurationAndStatus reads the configuration and the status at once.
func (s *system) configurationAndStatus(ctx context.Context) (*crm.CIB, *crm.Status, error) {
	type answer struct {
		status *crm.Status
		err    error
	}
	asked := make(chan answer, 1)
	go func() {
		status, err := s.cluster.Status(ctx)
		asked <- answer{status, err}
	}()
	cib, err := s.cluster.Query(ctx)
	a := <-asked
	return cib, a.status, cmp.Or(err, a.err)
}

// whereIs finds the floating IP; an error unless it is one, and runs and is managed.
func whereIs(cib *crm.CIB, status *crm.Status, resource string) (crm.ResourceStatus, error) {
	var addresses []string
	for _, o := range cib.Effective() {
		if p, ok := o.(*crm.Primitive); ok && p.Class == "ocf" && p.Type == "floatip" {
			addresses = append(addresses, p.Name)
		}
	}
	if !slices.Contains(addresses, resource) {
		known := "it has none"
		if len(addresses) > 0 {
			known = "it has " + strings.Join(addresses, ", ")
		}
		what := "there is no floating IP " + resource
		if _, ok := cib.Object(resource); ok {
			what = resource + " is no floating IP"
		}
		return crm.ResourceStatus{}, usagef("%s in the cluster's configuration; %s", what, known)
	}
	var reasons []string
	for _, r := range status.Resources {
		if instanceOf(r.ID) != resource {
			continue
		}
		switch {
		case !r.Managed:
			return r, cannot("%s is not managed (maintenance mode, or is-managed=false), so Pacemaker does not move it", resource)
		case r.Active && len(r.Nodes) > 1:
			return r, cannot("%s is on %s at once, which Pacemaker has to put right first", resource, strings.Join(r.Nodes, " and "))
		case r.Pending != "" || r.Role == "Starting" || r.Role == "Stopping":
			return r, cannot("%s is just %s", resource, strings.ToLower(cmp.Or(r.Pending, r.Role)))
		case r.Active && !r.Failed && r.Node != "":
			return r, nil
		}
		if r.Reason != "" {
			reasons = append(reasons, r.Reason)
		}
	}
	why := ""
	if len(reasons) > 0 {
		why = ": " + strings.Join(reasons, "; ")
	}
	return crm.ResourceStatus{}, cannot("%s runs nowhere, so it cannot be moved%s: see `hawser status`", resource, why)
}

// untouched is the error of a command that was interrupted before it had written anything, or another one as it is.
func untouched(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return exitf(exitInterrupted, "interrupted: %w; nothing was changed", err)
	}
	return err
}

// cannot is the error for a move that the cluster's state does not allow.
func cannot(format string, args ...any) error {
	return exitf(exitResource, "%w; nothing was changed", fmt.Errorf(format, args...))
}

// fit is an error if the address cannot go to the node; "" is any node.
func fit(status *crm.Status, resource, from, node string) error {
	if node == "" {
		return nil
	}
	var names []string
	for _, n := range status.Nodes {
		names = append(names, n.Name)
		if n.Name != node {
			continue
		}
		if node == from {
			return nil
		}
		for _, state := range []struct {
			is   bool
			what string
		}{
			{!n.Online, "is offline"}, {n.Unclean, "is lost, and has not been fenced"}, {n.Pending, "is still joining the cluster"},
			{n.Shutdown, "is shutting down"}, {n.Standby, "is in standby: `crm node online " + node + "` ends that"},
			{n.Maintenance, "is in maintenance"},
		} {
			if state.is {
				return cannot("%s cannot move to %s, which %s", resource, node, state.what)
			}
		}
		return servesOn(status, resource, node)
	}
	return usagef("the cluster has no node %s; it has %s", node, strings.Join(names, ", "))
}

// servesOn is an error if the cluster runs HAProxy, and not on the node. A HAProxy that is only degraded serves.
func servesOn(status *crm.Status, resource, node string) error {
	any, reason := false, ""
	for _, r := range status.Resources {
		if r.Agent != "ocf:hawser:haproxy" && r.Agent != "ocf:heartbeat:haproxy" {
			continue
		}
		any = true
		if r.Active && !r.Failed && !r.Blocked && r.Role == "Started" && r.Node == node {
			return nil
		}
		if r.Node == node && r.Reason != "" {
			reason = ": " + r.Reason
		}
	}
	if !any {
		return nil // something else serves the address
	}
	for _, f := range status.Failures {
		if f.Node == node && reason == "" && strings.Contains(f.Resource, haproxyID) {
			reason = ": " + describeFailure(f)
		}
	}
	return cannot("%s cannot move to %s, where HAProxy is not running as it should%s", resource, node, reason)
}
