package crm

import (
	"slices"
	"strings"
)

// Lines is the forecast for people: what is done to the instances of a clone in one line, without
// their numbers.
func (f Forecast) Lines() []string {
	var all []Action
	nodes := map[Action][]string{}
	for _, a := range f.Actions {
		a.Resource = ResourceOf(a.Resource)
		node := a.Node
		if a.Resource != "" && a.From == "" {
			a.Node = ""
		}
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
		nodes[a] = append(nodes[a], node)
	}
	var lines []string
	for _, a := range all {
		together := nodes[a]
		if a.Node == "" {
			a.Node = strings.Join(together, ", ")
		}
		lines = append(lines, a.String())
	}
	return lines
}
