package move

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// moveDate is how a constraint's end is written. Pacemaker reads ISO 8601.
const moveDate = "2006-01-02 15:04:05Z"

// constraint sends the resource to the node, or away from where it is if the node is "", until
// then. Even if hawser dies, Pacemaker does not obey it any longer than that.
func constraint(resource, from, node string, until time.Time) (crm.Object, error) {
	score, at := "inf:", node
	if node == "" {
		score, at = "-inf:", from
	}
	script, err := crm.ParseWords([]string{"location", contract.MovePrefix + resource, resource,
		"rule", score, "#uname", "eq", at,
		"and", "date", "lt", until.UTC().Format(moveDate)})
	if err != nil {
		return nil, err
	}
	if len(script.Objects) != 1 {
		return nil, fmt.Errorf("the constraint of a move was read as %d objects",
			len(script.Objects))
	}
	return script.Objects[0], nil
}

var moveEnd = regexp.MustCompile(`date lt "?([^"]*Z)`)

// expired lists the constraints of killed moves that have run out.
func expired(cib *crm.CIB, now time.Time) []string {
	var ids []string
	for _, o := range cib.Objects() {
		if !strings.HasPrefix(o.ID(), contract.MovePrefix) || o.Keyword() != "location" {
			continue
		}
		found := moveEnd.FindStringSubmatch(o.String())
		if found == nil {
			continue
		}
		if end, err := time.Parse(moveDate, found[1]); err == nil &&
			now.After(end.Add(crm.ClockSkew)) {
			ids = append(ids, o.ID())
		}
	}
	return ids
}

// sending is the plan that writes the constraint, and removes expired ones.
func sending(cib *crm.CIB, c crm.Object, now time.Time) (crm.Plan, error) {
	old := slices.DeleteFunc(expired(cib, now), func(id string) bool { return id == c.ID() })
	return change.Edit(cib, []crm.Object{c}, old)
}

// releasing is the plan that removes the constraint, if it is still the one that was written.
func releasing(cib *crm.CIB, c crm.Object) (crm.Plan, error) {
	var ids []string
	if there, ok := cib.Object(c.ID()); ok && there.String() == c.String() {
		ids = []string{c.ID()}
	}
	return change.Edit(cib, nil, ids)
}

// Tidy removes the constraints of killed moves once they have run out.
func (m *Mover) Tidy(ctx context.Context) error {
	return change.Write(ctx, m.Cluster, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Edit(cib, nil, expired(cib, m.Now()))
	})
}

// release removes the constraint, whatever has happened.
func (m *Mover) release(ctx context.Context, mv Move) error {
	err := change.Undo(ctx, m.Cluster, func(cib *crm.CIB) (crm.Plan, error) {
		return releasing(cib, mv.constraint)
	})
	if err == nil {
		return nil
	}
	return outcome.After(err,
		fmt.Sprintf("the constraint %s could not be removed; Pacemaker obeys it for at most %v "+
			"more: the next `hawser move`, or `hawser configure delete %[1]s`, removes it",
			mv.constraint.ID(), mv.lasts))
}
