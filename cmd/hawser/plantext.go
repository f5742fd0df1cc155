package main

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/words"
)

// showPlan prints each object that is created, changed or deleted.
func (s *terminal) showPlan(p crm.Plan) {
	if p.Empty() {
		s.printf("Nothing to do: the cluster's configuration is as it should be.\n")
		return
	}
	created, changed, deleted := 0, 0, 0
	for _, c := range p.Changes {
		switch {
		case c.Old == nil:
			created++
			s.printf("%s\n",
				s.paint(green, mark("+ ", crm.WithoutSecrets(unpacked(c.New)).String())))
		case c.New == nil:
			deleted++
			s.printf("%s\n", s.paint(red, mark("- ", crm.WithoutSecrets(unpacked(c.Old)).String())))
		default:
			changed++
			s.printf("%s\n", s.paint(yellow, "~ "+crm.Title(c.New)))
			for _, f := range c.WithoutSecrets() {
				if isPushed(c.New) {
					f.Old, f.New = pushedSize(f.Old), pushedSize(f.New)
				}
				s.printf("      %s\n", f.Describe(c.New))
			}
		}
	}
	s.printf("\n%d to create, %d to change, %d to delete.\n", created, changed, deleted)
}

// isPushed is whether an object is a configuration of HAProxy on its way through the cluster, which
// nobody can read in this form.
func isPushed(o crm.Object) bool {
	p, ok := o.(*crm.Property)
	return ok && p.Name == contract.PushedConfig && strings.HasPrefix(p.Set, contract.PushSetPrefix)
}

func pushedSize(value string) string {
	if value == "" {
		return ""
	}
	return words.Count(len(value), "byte") + " of a pushed haproxy.cfg"
}

// unpacked is the object as it can be shown.
func unpacked(o crm.Object) crm.Object {
	if !isPushed(o) {
		return o
	}
	p := *o.(*crm.Property)
	p.Value = pushedSize(p.Value)
	return &p
}

// mark puts a sign before the first line of a definition and aligns the others with it.
func mark(sign, text string) string {
	return sign + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", len(sign)))
}

// showForecast prints what the scheduler would do.
func (s *terminal) showForecast(f crm.Forecast) {
	if len(f.Actions) == 0 {
		s.printf("\nPacemaker will start and stop nothing.\n")
		return
	}
	s.printf("\nPacemaker will:\n")
	reloads := false
	for _, a := range f.Actions {
		reloads = reloads || a.Task == "reload"
	}
	for _, line := range f.Lines() {
		s.printf("  %s\n", line)
	}
	if reloads {
		s.printf("A reload makes changed parameters take effect. HAProxy loads its files only if the " +
			"parameter generation changes, as `hawser reload` changes it.\n")
	}
}

// showInterruptions prints first of all what visitors will notice.
func (s *terminal) showInterruptions(all []string) {
	for _, what := range all {
		for _, line := range words.Wrap("INTERRUPTS: "+what, 80) {
			s.printf("%s\n", s.paint(red, line))
		}
	}
	if len(all) > 0 {
		s.printf("\n")
	}
}

func (s *terminal) printJSON(v any) error {
	e := json.NewEncoder(s.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	if errors.Is(err, syscall.EPIPE) {
		return nil // as printf has it
	}
	return err
}
