// Package edit changes single objects of the cluster's configuration, in the words of crmsh: each
// call is one transaction, judged before it is written, and verified by Pacemaker.
//
// It imports change, lint, crm and outcome. Open this file first; statement.go has the language's
// statements.
package edit

import (
	"context"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/lint"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Editor writes statements into a cluster's configuration.
type Editor struct {
	Cluster crm.Cluster
	Linter  lint.Linter
	// Warn is called with what an administrator should know before it is written.
	Warn func(warnings []string)
}

// Define sets what one statement says, which defines nothing that is there already. With insisted
// it is not judged.
func (e Editor) Define(ctx context.Context, words []string, insisted bool) error {
	script, err := crm.ParseWords(words)
	if err != nil {
		return err
	}
	return e.write(ctx, insisted, func(cib *crm.CIB) (crm.Plan, error) {
		if err := refuseKnown(cib, script.Objects); err != nil {
			return crm.Plan{}, err
		}
		objects, err := script.On(cib)
		if err != nil {
			return crm.Plan{}, err
		}
		for i, o := range objects {
			if n, ok := o.(*crm.Node); ok {
				objects[i] = cib.Merged(n)
			}
		}
		return change.Edit(cib, objects, script.Delete)
	})
}

// Load sets every object that a text defines, in the language of crmsh; file names it in errors.
func (e Editor) Load(ctx context.Context, file string, text []byte, insisted bool) error {
	script, err := crm.ParseShell(file, text)
	if err != nil {
		return err
	}
	if script.Empty() {
		return outcome.Usagef("%s defines nothing", file)
	}
	return e.write(ctx, insisted, func(cib *crm.CIB) (crm.Plan, error) {
		objects, err := script.On(cib)
		if err != nil {
			return crm.Plan{}, err
		}
		return change.Edit(cib, objects, script.Delete)
	})
}

// Delete deletes all of the objects, or none.
func (e Editor) Delete(ctx context.Context, ids []string) error {
	return e.write(ctx, true, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Edit(cib, nil, ids)
	})
}

// refuseKnown refuses definitions of objects that exist, as crmsh does; options and attributes of
// nodes are set, not defined.
func refuseKnown(cib *crm.CIB, objects []crm.Object) error {
	for _, o := range objects {
		switch o.(type) {
		case *crm.Property, *crm.Node:
			continue
		}
		if old, ok := cib.Counterpart(o); ok {
			return outcome.Usagef(
				"%s: the id is in use: %s\ndelete that first, or change it with `hawser "+
					"configure load`",
				crm.Title(o), crm.WithoutSecrets(old))
		}
	}
	return nil
}

// write makes one transaction of a plan, checked before it is written unless somebody insists, and
// verified by Pacemaker.
func (e Editor) write(ctx context.Context, insisted bool, plan change.Planner) error {
	warned := false
	checking := func(cib *crm.CIB) (crm.Plan, error) {
		p, err := plan(cib)
		if err != nil || insisted {
			return p, err
		}
		warnings, err := e.Linter.Check(ctx, p)
		if !warned { // it is planned again if somebody else has written meanwhile
			e.Warn(warnings)
			warned = true
		}
		return p, err
	}
	return change.Make(ctx, e.Cluster, checking, func(warning string) {
		e.Warn([]string{warning})
	})
}
