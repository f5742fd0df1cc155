// Package lint finds what Pacemaker would take, and nobody can have meant: an agent that is not
// there, a parameter that its agent does not know, an option of the cluster whose name is mistyped,
// an address that two resources hold, a preference for a node that does not exist. Only what a plan
// brings about is judged: the cluster lives with the rest.
//
// It imports crm, inventory and leaves of internal. Open this file first.
package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// Linter knows where to look. host fills it in.
type Linter struct {
	// Metadata asks an agent of this node, Options the Pacemaker of this node which options a
	// cluster has. Nil asks nobody.
	Metadata func(ctx context.Context, agent string) (crm.Metadata, error)
	Options  func(ctx context.Context) ([]string, error)
	// Agents is where resource agents are, FenceAgents where fence agents are; "" looks nowhere.
	Agents, FenceAgents string
	// Live says that the configuration is that of this node's cluster. Otherwise an agent that is
	// not here may well be where the configuration is for.
	Live bool
}

// Check judges a plan. Its error lists everything that is wrong and would be written all the same
// if somebody insisted.
func (l Linter) Check(ctx context.Context, plan crm.Plan) (warnings []string, err error) {
	j := judge{Linter: l, plan: plan, asked: map[string]crm.Metadata{},
		pairs: map[[2]string]bool{}}
	for _, c := range plan.Changes {
		switch o := c.New.(type) {
		case *crm.Primitive:
			j.primitive(ctx, o.Name)
		case *crm.Property:
			if c.Old == nil {
				j.option(ctx, o)
			}
		case *crm.Location:
			j.location(o)
		}
	}
	if len(j.faults) == 0 {
		return j.warnings, nil
	}
	return j.warnings, outcome.Usagef("%s\nnothing was changed; --force writes it as it is",
		strings.Join(j.faults, "\n"))
}

// judge collects what is found about one plan.
type judge struct {
	Linter
	plan             crm.Plan
	asked            map[string]crm.Metadata // by agent
	pairs            map[[2]string]bool      // of resources that share something
	faults, warnings []string
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// warn adds a warning once.
func (j *judge) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(j.warnings, w) {
		j.warnings = append(j.warnings, w)
	}
}

// option judges the name of a new option. Options in sets of other names are for whoever made the
// set.
func (j *judge) option(ctx context.Context, p *crm.Property) {
	if p.Keyword() != string(crm.ClusterProperty) || p.Set != "" && p.Set != crm.DefaultSet ||
		crm.KnownOption(p.Name) || j.Options == nil {
		return
	}
	known, err := j.Options(ctx)
	if slices.Contains(known, p.Name) {
		return
	}
	meant := nearest(p.Name, append(crm.KnownOptions(), known...))
	switch {
	case meant != "":
		j.fault("%s is no option of Pacemaker's: did you mean %s?", p.Name, meant)
	case err != nil:
		j.warn("whether Pacemaker has an option %s is not known: %v", p.Name, err)
	default:
		j.fault("%s is no option of Pacemaker's: `man pacemaker-schedulerd` and `man "+
			"pacemaker-controld` list them; one of your own belongs into a set of its own "+
			"(`property NAME: %s=…`)", p.Name, p.Name)
	}
}

// location warns of a preference for a node that does not exist: it may be added later.
func (j *judge) location(o *crm.Location) {
	nodes := j.plan.New.Nodes()
	for _, name := range o.NodesNamed() {
		if !slices.ContainsFunc(nodes, func(n string) bool { return strings.EqualFold(n, name) }) {
			j.warn("location %s: the cluster has no node %s; it has %s", o.Name, name,
				words.OrNone(strings.Join(nodes, ", ")))
		}
	}
}

// nearest is the word that was probably meant, "" if none is near.
func nearest(word string, known []string) string {
	for _, k := range known {
		if k != word && words.Near(word, k) {
			return k
		}
	}
	return ""
}
