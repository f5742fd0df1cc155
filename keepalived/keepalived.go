// Package keepalived makes a hawser.yaml of the keepalived.conf of each node, all of them together,
// and says of each line what became of it. It runs nothing and changes nothing.
//
// It imports keepalived/syntax, keepalived/model, keepalived/adapt and internal/outcome. Open this
// file first; nodes.go finds out whose file is whose.
package keepalived

import (
	"errors"
	"fmt"

	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/keepalived/adapt"
	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// Node is a node and its file.
type Node struct {
	// Name is the node's name, as Pacemaker has it.
	Name string `json:"name"`
	// File is its keepalived.conf.
	File string `json:"file"`
}

// Report is what became of the files.
type Report struct {
	// Outcome says how much was converted.
	Outcome adapt.Outcome `json:"outcome"`
	// Nodes are the nodes whose files were read.
	Nodes []Node `json:"nodes"`
	// YAML is the hawser.yaml, missing if nothing could be converted.
	YAML string `json:"yaml,omitempty"`
	// Lines say what became of each line.
	Lines []adapt.Line `json:"lines"`
	// Written is the file that the hawser.yaml was written to, if it was.
	Written string `json:"written,omitempty"`

	// Summary are the lines that somebody has to read, for people.
	Summary []string `json:"-"`
	// Guessed says that the nodes have their names from those of the files.
	Guessed bool `json:"-"`
}

// Import reads the files and makes a hawser.yaml of them. files are those without a name in front,
// named those with NAME=. Its errors are of the kind usage. If there is a report beside an error, it
// has what became of the lines all the same.
func Import(files, named []string) (*Report, error) { return from(files, named, nil) }

func from(files, named []string, in syntax.Files) (*Report, error) {
	nodes, guessed, err := whose(files, named, in)
	if err != nil {
		return nil, err
	}
	var inputs []adapt.Input
	for _, n := range nodes {
		read, err := syntax.Read(n.File, syntax.Options{Node: n.Name, Files: in})
		if err != nil {
			return nil, usage("%w", err)
		}
		inputs = append(inputs, adapt.Input{Path: n.File, Config: model.Of(n.Name, read)})
	}
	if err := bounded(inputs); err != nil {
		return nil, err
	}
	result := adapt.Adapt(inputs)
	r := &Report{Outcome: result.Outcome, Nodes: nodes, YAML: string(result.YAML), Lines: result.Lines,
		Summary: result.Summary(), Guessed: guessed}
	if r.Outcome == adapt.Nothing {
		return r, usage("%s", nothing(inputs))
	}
	return r, nil
}

// More than hawser and Pacemaker could run.
const (
	mostInstances = 500
	mostAddresses = 1000
)

// bounded refuses what no cluster could run.
func bounded(inputs []adapt.Input) error {
	for _, in := range inputs {
		addresses := 0
		for _, i := range in.Config.Instances {
			addresses += len(i.Addresses)
		}
		if n := len(in.Config.Instances); n > mostInstances || addresses > mostAddresses {
			return usage("%w", &syntax.Fault{Pos: syntax.Pos{File: in.Path}, Message: fmt.Sprintf("%d "+
				"vrrp_instance with %d addresses: expected at most %d with "+
				"%d", n, addresses, mostInstances,
				mostAddresses)})
		}
	}
	return nil
}

// nothing says why there is no hawser.yaml.
func nothing(inputs []adapt.Input) string {
	instances, servers := 0, 0
	for _, in := range inputs {
		instances += len(in.Config.Instances)
		servers += len(in.Config.Servers)
	}
	switch {
	case instances > 0:
		return "there is nothing to convert: no vrrp_instance has an address that could be taken over"
	case servers > 0:
		return "there is nothing to convert: the configuration has virtual servers of LVS alone, " +
			"and no " +
			"vrrp_instance with an address"
	}
	return "there is nothing to convert: no vrrp_instance was found: expected a keepalived.conf " +
		"with one"
}

func usage(format string, args ...any) error {
	return outcome.Errorf(outcome.Usage, format, args...)
}

// IsFault reports whether an error is about a file that cannot be read as a keepalived.conf.
func IsFault(err error) bool {
	var fault *syntax.Fault
	return errors.As(err, &fault)
}
