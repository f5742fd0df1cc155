package deploy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/words"
)

// signature says from where the file is applied, by whom, and when: at the time of the plan.
func (d *Deployer) signature(file *config.File) contract.Applied {
	a := contract.Applied{Node: d.Node.Name, User: d.User, File: file.Absolute, Sum: file.Sum}
	if d.Now != nil {
		a.At = d.Now()
	}
	return a
}

// note is the signature as the configuration keeps it, nil if there is no clock.
func (d *Deployer) note(file *config.File) *crm.Property {
	signed := d.signature(file)
	if signed.At.IsZero() {
		return nil
	}
	return noteOf(signed)
}

func noteOf(a contract.Applied) *crm.Property {
	return &crm.Property{Set: contract.AppliedID, Name: contract.AppliedName, Value: a.String()}
}

// otherFile warns of a plan that takes back what another file has set: two of them, on two nodes,
// would undo each other at every apply.
func (d *Deployer) otherFile(file *config.File, p crm.Plan) []string {
	last, known := inventory.LastApplied(p.Base)
	if !known || last.SameFile(d.signature(file)) {
		return nil
	}
	back := takenBack(p)
	if len(back) == 0 {
		return nil
	}
	const most = 4
	if len(back) > most {
		back = append(back[:most-1], fmt.Sprintf("%d more", len(back)-most+1))
	}
	now := last.At
	if d.Now != nil {
		now = d.Now()
	}
	return []string{fmt.Sprintf("last applied from %s%s by %s; this is another file and takes %s back",
		last.Source(), words.Since(" at ", &last.At, now), cmp.Or(last.User, "somebody"),
		strings.Join(back, ", "))}
}

// takenBack names what a plan changes or deletes of what was set, in the words of hawser.yaml where it
// has some. What follows from an address, such as its constraints, is not named beside it.
func takenBack(p crm.Plan) []string {
	var all []string
	add := func(what string) {
		if !slices.Contains(all, what) {
			all = append(all, what)
		}
	}
	for _, c := range p.Changes {
		switch old := c.Old.(type) {
		case *crm.Primitive:
			switch {
			case c.New != nil:
				for _, f := range c.WithoutSecrets() {
					name, isParam := strings.CutPrefix(f.Name, "params ")
					switch {
					case f.Old == "":
					case isParam:
						add(config.KeyOf(old.Type, name) + ": " + short(f.Old))
					case strings.HasPrefix(f.Name, "op "):
						add(old.Name + "'s " + strings.Fields(f.Name)[1])
					}
				}
			case inventory.IsAddress(old.Agent()):
				add(inventory.Called(old.Name, inventory.IPText(old)))
			default:
				add(old.Name)
			}
		case *crm.Property:
			if old.Set != contract.BeforeID && c.New != nil {
				add(old.Name + ": " + old.Value)
			}
		}
	}
	return all
}

// short is a value as far as a sentence has room for it.
func short(value string) string {
	const most = 40
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return value
}

// stale is how long a question may wait for its answer before what is written has a new time.
const stale = time.Minute
