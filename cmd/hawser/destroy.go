package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/crm"
)

func destroyCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "destroy",
		Usage: "stop and remove what apply made",
		Description: "Shows what will be removed, asks, stops the resources, waits until they are stopped, and then deletes exactly\n" +
			"what hawser made, in one transaction; options that hawser replaced get their old values back. What it made is\n" +
			"recorded in the cluster, in the tag hawser: the file named by -f is not needed and not read. If a resource\n" +
			"cannot be stopped, nothing is deleted.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "accepted as with apply: what is removed is recorded in the cluster, not in `FILE`"},
			yesFlag(), timeoutFlag()},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			return sys.destroy(c.Context, c.Bool("yes"), c.Duration("timeout"))
		},
	}
}

// removal is what deletes all that hawser made.
func removal(cib *crm.CIB) (crm.Plan, error) {
	p, err := crm.Diff(cib, crm.Spec{Tag: tagID})
	if err != nil {
		return crm.Plan{}, err
	}
	return p, onlyOurs(p)
}

func (s *system) destroy(ctx context.Context, yes bool, timeout time.Duration) error {
	if !yes && !s.terminal {
		return usagef("destroy asks before it writes, and there is no terminal to ask on: use --yes")
	}
	cib, err := s.cluster.Query(ctx)
	if err != nil {
		return err
	}
	remove, err := removal(cib)
	if err != nil {
		return err
	}
	if remove.Empty() {
		s.printf("Nothing to do: the cluster's configuration has nothing that hawser made.\n")
		return nil
	}
	made := cib.Tagged(tagID)
	stop, err := stopping(cib, made)
	if err != nil {
		return err
	}
	if s.running {
		// The order to stop would wait there until Pacemaker manages them again, and stop them then.
		if err := s.allManaged(ctx, made); err != nil {
			return err
		}
	}
	// Behind a file nothing runs that could be stopped.
	first := stop
	if !s.running || stop.Empty() {
		first = remove
	}
	forecast, err := s.cluster.Check(ctx, first)
	if err != nil && !errors.Is(err, crm.ErrNoFencing) {
		return err
	}
	if startsNothing(remove.New) && !startsNothing(cib) && slices.ContainsFunc(remove.New.Objects(), isPrimitive) {
		s.warn("fencing is on again after this and no fencing device is configured: Pacemaker will start none of the resources that stay, unless you " +
			"configure one, or `hawser configure property stonith-enabled=false`")
	}
	s.showPlan(remove)
	s.showForecast(forecast)
	if !yes {
		if !s.ask(ctx, "\nRemove this?") {
			return exitf(exitFailed, "not removed: nothing was changed")
		}
	}
	if !s.running {
		err = s.write(ctx, remove, removal)
	} else if err = s.stopAll(ctx, stop, made, timeout); err == nil {
		if err = s.removeStopped(ctx, stop.New); err != nil {
			err = afterStop(err, "the resources are stopped, but still configured: `hawser destroy` goes on, `hawser apply` starts them again")
		}
	}
	if err != nil {
		return err
	}
	s.printf("\nRemoved.\n")
	if !s.running {
		return nil
	}
	return s.settle(ctx, timeout)
}

// removeStopped deletes what has been stopped, if that is still what was approved: what there was when it was given the order to stop.
func (s *system) removeStopped(ctx context.Context, then *crm.CIB) error {
	approved, err := removal(then)
	if err != nil {
		return err
	}
	cib, err := s.cluster.Query(ctx)
	if err != nil {
		return err
	}
	remove, err := removal(cib)
	if err != nil {
		return exitf(exitConflict, "somebody else changed the configuration while the resources stopped, and nothing was deleted; now: %w", err)
	}
	if !remove.Same(approved) {
		s.showPlan(remove)
		return exitf(exitConflict, "somebody else changed the configuration while the resources stopped, and nothing was deleted")
	}
	return s.write(ctx, remove, removal)
}

func isPrimitive(o crm.Object) bool {
	_, ok := o.(*crm.Primitive)
	return ok
}

// afterStop adds to an error what had been done before it. Its exit code stays, but not the hint that nothing was changed.
func afterStop(err error, done string) error {
	code, _ := exitCode(err)
	return exitf(code, "%w\n%s", err, done)
}

// stopAll carries out the plan that gives the resources the order to stop, and waits until they have stopped.
func (s *system) stopAll(ctx context.Context, stop crm.Plan, ids []string, timeout time.Duration) error {
	if !stop.Empty() {
		if err := s.write(ctx, stop, func(cib *crm.CIB) (crm.Plan, error) { return stopping(cib, ids) }); err != nil {
			return err
		}
	}
	if err := s.settle(ctx, timeout); err != nil {
		return fmt.Errorf("stopping the resources: %w; nothing was deleted", err)
	}
	return s.allStopped(ctx, ids)
}

// isFencing says whether the resource is a fencing device.
func isFencing(r crm.ResourceStatus) bool { return strings.HasPrefix(r.Agent, "stonith:") }

// allManaged is an error if one of the resources runs and Pacemaker would not stop it.
func (s *system) allManaged(ctx context.Context, ids []string) error {
	status, err := s.cluster.Status(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, r := range status.Resources {
		if r.Active && !r.Managed && runs(r, ids) {
			lines = append(lines, fmt.Sprintf("%s runs on %s and is not managed (maintenance mode, or is-managed=false), so Pacemaker does not stop it", r.ID, r.Node))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return exitf(exitResource, "%s\nnothing was changed: end that first, then run the command again", strings.Join(lines, "\n"))
}

// runs tells whether a resource is one of the ids, or a member of one.
func runs(r crm.ResourceStatus, ids []string) bool {
	return slices.Contains(ids, instanceOf(r.ID)) || slices.Contains(ids, r.Parent)
}

// allStopped is an error if one of the resources still runs.
func (s *system) allStopped(ctx context.Context, ids []string) error {
	status, err := s.cluster.Status(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, r := range status.Resources {
		if !r.Active || !runs(r, ids) || isFencing(r) {
			continue
		}
		line := fmt.Sprintf("%s still runs on %s", r.ID, r.Node)
		switch {
		case !r.Managed:
			line += ": it is not managed (maintenance mode, or is-managed=false), so Pacemaker does not stop it"
		case r.Reason != "":
			line += ": " + r.Reason
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	if status.Fencing && len(status.Devices) == 0 {
		lines = append(lines, "Pacemaker starts and stops nothing while stonith-enabled is true and no fencing device is configured")
	}
	return exitf(exitResource, "%s\nnothing was deleted: correct this, then run the command again", strings.Join(lines, "\n"))
}

// stopping gives the outermost resources among the ids the target role Stopped.
func stopping(cib *crm.CIB, ids []string) (crm.Plan, error) {
	inside := map[string]bool{} // members of clones and groups that stop: they follow
	for _, o := range cib.Objects() {
		if !slices.Contains(ids, o.ID()) {
			continue
		}
		switch o := o.(type) {
		case *crm.Clone:
			inside[o.Resource] = true
		case *crm.Group:
			for _, m := range o.Members {
				inside[m] = true
			}
		}
	}
	var stopped []crm.Object
	for _, o := range cib.Objects() {
		if !slices.Contains(ids, o.ID()) || inside[o.ID()] {
			continue
		}
		switch o := o.(type) {
		case *crm.Primitive:
			if o.Class == "stonith" {
				continue // until the others have stopped a node that hangs meanwhile must be fenced; it needs no stop, and goes with its definition
			}
			p := *o
			p.Meta = withStopped(o.Meta)
			stopped = append(stopped, &p)
		case *crm.Clone:
			c := *o
			c.Meta = withStopped(o.Meta)
			stopped = append(stopped, &c)
		case *crm.Group:
			g := *o
			g.Meta = withStopped(o.Meta)
			stopped = append(stopped, &g)
		}
	}
	spec, err := crm.Edit(cib, stopped, nil)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

func withStopped(meta crm.Attrs) crm.Attrs {
	meta = append(crm.Attrs{}, meta...)
	meta.Set("target-role", "Stopped")
	return meta
}
